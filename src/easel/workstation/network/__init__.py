"""Network: the tensors of a network in space, live, over time and compared."""
