"""Files for other programs: glTF, MaterialX, USD and texture sets."""
