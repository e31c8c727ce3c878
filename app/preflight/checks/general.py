"""Is it the right mesh at the right size? Triangles, size, material and file."""

from __future__ import annotations

import numpy as np

from app.mesh.mesh import Mesh
from app.preflight.checks.case import Case
from app.preflight.checks.check import CheckResult, check, failed, passed, result, warned
from app.preflight.profiles import PrinterProfile
from app.preflight.verdict import size_row, triangles_row

_MB = 1e6
_MM3_PER_ML = 1000.0
# Bytes per triangle of closed meshes with half as many vertices, as our writers make them: without colour, with a
# texture's coordinates, with colours on vertices. Binary ones can be counted, text and packed ones were measured.
_BYTES_PER_TRIANGLE = {
    "stl": (50.0, 50.0, 50.0),
    "ply": (19.0, 23.0, 20.5),
    "gltf": (18.0, 28.0, 22.0),
    "3mf": (21.0, 30.0, 32.0),
    "obj": (36.0, 68.0, 49.0),
    "obj-zip": (16.0, 21.0, 19.0),
    "vrml": (36.0, 70.0, 49.0),
}


@check("triangles", "Number of triangles")
def triangles(case: Case) -> CheckResult:
    row = triangles_row(case.counts, case.profile)
    fix = "" if row.status == "pass" else "retarget"
    return result(
        row.status, row.text, value=case.counts.triangles, limit=case.profile.target_triangles or None, fix=fix
    )


@check("size", "Size")
def size(case: Case) -> CheckResult:
    row = size_row(case.counts, case.profile, unit_known=case.unit_known)
    fix = "" if row.status == "pass" else "scale_to_height"
    height = case.counts.size_mm[2]
    nearest = min(case.profile.heights_mm, key=lambda sold: abs(sold - height), default=None)
    return result(row.status, row.text, value=height, limit=nearest, unit="mm", fix=fix)


@check("material", "Material needed")
def material(case: Case) -> CheckResult:
    volume = case.counts.volume_mm3 / _MM3_PER_ML
    if volume <= 0 or not case.counts.watertight:
        return passed("unknown until the surface is closed and faces outward", unit="ml")
    density = case.profile.density_g_ml
    weight = f", about {volume * density:,.0f} g" if density else ""
    return passed(f"{volume:,.1f} ml{weight}, without supports", value=volume, unit="ml")


@check("file_size", "File size")
def file_size(case: Case) -> CheckResult:
    limit, known = case.profile.max_file_mb, case.file_bytes / _MB
    size_mb = known or estimated_bytes(case.mesh, case.profile) / _MB
    about = "" if known else "about "
    text = f"{about}{size_mb:,.1f} MB"
    rest = {"value": round(size_mb, 2), "limit": limit or None, "unit": "MB"}
    if not limit or size_mb <= limit:
        return passed(text, **rest)
    text += f", at most {limit:,.0f} MB are taken"
    return failed(text, **rest) if known else warned(text, **rest)


def estimated_bytes(mesh: Mesh, profile: PrinterProfile) -> float:
    """About how large the export will be; right to a quarter or so, since coordinates pack differently."""
    plain, textured, colored = _BYTES_PER_TRIANGLE.get(profile.format, _BYTES_PER_TRIANGLE["obj"])
    if mesh.has_texture and profile.color == "texture" and profile.takes_color:
        used = np.unique(mesh.triangle_material)
        images = {id(texture): texture for index in used if (texture := mesh.materials[index].texture) is not None}
        return textured * mesh.triangle_count + sum(len(image.encoded) for image in images.values())
    has_colors = (mesh.colors is not None or mesh.has_texture) and profile.takes_color
    return (colored if has_colors else plain) * mesh.triangle_count
