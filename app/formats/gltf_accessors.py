"""glTF accessors as numpy arrays: strides, normalised integers, sparse values. Views of the file where possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.errors import LimitExceeded
from app.formats.gltf_document import Document, Item

_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass(frozen=True, eq=False)
class Values:
    """values: (count, width) in the file's number type, perhaps a view. normalized: integers stand for fractions."""

    values: np.ndarray
    normalized: bool

    def floats(self) -> np.ndarray:
        """(count, width) float32, C-contiguous; normalised integers become 0 to 1 or -1 to 1 as glTF 2.0, 3.11 says."""
        values, kind = self.values, self.values.dtype
        if self.normalized and kind.kind in "iu":
            scaled = values.astype(np.float32) / np.float32(np.iinfo(kind).max)
            return np.maximum(scaled, np.float32(-1)) if kind.kind == "i" else scaled
        return np.ascontiguousarray(values, np.float32)


def read_accessor(document: Document, index: int, widths: tuple[int, ...], most: int) -> Values:
    """An accessor with one of these numbers of components and at most `most` elements.

    Raises UnreadableFile where it does not fit its buffer view, LimitExceeded where it has too many elements.
    """
    item = document.part("accessors", index)
    width = _WIDTHS.get(item.string("type"), 0)
    if width not in widths:
        raise item.fail(f"is of type {item.string('type')!r:.20}, which does not fit its use")
    count = item.integer("count")
    if count > most:
        raise LimitExceeded(
            f"says that it has {count:,} elements; at most {most:,} are read", item.where, "Reduce it first"
        )
    kind = _kind(item)
    view = item.index("bufferView")
    if view is None:
        document.charge(count * width * kind.itemsize, item.where)
        values = np.zeros((count, width), kind)
    else:
        stride = _stride(document.part("bufferViews", view), width * kind.itemsize)
        values = _strided(document.view(view), item, count, width, kind, stride)
    sparse = item.item("sparse")
    if sparse is not None:
        values = _with_sparse(document, values, sparse)
    return Values(values, item.data.get("normalized") is True)


def is_normalized(document: Document, index: int) -> bool:
    """Whether an accessor's integers stand for fractions; for data that a compression keeps elsewhere."""
    return document.part("accessors", index).data.get("normalized") is True


def _kind(item: Item) -> np.dtype:
    kind = _TYPES.get(item.integer("componentType"))
    if kind is None:
        raise item.fail("has an unknown componentType")
    return np.dtype(kind)


def _stride(view: Item, packed: int) -> int:
    stride = view.integer("byteStride", 0)
    if stride and stride < packed:
        raise view.fail(f"has a byteStride of {stride}, less than the {packed} bytes of an element")
    return stride or packed


def _strided(data: np.ndarray, item: Item, count: int, width: int, kind: np.dtype, stride: int) -> np.ndarray:
    offset = item.integer("byteOffset", 0)
    needed = offset + (stride * (count - 1) + width * kind.itemsize if count else 0)
    if needed > len(data):
        raise item.fail(f"needs {needed:,} bytes of a buffer view of {len(data):,}; the file is cut off or wrong")
    return (
        np.ndarray((count, width), kind, data.data, offset, (stride, kind.itemsize))
        if count
        else np.empty((0, width), kind)
    )


def _with_sparse(document: Document, values: np.ndarray, sparse: Item) -> np.ndarray:
    count = sparse.integer("count")
    places, replacements = sparse.item("indices"), sparse.item("values")
    if count > len(values) or places is None or replacements is None:
        raise sparse.fail("has no valid count, indices or values")
    kind = _kind(places)
    if kind.kind != "u":
        raise places.fail("has a componentType that cannot count")
    where = _strided(document.view(places.integer("bufferView")), places, count, 1, kind, kind.itemsize)[:, 0]
    if count and int(where.max()) >= len(values):
        raise places.fail("names an element that does not exist")
    width, packed = values.shape[1], values.shape[1] * values.dtype.itemsize
    data = document.view(replacements.integer("bufferView"))
    document.charge(values.nbytes, sparse.where)
    values = values.copy()
    values[where] = _strided(data, replacements, count, width, values.dtype, packed)
    return values
