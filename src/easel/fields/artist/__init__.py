"""INRF2D and INRF3D: a seed becomes a picture, and a recipe brings it back."""
