"""The composition root: the one place that knows every part. Nobody holds the object made here.

    start_up -> worker, kernels, window -> open a file        commands (the window's verbs) -> document, jobs

What does not live here: widgets (`app.widgets`), the state (`app.document`), the work (`formats`, `preflight`, ...).
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from app import worker
from app.document import Document
from app.errors import Cancelled, LikenessError
from app.formats.opening import Opened, open_in_worker, prepare
from app.mesh.colors import colors_from_texture, with_vertex_colors
from app.mesh.mesh import Mesh
from app.mesh.transform import placed_on_ground, rotated, scaled_to_height
from app.photos import memory as photo_memory
from app.preflight.export import ExportReport, export_in_worker
from app.preflight.profiles import DEFAULT, PrinterProfile, profile, profiles
from app.resources import resource
from app.sculpt.history import DEFAULT_LIMIT_BYTES, Step
from app.sculpt.warmup import warm_up
from app.settings import Settings
from app.viewport.viewport import prepare_surface_format
from app.widgets.error_box import show_error
from app.widgets.faults import FaultHandler, log, start_log
from app.widgets.height_dialog import Turn, ask_height, proposed_height, remember_height, remembered_height
from app.widgets.main_window import MainWindow
from app.widgets.splash import Splash
from app.widgets.theme import apply_theme

SAMPLE = "sample/bust.glb"
SAMPLE_HEIGHT_MM = 100.0
_TURNS = "turn/by_file"
_MEGABYTE = 1 << 20
_SAME_MM = 1e-3


def run_window(file: Path | None) -> int:
    """Open the window on a file, or on the sample base mesh; returns when it is closed."""
    # The worker is spawned before Qt and OpenGL exist, so that it is warm when the first file is opened.
    worker.warm_up(prepare)
    prepare_surface_format()
    qt = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(qt, QApplication)
    qt.setApplicationName("Likeness")
    qt.setDesktopFileName("likeness")
    start_log()
    settings = Settings()
    apply_theme(qt, dark=settings.get("theme/dark", True))
    with Splash() as splash:
        _warm_up_kernels(splash.show_progress)
        application = Application(settings)
    application.window.show()
    QTimer.singleShot(0, lambda: application.open_first(file))
    try:
        return qt.exec()
    finally:
        application.shut_down()


def _warm_up_kernels(show: Callable[[float, str], None]) -> None:
    """Compile or load the kernels on another thread while the splash stays alive."""
    loop = QEventLoop()
    reports: list[tuple[float, str]] = []
    failure: list[BaseException] = []

    def work() -> None:
        try:
            warm_up(lambda fraction, doing: reports.append((fraction, doing)))
        except Exception as error:  # noqa: BLE001 - raised again below, on the thread that can show it
            failure.append(error)

    thread = threading.Thread(target=work, name="warm-up")
    poll = QTimer()

    def look() -> None:
        if reports:
            show(*reports[-1])
        if not thread.is_alive():
            loop.quit()

    poll.timeout.connect(look)
    poll.start(30)
    thread.start()
    loop.exec()
    poll.stop()
    thread.join()
    if failure:
        raise failure[0]


def default_history_bytes() -> int:
    """1 GiB, or a tenth of the machine's memory where that is more."""
    try:
        import os

        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return DEFAULT_LIMIT_BYTES
    return max(DEFAULT_LIMIT_BYTES, memory // 10)


class Application:
    """Carries out the window's commands on the document. See `app.widgets.commands.Commands` for each verb."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._written: set[Path] = set()  # by this session, so that it may replace them
        limit = settings.get("undo/limit_mb", default_history_bytes() // _MEGABYTE) * _MEGABYTE
        self._document = Document(_profile(settings), limit)
        self.window = MainWindow(self._document, settings, self)
        self._faults = FaultHandler(lambda error: self._show(error).exec(), self.window)
        settings.changed.connect(self._setting_changed)
        self.window.controller.failed.connect(self._show)
        self.window.controller.vertex_colors_wanted.connect(self._offer_vertex_colors)
        self._report_profiles()

    def shut_down(self) -> None:
        """End workers and jobs; the window is closed."""
        photo_memory.remember(self._settings, self._document.path, self._document.photos)
        self.window.jobs.shut_down()
        worker.cool_down()

    # Files

    def open_first(self, file: Path | None) -> None:
        """What the program was started with."""
        if file is None:
            self.open_sample()
        else:
            self.open_file(file)

    def open_file(self, path: Path) -> None:
        if not self._idle() or not self.window.may_discard():
            return
        path = Path(path).absolute()
        discarded = self._document.last_step
        self._run(
            f"Opening {path.name}",
            lambda progress, cancelled: open_in_worker(path, progress, cancelled),
            lambda opened: self._opened(opened, discarded),
        )

    def open_sample(self) -> None:
        self.open_file(resource(SAMPLE))

    def _opened(self, opened: Opened, discarded: Step | None) -> None:
        document, path = self._document, opened.path
        self.window.controller.cancel()
        # The hand may have gone on while the file was read.
        if document.last_step is not discarded and not self.window.may_discard():
            return
        height = remembered_height(self._settings, path)
        if height is None and path == resource(SAMPLE):
            height = SAMPLE_HEIGHT_MM  # the first thing that anyone sees is the bust, not a question
        known = opened.unit_known or height is not None
        if height is None and not known:
            height = proposed_height(self._settings)
        opened.mesh = rotated(opened.mesh, self._remembered_turn(path))
        photo_memory.remember(self._settings, document.path, document.photos)
        self._show_mesh(opened, height, known=known)
        self._recall_photos(path)
        self.window.opened(path, opened.notes)
        if known:
            return

        # Asked with the model in sight; Cancel leaves the question for the export.
        def turn(axis: str, degrees: float) -> list[float]:
            matrix = rotation_matrix(axis, degrees)
            opened.mesh = rotated(opened.mesh, matrix)
            self._remember_turn(path, matrix @ self._remembered_turn(path))
            self._show_mesh(opened, height, known=False)
            return opened.mesh.size().tolist()

        answer = self._ask_height(opened.mesh.size(), path, turn)
        if answer is not None and document.path == path:
            self._show_mesh(opened, answer, known=True)

    def _ask_height(self, size_mm: np.ndarray, path: Path | None, turn: Turn | None = None) -> float | None:
        sold = self._document.profile.products
        return ask_height(self.window, self._settings, size_mm, path, known=False, sold_mm=sold, turn=turn)

    def _show_mesh(self, opened: Opened, height: float | None, *, known: bool) -> None:
        mesh = opened.mesh if height is None else scaled_to_height(opened.mesh, height)
        self._document.open(placed_on_ground(mesh), opened.path, height_known=known)

    def _recall_photos(self, path: Path) -> None:
        document = self._document
        photos = photo_memory.recall(self._settings, path)
        if photos:
            document.set_photos(photos)
        elif document.photos:
            # It may be a new base mesh of the same person, or quite another customer.
            self.window.show_message("The photos stay beside the new model; Del in the photo panel takes one away")

    def _remembered_turn(self, path: Path) -> np.ndarray:
        """(3, 3): how this file was turned when it was opened before."""
        nothing: dict[str, Any] = {}
        try:
            matrix = np.array(self._settings.get(_TURNS, nothing)[str(path)], np.float64).reshape(3, 3)
        except (KeyError, TypeError, ValueError):
            return np.eye(3)
        return matrix if np.allclose(matrix @ matrix.T, np.eye(3)) else np.eye(3)

    def _remember_turn(self, path: Path, matrix: np.ndarray) -> None:
        nothing: dict[str, Any] = {}
        others = {key: value for key, value in self._settings.get(_TURNS, nothing).items() if key != str(path)}
        self._settings.set(_TURNS, {**others, str(path): matrix.ravel().tolist()})

    def export(self) -> None:
        mesh = self._document.mesh
        if mesh is None or not self._idle():
            return
        if not self._document.height_known:
            height = self._ask_height(mesh.size(), self._document.path)
            if height is None:
                return
            self.set_height(height)
        self.export_as(self.proposed_export())

    def export_as(self, path: Path) -> None:
        if self._document.mesh is None or not self._idle():
            return
        # The hand may go on meanwhile: what is written is the model as it was when Export was clicked.
        mesh, step, printer = self._document.mesh.snapshot(), self._document.last_step, self._document.profile
        self._run(
            f"Exporting {path.name}",
            lambda progress, cancelled: export_in_worker(mesh, path, printer, progress, cancelled),
            lambda report: self._exported(report, step),
        )

    def proposed_export(self) -> Path:
        """Beside the source file, or among the user's documents where that folder is the program's own.

        A file that this session did not write is never in the way: it may be what a customer has approved.
        """
        document = self._document
        assert document.mesh is not None
        source = document.path
        own = source is None or resource("") in source.parents
        folder = _own_documents() if own or source is None else source.parent
        name = re.sub(r"-\d+mm(-\d+)?$", "", document.name)
        stem, suffix = f"{name}-{document.mesh.size()[2]:.0f}mm", document.profile.suffix
        path, count = folder / f"{stem}{suffix}", 1
        while path.exists() and path not in self._written:
            count += 1
            path = folder / f"{stem}-{count}{suffix}"
        return path

    def _exported(self, report: ExportReport, step: Step | None) -> None:
        self._written.update(report.files)
        self._document.exported(step)
        self.window.exported(report)

    # History

    def undo(self) -> None:
        if self._idle():
            self._document.undo()

    def redo(self) -> None:
        if self._idle():
            self._document.redo()

    def go_to(self, position: int) -> None:
        if self._idle():
            self._document.go_to(position)

    # Whole-mesh steps

    def set_height(self, height_mm: float) -> None:
        mesh = self._document.mesh
        if mesh is not None and abs(float(mesh.size()[2]) - height_mm) < _SAME_MM:
            self._document.height_known = True
            remember_height(self._settings, self._document.path, height_mm)
            return

        def scale(mesh: Mesh) -> Mesh:
            return placed_on_ground(scaled_to_height(mesh, height_mm))

        if self._replace(f"Height {height_mm:.1f} mm", scale):
            self._document.height_known = True
            remember_height(self._settings, self._document.path, height_mm)

    def turn(self, axis: str, degrees: float) -> None:
        self._replace(
            f"Turn {degrees:+.0f}° about {axis.upper()}",
            lambda mesh: placed_on_ground(rotated(mesh, rotation_matrix(axis, degrees))),
        )

    def place_on_ground(self) -> None:
        self._replace("Place on Ground", placed_on_ground)

    def colors_from_texture(self) -> None:
        if self._replace("Colour onto Vertices", lambda mesh: with_vertex_colors(mesh, colors_from_texture(mesh))):
            self.window.viewport.set_shading("color")

    def clear_mask(self) -> None:
        self._write_mask("Clear Mask", lambda mask: np.zeros_like(mask))

    def invert_mask(self) -> None:
        self._write_mask("Invert Mask", lambda mask: np.float32(1) - mask)

    def _write_mask(self, label: str, new: Callable[[np.ndarray], np.ndarray]) -> None:
        mesh = self._document.mesh
        if mesh is None or not self._idle():
            return
        with self._document.history.record(label) as recorder:
            recorder.capture("mask", np.arange(mesh.vertex_count, dtype=np.int32))
            mesh.mask[:] = new(mesh.mask)
            mesh.touched_all("mask")
        self._document.surface_changed.emit()

    def _replace(self, label: str, change: Callable[[Mesh], Mesh]) -> bool:
        mesh = self._document.mesh
        if mesh is None or not self._idle():
            return False
        try:
            self._document.history.replace_mesh(label, change(mesh))
        except LikenessError as error:
            self._show(error)
            return False
        return True

    def _offer_vertex_colors(self) -> None:
        mesh = self._document.mesh
        if mesh is None:
            return
        text = (
            "This model keeps its colour in a texture, and Paint works on vertices. Move the texture's colour onto "
            "the vertices? Detail finer than the mesh is lost; Undo brings the texture back."
            if mesh.has_texture
            else "This model has no colours yet. Give its vertices colours, so that they can be painted?"
        )
        box = QMessageBox(QMessageBox.Icon.Question, "Paint", text, parent=self.window)
        verb = "Move Colour" if mesh.has_texture else "Add Colours"
        move = box.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.clickedButton() is move:
            self.colors_from_texture()

    # Printer

    def set_profile(self, profile_id: str) -> None:
        try:
            self._document.profile = profile(profile_id)
        except LikenessError as error:
            self._show(error)
            return
        self._settings.set("printer/profile", profile_id)

    # Inner business

    def _idle(self) -> bool:
        """Whether the document may change: no stroke in hand and no job running."""
        return not self.window.controller.busy and not self.window.jobs.busy

    def _run(self, label: str, work: Callable[..., Any], done: Callable[[Any], None]) -> None:
        if not self.window.jobs.start(label, work, done, self._show):
            self.window.show_message("Wait for the running job, or cancel it, then try again")

    def _show(self, error: BaseException) -> Any:
        if isinstance(error, Cancelled):
            self.window.show_message("Cancelled; nothing changed")
            return None
        log.warning("%s", error)
        return show_error(self.window, error)

    def _setting_changed(self, key: str, value: object) -> None:
        qt = QApplication.instance()
        if key == "theme/dark" and isinstance(qt, QApplication):
            apply_theme(qt, dark=bool(value))
        elif key == "undo/limit_mb" and isinstance(value, int):
            self._document.history.limit_bytes = value * _MEGABYTE

    def _report_profiles(self) -> None:
        from app.preflight.profiles import mistakes

        for mistake in mistakes():
            self.window.show_message(str(mistake))


def rotation_matrix(axis: str, degrees: float) -> np.ndarray:
    """(3, 3) float64, right-handed about "x", "y" or "z"; exact for multiples of 90 degrees."""
    a, b = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    quarter = degrees / 90.0
    if quarter == round(quarter):
        cos, sin = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)][round(quarter) % 4]
    else:
        cos, sin = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = cos
    matrix[a, b], matrix[b, a] = -sin, sin
    return matrix


def _own_documents() -> Path:
    folder = Path(platformdirs.user_documents_dir())
    return folder if folder.is_dir() else Path.home()


def _profile(settings: Settings) -> PrinterProfile:
    """The profile used last; the default where it is gone."""
    known = profiles()
    return known.get(settings.get("printer/profile", DEFAULT)) or profile(DEFAULT)
