"""Files that samples of fields are written into."""
