"""The verdict before `likeness export` writes: what fails is refused, unless somebody takes it upon himself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import terminal

if TYPE_CHECKING:
    from app.mesh.mesh import Mesh
    from app.preflight.override import Override
    from app.preflight.profiles import PrinterProfile


def judged(
    mesh: Mesh, printer: PrinterProfile, reason: str | None, *, unit_known: bool
) -> tuple[bool, Override | None]:
    """Check a mesh and print the verdict. Whether to go on, and the override where that takes one.

    reason: why a mesh that fails is wanted all the same; None where it is not.
    """
    from app.preflight.all_checks import check_all
    from app.preflight.override import Override, failing_of, notes_of

    with terminal.Progress() as progress:
        report = check_all(mesh, printer, progress, unit_known=unit_known)
    failing = failing_of(report)
    terminal.answer(f"{'fail' if failing else 'pass'} for {printer.label}")
    for line in failing:
        terminal.answer(f"  {line}")
    for note in notes_of(report):
        terminal.tell(f"note: {note}")
    if not failing:
        return True, None
    if reason is None:
        terminal.tell('likeness: nothing was written. Mend it (see likeness fix), or give --override "REASON"')
        return False, None
    return True, Override(failing, reason)
