"""The main window: it makes the parts, puts them in their places, and wires them in one visible list.

What does not live here: what the parts do (their own modules), what the commands do (`app.application`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QMenuBar,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.document import Document
from app.mesh.mesh import Mesh
from app.photos.load import is_photo
from app.settings import Settings
from app.viewport.viewport import Viewport
from app.widgets import backgrounds, questions, verbs, window_place
from app.widgets.actions import make_actions, specs
from app.widgets.background import Background
from app.widgets.brush_hand import BrushHand
from app.widgets.brush_palette import BrushPalette
from app.widgets.commands import Commands
from app.widgets.hints import Hints
from app.widgets.history_panel import HistoryPanel
from app.widgets.icons import icon
from app.widgets.intake import Intake
from app.widgets.job_view import JobView
from app.widgets.jobs import JobRunner
from app.widgets.mask_outline import MaskOutline
from app.widgets.menus import context_menu, fill_menu_bar, make_brush_actions
from app.widgets.message_bar import MessageBar
from app.widgets.model_check import ModelCheck
from app.widgets.model_panel import ModelPanel
from app.widgets.option_rows import OptionRows
from app.widgets.options_bar import OptionsBar
from app.widgets.photo_panel import PhotoPanel
from app.widgets.photo_place import PhotoPlace
from app.widgets.place_view import PlaceView
from app.widgets.preferences import DARK
from app.widgets.preflight import Preflight
from app.widgets.recent import remember_file, remember_thumbnail
from app.widgets.safety import Safety
from app.widgets.safety_bars import SafetyBars
from app.widgets.sculpt_controller import SculptController
from app.widgets.status_bar import StatusBar
from app.widgets.thumbnails import Thumbnailer
from app.widgets.transform_mode import TransformMode
from app.widgets.value_drag import ValueDrag
from app.widgets.wall_view import WallView

if TYPE_CHECKING:
    from app.preflight.export import ExportReport

_SMALLEST = QSize(960, 600)
_DOCK_WIDTH = 264
# The hand's settings are written when it has rested this long.
_REMEMBER_MS = 800
# Of the model's longest side: what floaters and feet that were cut off may change of its box.
_MENDED = 0.15


class MainWindow(QMainWindow):
    """See the module's docstring. Public attributes are the parts, for the application, the actions and the tests.

    Signals: thumbnail_taken, PNG bytes; let_go, when the window closes and the work in it is saved or given up.
    """

    thumbnail_taken = Signal(bytes)
    let_go = Signal()

    def __init__(self, document: Document, settings: Settings, commands: Commands, safety: Safety) -> None:
        super().__init__()
        self.document, self.settings, self.commands, self.safety = document, settings, commands, safety
        self.last_report: ExportReport | None = None
        self._ask_before_closing = True
        self._shown_epoch = -1  # of the history whose mesh is in sight
        self._hidden_docks: list[QDockWidget] = []
        self._front_docks: list[QDockWidget] = []
        self.setObjectName("main")
        # Widgets with Python inside must be gone before the interpreter is; the end of the program is too late.
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowIcon(icon("app"))
        self.setMinimumSize(_SMALLEST)
        self.setAcceptDrops(True)
        self._make_parts()
        self._place_parts()
        fill_menu_bar(self)
        self._wire()
        self._restore()
        self._mesh_replaced()
        self._follow_document_photos()
        self._follow_hand()
        self._follow_view()

    # The parts, their places, and their wires

    def _make_parts(self) -> None:
        self.jobs = JobRunner(self)
        self.hand = BrushHand(self.settings)
        self.viewport = Viewport()
        self.controller = SculptController(self.document, self.viewport, self.hand, self)
        self.transform = TransformMode(self.document, self.viewport, self.controller, self.settings, self)
        self.check = ModelCheck(self.document, self)
        self.background = Background(self.jobs, self)
        self.intake = Intake(self.document, self.background, self)
        self.preflight = Preflight(self.document, self.check, self.background, self)
        self.places = PlaceView(self.document, self.viewport, self.controller, self)
        self.wall_view = WallView(self.document, self.viewport, self.preflight, self)
        self.message_bar = MessageBar()
        self.safety_bars = SafetyBars(self)
        self.photo_panel = PhotoPanel(lambda: questions.start_folder(self.settings, self.job_file))
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.photo_place = PhotoPlace(self.splitter, self.viewport, self.photo_panel, self.settings)
        self.actions_by_id: dict[str, QAction] = make_actions(self)
        self.brush_actions = make_brush_actions(self)
        self.brush_palette = BrushPalette(self.brush_actions, self.actions_by_id["find-brush"])
        self.options_bar = OptionsBar(self.hand, self.document, self.actions_by_id)
        self.option_rows = OptionRows(
            self, self.options_bar, self.transform, self.hand, self.brush_actions, self.actions_by_id["transform"]
        )
        self.history_panel = HistoryPanel(self.document, self.commands.model)
        self.model_panel = ModelPanel(
            self.document,
            self.check,
            self.intake,
            self.preflight,
            self.places,
            self.wall_view,
            self.commands.model,
            partial(verbs.mend, self),
            self.actions_by_id,
            self.settings,
        )
        self.status = StatusBar(self.document, self.check, self.hand, self.jobs, self.safety)
        self.job_view = JobView(self.document, self.viewport, self.photo_panel, self.hand, self)
        self.thumbnailer = Thumbnailer(self.document, self.viewport, lambda: self.controller.busy, self)
        self.value_drag = ValueDrag(self.viewport, self.hand, self)
        self.mask_outline = MaskOutline(self.viewport, self)
        self.hints = Hints(self.viewport, self.settings)
        self._hand_rest = QTimer(self, singleShot=True, interval=_REMEMBER_MS)

    def _place_parts(self) -> None:
        # No tool bars: one that dies takes its widget apart through Python that is half gone, and crashes.
        self.menu_bar = QMenuBar()
        self.setMenuWidget(_stacked(self.menu_bar, self.option_rows))
        work = QWidget()
        row = QHBoxLayout(work)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.brush_palette)
        row.addWidget(self.splitter, 1)
        self.setCentralWidget(_stacked(self.safety_bars, _stacked(self.message_bar, work)))
        self.setStatusBar(self.status)
        self.bars = (self.option_rows, self.brush_palette)
        self.docks = {
            "model": self._dock("Model", self.model_panel),
            "history": self._dock("History", self.history_panel),
        }
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.tabifyDockWidget(self.docks["model"], self.docks["history"])
        self.docks["model"].raise_()
        self.resizeDocks(list(self.docks.values()), [_DOCK_WIDTH] * len(self.docks), Qt.Orientation.Horizontal)

    def _dock(self, title: str, content: QWidget) -> QDockWidget:
        features = QDockWidget.DockWidgetFeature
        dock = QDockWidget(title)
        dock.setObjectName(title.lower())
        dock.setWidget(content)
        dock.setTitleBarWidget(QWidget())  # its tab says the name already
        dock.setFeatures(features.DockWidgetClosable | features.DockWidgetMovable)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        return dock

    def _wire(self) -> None:
        document, history, controller = self.document, self.document.history, self.controller
        for signal, slot in (
            (document.mesh_replaced, self._mesh_replaced),
            (document.surface_changed, self.viewport.flush),
            (document.photos_changed, self._follow_document_photos),
            (document.modified_changed, self._follow_modified),
            (history.changed, self._follow_history),
            (self.settings.changed, self._setting_changed),
            (self.hand.changed, self._follow_hand),
            (self._hand_rest.timeout, self.hand.remember),
            (self.jobs.started, self._enable),
            (self.jobs.started, self._job_started),
            (self.transform.changed, self._enable),
            (self.transform.said, self.show_message),
            (self.jobs.finished, self._enable),
            (self.photo_panel.photos_changed, self._follow_panel_photos),
            (self.photo_panel.color_picked, self._take_color),
            (self.photo_place.changed, self._follow_view),
            (self.value_drag.ended, controller.show_cursor),
            (self.mask_outline.ended, controller.show_cursor),
            (self.wall_view.changed, self._follow_view),
            (self.thumbnailer.taken, self._take_thumbnail),
            (self.viewport.customContextMenuRequested, self._show_context_menu),
        ):
            signal.connect(slot)
        self.viewport.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)

    # Following the others

    def _mesh_replaced(self) -> None:
        mesh, shown = self.document.mesh, self.viewport.mesh
        epoch = self.document.history.epoch
        same_model = mesh is not None and shown is not None and epoch == self._shown_epoch
        self._shown_epoch = epoch
        self.viewport.set_mesh(mesh, keep_camera=same_model)
        if same_model and mesh is not None and shown is not None and _elsewhere(shown, mesh):
            self.viewport.frame_all()
        if mesh is None or shown is None or not same_model or not np.array_equal(mesh.positions, shown.positions):
            self.hand.source.forget()
        self._follow_modified()
        self._enable()

    def _follow_history(self) -> None:
        if self.document.history.position:
            self.hints.done("sculpt")
        self._enable()

    def _follow_modified(self) -> None:
        self.setWindowTitle(f"{self.document.name}[*] · Likeness" if self.document.mesh else "Likeness[*]")
        self.setWindowModified(self.document.modified)

    def _follow_hand(self) -> None:
        options = self.hand.options
        self.brush_actions[self.hand.brush.id].setChecked(True)
        states = {
            "radius-pixels": self.hand.radius_in_pixels,
            "invert": options.invert,
            "front-faces": options.front_faces_only,
            **{f"mirror-{axis}": on for axis, on in zip("xyz", options.symmetry.axes, strict=True)},
        }
        for action_id, on in states.items():
            self.actions_by_id[action_id].setChecked(on)
        self._hand_rest.start()

    def _job_started(self) -> None:
        if self.jobs.blocking:
            self.transform.finish()

    def _follow_view(self) -> None:
        states = {
            "photo-panel": self.photo_place.shown,
            "photo-left": self.photo_place.on_left,
            "photo-window": self.photo_place.detached,
            "orthographic": self.viewport.parallel,
            "light-theme": not self.settings.get(DARK, True),
            "panels": self.panels_shown,
            "walls": self.wall_view.shown,
        }
        for action_id, on in states.items():
            self.actions_by_id[action_id].setChecked(on)

    def _follow_document_photos(self) -> None:
        self.photo_panel.set_photos(self.document.photos)

    def _follow_panel_photos(self) -> None:
        self.document.set_photos(self.photo_panel.photos())
        if self.document.photos:
            self.hints.done("files")

    def _take_color(self, red: float, green: float, blue: float) -> None:
        self.hand.update(color=(red, green, blue))

    def _setting_changed(self, key: str, value: object) -> None:
        if key == backgrounds.KEY:
            self.viewport.set_background(backgrounds.background(self.settings))
        elif key == DARK:
            self._follow_view()

    def _enable(self) -> None:
        mesh, history = self.document.mesh, self.document.history
        there = {
            "": True,
            "mesh": mesh is not None,
            "undo": history.position > 0 or self.transform.can_undo,
            "redo": history.position < len(history.steps) or self.transform.can_redo,
            "texture": mesh is not None and mesh.has_texture,
            "report": self.last_report is not None,
        }
        for spec in specs():
            self.actions_by_id[spec.id].setEnabled(there[spec.needs] and not (spec.changes and self.jobs.blocking))

    # The panels around the viewport

    @property
    def panels_shown(self) -> bool:
        return not self.option_rows.isHidden()

    def set_panels_shown(self, on: bool) -> None:
        """Show or hide everything around the model but the menus and the status bar."""
        for bar in self.bars:
            bar.setVisible(on)
        if on:
            for dock in self._hidden_docks:
                dock.show()
            for dock in self._front_docks:
                dock.raise_()
        else:
            self._hidden_docks = [dock for dock in self.docks.values() if not dock.isHidden()]
            # Qt keeps a dock whose tab is not in front outside the window.
            self._front_docks = [dock for dock in self._hidden_docks if self.rect().intersects(dock.geometry())]
            for dock in self._hidden_docks:
                dock.hide()
        self.photo_place.hide_with_panels(not on)
        self._follow_view()

    def _show_context_menu(self, at: QPoint) -> None:
        menu = context_menu(self, QPointF(at))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport.mapToGlobal(at))

    # What the application tells the window, and asks it

    def show_message(self, text: str) -> None:
        """Say something without stopping the hand."""
        self.message_bar.note(text)

    def opened(self, path: Path | None, notes: Sequence[str]) -> None:
        """Another figurine is open, from a file or without one. notes: what its reader mended or left out."""
        self.intake.set_notes(notes)
        if path is not None:
            self.remember(path)
        if notes:
            self.show_message(f"{path.name if path else self.document.name}: {'; '.join(notes)}")

    def remember(self, path: Path) -> None:
        """Put a file at the top of those opened last, with the picture that is in sight."""
        remember_file(self.settings, path)
        self.thumbnailer.take_soon()

    def exported(self, report: ExportReport) -> None:
        """A file was written and checked."""
        self.last_report = report
        self._enable()
        verbs.show_last_report(self)

    @property
    def job_file(self) -> Path | None:
        """The file that the work belongs to: the project's, or else that of the base mesh."""
        return self.document.project_path or self.document.source_path

    def _take_thumbnail(self, png: bytes) -> None:
        self.thumbnail_taken.emit(png)
        if self.job_file is not None:
            remember_thumbnail(self.job_file, png)

    # Files dropped on the window

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        photos = [path for path in paths if is_photo(path)]
        meshes = [path for path in paths if path not in photos]
        event.acceptProposedAction()
        if meshes:
            # After the drop has ended: a question must not keep the program that the file came from waiting.
            QTimer.singleShot(0, self, lambda: self.commands.opening.open_file(meshes[0], photos))
        elif photos:
            self.photo_panel.add(photos)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape or not self.places.clear():
            super().keyPressEvent(event)

    # Coming and going

    def _restore(self) -> None:
        window_place.restore(self, self.settings)
        self.viewport.set_background(backgrounds.background(self.settings))
        for action_id in ("mask-visible", "sets-visible"):
            self.actions_by_id[action_id].setChecked(True)
        QTimer.singleShot(0, self, self.photo_place.restore_window)

    def close_without_asking(self) -> None:
        """Close, and leave unsaved work to be recovered at the next start."""
        self._ask_before_closing = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.transform.finish()
        if self._ask_before_closing:
            if not self.commands.saving.settle(self.close):
                event.ignore()
                return
            self.let_go.emit()
        if not self.panels_shown:
            self.set_panels_shown(True)
        self.photo_place.remember()
        self.hand.remember()
        window_place.remember(self, self.settings)
        self.photo_place.close()
        for part in (self.intake, self.preflight, self.background, self.jobs):
            part.shut_down()
        self.viewport.close_graphics()
        event.accept()


def _elsewhere(before: Mesh, after: Mesh) -> bool:
    """Whether a model was scaled, turned or moved, so that the camera has to follow; mending leaves its box nearly."""
    (low, high), (new_low, new_high) = before.bounds(), after.bounds()
    allowed = 0.0 if before.topology is after.topology else _MENDED * float((high - low).max())
    return not np.allclose((low, high), (new_low, new_high), atol=allowed + 1e-6)


def _stacked(above: QWidget, below: QWidget) -> QWidget:
    """Two widgets in a column without gaps; the lower one gets the room."""
    both = QWidget()
    column = QVBoxLayout(both)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(above)
    column.addWidget(below, 1)
    return both
