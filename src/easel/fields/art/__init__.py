"""Fields that paint: networks with random weights, and what they are made of as data."""
