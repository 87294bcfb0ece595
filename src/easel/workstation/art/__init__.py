"""Art: random fields to fly through, to change and to breed from."""
