"""The ways to show a view: a window, off screen, in a browser tab, or without OpenGL. `select` has their table."""
