"""Trained networks in files that other programs open: ONNX, Core ML, and plain weights for torch."""
