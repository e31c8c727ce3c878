"""USD materials as base colour and texture: UsdPreviewSurface, and what is like it.

Colours are linear unless they say otherwise, textures sRGB.
https://openusd.org/release/spec_usdpreviewsurface.html, https://openusd.org/release/user_guides/color_user_guide.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

import numpy as np

from app.formats.assembly import Assembly
from app.formats.images import linear_to_srgb
from app.formats.reading import Images
from app.formats.usd_layers import Layers
from app.mesh.soup import Material, Texture

_COLORS = ("diffuseColor", "base_color", "baseColor", "diffuse_color_constant")
_GRAY = (0.18, 0.18, 0.18)  # diffuseColor where none is given
_ALMOST_NOTHING = 0.02
_LONGEST_CHAIN = 8
DEFAULT_UV = "st"


@dataclass(frozen=True, eq=False)
class Look:
    """An assembly's material as faces use it. colored: its colour is the mesh's own displayColor.

    uv_name: primvar with its texture coordinates. uv_matrix: (2, 3) that changes them, or None.
    """

    index: int
    colored: bool = False
    uv_name: str = DEFAULT_UV
    uv_matrix: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class _Image:
    texture: Texture
    wrap: str
    scale: tuple[float, ...]
    uv_name: str
    uv_matrix: np.ndarray | None


class Materials:
    """Reads materials when faces first use them."""

    def __init__(self, assembly: Assembly, layers: Layers, time: Any) -> None:
        self._assembly, self._layers, self._time = assembly, layers, time
        self._images = Images(assembly.limits, assembly.notes)
        self._looks: dict[str, Look] = {}

    def look(self, material: Any | None) -> Look:
        """The look of a `UsdShade.Material`; None stands for faces without one."""
        key = str(material.GetPath()) if material else ""
        if key not in self._looks:
            self._looks[key] = self._read(material) if material else self.plain((1.0, 1.0, 1.0), colored=True)
        return self._looks[key]

    def plain(self, color: tuple[float, float, float], name: str = "none", *, colored: bool = False) -> Look:
        """A look of one sRGB colour."""
        return Look(self._assembly.add_material(Material(name, color)), colored)

    def _read(self, material: Any) -> Look:
        name = material.GetPrim().GetName()
        surface = material.ComputeSurfaceSource()[0]
        found = next((surface.GetInput(key) for key in _COLORS if surface and surface.GetInput(key)), None)
        color, image, colored = self._surface(found, _GRAY)
        if image is None and not colored and max(color) <= _ALMOST_NOTHING:
            # Some exporters leave the colour only in the light that the surface sends out.
            glow, light, _ = self._surface(surface.GetInput("emissiveColor") if surface else None, (0.0, 0.0, 0.0))
            if light is not None or max(glow) > _ALMOST_NOTHING:
                color, image = glow, light
        if image is None:
            return self.plain(_srgb(color), name, colored=colored)
        index = self._assembly.add_material(Material(name, _srgb(image.scale), image.texture, image.wrap))
        return Look(index, False, image.uv_name, image.uv_matrix)

    def _surface(self, found: Any | None, default: tuple[float, float, float]) -> tuple[Any, _Image | None, bool]:
        """Linear colour, image, and whether the colour is the mesh's own, of a shader's input."""
        for attribute in found.GetValueProducingAttributes() if found else ():
            shader = _shader_of(attribute)
            if shader is None:
                return numbers(attribute.Get(self._time), default), None, False
            kind = str(shader.GetIdAttr().Get() or "")
            if kind.startswith("UsdPrimvarReader"):
                return default, None, True
            if shader.GetInput("file"):
                image = self._image(shader)
                return numbers(self._value(shader, "fallback"), default), image, False
        return default, None, False

    def _image(self, shader: Any) -> _Image | None:
        file = next(iter(shader.GetInput("file").GetValueProducingAttributes()), None)
        # As it was written: asking the attribute would have USD look for the file.
        spec = next((spec for spec in file.GetPropertyStack(self._time) if spec.default), None) if file else None
        if spec is None:
            return None
        name = str(getattr(spec.default, "path", ""))
        place = self._layers.find(spec.layer, name)
        if place is None:
            last = PureWindowsPath(name).name[:60]
            self._assembly.note(f"The texture {last} is not beside the file; the plain colour is used.")
            return None
        texture = self._images.at(place)
        if texture is None:
            return None
        modes = {str(self._value(shader, key) or "") for key in ("wrapS", "wrapT")}
        if "mirror" in modes:
            self._assembly.note("A texture that repeats mirrored is shown repeating plainly.")
        wrap = "clamp" if modes <= {"clamp", "black"} else "repeat"
        uv_name, uv_matrix = self._coordinates(shader)
        scale = numbers(self._value(shader, "scale"), (1.0, 1.0, 1.0))
        return _Image(texture, wrap, scale, uv_name, uv_matrix)

    def _coordinates(self, shader: Any) -> tuple[str, np.ndarray | None]:
        """The primvar that a texture's coordinates come from, and what UsdTransform2d does to them on the way."""
        matrix, source = np.eye(3), shader.GetInput("st")
        for _ in range(_LONGEST_CHAIN):
            attribute = next(iter(source.GetValueProducingAttributes()), None) if source else None
            reader = _shader_of(attribute) if attribute else None
            if reader is None:
                break
            if str(reader.GetIdAttr().Get()) != "UsdTransform2d":
                name = self._value(reader, "varname")
                return (str(name) if name else DEFAULT_UV), _changed(matrix)
            matrix = matrix @ self._transform(reader)
            source = reader.GetInput("in")
        return DEFAULT_UV, _changed(matrix)

    def _transform(self, shader: Any) -> np.ndarray:
        """(3, 3): scale, then turn counter-clockwise, then move."""
        angle = math.radians(numbers(self._value(shader, "rotation"), (0.0,))[0])
        width, height = numbers(self._value(shader, "scale"), (1.0, 1.0))
        u, v = numbers(self._value(shader, "translation"), (0.0, 0.0))
        cos, sin = math.cos(angle), math.sin(angle)
        return np.array([[cos * width, -sin * height, u], [sin * width, cos * height, v], [0.0, 0.0, 1.0]])

    def _value(self, shader: Any, name: str) -> Any:
        """The value of a shader's input, wherever it comes from; None where there is none."""
        found = shader.GetInput(name)
        attribute = next(iter(found.GetValueProducingAttributes()), None) if found else None
        return attribute.Get(self._time) if attribute and _shader_of(attribute) is None else None


def _shader_of(attribute: Any) -> Any | None:
    """The shader whose output an attribute is; None where it has a value of its own."""
    from pxr import UsdShade

    if not UsdShade.Output.IsOutput(attribute):
        return None
    return UsdShade.Shader(attribute.GetPrim())


def _changed(matrix: np.ndarray) -> np.ndarray | None:
    return None if (matrix == np.eye(3)).all() else matrix[:2]


def numbers(value: Any, default: tuple[float, ...]) -> tuple[float, ...]:
    """Finite numbers of a USD value of any type, as many as the default has."""
    try:
        found = tuple(float(item) for item in value) if hasattr(value, "__len__") else (float(value),)
    except (TypeError, ValueError):
        return default
    found = found[: len(default)]
    return found if len(found) == len(default) and all(math.isfinite(item) for item in found) else default


def _srgb(linear: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = linear_to_srgb(np.clip(np.array(linear), 0.0, 1.0)).tolist()
    return red, green, blue
