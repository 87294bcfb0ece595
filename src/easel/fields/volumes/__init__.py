"""Volumes: seen, read, written, and as meshes."""
