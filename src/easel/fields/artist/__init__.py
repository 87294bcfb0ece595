"""artist: to be described."""
