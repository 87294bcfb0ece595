"""Materials: photographs to albedo, roughness, metallic and normal maps."""

from easel.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
