"""The container of a binary glTF."""

import json
import struct

from easel.graphics.glb import Binary, glb


def test_chunks_are_padded_and_views_point_at_what_was_added():
    binary = Binary()
    parts = [b"a", b"bcde", b"fghijk"]
    assert [binary.add(part, 34962 if index else None) for index, part in enumerate(parts)] == [0, 1, 2]
    data = glb({"name": "é", "bufferViews": binary.views}, binary)
    magic, version, length, text_length, text_kind = struct.unpack("<4sII I4s", data[:20])
    assert (magic, version, length, text_kind) == (b"glTF", 2, len(data), b"JSON") and text_length % 4 == 0
    document, rest = json.loads(data[20 : 20 + text_length]), data[20 + text_length :]
    size, kind = struct.unpack("<I4s", rest[:8])
    assert kind == b"BIN\0" and size == len(rest) - 8 and size % 4 == 0
    views = document["bufferViews"]
    assert [rest[8 + v["byteOffset"] : 8 + v["byteOffset"] + v["byteLength"]] for v in views] == parts
    assert all(view["byteOffset"] % 4 == 0 for view in views)
    assert "target" not in views[0] and views[1]["target"] == 34962
