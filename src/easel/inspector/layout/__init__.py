"""Layout: from tensors to rectangles in space. Nothing here draws or reads values."""
