"""What actions do in the window beyond one call: ask first, open a dialog, start a mode.

The table of `actions` names these; each takes the window. What does not live here: changing the document (`commands`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog

from app.mesh.raycast import cast
from app.operations.operation import Operation, operations
from app.project.saving import SUFFIX
from app.project.sessions import Recoverable
from app.sculpt.brush import brushes
from app.sculpt.symmetry import AXES
from app.settings import config_folder
from app.widgets import operation_values, questions
from app.widgets.brush_finder import BrushFinder
from app.widgets.commands import Then
from app.widgets.export_report import ExportReportDialog
from app.widgets.height_dialog import ask_height
from app.widgets.keys_help import KeysHelp
from app.widgets.operation_dialog import OperationDialog
from app.widgets.preferences import PreferencesDialog
from app.widgets.recovery_dialog import RecoveryDialog
from app.widgets.value_drag import Kind

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow


def new_from_mesh(window: MainWindow) -> None:
    """Ask which mesh, then begin a project with it."""
    path = questions.ask_mesh(window, window.settings, window.job_file)
    if path is not None:
        window.commands.opening.open_file(path)


def open_file(window: MainWindow) -> None:
    """Ask which project or mesh, then open it."""
    path = questions.ask_open(window, window.settings, window.job_file)
    if path is not None:
        window.commands.opening.open_file(path)


def save_as(window: MainWindow) -> None:
    """Ask where to, then save there."""
    proposed = window.commands.saving.proposed_path()
    path = questions.ask_project_path(window, window.settings, "Save Project As", proposed)
    if path is not None:
        window.commands.saving.save_as(path)


def save_copy(window: MainWindow) -> None:
    """Ask where to, then save a copy there."""
    proposed = window.commands.saving.proposed_path()
    copy = proposed.with_stem(f"{proposed.stem} copy")
    path = questions.ask_project_path(window, window.settings, "Save a Copy", copy)
    if path is not None:
        window.commands.saving.save_copy(path)


def keep_elsewhere(window: MainWindow) -> None:
    """Ask for a folder, then go on with the working copy there."""
    start = questions.start_folder(window.settings, window.job_file)
    folder = questions.ask_folder(window, "Keep the Working Copy in This Folder", start)
    if folder is not None:
        window.commands.saving.keep_elsewhere(folder)


def recover(window: MainWindow) -> None:
    """Show what windows left behind that ended without closing, or say that there is nothing."""
    left = window.commands.recovery.recoverable()
    if left:
        show_recovery(window, left)
    else:
        window.show_message("There is no unsaved work of earlier sessions")


def show_recovery(
    window: MainWindow, left: Sequence[Recoverable], otherwise: Then | None = None, file: Path | None = None
) -> None:
    """Show what was left behind.

    otherwise: what to do when nothing is recovered. file: what Likeness was started with; offered after a recovery.
    """
    recovery, dialog = window.commands.recovery, RecoveryDialog(left, window)

    def save_copy(work: Recoverable) -> None:
        folder = questions.start_folder(window.settings, work.project_path or work.source_path)
        proposed = folder / f"{work.name} recovered{SUFFIX}"
        path = questions.ask_project_path(dialog, window.settings, "Save a Copy", proposed)
        if path is not None:
            recovery.copy_recoverable(work, path)

    def discard(work: Recoverable) -> None:
        if questions.may_discard_recoverable(dialog, work.name):
            recovery.discard_recoverable(work)
            dialog.remove(work)

    dialog.recover.connect(lambda work: recovery.recover(work, file))
    dialog.save_copy.connect(save_copy)
    dialog.discard.connect(discard)
    if otherwise is not None:
        dialog.rejected.connect(otherwise)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def export_as(window: MainWindow) -> None:
    """Ask where to, then export."""
    path = questions.ask_export_path(window, window.commands.exporting.proposed_export())
    if path is not None:
        window.commands.exporting.export_as(path)


def set_height(window: MainWindow) -> None:
    """Ask how tall, then scale."""
    document = window.document
    if document.mesh is None:
        return
    size, sold = document.mesh.size(), document.profile.products
    height = ask_height(window, window.settings, size, document.source_path, known=document.height_known, sold_mm=sold)
    if height is not None:
        window.commands.model.set_height(height)


def clean_up(window: MainWindow) -> None:
    """All safe repairs as one step."""
    window.commands.operating.operate("clean_up")


def retarget(window: MainWindow) -> None:
    """As many triangles as the printer wants, without a question."""
    operation = operations()["retarget"]
    values = operation_values.initial(operation, None, window.document.profile, window.settings)
    window.commands.operating.operate(operation.id, values)


def target_triangles(window: MainWindow) -> int:
    """How many triangles `retarget` gives the model."""
    return int(operation_values.defaults(operations()["retarget"], None, window.document.profile)["triangles"])


def run_operation(window: MainWindow, operation: Operation, given: Mapping[str, Any] | None = None) -> None:
    """Run an operation; ask for its values first where it takes any. given: values to begin with."""
    if not operation.parameters:
        window.commands.operating.operate(operation.id)
        return
    mesh, profile = window.document.mesh, window.document.profile
    plane = operation_values.mirror_plane(operation, window.document.symmetry)
    usual = operation_values.defaults(operation, mesh, profile) | plane
    first = operation_values.initial(operation, mesh, profile, window.settings) | plane | dict(given or {})

    def run(values: dict[str, Any]) -> None:
        operation_values.remember(operation, values, window.settings)
        window.commands.operating.operate(operation.id, values)

    _open(OperationDialog(operation, first, usual, run, window))


def mend(window: MainWindow, operation_id: str, values: Mapping[str, Any]) -> None:
    """Carry out the fix of something that was found."""
    if operation_id == "scale_to_height":
        set_height(window)  # only the user knows how tall
    elif operation_id == "retarget":
        retarget(window)
    else:
        window.commands.operating.operate(operation_id, values)


def find_brush(window: MainWindow) -> None:
    """Let the user look for a brush by typing."""
    BrushFinder(window.brush_actions, window).open_over(window.viewport)


def start_drag(window: MainWindow, kind: Kind) -> None:
    """Set the radius or the strength by moving the pointer, from where it is."""
    hover = window.controller.last_hover
    pointer = QPointF(window.viewport.rect().center()) if hover is None else QPointF(hover.x, hover.y)
    window.value_drag.start(kind, pointer, mm_per_pixel(window, pointer))


def mm_per_pixel(window: MainWindow, pointer: QPointF | None = None) -> float:
    """mm under one logical pixel on the surface under the pointer, or else in the middle of the model."""
    mesh, viewport = window.document.mesh, window.viewport
    if mesh is None:
        return 1.0
    hit = None if pointer is None else cast(mesh, *viewport.ray(pointer.x(), pointer.y()))
    lower, upper = mesh.bounds()
    return viewport.mm_per_pixel((lower + upper) / 2 if hit is None else hit.point)


def mirror_here(window: MainWindow, place: QPointF | None = None) -> None:
    """Put the mirrors that are on, or else that of X, through what is under the pointer, or at `place`, logical pixels
    of the viewport."""
    hover, mesh = window.controller.last_hover, window.document.mesh
    if place is None and hover is not None:
        place = QPointF(hover.x, hover.y)
    hit = None if mesh is None or place is None else cast(mesh, *window.viewport.ray(place.x(), place.y()))
    if hit is None:
        window.show_message("Hold the pointer over the model and press the key, or right-click the place")
        return
    symmetry = window.hand.options.symmetry
    moved = symmetry.axes if any(symmetry.axes) else (True, False, False)
    x, y, z = (float(hit.point[i]) if on else symmetry.origin[i] for i, on in enumerate(moved))
    window.hand.set_mirror_origin((x, y, z))
    told = (f"{AXES[i].upper()} mirror at {(x, y, z)[i]:.2f} mm" for i, on in enumerate(moved) if on)
    window.show_message(", ".join(told))


def set_full_screen(window: MainWindow, on: bool) -> None:
    """The whole screen, or back to what the window was."""
    state, full = window.windowState(), Qt.WindowState.WindowFullScreen
    window.setWindowState(state | full if on else state & ~full)


def show_check(window: MainWindow) -> None:
    """Check now and bring the verdict to the front."""
    window.docks["model"].show()
    window.docks["model"].raise_()
    window.check.count_now()
    window.preflight.check_now()


def show_preferences(window: MainWindow) -> None:
    """Open the preferences beside the work."""
    limit = window.document.history.limit_bytes
    _open(PreferencesDialog(window.settings, window.hand, window.photo_place, limit, window))


def show_keys(window: MainWindow, table: Mapping[str, Sequence[object]]) -> None:
    """Open the keys of the moment beside the work. table: menus and their entries."""
    _open(KeysHelp(table, window.actions_by_id, window.brush_actions, brushes(), window.hand.brush, window))


def show_last_report(window: MainWindow) -> None:
    """Open what was checked at the last export."""
    if window.last_report is not None:
        _open(ExportReportDialog(window.last_report, window))


def show_about(window: MainWindow) -> None:
    """Open version and licence."""
    _open(questions.about(window))


def open_settings_folder() -> None:
    """Show the user's folder of settings and profiles in the file manager."""
    config_folder().mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(config_folder())))


def _open(dialog: QDialog) -> None:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
    dialog.raise_()
