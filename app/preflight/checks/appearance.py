"""Is its colour there, in a form that the printer takes, and within what it can print?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.errors import InvalidInput
from app.mesh.colors import colors_at
from app.mesh.mesh import Mesh
from app.mesh.soup import Texture
from app.preflight import gamut
from app.preflight.checks.case import Case
from app.preflight.checks.check import DEAR, CheckResult, at_triangles, check, passed, result, warned
from app.preflight.regions import triangle_areas
from app.preflight.verdict import color_row, counted

_SAMPLES = 20_000
# A colour difference (CIE 1976) that everybody sees side by side; and the part of the surface that may have it.
_SEEN, _PART_OUTSIDE = 5.0, 0.05
_SEED = 20240601
_MIME = {"png": "image/png", "jpeg": "image/jpeg"}


@check("color", "Colour")
def color(case: Case) -> CheckResult:
    row = color_row(case.counts, case.profile)
    return result(row.status, row.text)


@check("texture_size", "Texture size")
def texture_size(case: Case) -> CheckResult | None:
    textures = _textures(case.mesh)
    if not textures:
        return None
    largest = max(textures, key=lambda texture: max(texture.width, texture.height))
    pixels, limit = max(largest.width, largest.height), case.profile.texture_limit
    size = f"{largest.width:,} × {largest.height:,} pixels"
    rest = {"value": pixels, "limit": limit or None, "unit": "pixels"}
    if limit and pixels > limit and case.profile.color == "texture":
        return warned(f"{size}, at most {limit:,} are taken: the export reduces it", **rest)
    return passed(size, **rest)


@check("texture_format", "Texture format")
def texture_format(case: Case) -> CheckResult | None:
    textures = _textures(case.mesh)
    if not textures or case.profile.color != "texture":
        return None
    wanted = _MIME.get(case.profile.texture_format)
    kinds = sorted({texture.mime.removeprefix("image/").upper() for texture in textures})
    other = sum(wanted is not None and texture.mime != wanted for texture in textures)
    text = " and ".join(kinds)
    if other:
        return passed(f"{text}: the export makes it {case.profile.texture_format.upper()}", value=other)
    return passed(text, value=0)


@check("texture_count", "Number of textures")
def texture_count(case: Case) -> CheckResult | None:
    count = len(_textures(case.mesh))
    if not count:
        return None
    if count > 1 and case.profile.single_texture:
        text = f"{count} textures, one is taken: the export puts them together"
        return warned(text, value=count, limit=1)
    return passed(counted(count, "texture"), value=count, limit=1 if case.profile.single_texture else None)


@check("gamut", "Colours that can be printed", DEAR)
def printable_colors(case: Case) -> CheckResult | None:
    if not case.profile.icc_profile or not case.counts.has_color or not case.profile.takes_color:
        return None
    case.progress(0.0, "Comparing colours with the printer's")
    triangles, colors = surface_colors(case.mesh)
    try:
        shift = gamut.shifts(colors, Path(case.profile.icc_profile))
    except InvalidInput as error:
        return warned(str(error))
    outside = shift > _SEEN
    part = float(outside.mean())
    rest = {"value": round(100 * part, 2), "limit": 100 * _PART_OUTSIDE, "unit": "%"}
    if part <= _PART_OUTSIDE:
        return passed(f"{100 * part:.1f} % of the surface has colours that the printer cannot reach", **rest)
    text = f"{100 * part:.0f} % of the surface has colours that the printer cannot reach"
    worst = f"; they shift by up to {shift.max():.0f} (CIE 1976)"
    return warned(text + worst, where=at_triangles(case, np.unique(triangles[outside])), **rest)


def surface_colors(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Colours at points spread evenly over the surface. Returns (n,) int64 triangles and (n, 3) uint8 sRGB."""
    areas = triangle_areas(mesh.positions, mesh.triangles)
    total = np.cumsum(areas)
    if not len(total) or total[-1] <= 0:
        return np.empty(0, np.int64), np.empty((0, 3), np.uint8)
    random = np.random.default_rng(_SEED)
    triangles = np.searchsorted(total, random.uniform(0, total[-1], _SAMPLES)).clip(0, len(areas) - 1)
    weights = random.dirichlet((1.0, 1.0, 1.0), _SAMPLES)
    if mesh.colors is not None and not mesh.has_texture:
        colors = np.einsum("nk,nkc->nc", weights, mesh.colors[mesh.triangles[triangles]])
    else:
        uv = np.zeros((_SAMPLES, 2))
        if mesh.uv is not None and mesh.corner_uv is not None:
            uv = np.einsum("nk,nkc->nc", weights, mesh.uv[mesh.corner_uv[triangles]])
        colors = colors_at(mesh.materials, mesh.triangle_material[triangles], uv.astype(np.float32))
    return triangles, np.round(np.clip(colors, 0, 1) * 255).astype(np.uint8)


def _textures(mesh: Mesh) -> list[Texture]:
    """The different textures of materials that triangles use."""
    if mesh.uv is None:
        return []
    used = np.unique(mesh.triangle_material)
    found = {id(texture): texture for index in used if (texture := mesh.materials[index].texture) is not None}
    return list(found.values())
