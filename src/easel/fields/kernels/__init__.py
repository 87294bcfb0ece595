"""Fast evaluation on a CPU: what numba compiles, and what packs a field for it."""
