"""Fields that move: zooms, pans and walks through latents."""
