"""kernels: to be described."""
