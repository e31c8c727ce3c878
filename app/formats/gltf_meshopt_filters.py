"""Filters of meshopt-compressed attributes, undone: appendix B of the KHR_meshopt_compression specification."""

from __future__ import annotations

import numpy as np


def unfiltered(data: np.ndarray, mesh_filter: str, stride: int) -> np.ndarray:
    """Undo a filter on unpacked attributes. data: (n,) uint8, whole elements of `stride` bytes; returns the same shape.

    Raises ValueError for a filter that is unknown or does not fit the stride.
    """
    if mesh_filter == "NONE":
        return data
    if mesh_filter == "EXPONENTIAL":
        packed = data.view("<i4")
        exponent = np.clip(packed >> 24, -100, 100)
        return np.ldexp(((packed << 8) >> 8).astype(np.float32), exponent).astype("<f4").view(np.uint8)
    if mesh_filter == "QUATERNION" and stride == 8:
        return _quaternions(data.view("<i2").reshape(-1, 4)).reshape(-1).view(np.uint8)
    if mesh_filter in ("OCTAHEDRAL", "COLOR") and stride in (4, 8):
        kind = ("<i1" if stride == 4 else "<i2") if mesh_filter == "OCTAHEDRAL" else ("<u1" if stride == 4 else "<u2")
        values = data.view(kind).reshape(-1, 4)
        unpacked = _octahedral(values) if mesh_filter == "OCTAHEDRAL" else _colors(values)
        return unpacked.reshape(-1).view(np.uint8)
    raise ValueError(f"the filter {mesh_filter[:20]!r} does not fit its stride")


def _rounded(values: np.ndarray, kind: np.dtype) -> np.ndarray:
    """Nearest integers, halves away from zero, within the type's range."""
    limits = np.iinfo(kind)
    return np.clip(np.trunc(values + np.copysign(0.5, values)), limits.min, limits.max).astype(kind)


def _octahedral(values: np.ndarray) -> np.ndarray:
    """Filter 1: (n, 4) signed integers; three become a unit vector, the last stays."""
    one = np.maximum(values[:, 2].astype(np.float32), 1)
    x, y = values[:, 0] / one, values[:, 1] / one
    z = 1 - np.abs(x) - np.abs(y)
    fold = np.minimum(z, 0)
    x, y = x - np.copysign(fold, x), y - np.copysign(fold, y)
    scale = np.iinfo(values.dtype).max / np.maximum(np.sqrt(x * x + y * y + z * z), np.float32(1e-20))
    out = values.copy()
    for k, component in enumerate((x, y, z)):
        out[:, k] = _rounded(component * scale, values.dtype)
    return out


def _quaternions(values: np.ndarray) -> np.ndarray:
    """Filter 2: (n, 4) int16, three components and the index of the largest; (n, 4) int16 normalised."""
    unit = np.float32(1 / np.sqrt(2)) / np.maximum((values[:, 3] | 3).astype(np.float32), 1)
    x, y, z = (values[:, k] * unit for k in range(3))
    w = np.sqrt(np.maximum(0, 1 - x * x - y * y - z * z))
    out = np.empty_like(values)
    rows, largest = np.arange(len(values)), values[:, 3] & 3
    for k, component in enumerate((w, x, y, z)):
        out[rows, (largest + k) & 3] = _rounded(component * np.float32(32767), values.dtype)
    return out


def _colors(values: np.ndarray) -> np.ndarray:
    """Filter 4: (n, 4) luma, two chroma, alpha with the scale in its highest bit; (n, 4) RGBA normalised."""
    signed = values.view(f"<i{values.dtype.itemsize}").astype(np.int32)
    alpha = values[:, 3].astype(np.int32)
    scale = (1 << np.frexp(np.maximum(alpha, 1).astype(np.float64))[1]) - 1
    y, co, cg = values[:, 0].astype(np.int32), signed[:, 1], signed[:, 2]
    alpha = alpha & (scale >> 1)
    alpha = (alpha << 1) | (alpha & 1)
    factor = np.iinfo(values.dtype).max / scale.astype(np.float32)
    out = np.empty_like(values)
    for k, component in enumerate((y + co - cg, y + cg, y - co - cg, alpha)):
        out[:, k] = _rounded(component * factor, values.dtype)
    return out
