"""COLLADA: scenes of older tools, SketchUp and Blender. What stands where, with its colours.

    XML                        dae_xml
    faces                      dae_geometry
    colours                    dae_materials

Skinned meshes stand as they were bound, animation is not read. COLLADA 1.4.1: https://www.khronos.org/collada/
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.errors import LimitExceeded
from app.formats.assembly import Assembly, Part, known_unit
from app.formats.dae_geometry import Geometries
from app.formats.dae_materials import Look, Materials
from app.formats.dae_xml import Element, numbers, parse
from app.formats.reading import finished, mapped, refuse
from app.formats.registry import Format, Limits, Progress, register
from app.mesh.soup import Soup

_MM_PER_METRE = 1000.0
_DEEPEST = 200
_TRANSFORMS = ("matrix", "translate", "rotate", "scale", "lookat")
# Right, up and towards the viewer are -Y, X and Z; turned so that Y is up.
_X_UP = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read a COLLADA file. Raises UnreadableFile, and LimitExceeded for what asks for too much."""
    progress(0.0, "Reading the file")
    mapped(path, limits).close()  # looks at its size
    root, named = parse(path)
    if root.tag != "COLLADA":
        refuse(path, "is no COLLADA file")
    progress(0.5, "Reading triangles")
    assembly = Assembly(path, limits)
    asset = root.at("asset") or Element("asset", {})
    tools = " ".join(element.text for element in asset.walk() if element.tag == "authoring_tool")
    scene = _Scene(assembly, named, Materials(assembly, named, blender="blender" in tools.lower()))
    axis = asset.at("up_axis")
    up = axis.text.upper() if axis is not None else "Y_UP"
    start = _X_UP if up == "X_UP" else np.eye(4)
    roots = _roots(root, named)
    for node in roots:
        scene.add(node, start, 0)
    if not roots:
        for geometry in (element for element in root.walk() if element.tag == "geometry"):
            scene.add_geometry(geometry, start, None)
    soup = assembly.soup()
    soup.up = "z" if up == "Z_UP" else "y"
    unit = asset.at("unit")
    soup.unit_mm = known_unit(_real(unit.get("meter") if unit is not None else "", 1.0) * _MM_PER_METRE)
    return finished(soup, path, limits)


def _real(text: str, default: float) -> float:
    try:
        value = float(text)
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def _roots(root: Element, named: dict[str, Element]) -> list[Element]:
    """The nodes of the scene that is shown, or of the first there is."""
    instance = root.at("scene", "instance_visual_scene")
    scene = named.get(instance.get("url").removeprefix("#")) if instance is not None else None
    scene = scene or root.at("library_visual_scenes", "visual_scene")
    return scene.all("node") if scene is not None else []


@dataclass
class _Scene:
    """Walks nodes and gathers parts."""

    assembly: Assembly
    named: dict[str, Element]
    materials: Materials
    visited: int = 0

    def __post_init__(self) -> None:
        self._geometries = Geometries(self.assembly, self.named)

    def add(self, node: Element, matrix: np.ndarray, depth: int) -> None:
        """Add what a node shows. matrix: (4, 4) for column vectors."""
        self.visited += 1
        if self.visited > self.assembly.limits.nodes or depth > _DEEPEST:
            raise LimitExceeded("places too many objects", self.assembly.path, "Join the objects before exporting")
        matrix = matrix @ self._transform(node)
        for child in node.children:
            target = self.named.get(child.get("url").removeprefix("#"))
            if child.tag == "node":
                self.add(child, matrix, depth + 1)
            elif target is None:
                continue
            elif child.tag == "instance_node" and target.tag == "node":
                self.add(target, matrix, depth + 1)
            elif child.tag == "instance_geometry" and target.tag == "geometry":
                self.add_geometry(target, matrix, child)
            elif child.tag == "instance_controller" and target.tag == "controller":
                self._add_controlled(target, matrix, child, depth)

    def _add_controlled(self, controller: Element, matrix: np.ndarray, instance: Element, depth: int) -> None:
        """A skin's mesh stands where it was bound, whatever its node says; a morph's is its base shape."""
        skin = controller.at("skin") or controller.at("morph")
        source = self.named.get(skin.get("source").removeprefix("#")) if skin is not None else None
        if skin is None or source is None or depth > _DEEPEST:
            return
        if skin.tag == "skin":
            bind = numbers(skin.at("bind_shape_matrix"), self.assembly.path)
            matrix = bind.reshape(4, 4) if len(bind) == 16 else np.eye(4)
        if source.tag == "controller":
            self._add_controlled(source, matrix, instance, depth + 1)
        elif source.tag == "geometry":
            self.add_geometry(source, matrix, instance)

    def add_geometry(self, geometry: Element, matrix: np.ndarray, instance: Element | None) -> None:
        """Add a geometry with the materials that its instance binds."""
        bindings = instance.at("bind_material", "technique_common") if instance is not None else None
        bound = {entry.get("symbol"): entry for entry in (bindings.all("instance_material") if bindings else [])}
        for faces in self._geometries.faces(geometry):
            binding = bound.get(faces.symbol)
            look = self.materials.look(binding.get("target") if binding is not None else f"#{faces.symbol}")
            uv, corner_uv = faces.uv[_channel(look, binding, list(faces.uv))] if faces.uv else (None, None)
            materials = np.full(len(faces.triangles), look.index, np.int16)
            part = Part(faces.positions, faces.triangles, materials, uv, corner_uv, faces.colors)
            self.assembly.add(part, matrix)

    def _transform(self, node: Element) -> np.ndarray:
        """(4, 4): a node's transforms in the order in which they are written."""
        matrix = np.eye(4)
        for element in node.all(*_TRANSFORMS):
            values = np.nan_to_num(numbers(element, self.assembly.path)).clip(-1e12, 1e12)
            if element.tag == "matrix" and len(values) == 16:
                matrix = matrix @ values.reshape(4, 4)
            elif element.tag == "translate" and len(values) == 3:
                step = np.eye(4)
                step[:3, 3] = values
                matrix = matrix @ step
            elif element.tag == "scale" and len(values) == 3:
                matrix = matrix @ np.diag([*values, 1.0])
            elif element.tag == "rotate" and len(values) == 4:
                matrix = matrix @ _rotation(values)
            elif element.tag == "lookat":
                self.assembly.note("A part that is placed by a view (lookat) may stand elsewhere.")
        return matrix


def _channel(look: Look, binding: Element | None, sets: list[int]) -> int:
    """Number of the texture coordinates that a material wants: through its instance's binding, else the first."""
    for entry in binding.all("bind_vertex_input") if binding is not None and look.channel else []:
        number = entry.whole("input_set")
        if entry.get("semantic") == look.channel and number in sets:
            return number
    return min(sets)


def _rotation(values: np.ndarray) -> np.ndarray:
    """(4, 4) from an axis and an angle in degrees. Rodrigues."""
    length = float(np.linalg.norm(values[:3]))
    out = np.eye(4)
    if length > 0:
        x, y, z = values[:3] / length
        angle = math.radians(float(values[3]))
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        out[:3, :3] += math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross
    return out


def _sniff(head: bytes) -> bool:
    return b"<COLLADA" in head or "<COLLADA".encode("utf-16-le") in head or "<COLLADA".encode("utf-16-be") in head


register(Format("dae", "COLLADA", (".dae",), read, sniff=_sniff))
