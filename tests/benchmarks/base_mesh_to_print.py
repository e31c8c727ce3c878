"""From a service's base mesh to the printer's file, judged by others: python -m tests.benchmarks.base_mesh_to_print

    python -m tests.benchmarks.base_mesh_to_print [FILES] [--target N] [--height MM] [--late] [--pictures FOLDER]

Each file is opened as the program does, made 150 mm tall and put on the ground. Then come "Clean up", "Retarget", and
at most two clicks more: each carries out the fix that a check offers for its height or for a failure. "Retarget" is
last, so that it need not be done twice; with `--late` it is second. All checks of the profile are run, the model is
exported as 3MF, and lib3mf, trimesh and manifold3d judge what is in that file. Distances to the raw file are
PyMeshLab's, both ways. Seconds are of all processors together.

Without FILES: the outputs of AI services in the shared data.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import lib3mf
import manifold3d
import numpy as np
import pymeshlab
import trimesh

from app import worker
from app.formats.opening import Opened, open_in_worker
from app.mesh.mesh import Mesh
from app.mesh.transform import placed_on_ground, scaled_to_height, with_positions
from app.operations.color_change import ColorChange, color_change
from app.operations.running import apply
from app.operations.triage import NOTE, triage
from app.preflight.checks.running import PreflightReport, run_checks
from app.preflight.export import export
from app.preflight.profiles import PrinterProfile, profile
from app.viewport.portraits import portraits

AI_OUTPUTS = Path(__file__).parents[3] / "shared" / "data" / "ai_generated"
MORE_CLICKS = 2
_SECONDS = 900.0


@dataclass
class Step:
    """One click: what it was, how many triangles came of it, its notes, seconds of all processors."""

    operation: str
    triangles: int
    seconds: float
    notes: list[str]
    change: ColorChange | None = None


@dataclass
class Judged:
    """What others say about the exported file; `wrong`: what speaks against it, empty where nothing does."""

    triangles: int
    wrong: list[str] = field(default_factory=list)


@dataclass
class Run:
    """All of one file's way. distance: (mean, largest) mm from the result to the raw mesh, then from raw to result."""

    path: Path
    raw: Mesh
    found: list[str]
    steps: list[Step]
    mesh: Mesh
    report: PreflightReport
    report_seconds: float
    change: ColorChange | None = None
    distance: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    judged: Judged | None = None

    @property
    def passes(self) -> bool:
        return self.report.status == "pass" and self.judged is not None and not self.judged.wrong


def printer(target: int) -> PrinterProfile:
    """The house printer's profile, with another number of triangles where a quick run is wanted."""
    return replace(profile("wjp"), target_triangles=target)


def opened_as_usual(path: Path, height_mm: float) -> Opened:
    """As the program opens it, with the height that the user gives."""
    opened = open_in_worker(path)
    opened.mesh = placed_on_ground(scaled_to_height(opened.mesh, height_mm))
    return opened


def to_print(path: Path, wanted: PrinterProfile, height_mm: float, *, late: bool = False) -> Run:
    """Carry one file as far as the checks, by as few clicks as it needs. late: "Retarget" comes second."""
    opened = opened_as_usual(path, height_mm)
    found = [f"{row.id} {row.count:,}" for row in triage(opened.mesh, opened) if row.severity != NOTE]
    values = {"retarget": {"triangles": wanted.target_triangles}, "scale_to_height": {"height": height_mm}}
    steps: list[Step] = []
    raw, mesh = opened.mesh, _clicked(opened.mesh, "clean_up", {}, steps)
    if late:
        mesh = _clicked(mesh, "retarget", values["retarget"], steps)
    report, seconds = _checked(mesh, wanted)
    while len(steps) < 2 + MORE_CLICKS:
        fix = _next_fix(report, height_mm, last=len(steps) == 1 + MORE_CLICKS)
        if not fix:
            break
        before, mesh = mesh, _clicked(mesh, fix, values.get(fix, {}), steps)
        if fix == "scale_to_height":
            raw = _moved_as(raw, before, mesh)
        report, seconds = _checked(mesh, wanted)
    return Run(path, raw, found, steps, mesh, report, seconds)


def _next_fix(report: PreflightReport, height_mm: float, *, last: bool) -> str:
    """The operation to click next for this height and no failing check; empty when all is well.

    last: it is the last click, which "Retarget" needs where the number of triangles is not right yet.
    """
    if last and any(row.fix == "retarget" for row in report.of_status("fail")):
        return "retarget"
    if abs(report.counts.size_mm[2] - height_mm) > printer(0).height_tolerance_mm:
        return "scale_to_height"
    fixes = [row.fix for row in report.of_status("fail") if row.fix not in ("", "scale_to_height")]
    return min(fixes, key=lambda fix: fix == "retarget", default="")


def _moved_as(mesh: Mesh, before: Mesh, after: Mesh) -> Mesh:
    """What is compared with the result has its size and place: it is moved as `before` was to become `after`."""
    low, high = before.positions.min(axis=0).astype(np.float64), after.positions.min(axis=0).astype(np.float64)
    factor = after.size()[2] / before.size()[2]
    return with_positions(mesh, ((mesh.positions - low) * factor + high).astype(np.float32))


def judged(run: Run, wanted: PrinterProfile, folder: Path) -> None:
    """Measure the result against the raw mesh, export it and have others judge the file."""
    run.change = color_change(run.raw, run.mesh, lambda fraction, doing: None)
    run.distance = distances(run.raw, run.mesh)
    target = folder / f"{run.path.stem}{wanted.suffix}"
    export(run.mesh, target, wanted)
    run.judged = verdicts(target, run.mesh.triangle_count)


def verdicts(path: Path, triangles: int) -> Judged:
    """What lib3mf, trimesh and manifold3d find wrong with a 3MF file that should have so many triangles."""
    model = lib3mf.get_wrapper().CreateModel()
    reader = model.QueryReader("3mf")
    reader.SetStrictModeActive(True)
    reader.ReadFromFile(str(path))
    out = Judged(0)
    out.wrong += [f"lib3mf warns: {reader.GetWarning(i)[1]}" for i in range(reader.GetWarningCount())]
    objects = model.GetMeshObjects()
    while objects.MoveNext():
        one = objects.GetCurrentMeshObject()
        out.triangles += one.GetTriangleCount()
        if not one.IsManifoldAndOriented():
            out.wrong.append("lib3mf: not manifold and oriented")
        if not one.IsValid():
            out.wrong.append("lib3mf: not valid")
    read = trimesh.load_mesh(path, process=False)
    body = manifold3d.Manifold(
        manifold3d.Mesh(np.asarray(read.vertices, np.float32), np.asarray(read.faces, np.uint32))
    )
    says = {
        f"lib3mf: {out.triangles:,} triangles instead of {triangles:,}": out.triangles == triangles,
        f"trimesh: {len(read.faces):,} triangles instead of {triangles:,}": len(read.faces) == triangles,
        "trimesh: not watertight": read.is_watertight,
        "trimesh: facing is not consistent": read.is_winding_consistent,
        "trimesh: no volume": read.volume > 0,
        f"manifold3d: {body.status().name}": body.status() == manifold3d.Error.NoError,
    }
    out.wrong += [text for text, fine in says.items() if not fine]
    return out


def distances(raw: Mesh, mesh: Mesh, samples: int = 100_000) -> tuple[float, float, float, float]:
    """Mean and largest distance, mm, from `mesh` to `raw`, then from `raw` to `mesh`."""
    meshes = pymeshlab.MeshSet()
    for one in (raw, mesh):
        meshes.add_mesh(pymeshlab.Mesh(one.positions.astype(np.float64), one.triangles))
    found = [
        meshes.get_hausdorff_distance(
            sampledmesh=one,
            targetmesh=1 - one,
            samplevert=False,
            sampleface=True,
            samplenum=samples,
            maxdist=pymeshlab.PercentageValue(100),
        )
        for one in (1, 0)
    ]
    return tuple(measure[key] for measure in found for key in ("mean", "max"))  # type: ignore[return-value]


def _timed(doing: str, work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.process_time()
    made, seconds = work(), time.process_time() - started
    sys.stderr.write(f"{doing}: {seconds:.1f} s\n")
    return made, seconds


def _clicked(mesh: Mesh, operation: str, values: dict[str, Any], steps: list[Step]) -> Mesh:
    outcome, seconds = _timed(operation, lambda: apply(mesh, operation, values))
    steps.append(Step(operation, outcome.triangles_after, seconds, outcome.notes, outcome.color_change))
    return outcome.mesh


def _checked(mesh: Mesh, wanted: PrinterProfile) -> tuple[PreflightReport, float]:
    return _timed("checks", lambda: run_checks(mesh, wanted, seconds=_SECONDS))


def told(run: Run) -> str:
    """A file's way in words."""
    change = "no colour" if run.change is None else f"dE00 {run.change.mean:.2f} mean, {run.change.p95:.2f} at 95 %"
    lines = [
        f"{run.path.name}: {run.raw.triangle_count:,} triangles raw",
        f"  triage    {', '.join(run.found) or 'nothing'}",
        *(
            f"  {step.operation:<9} {step.seconds:6.1f} s  {step.triangles:,}: {' '.join(step.notes)}"
            for step in run.steps
        ),
        f"  colour    {change}",
        "  distance  {:.3f} mean, {:.2f} mm at most to the raw mesh; {:.3f}, {:.2f} from it".format(*run.distance),
        f"  checks    {run.report_seconds:6.1f} s  {run.report.status}",
        *(f"            {row.status} {row.id}: {row.message}" for row in run.report.results if row.status != "pass"),
    ]
    if run.judged is not None:
        lines.append(
            f"  judges    {'; '.join(run.judged.wrong) or 'lib3mf, trimesh and manifold3d find nothing wrong'}"
        )
    return "\n".join(lines)


def row(run: Run) -> str:
    """A file's way as a row of a table."""
    change = "-" if run.change is None else f"{run.change.mean:.2f}/{run.change.p95:.2f}"
    clicks = " ".join(f"{step.operation} {step.seconds:.0f} s" for step in run.steps)
    mean, most = run.distance[:2]
    of = [len(run.report.of_status(status)) for status in ("pass", "warn", "fail")]
    wrong = "ok" if run.judged is not None and not run.judged.wrong else "NOT ok"
    return (
        f"{run.path.name:<30}{run.raw.triangle_count:>9,}{run.mesh.triangle_count:>11,}  {change:<11}"
        f"{mean:6.3f}{most:6.2f}  {of[0]}/{of[1]}/{of[2]} {run.report.status}  judges {wrong}  {clicks}"
    )


def pictured(run: Run, folder: Path) -> None:
    """Four sides of the raw mesh and of the result, in PNG's stead as the report has them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, mesh in (("before", run.raw), ("after", run.mesh)):
        for side, data in worker.run(portraits, mesh).items():
            (folder / f"{run.path.stem}-{side}-{name}.jpg").write_bytes(data)


def main() -> None:
    """Print what comes of each file, then a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--target", type=int, default=1_600_000)
    parser.add_argument("--height", type=float, default=150.0)
    parser.add_argument("--late", action="store_true")
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    wanted, runs = printer(args.target), []
    for path in args.files or sorted(p for p in AI_OUTPUTS.iterdir() if p.suffix in (".glb", ".obj")):
        run = to_print(path, wanted, args.height, late=args.late)
        if args.pictures:
            pictured(run, args.pictures)
        with tempfile.TemporaryDirectory() as folder:
            judged(run, wanted, Path(folder))
        sys.stdout.write(told(run) + "\n\n")
        sys.stdout.flush()
        runs.append(run)
    sys.stdout.write("\n".join(row(run) for run in runs) + f"\n{sum(run.passes for run in runs)} of {len(runs)} pass\n")


if __name__ == "__main__":
    main()
