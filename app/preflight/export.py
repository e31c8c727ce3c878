"""Export: write a mesh as a printer profile wants it, read it back by other means, compare, and only then let it be.

    mesh ── to_soup ──> soup ── written ──> staging folder ── read back, compared ──> renamed to its place
                                            (hidden, beside the target)

Whatever goes wrong on the way, what stood at the target before is still there. Formats' grammar is in `app.formats`,
reading back in `readback`, comparing in `compare`, renaming in `placing`, the record of an override in `override`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from app import worker
from app.errors import InvalidInput, VerificationFailed, WriteFailed
from app.formats.appearance import triangle_materials
from app.formats.registry import Format, Progress, WriteOptions, formats, no_progress
from app.mesh.build import to_soup
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup
from app.mesh.transform import scaled_to_height
from app.preflight.atlas import needs_atlas, with_single_texture
from app.preflight.check import FAIL, verdict
from app.preflight.compare import Check, compare
from app.preflight.counts import inspect
from app.preflight.model import model_of
from app.preflight.override import Override, forget, record_path, record_text
from app.preflight.placing import explained, install, staging
from app.preflight.profiles import PrinterProfile
from app.preflight.readback import read_back
from app.preflight.report import export_lines

_MB = 1e6
_WRITTEN, _READ = 0.55, 0.85  # shares of the whole at which a step ends
_WORKER_SECONDS = 600.0
_WORKER_BYTES = 4 << 30
# Formats in which colours without an image are always on vertices.
_VERTEX_COLOR_FORMATS = ("ply",)


_Written = tuple[tuple[Check, ...], list[str]]


@dataclass(frozen=True)
class ExportReport:
    """What was exported, and what was checked before it was put in place.

    path: the file. files: it and those that belong to it. size_mm: extent along x, y and z, Z up. bytes: of all files.
    seconds: from call to finished. checks: every comparison, all of them ok. warnings: for the user, one sentence each.
    override: that it was wanted although the model fails its checks, and why; empty where nobody had to want that.
    """

    path: Path
    files: tuple[Path, ...]
    size_mm: tuple[float, float, float]
    triangles: int
    checks: tuple[Check, ...]
    seconds: float
    bytes: int
    warnings: tuple[str, ...]
    override: str = ""


def export(
    mesh: Mesh,
    path: Path,
    profile: PrinterProfile,
    progress: Progress = no_progress,
    height_mm: float | None = None,
    override: Override | None = None,
) -> ExportReport:
    """Export in this process. height_mm: scale to this height first. override: is put on record beside the file.

    Raises InvalidInput for a wrong suffix, height or profile, WriteFailed, and VerificationFailed when another reader
    finds something else in the file than was to be written.
    """

    def run(soup: Soup, folder: Path) -> _Written:
        return _write_and_compare(soup, folder, Path(path).name, profile, progress)

    return _export(mesh, path, profile, height_mm, override, run)


def export_in_worker(
    mesh: Mesh,
    path: Path,
    profile: PrinterProfile,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    height_mm: float | None = None,
    override: Override | None = None,
) -> ExportReport:
    """`export` with writing and checking in a worker process. Raises the same, and WorkerFailed or Cancelled."""
    limits = worker.WorkerLimits(_WORKER_SECONDS, _WORKER_BYTES)

    def run(soup: Soup, folder: Path) -> _Written:
        args = (soup, folder, Path(path).name, profile)
        return worker.run(_write_and_compare, *args, progress=progress, cancelled=cancelled, limits=limits)

    return _export(mesh, path, profile, height_mm, override, run)


def _export(
    mesh: Mesh,
    path: Path,
    profile: PrinterProfile,
    height_mm: float | None,
    override: Override | None,
    run: Callable[[Soup, Path], _Written],
) -> ExportReport:
    started = time.monotonic()
    path = Path(path).absolute()
    check_request(mesh, path, profile)
    if height_mm is not None:
        mesh = scaled_to_height(mesh, height_mm)
    counts = inspect(mesh)
    judged = verdict(counts, profile)
    told = override is not None  # what fails is in there
    warnings = [f"For {profile.label} it fails: {judged.message}."] if judged.status == FAIL and not told else []
    if counts.has_color and not profile.takes_color:
        warnings.append(f"The model's colour is left out: {profile.label} takes none.")
    soup = to_soup(mesh)
    with staging(path) as folder:
        checks, more = run(soup, folder)
        size = sum(file.stat().st_size for file in folder.iterdir())
        if profile.max_file_mb and size > profile.max_file_mb * _MB:
            what = f"the file would have {size / _MB:,.0f} MB, {profile.label} takes {profile.max_file_mb:,.0f} MB"
            raise WriteFailed(what, path, "Use fewer triangles or a smaller texture")
        report = ExportReport(
            path=path,
            files=(path, *(path.parent / file.name for file in folder.iterdir() if file.name != path.name)),
            size_mm=counts.size_mm,
            triangles=counts.triangles - counts.degenerate,
            checks=checks,
            seconds=time.monotonic() - started,
            bytes=size,
            warnings=(*warnings, *more),
        )
        record = record_path(path)
        with explained(path):
            if override is not None:  # with the file or not at all: no such file is ever without its record
                now = datetime.now().astimezone()
                text = record_text(override, folder / path.name, profile.label, now, export_lines(report))
                (folder / record.name).write_text(text, "utf-8")
            files = install(folder, path)
    if override is None:
        forget(record)
    return replace(report, files=tuple(files), override="" if override is None else str(override))


def check_request(mesh: Mesh, path: Path, profile: PrinterProfile) -> None:
    """Say before any work is done what cannot be exported. Raises InvalidInput."""
    _format_of(profile)
    if path.suffix.lower() != profile.suffix:
        what = f"{profile.label} takes {profile.suffix} files"
        raise InvalidInput(what, path, f"End the name in {profile.suffix}, or choose another profile")
    if not mesh.triangle_count:
        raise InvalidInput("a model without triangles cannot be exported", path, "Open a model first")


def _format_of(profile: PrinterProfile) -> Format:
    file_format = formats().get(profile.format)
    if file_format is None or file_format.write is None:
        known = ", ".join(known.id for known in formats().values() if known.write)
        what = f'the printer profile "{profile.id}" wants the format "{profile.format}", which cannot be written'
        raise InvalidInput(what, "", f"Known formats are {known}")
    if profile.suffix not in file_format.suffixes:
        what = f'the printer profile "{profile.id}" gives {file_format.label} the suffix "{profile.suffix}"'
        raise InvalidInput(what, "", f"Known suffixes are {', '.join(file_format.suffixes)}")
    return file_format


def _write_and_compare(soup: Soup, folder: Path, name: str, profile: PrinterProfile, progress: Progress) -> _Written:
    """Write into the folder under the final name, read back and compare. Returns the checks and warnings."""
    wanted, left_out = _without_degenerate(soup)
    warnings = [f"{left_out:,} triangles that name one corner twice were left out."] if left_out else []
    as_printed = wanted
    if profile.single_texture and profile.color == "texture" and wanted.uv is not None and needs_atlas(wanted):
        progress(0.0, "Putting textures together")
        as_printed = with_single_texture(wanted, profile.texture_limit)
        warnings.append("Several textures were put together into one.")
    warnings += _reductions(as_printed, profile)
    on_vertices = _on_vertices(wanted, profile)
    if on_vertices and wanted.colors is None and any(material.texture is not None for material in wanted.materials):
        warnings.append("The texture's colours were put onto the vertices: detail finer than the triangles is lost.")
    with explained(folder.parent / name):
        _write(as_printed, folder / name, profile, lambda done, doing: progress(_WRITTEN * done, doing))
    progress(_WRITTEN, "Reading it back")
    found = read_back(folder / name, profile)
    progress(_READ, "Comparing")
    color = profile.color if profile.takes_color else "none"
    checks = compare(
        model_of(wanted, color, profile.texture_limit),
        found,
        colors_changed=_colors_changed(wanted, as_printed, profile),
        on_vertices=on_vertices,
    )
    wrong = [f"{check.name} {check.found} instead of {check.expected}" for check in checks if not check.ok]
    if wrong:
        what = f"was read back and is not the model: {'; '.join(wrong)}"
        raise VerificationFailed(
            what, folder.parent / name, "Nothing was replaced; try another format, and report this"
        )
    progress(1.0, "Checked")
    return tuple(checks), warnings


def _without_degenerate(soup: Soup) -> tuple[Soup, int]:
    """Triangles that name a vertex twice cover nothing, and 3MF forbids them."""
    a, b, c = soup.triangles.T
    keep = (a != b) & (b != c) & (c != a)
    if keep.all():
        return soup, 0
    return replace(
        soup,
        triangles=soup.triangles[keep],
        corner_uv=None if soup.corner_uv is None else soup.corner_uv[keep],
        triangle_material=None if soup.triangle_material is None else soup.triangle_material[keep],
    ), len(keep) - int(keep.sum())


def _reductions(soup: Soup, profile: PrinterProfile) -> list[str]:
    if profile.color != "texture" or not profile.texture_limit:
        return []
    large = {
        id(material.texture): material.texture
        for material in (soup.materials[index] for index in np.unique(triangle_materials(soup)))
        if material.texture is not None and max(material.texture.width, material.texture.height) > profile.texture_limit
    }
    return [
        f'The texture "{texture.name}" of {texture.width} x {texture.height} pixels was reduced to '
        f"{profile.texture_limit}, the most that {profile.label} takes."
        for texture in large.values()
    ]


def _colors_changed(wanted: Soup, as_printed: Soup, profile: PrinterProfile) -> bool:
    """Whether what is written had to differ from the model's colours: then they agree on the average only."""
    materials = [wanted.materials[index] for index in np.unique(triangle_materials(wanted))]
    textures = [material.texture for material in materials if material.texture is not None]
    if _on_vertices(wanted, profile):
        return wanted.colors is None
    tinted = any(m.texture is not None and m.base_color != Material().base_color for m in materials)
    recoded = profile.texture_format == "jpeg" and any(texture.mime != "image/jpeg" for texture in textures)
    return as_printed is not wanted or tinted or recoded or bool(_reductions(wanted, profile))


def _on_vertices(soup: Soup, profile: PrinterProfile) -> bool:
    """Whether the file has its colours on vertices, so that what a texture or material shows between them is lost."""
    has_image = soup.uv is not None and any(material.texture is not None for material in soup.materials)
    return profile.color == "vertex" or (profile.format in _VERTEX_COLOR_FORMATS and not has_image)


def _write(soup: Soup, path: Path, profile: PrinterProfile, progress: Progress) -> None:
    file_format = _format_of(profile)
    options = WriteOptions(
        up=profile.up,
        unit_mm=profile.unit_mm,
        color=profile.color,
        texture_format=profile.texture_format,
        texture_limit=profile.texture_limit,
        title=path.stem,
    )
    assert file_format.write is not None
    file_format.write(soup, path, options, progress)
    for file in path.parent.iterdir():
        with file.open("rb+") as stream:
            os.fsync(stream.fileno())


def plain_profile(path: Path) -> PrinterProfile:
    """No printer's wishes, only the format that a file name's suffix asks for, in mm with Z up; glTF as it must be.

    Raises InvalidInput for a suffix that is not written.
    """
    suffix = Path(path).suffix.lower()
    for file_format in formats().values():
        if file_format.write is not None and suffix in file_format.suffixes:
            is_gltf = file_format.id == "gltf"
            return PrinterProfile(
                id="plain",
                label=file_format.label,
                format=file_format.id,
                suffix=suffix,
                up="y" if is_gltf else "z",
                unit_mm=1000.0 if is_gltf else 1.0,
                target_triangles=0,
                watertight_required=False,
                # PLY's textures are read by few programs, its vertex colours by all.
                color="vertex" if file_format.id == "ply" else "texture",
            )
    known = ", ".join(
        suffix for file_format in formats().values() if file_format.write for suffix in file_format.suffixes
    )
    raise InvalidInput(f'files "{suffix}" cannot be written', path, f"Choose one of {known}")
