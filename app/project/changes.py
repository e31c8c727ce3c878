"""What has to be written: the difference between the database and the document, gathered until it is committed.

Filled on the thread that sculpts, with copies; packed and written on the background thread. A later change of the same
place replaces the earlier one, so a disk that stands still does not fill the memory. How it is written: `store`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from app.mesh.mesh import Mesh
from app.mesh.soup import Material
from app.photos.photo import Photo
from app.project.arrays import encode
from app.sculpt.packed import Differences, PackedPart

# What strokes never change, and which is stored once for all meshes that share it.
STATIC = (
    *("triangles", "uv", "uv_vertex", "corner_uv", "triangle_material", "file_vertex", "file_triangle"),
    "original_colors",
)
# What most meshes have none of: pages of zeros alone may be left out of the file.
SPARSE = ("face_sets", "hidden")
Page = tuple[int, str, int]  # mesh, attribute, page


@dataclass(frozen=True)
class CommittedState:
    """What is safe on disk. step_number: the last step that is done, None at the beginning. steps: how many there are,
    `position` of them done. at: seconds since 1970.
    """

    step_number: int | None
    steps: int
    position: int
    at: float


@dataclass(eq=False)
class StepRecord:
    """One row of `steps`. mesh: of a step that replaces the mesh, the one that it keeps."""

    number: int
    label: str
    made_at: float
    vertices: int
    mesh: int | None = None
    parts: list[Differences | PackedPart] = field(default_factory=list)


@dataclass(eq=False)
class MeshRecord:
    """One row of `meshes`. arrays: name -> id of the static arrays. attributes: name -> columns of those in pages."""

    vertex_count: int
    page_vertices: int
    arrays: dict[str, int]
    attributes: list[str]
    materials: list[Material]

    @classmethod
    def of(cls, mesh: Mesh, arrays: dict[str, int]) -> MeshRecord:
        attributes = [name for name in mesh.unsaved if getattr(mesh, name) is not None]
        return cls(mesh.vertex_count, mesh.chunks.size, arrays, attributes, list(mesh.materials))


@dataclass(eq=False)
class PhotoRecord:
    """One row of `photos`, as it was when it was asked for."""

    record: dict[str, Any]
    encoded: bytes

    @classmethod
    def of(cls, photo: Photo) -> PhotoRecord:
        return cls(photo.to_dict(), photo.encoded)


@dataclass(frozen=True, eq=False)
class PackedArray:
    """One row of `arrays`."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


@dataclass(eq=False)
class Changes:
    """See the module's docstring. whole: nothing that was there before counts any more.

    kept: number of a step that replaces the mesh -> the mesh that it keeps now. thumbnail: PNG, None for no change.
    """

    whole: bool = False
    meta: dict[str, Any] = field(default_factory=dict)
    arrays: dict[int, np.ndarray | PackedArray] = field(default_factory=dict)
    meshes: dict[int, MeshRecord] = field(default_factory=dict)
    dropped_meshes: set[int] = field(default_factory=set)
    pages: dict[Page, np.ndarray | bytes] = field(default_factory=dict)
    steps: dict[int, StepRecord] = field(default_factory=dict)
    dropped_steps: set[int] = field(default_factory=set)
    kept: dict[int, int] = field(default_factory=dict)
    photos: list[PhotoRecord] | None = None
    thumbnail: bytes | None = None
    state: CommittedState | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        asked = self.photos is not None or self.thumbnail is not None
        return not asked and not any(vars(self).values())

    @property
    def urgent(self) -> bool:
        """Whether there is work in it that must not be lost, and not only how it is looked at."""
        return self.whole or bool(self.steps or self.pages or self.meshes or self.dropped_steps or self.state)

    def merge(self, later: Changes) -> None:
        """Add what came later."""
        if later.whole:
            vars(self).update(vars(later))
            return
        for number in later.dropped_steps:
            self.steps.pop(number, None)
            self.kept.pop(number, None)
        for mesh in later.dropped_meshes:
            self._forget_mesh(mesh)
        self.dropped_steps = (self.dropped_steps | later.dropped_steps) - later.steps.keys()
        self.dropped_meshes = (self.dropped_meshes | later.dropped_meshes) - later.meshes.keys()
        for name in ("meta", "arrays", "meshes", "pages", "steps", "kept"):
            getattr(self, name).update(getattr(later, name))
        self.photos = self.photos if later.photos is None else later.photos
        self.thumbnail = self.thumbnail if later.thumbnail is None else later.thumbnail
        self.state = later.state or self.state

    def _forget_mesh(self, mesh: int) -> None:
        if self.meshes.pop(mesh, None) is not None:
            needed = {array for record in self.meshes.values() for array in record.arrays.values()}
            self.arrays = {number: array for number, array in self.arrays.items() if number in needed}
        self.pages = {page: data for page, data in self.pages.items() if page[0] != mesh}

    def add_page(self, mesh: int, attribute: str, page: int, values: np.ndarray) -> None:
        """A copy of one page's values; the array is not copied again."""
        self.pages[mesh, attribute, page] = values

    def pack(self) -> None:
        """Turn arrays into the bytes that are stored. Takes long; on the background thread."""
        for number, array in self.arrays.items():
            if isinstance(array, np.ndarray):
                self.arrays[number] = PackedArray(array.dtype.name, array.shape, encode(array))
        for page, values in self.pages.items():
            if isinstance(values, np.ndarray):
                self.pages[page] = encode(values)
        for step in self.steps.values():
            step.parts = [part.pack() if isinstance(part, Differences) else part for part in step.parts]


def materials_to_json(materials: list[Material], blob_of: Mapping[int, str]) -> list[dict[str, Any]]:
    """JSON values of materials. blob_of: id of a texture's bytes object -> the blob that holds them."""
    values = []
    for material in materials:
        texture = material.texture
        values.append(
            {
                "name": material.name,
                "base_color": [float(part) for part in material.base_color],
                "wrap": material.wrap,
                "texture": texture
                and {
                    "blob": blob_of[id(texture.encoded)],
                    "mime": texture.mime,
                    "width": texture.width,
                    "height": texture.height,
                    "name": texture.name,
                },
            }
        )
    return values
