"""Materials to learn from: made from noise, or taken from folders of real ones."""
