"""Parts of a scene, placed and put together into one soup; and where their images are.

What lives here: what FBX, USD and COLLADA have in common once their own grammar has been read: meshes that stand
somewhere, perhaps several times, each triangle with a material. What does not: any format's grammar.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import numpy as np

from app.errors import LimitExceeded
from app.formats.reading import Images, check_counts, find_beside, to_float32
from app.formats.registry import Limits
from app.mesh.soup import Material, Soup, Texture

_MOST_MATERIALS = 32_767
# Folders beside a model in which exporters put its images.
_IMAGE_FOLDERS = ("textures", "Textures", "images")
_WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class Part:
    """One mesh before it is placed.

    positions: (n, 3) floats, file units. triangles: (t, 3) int32 into them, counter-clockwise seen from outside.
    materials: (t,) int16 into the assembly's. uv: (u, 2) float32, origin lower left, with corner_uv (t, 3) int32 into
    it, or None twice. corner_colors: (t, 3, 3) float32 sRGB 0 to 1, or None.
    """

    positions: np.ndarray
    triangles: np.ndarray
    materials: np.ndarray
    uv: np.ndarray | None = None
    corner_uv: np.ndarray | None = None
    corner_colors: np.ndarray | None = None


class Assembly:
    """Gathers parts and their materials. notes: for the user, each only once."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.materials: list[Material] = []
        self.notes: list[str] = []
        self._parts: list[Part] = []
        self._vertices = self._triangles = 0

    def note(self, text: str) -> None:
        """Remember a sentence for the user."""
        if text not in self.notes:
            self.notes.append(text)

    def add_material(self, material: Material) -> int:
        """The material's index. Raises LimitExceeded."""
        if len(self.materials) >= _MOST_MATERIALS:
            what = f"uses more than {_MOST_MATERIALS:,} materials"
            raise LimitExceeded(what, self.path, "Join the materials before exporting")
        self.materials.append(material)
        return len(self.materials) - 1

    def add(self, part: Part, matrix: np.ndarray) -> None:
        """Place a part. matrix: (4, 4) for column vectors. Raises LimitExceeded before it allocates."""
        if not len(part.triangles):
            return
        self._vertices += len(part.positions) if part.corner_colors is None else part.triangles.size
        self._triangles += len(part.triangles)
        check_counts(self.path, self.limits, self._vertices, self._triangles)
        if len(self._parts) >= self.limits.nodes:
            what = f"shows more than {self.limits.nodes:,} parts"
            raise LimitExceeded(what, self.path, "Merge its parts before exporting")
        with np.errstate(all="ignore"):  # absurd matrices give numbers that `finished` looks at
            points = _transformed(part.positions, matrix)
            mirrored = np.linalg.det(matrix[:3, :3]) < 0
        turn = slice(None, None, -1 if mirrored else 1)
        self._parts.append(
            Part(
                points,
                part.triangles[:, turn],
                part.materials,
                part.uv,
                None if part.corner_uv is None else part.corner_uv[:, turn],
                None if part.corner_colors is None else part.corner_colors[:, turn],
            )
        )

    def soup(self) -> Soup:
        """All parts as one soup, in the order in which they were added."""
        if not self._parts:
            return Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32), notes=self.notes)
        parts, colors = self._parts, None
        textured = np.array([material.texture is not None for material in self.materials], bool)
        if any(part.corner_colors is not None and not textured[part.materials].all() for part in parts):
            parts, colors = self._colored(textured)
        first = np.cumsum([0, *(len(part.positions) for part in parts)])
        soup = Soup(
            np.concatenate([part.positions for part in parts]),
            np.concatenate([part.triangles + np.int32(k) for part, k in zip(parts, first, strict=False)]),
            colors=colors,
            triangle_material=np.concatenate([part.materials for part in parts]),
            materials=self.materials,
            notes=self.notes,
        )
        if any(part.uv is not None for part in parts):
            soup.uv, soup.corner_uv = _coordinates(parts)
        return soup

    def _colored(self, textured: np.ndarray) -> tuple[list[Part], np.ndarray]:
        """The parts with one colour per vertex, split where corners of a vertex differ; and those colours.

        A texture stands in place of colours: white is beneath it.
        """
        plain = np.array(
            [_WHITE if material.texture is not None else material.base_color for material in self.materials], np.float32
        )
        parts, colors = [], []
        for part in self._parts:
            of_corner = part.corner_colors
            if of_corner is None:
                of_corner = np.repeat(plain[part.materials][:, None], 3, axis=1)
            of_corner = np.where(textured[part.materials][:, None, None], np.float32(1), of_corner)
            of_vertex = np.ones((len(part.positions), 3), np.float32)
            of_vertex[part.triangles] = of_corner
            if (of_vertex[part.triangles] == of_corner).all():
                parts.append(part)
                colors.append(of_vertex)
                continue
            points = part.positions[part.triangles.ravel()]
            triangles = np.arange(len(points), dtype=np.int32).reshape(-1, 3)
            parts.append(Part(points, triangles, part.materials, part.uv, part.corner_uv))
            colors.append(of_corner.reshape(-1, 3))
        return parts, np.concatenate(colors)


def _coordinates(parts: list[Part]) -> tuple[np.ndarray, np.ndarray]:
    """uv and corner_uv of all parts; those without any share a coordinate at the origin."""
    nowhere = np.zeros((1, 2), np.float32)
    tables = [nowhere if part.uv is None else part.uv for part in parts]
    begin = np.cumsum([0, *(len(table) for table in tables)])
    corners = [np.zeros_like(part.triangles) if part.corner_uv is None else part.corner_uv for part in parts]
    return np.concatenate(tables), np.concatenate([c + np.int32(k) for c, k in zip(corners, begin, strict=False)])


def _transformed(positions: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    # Term by term and not by a matrix product, whose rounding depends on the row: equal points must stay equal.
    x, y, z = positions.T.astype(np.float64)
    out = np.empty(positions.shape, np.float32)
    for k in range(3):
        out[:, k] = to_float32(matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + matrix[k, 3])
    return out


def known_unit(millimetres: float) -> float | None:
    """A file's unit, or None where it is no length that anybody would mean."""
    return millimetres if 1e-4 <= millimetres <= 1e7 else None


def image_beside(images: Images, path: Path, *names: str) -> Texture | None:
    """The first of these images that lies beside a file, or in a folder there in which exporters put images.

    None, and a note, where there is none.
    """
    names = tuple(name for name in names if name)
    if not names:
        return None
    last = PureWindowsPath(names[0]).name
    places = [*names, *(f"{folder}/{last}" for folder in (*_IMAGE_FOLDERS, f"{path.stem}.fbm"))]
    return images.beside(next((place for place in places if find_beside(path, place)), names[0]), path)
