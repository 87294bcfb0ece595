"""The wire format of published pictures and numbers, through a socket of this machine.

The two ends prove to each other that they know the token (the standard library's HMAC challenge). A picture is two
messages, a JSON header and the bare numbers; nothing is ever unpickled. The view answers with the names of which it
wants newer pictures.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

MOST_HEADER_BYTES = 1 << 16
MOST_PICTURE_BYTES = 1 << 30
MOST_DIMENSIONS = 4
MOST_NUMBERS = 2_000
"""Most numbers in one message."""
DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (
    torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.uint8, torch.int8, torch.int16, torch.int32,
    torch.int64, torch.bool)}  # fmt: skip
SCHEME = "easel://"


class WireError(ValueError):
    """A message that no publisher of ours sends."""


@dataclass(frozen=True)
class Address:
    """The place at which a view listens, and the token that opens it."""

    host: str
    port: int
    token: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.token}@{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Parse what `View.listen` returned. ValueError for anything else."""
        token, at, place = text.removeprefix(SCHEME).rpartition("@")
        host, colon, port = place.rpartition(":")
        if not (text.startswith(SCHEME) and at and colon and port.isdecimal()):
            raise ValueError(f"a view's address is what View.listen() returned, {SCHEME}…; got {text[:80]!r}.")
        return cls(host, int(port), token)


def send_picture(line: Connection, name: str, tensor: Shaped[Tensor, "*shape"]) -> None:
    """Send a picture of any shape and a known dtype."""
    plain = tensor.contiguous()
    header = {"name": name, "dtype": str(plain.dtype).removeprefix("torch."), "shape": list(plain.shape)}
    line.send_bytes(json.dumps(header).encode())
    # As bytes: NumPy has no bfloat16, and the header says what they are.
    line.send_bytes(plain.reshape(-1).view(torch.uint8).numpy().data)


def send_numbers(line: Connection, name: str, values: Sequence[float]) -> None:
    """Send the newest numbers of a curve, at most `MOST_NUMBERS`."""
    # JSON has no NaN and no infinity: null leaves the same gap in the curve.
    numbers = [value if math.isfinite(value) else None for value in values[-MOST_NUMBERS:]]
    line.send_bytes(json.dumps({"name": name, "numbers": numbers}).encode())


def receive(line: Connection) -> tuple[str, Shaped[Tensor, "*shape"] | list[float]]:
    """Return (name, picture or numbers). WireError for anything else, EOFError or OSError at the end."""
    header = _read(line.recv_bytes(MOST_HEADER_BYTES))
    name, numbers = header.get("name"), header.get("numbers")
    # A name becomes the title of a panel.
    if not isinstance(name, str) or not name or len(name) > 200:
        raise WireError("no name")
    # A message with numbers is complete; a picture's values follow in a second one.
    if numbers is not None:
        if not isinstance(numbers, list) or not all(n is None or type(n) in (int, float) for n in numbers):
            raise WireError("no numbers")
        return name, [math.nan if n is None else float(n) for n in numbers]
    dtype = DTYPES.get(str(header.get("dtype")))
    shape = header.get("shape")
    if dtype is None or not isinstance(shape, list) or len(shape) > MOST_DIMENSIONS:
        raise WireError("no picture")
    if not all(type(side) is int and 0 < side < 1 << 20 for side in shape):
        raise WireError("no shape")
    # The size is checked before anything of it is allocated.
    if (expected := math.prod(shape) * dtype.itemsize) > MOST_PICTURE_BYTES:
        raise WireError(f"a picture of {expected >> 20} MiB")
    data = np.empty(expected, np.uint8)
    if line.recv_bytes_into(data) != expected:
        raise WireError("fewer numbers than its shape has")
    return name, torch.from_numpy(data).view(dtype).reshape(shape)


def _read(message: bytes) -> dict[str, Any]:
    try:
        header = json.loads(message)
    # A RecursionError comes from brackets nested deeper than Python's stack.
    except (ValueError, RecursionError) as error:
        raise WireError("no JSON") from error
    if not isinstance(header, dict):
        raise WireError("no object")
    return header
