"""Easel: the neural rendering workstation for PyTorch.

Each public name comes from its home when it is first read, so that `import easel` itself loads nothing heavy.
"""

from easel.lazy import attach

_load, _names, __all__ = attach(__name__, __file__)
__all__ += ["HAS_CUDA"]


def __getattr__(name: str) -> object:
    if name == "HAS_CUDA":
        import torch

        return torch.cuda.is_available()
    return _load(name)


def __dir__() -> list[str]:
    return __all__
