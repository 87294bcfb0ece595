"""Look inside a network, in 3D: every tensor is one sheet in space, coloured by value and exact under the mouse."""

from easel.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
