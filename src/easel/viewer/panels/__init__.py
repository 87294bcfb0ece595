"""Panels, pages and their layout: docking, command palette, callbacks, view state."""
