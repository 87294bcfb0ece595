"""The container of a binary glTF 2.0 (Khronos): a JSON document and the bytes that it points into, in one file."""

import json
import struct
from collections.abc import Mapping
from typing import Any

MAGIC, VERSION, JSON_CHUNK, BINARY_CHUNK = b"glTF", 2, b"JSON", b"BIN\0"


class Binary:
    """Bytes as they come in, and the views that name their parts."""

    def __init__(self) -> None:
        self.views: list[dict[str, Any]] = []
        """The document's `bufferViews`."""
        self.data = bytearray()

    def add(self, data: bytes, target: int | None = None) -> int:
        """Add bytes, padded to four; returns the number of the view on them. `target` is what a GPU binds them as."""
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        self.views.append(view if target is None else view | {"target": target})
        self.data += data + b"\0" * (-len(data) % 4)
        return len(self.views) - 1


def glb(document: Mapping[str, Any], binary: Binary) -> bytes:
    """The file of a document whose first buffer is `binary`."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = _chunk(JSON_CHUNK, text) + _chunk(BINARY_CHUNK, bytes(binary.data))
    return MAGIC + struct.pack("<II", VERSION, 12 + len(chunks)) + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + kind + data
