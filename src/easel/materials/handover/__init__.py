"""Finished materials for other programs: glTF, MaterialX, USD, and texture sets as engines name and pack them."""
