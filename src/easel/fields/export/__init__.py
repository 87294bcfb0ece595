"""Fields for other programs: shaders, web pages, ONNX."""
