"""The workstation: the window in which the four products meet, a page for each."""
