"""Container of binary glTF 2.0 (Khronos), section 4: a JSON document and the bytes that it points into, in one file."""

import json
import struct
from collections.abc import Mapping
from typing import Any

VERSION = 2


class Binary:
    """The bytes of a document, and the views that name parts of them."""

    def __init__(self) -> None:
        self.views: list[dict[str, Any]] = []
        """The document's `bufferViews`."""
        self.data = bytearray()

    def add(self, data: bytes, target: int | None = None) -> int:
        """Add bytes and return the number of the view on them.

        `target` is the buffer that a GPU binds them to: 34962 for vertices, 34963 for indices.
        """
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self.views.append(view)
        # Whatever an accessor reads begins at a multiple of its component's size, which is at most four.
        self.data += data + b"\0" * (-len(data) % 4)
        return len(self.views) - 1


def glb(document: Mapping[str, Any], binary: Binary) -> bytes:
    """Return the file of a document whose first buffer is `binary`."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = _chunk(b"JSON", text) + _chunk(b"BIN\0", bytes(binary.data))
    return b"glTF" + struct.pack("<II", VERSION, 12 + len(chunks)) + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + kind + data
