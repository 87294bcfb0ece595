"""The workstation: where the four products meet in one window."""
