"""One tensor on screen: its display settings, history, comparison, pointer and overlay, recording."""
