"""Tracing: one real forward pass recorded as a graph with its activations."""
