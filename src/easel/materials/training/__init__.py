"""Training of networks: losses, metrics, the loop and its files."""
