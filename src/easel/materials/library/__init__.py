"""Materials to learn from: made of noise, or taken from folders of real ones."""
