"""Reading an exported file back by other means than it was written with, as a `Model` for comparison.

STL, PLY, OBJ and glTF are read by trimesh. No library at hand reads all of 3MF's colour but lib3mf, which writes it,
and none reads VRML: those two have a small reader of their own (`readback_3mf`, `readback_vrml`) that shares nothing
with the writers. A format that none of them knows is read by its own reader, which is the weakest check.
"""

from __future__ import annotations

import json
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from app.errors import VerificationFailed
from app.formats.registry import Limits, formats, no_progress
from app.preflight.model import Model, Skin, display_colors, joined, linear_light, model_of
from app.preflight.profiles import PrinterProfile
from app.preflight.readback_3mf import read_3mf
from app.preflight.readback_vrml import read_vrml

_GLTF_UNIT_MM = 1000.0
_GLB_FIRST_CHUNK = 12


def read_back(path: Path, profile: PrinterProfile) -> Model:
    """What another program finds in a file written for this profile, in mm and Z up.

    Raises VerificationFailed when it finds no model at all.
    """
    try:
        return _READERS.get(profile.format, _by_its_own_reader)(path, profile)
    except VerificationFailed:
        raise
    except Exception as error:
        what = f"cannot be read back: {type(error).__name__}: {error}"
        raise VerificationFailed(what, path, "Nothing was replaced; try another format, and report this") from error


def _from_archive(path: Path, profile: PrinterProfile) -> Model:
    with tempfile.TemporaryDirectory(prefix="likeness-") as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        return _by_trimesh(next(Path(folder).glob("*.obj")), profile)


def _by_trimesh(path: Path, profile: PrinterProfile) -> Model:
    scene = trimesh.load_scene(path, process=False)
    is_gltf = profile.format == "gltf"
    parts = [_part(scene, node, is_gltf) for node in scene.graph.nodes_geometry]
    if is_gltf:
        _sharpen(parts, path)
    if not parts:
        raise VerificationFailed("another reader finds no triangles in it", path, "Nothing was replaced; report this")
    model = joined(parts)
    # glTF is in metres and Y up by definition, whatever a profile says.
    up, unit_mm = ("y", _GLTF_UNIT_MM) if is_gltf else (profile.up, profile.unit_mm)
    model.positions = _upright(model.positions, up) * unit_mm
    return model


def _sharpen(parts: list[Model], path: Path) -> None:
    """Give plain glTF colours the digits back that trimesh rounds away: 8 bits of light are coarse in the dark."""
    data = path.read_bytes()
    if data.startswith(b"glTF"):
        (length,) = struct.unpack_from("<I", data, _GLB_FIRST_CHUNK)
        data = data[_GLB_FIRST_CHUNK + 8 :][:length]
    document = json.loads(data)
    factors = [
        np.array(material.get("pbrMetallicRoughness", {}).get("baseColorFactor", (1, 1, 1))[:3], np.float64)
        for material in document.get("materials", [])
    ]
    for part in parts:
        rounded = np.rint(linear_light(np.array(part.skins[0].tint)) * 255)
        for factor in factors:
            if (np.rint(factor * 255) == rounded).all():
                red, green, blue = display_colors(factor).tolist()
                part.skins[0].tint = (red, green, blue)
                break


def _upright(positions: np.ndarray, up: str) -> np.ndarray:
    if up == "z":
        return positions
    x, y, z = positions.T
    return np.stack((x, -z, y), axis=1)


def _part(scene: trimesh.Scene, node: str, is_gltf: bool) -> Model:
    transform, name = scene.graph[node]
    geometry: Any = scene.geometry[name]
    triangles = np.asarray(geometry.faces)
    positions = trimesh.transform_points(geometry.vertices, transform)
    model = Model(positions, triangles)
    visual = geometry.visual
    colors = None
    if visual.kind == "texture":
        colors = visual.vertex_attributes.get("color")
        skin = _skin(visual.material, is_gltf)
        if visual.uv is not None and skin.pixels is not None:
            model.corner_uv = np.asarray(visual.uv)[triangles]
        model.skins = [skin]
    elif visual.kind == "vertex":
        colors = visual.vertex_colors
    elif visual.kind == "face":
        colors = visual.face_colors
        model.corner_colors = np.repeat(_fractions(np.asarray(colors), is_gltf)[:, None], 3, axis=1)
        return model
    if colors is not None:
        model.corner_colors = _fractions(np.asarray(colors), is_gltf)[triangles]
    return model


def _fractions(colors: np.ndarray, is_gltf: bool) -> np.ndarray:
    """(N, 3) float32 sRGB from whole or broken numbers; glTF's are linear light."""
    values = colors[:, :3].astype(np.float32)
    if colors.dtype.kind in "iu":
        values /= np.iinfo(colors.dtype).max
    return display_colors(values).astype(np.float32) if is_gltf else values


def _skin(material: Any, is_gltf: bool) -> Skin:
    image = getattr(material, "baseColorTexture" if is_gltf else "image", None)
    pixels = None if image is None else np.asarray(image.convert("RGB"))
    if is_gltf:
        factor = getattr(material, "baseColorFactor", None)
        if factor is None:
            return Skin(pixels)
        red, green, blue = _fractions(np.asarray(factor)[None], True)[0].tolist()
        return Skin(pixels, (red, green, blue))
    if pixels is not None:  # trimesh gives a missing Kd a grey of its own
        return Skin(pixels)
    red, green, blue = (np.asarray(material.main_color)[:3] / 255.0).tolist()
    return Skin(None, (red, green, blue))


def _by_its_own_reader(path: Path, profile: PrinterProfile) -> Model:
    reader = formats()[profile.format].read
    if reader is None:
        raise VerificationFailed("no reader is there to check it with", path, "Choose another format in the profile")
    soup = reader(path, Limits(), no_progress)
    model = model_of(soup, profile.color)
    model.positions = _upright(model.positions, soup.up) * (soup.unit_mm or profile.unit_mm)
    return model


def _by_3mf_reader(path: Path, profile: PrinterProfile) -> Model:
    model = read_3mf(path)
    model.positions = _upright(model.positions, profile.up)
    return model


def _by_vrml_reader(path: Path, profile: PrinterProfile) -> Model:
    model = read_vrml(path)
    model.positions = _upright(model.positions, profile.up) * profile.unit_mm
    return model


_READERS: dict[str, Callable[[Path, PrinterProfile], Model]] = {
    "stl": _by_trimesh,
    "ply": _by_trimesh,
    "obj": _by_trimesh,
    "obj-zip": _from_archive,
    "gltf": _by_trimesh,
    "3mf": _by_3mf_reader,
    "vrml": _by_vrml_reader,
}
