"""Panels and pages: docked windows of canvases and widgets, their layout, commands and saved state."""
