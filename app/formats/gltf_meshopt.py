"""Decoder for EXT_meshopt_compression and KHR_meshopt_compression buffer views.

Written from the bitstream description in the extensions' specifications (appendix A); the filters of appendix B are in
`gltf_meshopt_filters`. Every read is checked against the end of the data: no input makes a kernel leave its arrays.
"""

from __future__ import annotations

import numpy as np

from app.formats.gltf_meshopt_filters import unfiltered
from app.mesh.jit import kernel

_TAIL_BYTES = (32, 24)  # least size of the tail block in version 0 and 1
_MOST_STRIDE = 256
# A v1 block of 256 elements may store nothing but a quarter byte per byte of an element.
_BEST_RATIO = 1024
_DAMAGED = "the data ends too early or is wrong"


def decode_view(source: np.ndarray, count: int, stride: int, mode: str, mesh_filter: str) -> np.ndarray:
    """Unpack `count` elements of `stride` bytes. source: (n,) uint8. Returns (count * stride,) uint8.

    mode: "ATTRIBUTES", "TRIANGLES" or "INDICES". mesh_filter: "NONE", "OCTAHEDRAL", "QUATERNION", "EXPONENTIAL" or
    "COLOR". Raises ValueError for what is not a valid stream; nothing large is allocated for a small one.
    """
    source = np.array(source)  # a writable copy: kernels are compiled for one kind of array
    if mode == "ATTRIBUTES":
        if stride % 4 or not 4 <= stride <= _MOST_STRIDE:
            raise ValueError(f"a stride of {stride} bytes is not allowed")
        _require(count * stride <= _BEST_RATIO * (len(source) + 1))
        return unfiltered(_attributes(source, count, stride), mesh_filter, stride)
    if mode not in ("TRIANGLES", "INDICES"):
        raise ValueError(f"the mode {mode[:20]!r} is unknown")
    if stride not in (2, 4) or mesh_filter != "NONE":
        raise ValueError("indices must have 2 or 4 bytes and no filter")
    if mode == "TRIANGLES":
        _require(count % 3 == 0 and count // 3 <= len(source))
        indices, intact = _decode_triangles(source, count // 3)
    else:
        _require(count <= len(source))
        indices, intact = _decode_indices(source, count)
    _require(intact)
    return (indices if stride == 4 else indices.astype(np.uint16)).view(np.uint8)


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError(_DAMAGED)


def _attributes(source: np.ndarray, count: int, stride: int) -> np.ndarray:
    _require(len(source) > stride and source[0] in (0xA0, 0xA1))
    version = int(source[0]) & 1
    tail = stride + (stride // 4 if version else 0)
    end = len(source) - max(tail, _TAIL_BYTES[version])
    _require(end >= 1)
    baseline = source[len(source) - tail :][:stride]
    channels = source[len(source) - stride // 4 :] if version else np.zeros(stride // 4, np.uint8)
    kinds, rotations = channels & 15, channels >> 4
    _require(bool((kinds <= 2).all()) and not rotations[kinds < 2].any())
    out = np.empty((count, stride), np.uint8)
    _require(_decode_attributes(source, end, version, baseline, channels, out))
    return out.reshape(-1)


@kernel
def _group(source, place, end, bits, out, first):
    """Read 16 deltas of a data block's group. Returns where the next group starts, or -1."""
    if bits == 0:
        out[first : first + 16] = 0
        return place
    if place + 2 * bits > end:
        return -1
    if bits == 8:
        out[first : first + 16] = source[place : place + 16]
        return place + 16
    sentinel = (1 << bits) - 1
    per_byte = 8 // bits
    extra = place + 2 * bits
    for i in range(16):
        byte = source[place + i // per_byte]
        # One-bit deltas start at the low bit, wider ones at the high bits.
        shift = i % per_byte if bits == 1 else 8 - bits * (i % per_byte + 1)
        value = (byte >> shift) & sentinel
        if value == sentinel:
            if extra >= end:
                return -1
            value = source[extra]
            extra += 1
        out[first + i] = value
    return extra


@kernel
def _data_block(source, place, end, version, control, elements, out):
    """Read the deltas of one byte position over one attribute block. Returns the next place, or -1."""
    if control == 2:
        out[:elements] = 0
        return place
    if control == 3:
        if place + elements > end:
            return -1
        out[:elements] = source[place : place + elements]
        return place + elements
    groups = (elements + 15) // 16
    header = place
    place += (groups + 3) // 4
    if place > end:
        return -1
    for group in range(groups):
        code = (source[header + group // 4] >> (2 * (group % 4))) & 3
        if version == 0:
            bits = 0 if code == 0 else 1 << code
        elif control == 0:
            bits = 0 if code == 0 else 1 << (code - 1)
        else:
            bits = 1 << code
        place = _group(source, place, end, bits, out, 16 * group)
        if place < 0:
            return -1
    return place


@kernel
def _undo_deltas(deltas, elements, channel, first_byte, last, out, first):
    """Turn four byte positions of deltas into values. last: previous element, updated."""
    kind = channel & 15
    if kind == 0:
        for k in range(4):
            previous = np.int64(last[first_byte + k])
            for i in range(elements):
                v = np.int64(deltas[k, i])
                previous = (previous + ((v >> 1) ^ -(v & 1))) & 0xFF
                out[first + i, first_byte + k] = previous
            last[first_byte + k] = previous
    elif kind == 1:
        for k in range(0, 4, 2):
            previous = np.int64(last[first_byte + k]) | (np.int64(last[first_byte + k + 1]) << 8)
            for i in range(elements):
                v = np.int64(deltas[k, i]) | (np.int64(deltas[k + 1, i]) << 8)
                previous = (previous + ((v >> 1) ^ -(v & 1))) & 0xFFFF
                out[first + i, first_byte + k] = previous & 0xFF
                out[first + i, first_byte + k + 1] = previous >> 8
            last[first_byte + k] = previous & 0xFF
            last[first_byte + k + 1] = previous >> 8
    else:
        # The encoder rotates left by this much.
        rotation = (32 - np.int64(channel >> 4)) & 31
        previous = np.int64(0)
        for k in range(4):
            previous |= np.int64(last[first_byte + k]) << (8 * k)
        for i in range(elements):
            v = np.int64(0)
            for k in range(4):
                v |= np.int64(deltas[k, i]) << (8 * k)
            previous ^= ((v << rotation) | (v >> (32 - rotation))) & 0xFFFFFFFF
            for k in range(4):
                out[first + i, first_byte + k] = (previous >> (8 * k)) & 0xFF
        for k in range(4):
            last[first_byte + k] = (previous >> (8 * k)) & 0xFF


@kernel
def _decode_attributes(source, end, version, baseline, channels, out):
    """Mode 0. Returns whether the stream was whole."""
    count, stride = out.shape
    most = min((8192 // stride) & ~15, 256)
    deltas = np.empty((4, 256), np.uint8)
    last = baseline.copy()
    place = 1
    for first in range(0, count, most):
        elements = min(most, count - first)
        header = place
        if version == 1:
            place += stride // 4
            if place > end:
                return False
        for k in range(0, stride, 4):
            for j in range(4):
                control = (source[header + k // 4] >> (2 * j)) & 3 if version == 1 else 0
                place = _data_block(source, place, end, version, control, elements, deltas[j])
                if place < 0:
                    return False
            _undo_deltas(deltas, elements, channels[k // 4], k, last, out, first)
    return place == end


@kernel
def _varint(source, place, end):
    """Unsigned LEB128 of at most five bytes. Returns the value and the next place, or -1 for that."""
    value = np.int64(0)
    for i in range(5):
        if place >= end:
            return value, -1
        byte = np.int64(source[place])
        place += 1
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value & 0xFFFFFFFF, place
    return value, -1


@kernel
def _decode_indices(source, count):
    """Mode 2. Returns (count,) uint32 and whether the stream was whole."""
    out = np.zeros(count, np.uint32)
    end = len(source) - 4
    if end < 1 or source[0] != 0xD1:
        return out, False
    last = np.zeros(2, np.int64)
    place = 1
    for i in range(count):
        v, place = _varint(source, place, end)
        if place < 0:
            return out, False
        delta = ~(v >> 2) if v & 2 else v >> 2
        last[v & 1] = (last[v & 1] + delta) & 0xFFFFFFFF
        out[i] = last[v & 1]
    return out, place == end


@kernel
def _decode_triangles(source, count):
    """Mode 1. Returns (3 * count,) uint32 and whether the stream was whole."""
    out = np.zeros(3 * count, np.uint32)
    end = len(source) - 16
    place = 1 + count
    if end < place or source[0] != 0xE1:
        return out, False
    edges = np.zeros((16, 2), np.int64)
    vertices = np.zeros(16, np.int64)
    edge_top, vertex_top = 0, 0  # entry X of a FIFO is at (top - 1 - X) & 15
    following, last = np.int64(0), np.int64(0)
    for t in range(count):
        code = np.int64(source[1 + t])
        high, low = code >> 4, code & 15
        if high < 15:
            a, b = edges[(edge_top - 1 - high) & 15]
            fresh = True
            if low == 0:
                c = following
                following += 1
            elif low < 13:
                c = vertices[(vertex_top - 1 - low) & 15]
                fresh = False
            elif low < 15:
                c = (last + (1 if low == 14 else -1)) & 0xFFFFFFFF
                last = c
            else:
                v, place = _varint(source, place, end)
                if place < 0:
                    return out, False
                last = (last + (~(v >> 1) if v & 1 else v >> 1)) & 0xFFFFFFFF
                c = last
            if fresh:
                vertices[vertex_top & 15] = c
                vertex_top += 1
        else:
            if low < 14:
                pair = np.int64(source[end + low])
                a_coded = False
            else:
                if place >= end:
                    return out, False
                pair = np.int64(source[place])
                place += 1
                if pair == 0:
                    following = np.int64(0)
                a_coded = low == 15
            # Each corner is the next new vertex, one of the FIFO, or explicit.
            corner = np.zeros(3, np.int64)
            pushed = np.zeros(3, np.int64)
            for k in range(3):
                kind = (15 if a_coded else 0) if k == 0 else ((pair >> 4) if k == 1 else (pair & 15))
                if kind == 0:
                    corner[k] = following
                    following += 1
                    pushed[k] = 1
                elif kind < 15:
                    # Both are read from the FIFO as it was before this triangle.
                    corner[k] = vertices[(vertex_top - kind) & 15]
                else:
                    v, place = _varint(source, place, end)
                    if place < 0:
                        return out, False
                    last = (last + (~(v >> 1) if v & 1 else v >> 1)) & 0xFFFFFFFF
                    corner[k] = last
                    pushed[k] = 1
            a, b, c = corner[0], corner[1], corner[2]
            for k in range(3):
                if pushed[k]:
                    vertices[vertex_top & 15] = corner[k]
                    vertex_top += 1
            edges[edge_top & 15, 0], edges[edge_top & 15, 1] = b, a
            edge_top += 1
        edges[edge_top & 15, 0], edges[edge_top & 15, 1] = c, b
        edge_top += 1
        edges[edge_top & 15, 0], edges[edge_top & 15, 1] = a, c
        edge_top += 1
        out[3 * t], out[3 * t + 1], out[3 * t + 2] = a, b, c
    return out, place == end
