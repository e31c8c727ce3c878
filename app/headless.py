"""The whole job without a window: open, sculpt with every brush, undo, redo, export, check, render.

`python -m app.headless [FILE] [--folder FOLDER]` leaves `likeness-NAME.3mf` and `likeness-NAME.png` in the current
folder. It is what `packaging/dev.py run` does where there is no display, and what proves an installation. Nothing of
the work is done here: each step calls the part that the window calls.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app import worker
from app.errors import LikenessError
from app.formats import opening
from app.mesh.colors import with_vertex_colors
from app.mesh.mesh import ATTRIBUTES, Mesh
from app.mesh.raycast import cast
from app.mesh.transform import scaled_to_height
from app.preflight.check import check_file
from app.preflight.export import export_in_worker
from app.preflight.profiles import PrinterProfile, profile
from app.resources import resource
from app.sculpt.brush import Brush, brushes
from app.sculpt.history import History
from app.sculpt.scripted import run_strokes

SAMPLE_HEIGHT_MM, FIGURE_HEIGHT_MM = 100.0, 150.0
# Where the strokes go, as parts of the bounding box: short vertical ones, side by side low on the front.
_LEFT, _RIGHT = 0.22, 0.78
_LOW, _HIGH = 0.20, 0.27
_POINTS = 12
_RADIUS, _LEAST_RADIUS = 0.028, 3.0  # of the height; of an edge, so that a coarse mesh has vertices under the brush
_COLOR = "#b03a2e"


def main(arguments: list[str] | None = None) -> int:
    """Do the job and tell what happens. Returns 0 if all of it worked, 2 with one line of reason if not."""
    parser = argparse.ArgumentParser(prog="python -m app.headless", description="Do the whole job without a window.")
    parser.add_argument("file", nargs="?", type=Path, help="mesh to work on; without it, the sample")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the results go, default the current folder")
    args = parser.parse_args(arguments)
    try:
        do_job(args.file, args.folder)
    except LikenessError as error:
        sys.stderr.write(f"likeness: {error}\n")
        return 2
    finally:
        worker.cool_down()
    return 0


@dataclass
class _Sculpture:
    """Whose mesh the history records."""

    mesh: Mesh | None


def do_job(file: Path | None, folder: Path) -> None:
    """All steps, in the order of a sculptor's day. Raises LikenessError where one cannot be done or is not exact."""
    from app.viewport.offscreen import render_png  # loads VTK: late, so that a wrong file name is told at once

    name = file.stem if file else "sample"
    mesh = opened(file)
    wanted = profile()
    sculpted = sculpt_with_every_brush(mesh)
    target = folder.absolute() / f"likeness-{name}{wanted.suffix}"
    export_and_check(sculpted, target, wanted)
    if file is None:
        _tell("the sample is a raw base mesh with the usual flaws, so that it does not pass is as it should be")
    picture = target.with_suffix(".png")
    render_png(sculpted, picture)
    _tell(f"exported for {wanted.label}: {target}")
    _tell(f"picture: {picture}")


def opened(file: Path | None) -> Mesh:
    """The file, or the sample, in a worker process; at the size of a figurine where the file does not say its own."""
    started = time.monotonic()
    worker.warm_up(opening.prepare)
    answer = opening.open_in_worker(file or resource("sample/bust.glb"))
    mesh = answer.mesh
    for note in answer.notes:
        _tell(f"note: {note}")
    if not answer.unit_known:
        mesh = scaled_to_height(mesh, FIGURE_HEIGHT_MM if file else SAMPLE_HEIGHT_MM)
    size = " × ".join(f"{extent:.1f}" for extent in mesh.size())
    seconds = time.monotonic() - started
    _tell(f"opened {answer.path.name}: {mesh.triangle_count:,} triangles, {size} mm, {seconds:.1f} s")
    return mesh


def sculpt_with_every_brush(mesh: Mesh) -> Mesh:
    """One stroke of each brush, then undo all and redo all, compared bit by bit. Returns the sculpted mesh.

    Paint needs colours on the vertices, which are coarser than a texture; so on a textured mesh it comes last, and it
    and the move of the colours are taken back before the mesh is returned.
    """
    sculpture = _Sculpture(mesh)
    history = History(sculpture)
    before = _state(mesh)
    chosen = sorted(brushes().values(), key=lambda brush: brush.attribute == "colors")
    kept_steps = 0
    for place, brush in enumerate(chosen):
        if brush.attribute == "colors" and _mesh_of(sculpture).colors is None:
            kept_steps = history.position
            history.replace_mesh("Colours onto vertices", with_vertex_colors(_mesh_of(sculpture)))
        stroke(sculpture, history, brush, place / max(len(chosen) - 1, 1))
    after = _state(_mesh_of(sculpture))
    steps = len(history.steps)
    history.go_to(0)
    _must_equal(before, _state(_mesh_of(sculpture)), "undo")
    history.go_to(steps)
    _must_equal(after, _state(_mesh_of(sculpture)), "redo")
    _tell(f"{steps} steps undone and redone, equal to the bit")
    if mesh.has_texture and kept_steps:
        history.go_to(kept_steps)
        _tell("paint taken back again, because the texture prints finer than colours on vertices")
    _mesh_of(sculpture).refresh()
    return _mesh_of(sculpture)


def stroke(sculpture: _Sculpture, history: History, brush: Brush, place: float) -> None:
    """A short stroke on the front of the mesh. place: 0 to 1, from left to right."""
    mesh = _mesh_of(sculpture)
    points = front_points(mesh, _LEFT + (_RIGHT - _LEFT) * place)
    if brush.drags:  # dragged by more than half its radius, a surface folds
        points = points[: _POINTS // 4]
    edge = np.linalg.norm(np.diff(mesh.positions[mesh.triangles[:, :2]], axis=1), axis=2).mean()
    radius = max(_RADIUS * float(mesh.size()[2]), _LEAST_RADIUS * float(edge))
    entry: dict[str, Any] = {"brush": brush.id, "radius_mm": radius, "strength": 1.0, "points": points}
    if brush.attribute == "colors":
        entry["color"], entry["source"] = _COLOR, points[-1]
    changed = run_strokes(mesh, history, {"strokes": [entry]})
    _tell(f"{brush.label}: {history.steps[-1].vertices if changed else 0:,} vertices")


def front_points(mesh: Mesh, across: float) -> list[list[float]]:
    """Points on the surface as seen from the front, bottom to top. across: part of the width, from the left."""
    lower, upper = mesh.bounds()
    size = upper - lower
    points = []
    for height in np.linspace(_LOW, _HIGH, _POINTS):
        origin = lower + size * (across, 0, height)
        hit = cast(mesh, origin - (0, size[1] + 1, 0), np.array([0.0, 1.0, 0.0]))
        if hit is not None:
            points.append(hit.point.tolist())
    if not points:
        nearest = np.linalg.norm(mesh.positions - (lower + size * (across, 0, _HIGH)), axis=1).argmin()
        points.append(mesh.positions[nearest].tolist())
    return points


def export_and_check(mesh: Mesh, target: Path, wanted: PrinterProfile) -> None:
    """Export by the profile, which reads the file back and compares; then check it as QA would."""
    report = export_in_worker(mesh, target, wanted)
    for check in report.checks:
        _tell(f"read back, {check.name}: {check.found}")
    answer = check_file(target, wanted)
    if answer["verdict"] == "unreadable":
        raise LikenessError(f"the exported file cannot be read: {answer['message']}", target, "Report this")
    _tell(f"check for {wanted.label}: {answer['verdict']}. {answer['message']}")


def _mesh_of(sculpture: _Sculpture) -> Mesh:
    assert sculpture.mesh is not None
    return sculpture.mesh


def _state(mesh: Mesh) -> dict[str, bytes]:
    """Everything that a stroke can change, bit by bit."""
    arrays = {name: getattr(mesh, name) for name in ATTRIBUTES}
    return {name: b"" if array is None else array.tobytes() for name, array in arrays.items()}


def _must_equal(wanted: dict[str, bytes], found: dict[str, bytes], doing: str) -> None:
    for name, value in wanted.items():
        if found[name] != value:
            raise LikenessError(f"{doing} did not bring back the {name}", "", "Report this")


def _tell(text: str) -> None:
    sys.stdout.write(f"likeness: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
