"""Families of procedural materials: points of a tile and a seed in, a surface out."""
