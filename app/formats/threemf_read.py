"""Reading 3MF through lib3mf, after the zip around it has been looked through.

What lives here: build items, components, transforms, units. What does not: colours and textures (`threemf_paint`).
3MF Core Specification 1.4.
"""

from __future__ import annotations

import ctypes
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import UnreadableFile
from app.formats.packages import DAMAGED_PART, check_xml, is_xml, open_package
from app.formats.reading import check_counts, finished, refuse
from app.formats.registry import Limits, Progress
from app.formats.threemf_library import (
    each,
    library,
    library_error,
    read_package,
    triangle_properties,
    triangles,
    vertices,
    wrapper,
)
from app.formats.threemf_paint import Paint
from app.formats.threemf_structure import Structure, check_placed
from app.mesh.soup import Soup

_UNIT_MM = {"MicroMeter": 0.001, "MilliMeter": 1.0, "CentiMeter": 10.0, "Inch": 25.4, "Foot": 304.8, "Meter": 1000.0}
_XML_SUFFIXES = (".model", ".rels", ".xml")
_DEEPEST = 64
_CORRUPT = "The file is damaged or not 3MF; export it again"


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read all that the file's build items place. Supports and lattices are left out with a note."""
    progress(0.0, "Checking the package")
    with open_package(path, limits) as package:
        parts = package.infolist()
        if not any(part.filename.lower().endswith(".model") for part in parts):
            refuse(path, "is a zip archive without a 3D model", "Choose the 3MF file itself")
        content = _repacked(package, path, limits)
    progress(0.2, "Reading the model")
    model = wrapper().CreateModel()
    notes: list[str] = []
    try:
        _load(model, content, notes)
        progress(0.7, "Placing objects")
        return finished(_soup(model, path, limits, notes), path, limits)
    except library_error() as error:
        raise UnreadableFile(f"cannot be read as 3MF: {_reason(error)}", path, _CORRUPT) from error


def _reason(error: Exception) -> str:
    return str(error).partition(": ")[2].strip() or "unknown reason"


def _repacked(package: zipfile.ZipFile, path: Path, limits: Limits) -> bytes:
    """The package anew, from the parts that were looked at. Raises UnreadableFile, LimitExceeded.

    lib3mf reads zip files with a library of its own. Where a file holds two archives, or headers that disagree, that
    may find other parts than the ones that were checked here.
    """
    structure, buffer = Structure(path, limits), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as anew:
        for part in package.infolist():
            try:
                content = package.read(part)
            except DAMAGED_PART as error:
                where = f"{path}, part {part.filename[:80]}"
                raise UnreadableFile(f"is damaged: {error}", where, "Download or export it again") from error
            if part.filename.lower().endswith(_XML_SUFFIXES) or is_xml(content):
                check_xml(content, part.filename, path)
                structure.add(part.filename, content)
            anew.writestr(zipfile.ZipInfo(part.filename), content)
    structure.check()
    return buffer.getvalue()


def _load(model: Any, content: bytes, notes: list[str]) -> None:
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(False)
    read_package(reader, content)
    warnings = reader.GetWarningCount()
    if warnings:
        _, first = reader.GetWarning(0)
        notes.append(f"The file breaks the 3MF standard in {warnings} places, the first: {first}.")


class _Objects:
    """The objects of a model, each read once; how often a model may place them is counted before it is done."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self._sizes: dict[int, tuple[int, int, int]] = {}
        self._open: set[int] = set()
        self.skipped: set[str] = set()

    def wanted(self, item: Any) -> bool:
        """Whether an object is part of the figure."""
        kinds = library().ObjectType
        if item.IsLevelSetObject():
            self.skipped.add("volumes")
        elif item.GetType() in (kinds.Support, kinds.SolidSupport):
            self.skipped.add("supports")
        else:
            return True
        return False

    def size(self, item: Any, depth: int = 0) -> tuple[int, int, int]:
        """Instances, vertices and triangles that placing an object once makes."""
        identity = item.GetUniqueResourceID()
        if identity in self._sizes:
            return self._sizes[identity]
        if identity in self._open or depth > _DEEPEST:
            refuse(self.path, "has an object that contains itself, or parts nested too deep", _CORRUPT)
        self._open.add(identity)
        if not self.wanted(item):
            total = (0, 0, 0)
        elif item.IsMeshObject():
            total = (1, item.GetVertexCount(), item.GetTriangleCount())
        else:
            check_placed(item.GetComponentCount(), self.path, self.limits)
            members = [item.GetComponent(number).GetObjectResource() for number in range(item.GetComponentCount())]
            sizes = [self.size(member, depth + 1) for member in members]
            # Components count even where they place nothing: each is looked at each time.
            total = (1 + len(sizes) + sum(s[0] for s in sizes), sum(s[1] for s in sizes), sum(s[2] for s in sizes))
        check_placed(total[0], self.path, self.limits)
        check_counts(self.path, self.limits, total[1], total[2])
        self._open.discard(identity)
        self._sizes[identity] = total
        return total


def _soup(model: Any, path: Path, limits: Limits, notes: list[str]) -> Soup:
    objects = _Objects(path, limits)
    check_placed(model.GetBuildItems().Count(), path, limits)
    items = [(item.GetObjectResource(), _matrix(item.GetObjectTransform())) for item in each(model.GetBuildItems())]
    if not items:
        check_placed(model.GetMeshObjects().Count(), path, limits)
        items = [(item, np.eye(4)[:, :3]) for item in each(model.GetMeshObjects())]
        if items:
            notes.append("The file does not say what to print; all its objects were read.")
    totals = np.array([objects.size(item) for item, _ in items], np.int64).reshape(-1, 3).sum(axis=0)
    check_placed(int(totals[0]), path, limits)
    check_counts(path, limits, int(totals[1]), int(totals[2]))
    paint = Paint(model, limits, notes)
    meshes: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    placed: list[tuple[int, np.ndarray]] = []
    for item, matrix in items:
        _place(item, matrix, objects, placed, meshes, paint)
    soup, slots = _joined(placed, meshes)
    soup.unit_mm, soup.notes = _UNIT_MM[library().ModelUnit(model.GetUnit()).name], notes
    if len(soup.triangles):
        paint.apply(soup, slots)
    if objects.skipped:
        notes.append(f"The file's {' and '.join(sorted(objects.skipped))} were left out.")
    return soup


def _matrix(transform: Any) -> np.ndarray:
    """(4, 3) float64 for row vectors: three axes and the shift."""
    return np.ctypeslib.as_array(ctypes.cast(transform.Fields, ctypes.POINTER(ctypes.c_float * 12)).contents).reshape(
        4, 3
    ).astype(np.float64)  # fmt: skip


def _place(
    item: Any,
    matrix: np.ndarray,
    objects: _Objects,
    placed: list[tuple[int, np.ndarray]],
    meshes: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]],
    paint: Paint,
) -> None:
    """Note each mesh below an object with its whole transform, reading it the first time."""
    if not objects.wanted(item):
        return
    if not item.IsMeshObject():
        for number in range(item.GetComponentCount()):
            component = item.GetComponent(number)
            inner = _matrix(component.GetTransform())
            outer = np.vstack((inner[:3] @ matrix[:3], inner[3] @ matrix[:3] + matrix[3]))
            _place(component.GetObjectResource(), outer, objects, placed, meshes, paint)
        return
    identity = item.GetUniqueResourceID()
    if identity not in meshes:
        if item.BeamLattice().GetBeamCount():
            objects.skipped.add("lattices")
        properties = triangle_properties(item)
        resource, number, given = item.GetObjectLevelProperty()
        if given:
            properties[properties[:, 0] == 0] = (resource, number, number, number)
        meshes[identity] = vertices(item), triangles(item), paint.slots(properties)
    placed.append((identity, matrix))


def _joined(
    placed: list[tuple[int, np.ndarray]], meshes: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> tuple[Soup, np.ndarray]:
    """One soup of all placed meshes, and the paint slots of its corners."""
    positions = [np.empty((0, 3), np.float32)]
    corners, slots = [np.empty((0, 3), np.int32)], [np.empty((0, 3), np.int32)]
    first = 0
    for identity, matrix in placed:
        points, triangle, slot = meshes[identity]
        if not np.array_equal(matrix, np.eye(4)[:, :3]):
            with np.errstate(over="ignore", invalid="ignore"):
                points = (points @ matrix[:3] + matrix[3]).astype(np.float32)
        turn = slice(None, None, -1) if np.linalg.det(matrix[:3]) < 0 else slice(None)  # a mirror turns faces round
        positions.append(points)
        corners.append(triangle[:, turn] + np.int32(first))
        slots.append(slot[:, turn])
        first += len(points)
    return Soup(np.concatenate(positions), np.concatenate(corners), up="z"), np.concatenate(slots)
