"""From a file as it came to one that prints, without a window.

    read -> Clean up -> height, on the ground -> further operations -> Retarget -> written, read back -> checked

Each step runs in a worker process. The verdict is on the file that was written, as `likeness check` would give it.
What does not live here: the operations, the checks, writing, several files at once (`batch`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.errors import Cancelled, InvalidInput, LikenessError
from app.formats.opening import Opened, open_in_worker
from app.formats.registry import Progress, no_progress
from app.mesh.mesh import Mesh
from app.mesh.transform import placed_on_ground
from app.operations.operation import part_of
from app.operations.running import Outcome, apply_in_worker, find
from app.operations.typed import Wish
from app.preflight.check import check_file
from app.preflight.export import ExportReport, export_in_worker, plain_profile
from app.preflight.profiles import PrinterProfile

NEAREST = "nearest"
UNREADABLE, UNDONE = "unreadable", "undone"

_READ, _WORKED, _WRITTEN = 0.1, 0.65, 0.85


@dataclass(frozen=True)
class Recipe:
    """What is done to a file.

    clean: whether it begins with Clean up. height: mm, NEAREST for the nearest height that the profile sells, None to
    leave the size. wishes: further operations, run at that size and in this order. target: triangles in the end, 0 to
    leave their number.
    """

    profile: PrinterProfile
    clean: bool = True
    height: float | str | None = None
    wishes: tuple[Wish, ...] = ()
    target: int = 0

    def check(self) -> None:
        """Raises InvalidInput for what no file could be done with."""
        if isinstance(self.height, float):
            find("scale_to_height").check({"height": self.height})
        elif self.height == NEAREST and not self.profile.heights_mm:
            raise InvalidInput(f"{self.profile.label} has no list of heights", "", "Give the height in mm")
        if self.target:
            find("retarget").check({"triangles": self.target})


def writing_profile(path: Path, profile: PrinterProfile) -> PrinterProfile:
    """How a file of this name is written: as the printer wants it, or plainly where it wants another format.

    Raises InvalidInput for a suffix that is not written.
    """
    return profile if path.suffix.lower() == profile.suffix else plain_profile(path)


def fix_file(
    source: Path,
    target: Path,
    recipe: Recipe,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Fix one file. Never raises for what is wrong with it; raises Cancelled, and then there is nothing at `target`
    that was not there before, or the whole of it.

    Returns the JSON object of `likeness fix --json`: file; verdict ("pass" or "fail" of the file that was written,
    "unreadable", or "undone" where a step or writing could not be done); message; output, null where nothing was
    written; notes, of the reader and of writing; steps, a list of objects with operation (its id, "" for what is none),
    label, values, triangles_before, triangles_after, notes, color_change (CIEDE2000 as mean, p95 and samples; null
    where there is no colour) and seconds; written, null or an object with files, bytes, triangles, size_mm, checks (of
    reading it back: name and found); check, null or what `likeness check --json` says about the output; seconds.
    """
    started = time.monotonic()
    answer: dict[str, Any] = {"file": str(source), "verdict": UNREADABLE, "message": "", "output": None}
    answer |= {"notes": [], "steps": [], "written": None, "check": None}
    try:
        opened = open_in_worker(source, part_of(progress, 0.0, _READ), cancelled)
        answer["verdict"] = UNDONE
        answer["notes"] += opened.notes
        mesh = _worked(opened, recipe, answer, part_of(progress, _READ, _WORKED), cancelled)
        written = export_in_worker(
            mesh,
            target,
            writing_profile(target, recipe.profile),
            part_of(progress, _WORKED, _WRITTEN),
            cancelled,
        )
        answer |= {"output": str(target), "written": _written(written)}
        answer["notes"] += written.warnings
        checked = check_file(target, recipe.profile, progress=part_of(progress, _WRITTEN, 1.0), cancelled=cancelled)
        answer |= {"check": checked, "verdict": checked["verdict"], "message": checked["message"]}
    except Cancelled:
        raise
    except LikenessError as error:
        error.where = error.where or str(source)
        answer["message"] = " ".join(str(error).split())
    answer["seconds"] = round(time.monotonic() - started, 2)
    return answer


def _worked(
    opened: Opened,
    recipe: Recipe,
    answer: dict[str, Any],
    progress: Progress,
    cancelled: Callable[[], bool] | None,
) -> Mesh:
    """The mesh after all steps, which are told in the answer."""
    mesh = opened.mesh
    wishes = list(_wishes(opened, recipe, answer["notes"]))
    for number, wish in enumerate(wishes):
        started = time.monotonic()
        part = part_of(progress, number / len(wishes), (number + 1) / len(wishes))
        outcome = _grounded(mesh) if wish is _GROUND else _applied(mesh, wish, part, cancelled)
        answer["steps"].append(_step(wish.operation, outcome, time.monotonic() - started))
        mesh = outcome.mesh
    return mesh


_GROUND = Wish("")


def _wishes(opened: Opened, recipe: Recipe, notes: list[str]) -> Iterator[Wish]:
    if recipe.clean:
        yield Wish("clean_up")
    height = _height(opened, recipe)
    if height is None:
        if not opened.unit_known:
            tall = float(opened.mesh.size()[2])
            notes.append(f"The file does not say its size for certain; {tall:,.1f} mm tall is assumed.")
        yield _GROUND
    else:
        yield Wish("scale_to_height", {"height": height})
    yield from recipe.wishes
    if recipe.target:
        yield Wish("retarget", {"triangles": recipe.target})


def _height(opened: Opened, recipe: Recipe) -> float | None:
    if recipe.height != NEAREST:
        return None if recipe.height is None else float(recipe.height)
    if not opened.unit_known:
        what = "does not say its size for certain, so no height that is sold is the nearest"
        raise InvalidInput(what, opened.path, "Give the height in mm")
    tall = float(opened.mesh.size()[2])
    return min(recipe.profile.heights_mm, key=lambda sold: abs(sold - tall))


def _applied(mesh: Mesh, wish: Wish, progress: Progress, cancelled: Callable[[], bool] | None) -> Outcome:
    label = find(wish.operation).label
    return apply_in_worker(
        mesh, wish.operation, wish.values, lambda part, doing: progress(part, f"{label}, {doing.lower()}"), cancelled
    )


def _grounded(mesh: Mesh) -> Outcome:
    count = mesh.triangle_count
    return Outcome(placed_on_ground(mesh), "Stand on the ground", triangles_before=count, triangles_after=count)


def _step(operation: str, outcome: Outcome, seconds: float) -> dict[str, Any]:
    change = outcome.color_change
    return {
        "operation": operation,
        "label": outcome.label,
        "values": outcome.values,
        "triangles_before": outcome.triangles_before,
        "triangles_after": outcome.triangles_after,
        "notes": outcome.notes,
        "color_change": None if change is None else asdict(change),
        "seconds": round(seconds, 2),
    }


def _written(report: ExportReport) -> dict[str, Any]:
    return {
        "files": [str(file) for file in report.files],
        "bytes": report.bytes,
        "triangles": report.triangles,
        "size_mm": [round(extent, 3) for extent in report.size_mm],
        "checks": [{"name": check.name, "found": check.found} for check in report.checks],
    }
