"""How a network learns: losses, metrics, the loop and what it leaves on disk."""
