"""Hints about colour on intake: light that was baked into it, textures that are missing, small or several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.mesh.colors import colors_from_texture
from app.mesh.mesh import Mesh

# sRGB luma, ITU-R BT.709.
_LUMA = np.array([0.2126, 0.7152, 0.0722])
# Light from one side explains at least so much of the variance of brightness, and changes it by so much from the lit
# to the dark side.
_EXPLAINED, _CONTRAST = 0.12, 0.12
_SMALL_PIXELS = 1024
# Against and along each axis; a figure looks against y.
_SIDES = (("the left", "the right"), ("the front", "the back"), ("below", "above"))


def color_findings(mesh: Mesh) -> Iterator[tuple[str, str, int, str]]:
    """(id, label, count, message) of each hint."""
    textures = {id(m.texture): m.texture for m in mesh.materials if m.texture is not None}
    plain = all(material.base_color == (1.0, 1.0, 1.0) for material in mesh.materials)
    if mesh.uv is not None and not textures and mesh.colors is None:
        yield "texture_missing", "Texture", 1, "It has texture coordinates but no image; open it beside its images."
    elif not textures and mesh.colors is None and plain:
        yield "no_color", "Colour", 1, "It has no colour: no texture, no vertex colours, no coloured materials."
    if not textures and mesh.colors is None and plain:
        return
    small = [t for t in textures.values() if t is not None and max(t.width, t.height) < _SMALL_PIXELS]
    for texture in small:
        size = f"{texture.width} × {texture.height}"
        yield "texture_small", "Texture", 1, f'The texture "{texture.name}" has only {size} pixels.'
    if len(textures) > 1:
        message = f"It has {len(textures)} textures; export merges them where the printer wants one."
        yield "texture_several", "Textures", len(textures), message
    light = baked_light(mesh)
    if light is not None:
        message = (
            f"Light from {light.side} seems to be painted into the colour: it explains {light.explained:.0%} of the "
            f"brightness and changes it by {light.contrast:.0%}. Printed, the shadow stays where it is."
        )
        yield "baked_light", "Baked light", 1, message


@dataclass(frozen=True)
class BakedLight:
    """side: where it comes from, in words. explained: part of the variance of brightness, 0 to 1. contrast: how much
    brighter the lit side is than the dark one, of white.
    """

    side: str
    explained: float
    contrast: float


def baked_light(mesh: Mesh) -> BakedLight | None:
    """Whether brightness follows the direction of the surface; None where it does not, or by little.

    Parallel light makes brightness a linear function of the normal; this is the best one, by least squares over the
    vertices, each weighted by its area. A striped shirt has no such side, a lit figure has. Faces and shirts are
    brighter in front than hair and backs without any light, so light from a side has to explain more than from above.
    """
    colors = mesh.colors if mesh.colors is not None and not mesh.has_texture else colors_from_texture(mesh)
    brightness = colors.astype(np.float64) @ _LUMA
    weight = _vertex_areas(mesh)
    if not weight.sum() > 0:
        return None
    root = np.sqrt(weight)[:, None]
    rows = np.column_stack((np.ones(len(weight)), mesh.normals.astype(np.float64)))
    fit, *_ = np.linalg.lstsq(rows * root, brightness * root[:, 0], rcond=None)
    mean = np.average(brightness, weights=weight)
    spread = np.average((brightness - mean) ** 2, weights=weight)
    left = np.average((brightness - rows @ fit) ** 2, weights=weight)
    axis = int(np.argmax(np.abs(fit[1:])))
    side = _SIDES[axis][int(fit[1 + axis] > 0)]
    light = BakedLight(side, float(1.0 - left / spread) if spread > 0 else 0.0, 2 * float(np.linalg.norm(fit[1:])))
    least = _EXPLAINED if axis == 2 else 2 * _EXPLAINED
    return light if light.explained > least and light.contrast > _CONTRAST else None


def _vertex_areas(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.positions[mesh.triangles[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 6
    return np.bincount(mesh.triangles.ravel(), weights=np.repeat(area, 3), minlength=mesh.vertex_count)
