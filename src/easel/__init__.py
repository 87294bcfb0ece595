"""Easel: the neural rendering workstation for PyTorch."""

__version__ = "0.1.0"
