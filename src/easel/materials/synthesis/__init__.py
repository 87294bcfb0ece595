"""Photographs that never were: a camera, a light and a hand-held phone's faults."""
