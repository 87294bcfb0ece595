"""Fit: a photograph, and the field that learns it while a person steers."""
