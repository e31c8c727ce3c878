"""What a state of the work is: everything that has to come back, as a few digests that fit into one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from app.document import Document
from app.mesh.mesh import Mesh
from app.mesh.soup import Material
from app.photos.photo import Photo
from app.sculpt.history import Step

# Everything of a mesh that is not derived from the rest.
ARRAYS = (
    *("positions", "colors", "mask", "triangles", "uv", "uv_vertex", "corner_uv"),
    *("triangle_material", "file_vertex", "file_triangle"),
)
_WRITTEN = ("positions", "colors", "mask")
_DIGEST_BYTES = 12
_MOST_KEPT = 64

_kept: dict[
    int, tuple[Any, str]
] = {}  # digests of what never changes, by id; holds the object, so that the id stays its own


def digest(*parts: bytes | memoryview) -> str:
    """A short name for these bytes; two that differ have different names."""
    hasher = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        hasher.update(part)
    return hasher.hexdigest()


def array_digest(array: np.ndarray | None) -> str:
    """Type, shape and every bit of an array."""
    if array is None:
        return "none"
    data = np.ascontiguousarray(array)
    return digest(f"{data.dtype.str}{data.shape}".encode(), data.reshape(-1).view(np.uint8).data)


def mesh_digests(mesh: Mesh) -> dict[str, str]:
    """One digest per array, and one for the materials."""
    found = {}
    for name in ARRAYS:
        array = getattr(mesh, name)
        found[name] = array_digest(array) if name in _WRITTEN or array is None else _once(array, array_digest)
    found["materials"] = digest(*(_once(material, _material_digest).encode() for material in mesh.materials))
    return found


def mesh_digest(mesh: Mesh) -> str:
    """One digest for all that `mesh_digests` tells apart."""
    return digest(json.dumps(mesh_digests(mesh)).encode())


def steps_digest(steps: list[Step]) -> str:
    """The undo stack as the user sees it, and when each step was made."""
    return digest(json.dumps([(step.number, step.label, step.vertices, step.made_at) for step in steps]).encode())


def photos_digest(photos: list[Photo]) -> str:
    """All photos in their order: their files' bytes, and how each is looked at."""
    return digest(*(json.dumps(photo.to_dict()).encode() + photo.encoded for photo in photos))


def state_of(document: Document) -> dict[str, Any]:
    """The state of the work as JSON values.

    last, first: when the last done step and the first step were made, which names a step for good; None without one.
    """
    history, mesh = document.history, document.mesh
    steps = history.steps
    return {
        "mesh": "none" if mesh is None else mesh_digest(mesh),
        "number": steps[history.position - 1].number if history.position else None,
        "last": steps[history.position - 1].made_at if history.position else None,
        "first": steps[0].made_at if steps else None,
        "position": history.position,
        "count": len(steps),
        "steps": steps_digest(steps),
        "photos": photos_digest(document.photos),
    }


def identity(state: dict[str, Any]) -> tuple[Any, ...]:
    """What makes two states the same."""
    return tuple(state[key] for key in ("mesh", "position", "count", "steps", "photos"))


def _material_digest(material: Material) -> str:
    texture = material.texture
    image = b"" if texture is None else texture.encoded
    facts = None if texture is None else (texture.mime, texture.width, texture.height, texture.name)
    return digest(json.dumps((material.name, list(material.base_color), material.wrap, facts)).encode(), image)


def _once(thing: Any, make: Callable[[Any], str]) -> str:
    held = _kept.get(id(thing))
    if held is None:
        if len(_kept) > _MOST_KEPT:
            _kept.clear()
        held = _kept[id(thing)] = thing, make(thing)
    return held[1]
