"""Fits: targets, presets, losses, and a run as a generator of steps."""
