"""Networks as data: parameters and buffers of modules, weights in files, ONNX graphs."""
