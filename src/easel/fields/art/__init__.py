"""Painting fields: networks with random weights, and their architectures as data."""
