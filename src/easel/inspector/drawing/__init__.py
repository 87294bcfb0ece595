"""Pictures of a scene: with OpenGL, with NumPy alone, and one tensor as a flat heat map."""
