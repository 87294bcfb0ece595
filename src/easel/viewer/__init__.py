"""See tensors live: views of docked panels with canvases and widgets, in a window, off screen or without OpenGL."""

from easel.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
