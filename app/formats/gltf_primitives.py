"""One glTF primitive as arrays: positions, triangles, texture coordinates, colours, skin weights. Draco included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.errors import UnreadableFile
from app.formats.gltf_accessors import Values, is_normalized, read_accessor
from app.formats.gltf_document import ADVICE, Document, Item
from app.formats.gltf_materials import Look, Materials

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
_DRACO = "KHR_draco_mesh_compression"


@dataclass(frozen=True, eq=False)
class Piece:
    """A primitive before it is placed.

    positions: (n, 3) float32. triangles: (t, 3) int32. uv: (n, 2) float32, origin lower left, or None. colors: (n, 3)
    float32, linear light, or None. joints: (n, 4 k) integers and weights: (n, 4 k) float32, or None.
    """

    positions: np.ndarray
    triangles: np.ndarray
    look: Look
    uv: np.ndarray | None
    colors: np.ndarray | None
    joints: np.ndarray | None
    weights: np.ndarray | None


# Reads an attribute: its name, the allowed numbers of components. None where the primitive has no such attribute.
_Attributes = Callable[[str, tuple[int, ...]], Values | None]


def read_piece(document: Document, materials: Materials, primitive: Item, morphs: list[float]) -> Piece | None:
    """Read a primitive; None, with a note, for points and lines. morphs: default weights of its morph targets."""
    mode = primitive.integer("mode", _TRIANGLES)
    if mode not in (_TRIANGLES, _STRIP, _FAN):
        document.note("Points and lines were left out; only surfaces are read.")
        return None
    packed = primitive.extension(_DRACO)
    if packed is not None:
        attributes, indices = _unpack_draco(document, primitive, packed)
    else:
        attributes, indices = _plain(document, primitive)
    found = attributes("POSITION", (3,))
    if found is None:
        document.note("A part without positions was left out.")
        return None
    positions = found.floats()
    if indices is None:
        indices = np.arange(len(positions), dtype=np.int32)
    triangles = _triangles(indices, mode if packed is None else _TRIANGLES)
    if triangles.size and int(triangles.max()) >= len(positions):
        raise primitive.fail(f"names vertex {int(triangles.max()):,}, but has only {len(positions):,}")
    look = materials.look(primitive.index("material"))
    colors = attributes("COLOR_0", (3, 4))
    joints, weights = _weights(attributes)
    piece = Piece(
        _morphed(document, primitive, positions, morphs),
        np.ascontiguousarray(triangles).view(np.int32),
        look,
        _uv(attributes, look),
        None if colors is None else colors.floats()[:, :3],
        joints,
        weights,
    )
    _check_lengths(piece, primitive)
    return piece


def _plain(document: Document, primitive: Item) -> tuple[_Attributes, np.ndarray | None]:
    names, limits = _names(primitive), document.limits

    def read(name: str, widths: tuple[int, ...]) -> Values | None:
        return read_accessor(document, names.integer(name), widths, limits.vertices) if name in names else None

    index = primitive.index("indices")
    if index is None:
        return read, None
    indices = read_accessor(document, index, (1,), 3 * limits.triangles).values[:, 0]
    if indices.dtype.kind != "u":
        raise primitive.fail("has indices that are not whole numbers")
    return read, indices.astype(np.uint32, copy=False)


def _unpack_draco(document: Document, primitive: Item, packed: Item) -> tuple[_Attributes, np.ndarray | None]:
    import DracoPy  # half a second to import, and rarely needed

    limits, names, unique_ids = document.limits, _names(primitive), packed.item("attributes")
    if unique_ids is None:
        raise packed.fail("has no attributes")
    for name in ("indices", "POSITION"):  # refuse by the announced size, before anything is unpacked
        announced = primitive.index(name) if name == "indices" else names.index(name)
        if announced is not None:
            count = document.part("accessors", announced).integer("count")
            document.charge(4 * count if name == "indices" else 12 * count, packed.where)
    data = document.view(packed.integer("bufferView")).tobytes()
    try:
        mesh = DracoPy.decode(data)
        faces, points = np.asarray(mesh.faces, np.uint32).reshape(-1, 3), np.asarray(mesh.points)
    except MemoryError:
        raise
    except Exception as error:  # a C++ extension with many kinds of its own
        raise packed.fail(f"has damaged Draco data: {str(error)[:80]}") from error
    if points.ndim != 2:
        raise packed.fail("has damaged Draco data: no positions")
    if len(faces) > limits.triangles or len(points) > limits.vertices:
        raise packed.fail(f"has {len(faces):,} triangles, more than are read")
    document.charge(faces.nbytes + points.nbytes, packed.where)  # also of those that announce less than they hold
    arrays = {entry["unique_id"]: np.asarray(entry["data"]) for entry in mesh.attributes}

    def read(name: str, widths: tuple[int, ...]) -> Values | None:
        unique_id = unique_ids.index(name)
        if unique_id is None or name not in names:
            # An attribute that was left out of the packed data is a plain accessor.
            return read_accessor(document, names.integer(name), widths, limits.vertices) if name in names else None
        values = arrays.get(unique_id)
        if values is None or values.ndim != 2 or values.shape[1] not in widths:
            raise packed.fail(f"has no {name} of the right shape")
        return Values(values, is_normalized(document, names.integer(name)))

    return read, faces.reshape(-1)


def _names(primitive: Item) -> Item:
    names = primitive.item("attributes")
    if names is None:
        raise primitive.fail("has no attributes")
    return names


def _triangles(indices: np.ndarray, mode: int) -> np.ndarray:
    """(t, 3) of a list, strip or fan of indices; a strip's empty triangles are left out."""
    if mode == _TRIANGLES:
        return indices[: len(indices) // 3 * 3].reshape(-1, 3)
    count = max(len(indices) - 2, 0)
    if not count:
        return np.empty((0, 3), indices.dtype)
    first, second, third = indices[:count], indices[1 : count + 1], indices[2:]
    if mode == _FAN:
        first = np.broadcast_to(indices[:1], (count,))
    triangles = np.stack((first, second, third), axis=1)
    if mode == _STRIP:
        triangles[1::2] = triangles[1::2][:, [1, 0, 2]]
        a, b, c = triangles.T
        triangles = triangles[(a != b) & (b != c) & (a != c)]
    return triangles


def _uv(attributes: _Attributes, look: Look) -> np.ndarray | None:
    found = attributes(f"TEXCOORD_{look.uv_set}", (2,))
    if found is None:
        return None
    uv = found.floats()
    u, v = uv[:, 0], uv[:, 1]
    if look.uv_transform is not None:
        matrix = look.uv_transform.astype(np.float32)
        u, v = (matrix[k, 0] * uv[:, 0] + matrix[k, 1] * uv[:, 1] + matrix[k, 2] for k in range(2))
    return np.stack((u, 1 - v), axis=1)


def _weights(attributes: _Attributes) -> tuple[np.ndarray | None, np.ndarray | None]:
    joints, weights = [], []
    for number in range(2):
        joint, weight = attributes(f"JOINTS_{number}", (4,)), attributes(f"WEIGHTS_{number}", (4,))
        if joint is None or weight is None:
            break
        joints.append(joint.values.astype(np.int64))
        weights.append(weight.floats())
    return (np.hstack(joints), np.hstack(weights)) if joints else (None, None)


def _morphed(document: Document, primitive: Item, positions: np.ndarray, morphs: list[float]) -> np.ndarray:
    for weight, target in zip(morphs, primitive.entries("targets"), strict=False):
        shape = Item(target, f"{primitive.where}, morph target")
        if weight and "POSITION" in shape:
            document.charge(positions.nbytes, shape.where)
            moved = read_accessor(document, shape.integer("POSITION"), (3,), document.limits.vertices).floats()
            if len(moved) != len(positions):
                raise shape.fail("has another number of vertices than its mesh")
            positions = positions + np.float32(weight) * moved
    return positions


def _check_lengths(piece: Piece, primitive: Item) -> None:
    for array in (piece.uv, piece.colors, piece.joints, piece.weights):
        if array is not None and len(array) != len(piece.positions):
            raise UnreadableFile("has attributes of different lengths", primitive.where, ADVICE)
