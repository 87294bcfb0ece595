"""Where the network that comes with Easel lies."""

from pathlib import Path

SHIPPED = Path(__file__).parent / "weights" / "laptop.safetensors"
"""May be absent: a checkout need not have it."""
