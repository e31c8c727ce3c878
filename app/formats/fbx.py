"""FBX, binary and text, from version 3 to 7.7: what stands in the scene, with its colours.

What lives here: what the objects of a scene mean for a figurine. What does not: the file's grammar, which is ufbx's
(`fbx_library`), and materials (`fbx_materials`). Skinned meshes stand as they were bound, animation is not read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from app.errors import LimitExceeded
from app.formats.assembly import Assembly, Part, known_unit
from app.formats.fbx_library import BINARY, array, each, held, load_scene, matrix
from app.formats.fbx_materials import Look, Materials
from app.formats.polygons import triangulate
from app.formats.reading import check_counts, finished, mapped, to_float32
from app.formats.registry import Format, Limits, Progress, register
from app.mesh.soup import Soup

_MM_PER_METRE = 1000.0
_LOD_GROUP = "LOD_GROUP"
_SAME_POSE = 1e-3
_BLACK = (0.0, 0.0, 0.0)


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read an FBX file. Raises UnreadableFile, and LimitExceeded for what asks for too much."""
    progress(0.0, "Reading the file")
    data = mapped(path, limits)
    scene = load_scene(path, data[:], limits)
    data.close()
    progress(0.3, "Placing parts")
    assembly = Assembly(path, limits)
    materials = Materials(assembly, blender="blender" in scene.metadata.creator.lower())
    up, turn = _axes(scene.settings.axes)
    places = _visible(path, scene, limits, assembly)
    meshes = _Meshes(assembly, materials)
    for number, (node, mesh) in enumerate(places):
        progress(0.3 + 0.6 * number / len(places), "Reading triangles")
        assembly.add(meshes.part(node, mesh), turn @ _placement(node, mesh, assembly))
    _mend_black(assembly)
    soup = assembly.soup()
    soup.up, soup.unit_mm = up, known_unit(scene.settings.unit_meters * _MM_PER_METRE)
    return finished(soup, path, limits)


def _axes(axes: Any) -> tuple[str, np.ndarray]:
    """Which axis is up, and a (4, 4) matrix to apply first. Other axes than Y or Z up are turned to Y up."""
    names = [axes.right.name, axes.up.name, axes.front.name]
    if names == ["POSITIVE_X", "POSITIVE_Z", "NEGATIVE_Y"]:
        return "z", np.eye(4)
    turn = np.eye(4)
    if "UNKNOWN" not in names and len({name[-1] for name in names}) == 3:
        turn[:3, :3] = 0.0
        for row, name in enumerate(names):
            turn[row, "XYZ".index(name[-1])] = 1.0 if name.startswith("POSITIVE") else -1.0
    return "y", turn


def _visible(path: Path, scene: Any, limits: Limits, assembly: Assembly) -> list[tuple[Any, Any]]:
    """Nodes with their meshes, but for hidden ones and all but the finest of levels of detail, in file order."""
    shown: list[tuple[Any, Any]] = []
    hidden: list[tuple[Any, Any]] = []
    waiting, visited = [(held(scene.root_node), True)], 0
    while waiting:
        node, visible = waiting.pop()
        visited += 1
        if visited > limits.nodes:
            raise LimitExceeded(f"has more than {limits.nodes:,} nodes", path, "Merge its parts before exporting")
        visible = visible and node.visible
        mesh = held(node.mesh)
        if mesh is not None and mesh.num_triangles:
            (shown if visible else hidden).append((node, mesh))
        children = each(node.children)
        if node.attrib_type.name == _LOD_GROUP and len(children) > 1:
            assembly.note("Of several levels of detail only the finest was read.")
            children = children[:1]
        waiting.extend((child, visible) for child in reversed(children))
    if hidden and shown:
        assembly.note(f"{len(hidden):,} hidden parts were left out.")
    return shown or hidden


def _placement(node: Any, mesh: Any, assembly: Assembly) -> np.ndarray:
    """(4, 4): where a mesh stands; a skinned one where it was when it was bound to its bones."""
    place = matrix(node.geometry_to_world)
    for skin in each(mesh.skin_deformers):
        clusters = [cluster for cluster in each(skin.clusters) if cluster.num_weights]
        bound = [matrix(cluster.bind_to_world) @ matrix(cluster.geometry_to_bone) for cluster in clusters]
        if bound and all(_same(bound[0], other) for other in bound) and not _same(bound[0], place):
            assembly.note("A skinned part has moved since it was bound to its bones; it stands as it was bound.")
            return bound[0]
    return place


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max() <= _SAME_POSE * max(1.0, float(np.abs(a).max())))


class _Meshes:
    """Reads a mesh once for all nodes that show it with the same materials."""

    def __init__(self, assembly: Assembly, materials: Materials) -> None:
        self._assembly, self._materials = assembly, materials
        self._parts: dict[tuple[int, ...], Part] = {}

    def part(self, node: Any, mesh: Any) -> Part:
        looks = [self._materials.look(material) for material in each(node.materials) or each(mesh.materials)]
        looks = looks or [self._materials.look(None)]
        key = (mesh.element_id, *(look.index for look in looks))
        if key not in self._parts:
            self._parts[key] = self._read(mesh, looks)
        return self._parts[key]

    def _read(self, mesh: Any, looks: list[Look]) -> Part:
        path, limits = self._assembly.path, self._assembly.limits
        check_counts(path, limits, mesh.num_vertices, mesh.num_triangles)
        points = array(mesh.vertices, 3)
        faces = array(mesh.faces, 2).astype(np.int64)
        vertices = array(mesh.vertex_indices, 0)
        starts = np.append(faces[:, 0], faces[-1].sum())  # ufbx keeps corners in the order of faces
        corners, polygon, notes = triangulate(to_float32(points), vertices, starts)
        for note in notes:
            self._assembly.note(note)
        of_face = array(mesh.face_material, 0).astype(np.int64)
        chosen = of_face[polygon] if len(of_face) == len(faces) else np.zeros(len(polygon), np.int64)
        chosen = np.where((chosen >= 0) & (chosen < len(looks)), chosen, 0)
        uv, corner_uv = _coordinates(mesh, looks, chosen, corners)
        return Part(
            points,
            vertices[corners].astype(np.int32),
            np.array([look.index for look in looks], np.int16)[chosen],
            uv,
            corner_uv,
            _colors(mesh, corners),
        )


def _coordinates(
    mesh: Any, looks: list[Look], chosen: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(u, 2) texture coordinates and (t, 3) int32 into them: for each look from the set that its texture names."""
    sets = {entry.name: entry.vertex_uv for entry in reversed(list(mesh.uv_sets)) if entry.vertex_uv.exists}
    if not sets:
        return None, None
    first = next(reversed(sets.values()))
    tables: list[np.ndarray] = []
    corner_uv, length = np.zeros(corners.shape, np.int32), 0
    read: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for number in np.unique(chosen):
        look, rows = looks[number], chosen == number
        name = look.uv_set if look.uv_set in sets else ""
        if name not in read:
            source = sets.get(name, first)
            read[name] = array(source.values, 2), array(source.indices, 0)
        values, indices = read[name]
        if look.uv_matrix is not None:
            values = values @ look.uv_matrix[:2, :2].T + look.uv_matrix[:2, 3]
        corner_uv[rows] = indices[corners[rows]] + length
        tables.append(to_float32(values))
        length += len(values)
    return np.concatenate(tables), corner_uv


def _colors(mesh: Any, corners: np.ndarray) -> np.ndarray | None:
    """(t, 3, 3) float32: the first set of vertex colours. Programs write them as they are seen, in sRGB."""
    source = mesh.vertex_color
    if not source.exists or not len(source.values):
        return None
    values = np.nan_to_num(to_float32(array(source.values, 4)[:, :3]), nan=1.0).clip(0.0, 1.0)
    if (values == 1.0).all():  # a set that was made and never painted
        return None
    return values[array(source.indices, 0)[corners]]


def _mend_black(assembly: Assembly) -> None:
    """Some exporters write black where there is no colour at all; a figure without any other is shown white."""
    materials = assembly.materials
    if materials and all(material.texture is None and material.base_color == _BLACK for material in materials):
        materials[:] = [type(material)(material.name) for material in materials]
        assembly.note("All its materials are black, as exporters write them where there is no colour; shown white.")


def _sniff(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(BINARY) or (text.startswith(b"; FBX ") or b"FBXHeaderExtension:" in text)


register(Format("fbx", "FBX", (".fbx",), read, sniff=_sniff))
