"""OpenGL: contexts with and without a display, tensors as textures, framebuffers as tensors."""
