"""Meshopt streams made by the reference encoder; see data/meshopt_streams.json for where they come from."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import LimitExceeded, UnreadableFile
from app.formats.gltf import read
from app.formats.gltf_meshopt import decode_view
from app.formats.registry import Limits, no_progress
from tests.formats.gltf_files import Glb

_STREAMS = json.loads((Path(__file__).parent / "data" / "meshopt_streams.json").read_text("utf-8"))["streams"]
# The specification lets these two differ by one unit in the last place.
_ROUNDED = {"OCTAHEDRAL", "QUATERNION"}


def _decode(stream: dict[str, Any], packed: bytes | None = None) -> np.ndarray:
    source = np.frombuffer(bytes.fromhex(stream["packed"]) if packed is None else packed, np.uint8)
    return decode_view(source, stream["count"], stream["stride"], stream["mode"], stream["filter"])


@pytest.mark.parametrize("stream", _STREAMS, ids=lambda stream: stream["name"])
def test_unpacks_what_the_reference_encoder_packed(stream: dict[str, Any]) -> None:
    expected = np.frombuffer(bytes.fromhex(stream["unpacked"]), np.uint8)
    found = _decode(stream)
    if stream["filter"] in _ROUNDED:
        kind = np.int8 if stream["stride"] == 4 else np.int16
        assert np.abs(found.view(kind).astype(int) - expected.view(kind).astype(int)).max() <= 1
    else:
        np.testing.assert_array_equal(found, expected)


def test_color_filter_by_hand() -> None:
    # K = 8 bits: luma 100, Co 20, Cg -10, alpha 0x80 | 0x55; r = 130, g = 90, b = 90, a = 0x55 << 1 | 1.
    element = bytes([100, 20, 256 - 10, 0x80 | 0x55])
    stream = b"\xa0" + b"\x00" * 4 + b"\x00" * 28 + element
    found = decode_view(np.frombuffer(stream, np.uint8), 1, 4, "ATTRIBUTES", "COLOR")
    assert found.tolist() == [130, 90, 90, 0xAB]


@pytest.mark.parametrize("stream", _STREAMS, ids=lambda stream: stream["name"])
def test_every_cut_is_noticed(stream: dict[str, Any]) -> None:
    packed = bytes.fromhex(stream["packed"])
    for length in range(len(packed)):
        with pytest.raises(ValueError, match=r"too early|wrong"):
            _decode(stream, packed[:length])


@given(st.sampled_from(_STREAMS), st.data())
def test_damage_gives_the_right_size_or_an_error(stream: dict[str, Any], data: st.DataObject) -> None:
    packed = bytearray.fromhex(stream["packed"])
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        assert _decode(stream, bytes(packed)).nbytes == stream["count"] * stream["stride"]


@pytest.mark.parametrize(
    ("stride", "mode", "mesh_filter"),
    [
        (6, "ATTRIBUTES", "NONE"),
        (260, "ATTRIBUTES", "NONE"),
        (12, "ATTRIBUTES", "OCTAHEDRAL"),
        (4, "ATTRIBUTES", "QUATERNION"),
        (4, "ATTRIBUTES", "ZIGZAG"),
        (8, "TRIANGLES", "NONE"),
        (4, "INDICES", "EXPONENTIAL"),
        (4, "TREES", "NONE"),
    ],
)
def test_what_the_specification_forbids_is_refused(stride: int, mode: str, mesh_filter: str) -> None:
    stream = b"\xa0" + b"\0" * (stride + max(stride, 32))  # valid, one element of zeros
    with pytest.raises(ValueError, match=r"stride|filter|mode"):
        decode_view(np.frombuffer(stream, np.uint8), 1, stride, mode, mesh_filter)


def _compressed_grid(**changes: Any) -> Glb:
    """A 4 x 4 grid whose indices are a meshopt stream over a fallback buffer without data."""
    stream = next(stream for stream in _STREAMS if stream["name"] == "triangles")
    glb = Glb()
    y, x = np.divmod(np.arange(16), 4)
    positions = glb.accessor(np.stack((x, y, 0 * x), axis=1).astype(np.float32))
    packed = glb.view(bytes.fromhex(stream["packed"]))
    source = glb.data["bufferViews"].pop(packed)
    glb.add("buffers", {"byteLength": 4 * stream["count"]})
    extension = {
        "buffer": 0,
        "byteOffset": source["byteOffset"],
        "byteLength": source["byteLength"],
        "byteStride": 4,
        "mode": "TRIANGLES",
        "count": stream["count"],
    }
    view = {
        "buffer": 1,
        "byteLength": 4 * stream["count"],
        "extensions": {"EXT_meshopt_compression": extension | changes},
    }
    indices = glb.add(
        "accessors",
        {
            "bufferView": glb.add("bufferViews", view),
            "componentType": 5125,
            "count": stream["count"],
            "type": "SCALAR",
        },
    )
    glb.mesh({"attributes": {"POSITION": positions}, "indices": indices})
    glb.scene({"mesh": 0})
    return glb


def test_reads_a_compressed_file(tmp_path: Path) -> None:
    soup = read(_compressed_grid().save(tmp_path), Limits(), no_progress)
    stream = next(stream for stream in _STREAMS if stream["name"] == "triangles")
    expected = np.frombuffer(bytes.fromhex(stream["unpacked"]), np.uint32).reshape(-1, 3)
    np.testing.assert_array_equal(soup.triangles, expected)


def test_damage_in_a_compressed_file_names_the_view(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"buffer view 1.*meshopt"):
        read(_compressed_grid(count=57).save(tmp_path), Limits(), no_progress)


def test_a_small_stream_cannot_ask_for_gigabytes(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded, match="buffer view 1"):
        read(_compressed_grid(count=300_000_000).save(tmp_path), Limits(), no_progress)
