"""The program under test with its window: the real start, real Qt events on the viewport, the real recovery dialog.

    python -m tests.crash.window --journal FD --seed N --target FILE [--segments N] [--pace MS] [--history-mb N]

Recovers what a former life left in this home, else opens the target, else a textured ball; then works until it is
killed. Any message box that nobody expects is written down as a fault.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image
from PySide6.QtCore import QMimeData, QObject, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from app import worker
from app.application import keeping, opening, projects, run_window
from app.document import Document
from app.formats.opening import open_mesh
from app.formats.registry import WriteOptions, formats
from app.mesh.raycast import cast
from app.project.opening import open_project
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from app.sculpt.brush import brushes
from app.settings import Settings
from app.viewport.viewport import prepare_surface_format
from app.widgets.main_window import MainWindow
from app.widgets.recovery_dialog import RecoveryDialog
from tests.crash.bare import parse
from tests.crash.witness import Journal, Witness
from tests.meshes import textured_soup

_LOOK_MS = 20
_TRIES = 40
_SIZE = (900, 700)
_HEIGHT_MM = 100.0
_PHOTO_PX = (32, 24)
_MOST_PHOTOS = 4
_NEVER_SECONDS = 1e6


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    journal = Journal(options.journal)
    journal.write("start")
    if options.in_process:
        _open_in_process()
    # A spare worker after each call would only slow down the programs beside this one.
    worker._SPARE_DELAY_SECONDS = _NEVER_SECONDS
    settings = Settings()
    settings.set("undo/limit_mb", options.history_mb)
    _be_witnessed(journal)
    base = options.target.parent.parent / "base" / "ball.glb"
    if not base.exists():
        write_ball(base, options.segments)
    prepare_surface_format()
    qt = QApplication(sys.argv[:1])
    hand = Hand(journal, Random(options.seed), options.target, options.pace)
    journal.write("starting")
    code = run_window(options.target if options.target.exists() else base)
    del hand, qt
    return code


def _open_in_process() -> None:
    """Read files on the job's own thread: a worker costs more time than all the rest of a short life."""
    opening.open_in_worker = lambda path, progress, cancelled: open_mesh(path, progress=progress)
    projects.open_project_in_worker = lambda path, working_path, progress, cancelled: open_project(
        path, working_path, progress
    )
    worker.warm_up = lambda preparation=None: None  # type: ignore[assignment]


_witnesses: list[Witness] = []


def _be_witnessed(journal: Journal) -> None:
    """Have every document and every working copy that the program makes followed."""

    class WitnessedDocument(Document):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            _witnesses.append(Witness(self, journal))

    class WitnessedCopy(WorkingCopy):
        def __init__(self, document: Document, session: Session) -> None:
            super().__init__(document, session)
            _witnesses[-1].watch(self)

    from app.application import composition

    composition.Document = WitnessedDocument  # type: ignore[misc]
    keeping.WorkingCopy = WitnessedCopy  # type: ignore[misc]


def write_ball(path: Path, segments: int) -> None:
    """A GLB of a textured ball, in metres as the format wants it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write = formats()["gltf"].write
    assert write is not None
    soup = textured_soup(segments, segments // 2, _HEIGHT_MM / 2)
    write(soup, path, WriteOptions(up="y", unit_mm=1000.0), lambda fraction, doing: None)


class Hand(QObject):
    """Someone at the mouse, one movement after the other, as long as the program lives."""

    def __init__(self, journal: Journal, random: Random, target: Path, pace: float) -> None:
        super().__init__()
        self._journal, self._random, self._target, self._pace = journal, random, target, pace
        self._window: MainWindow | None = None
        self._saved_at: float | None = None
        self._work: Iterator[None] | None = None
        self._answered: set[int] = set()
        self._boxes = QTimer(self, interval=_LOOK_MS)
        self._boxes.timeout.connect(self._look_at_boxes)
        self._boxes.start()
        self._next = QTimer(self, singleShot=True)
        self._next.timeout.connect(self._go_on)
        self._next.start(_LOOK_MS)

    def _look_at_boxes(self) -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            self._journal.write("box", text=f"{box.text()} {box.informativeText()}")
            box.reject()
        elif isinstance(box, RecoveryDialog) and id(box) not in self._answered and box.rows:
            self._answered.add(id(box))
            self._journal.write("recovering")
            first, *others = box.rows
            for other in others:  # copies of the same work, which a death in the middle of a recovery leaves
                box.remove(other)
                other.discard()
            box.rows[first].recover.click()

    def _go_on(self) -> None:
        if self._work is None:
            self._begin()
        elif QApplication.activeModalWidget() is None:
            next(self._work)
            _witnesses[-1].look()
        self._next.start(round(self._random.expovariate(1.0 / self._pace)) if self._pace else 0)

    def _begin(self) -> None:
        window = next((w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)), None)
        if window is None:
            return
        if self._window is None:
            self._window = window
            window.resize(*_SIZE)
            window.safety.changed.connect(self._follow_saves)
            self._journal.write("opening")
        if window.document.mesh is not None and not window.jobs.busy and QApplication.activeModalWidget() is None:
            self._saved_at = window.safety.saved_at
            self._work = self._working(window)

    def _follow_saves(self) -> None:
        assert self._window is not None
        safety = self._window.safety
        if safety.save_failure is not None:
            self._journal.write("save failed", error=str(safety.save_failure))
        elif self._work is not None and safety.saved_at != self._saved_at:
            self._saved_at = safety.saved_at
            self._journal.write("saved")

    def _working(self, window: MainWindow) -> Iterator[None]:
        random, model, history = self._random, window.commands.model, window.document.history
        others: dict[str, tuple[int, Callable[[], object]]] = {
            "undo": (8, window.actions_by_id["undo"].trigger),
            "redo": (6, window.actions_by_id["redo"].trigger),
            "go to": (2, lambda: model.go_to(random.randint(0, len(history.steps)))),
            "leap": (3, lambda: (model.go_to(0), model.go_to(len(history.steps)))),
            "clear mask": (2, model.clear_mask),
            "invert mask": (2, model.invert_mask),
            "turn": (1, lambda: model.turn(random.choice("xyz"), random.choice((-90.0, 90.0)))),
            "height": (2, lambda: model.set_height(random.uniform(0.8, 1.2) * _HEIGHT_MM)),
            "ground": (1, model.place_on_ground),
            "colour": (3, self._color),
            "photo": (3, self._photo),
            "orbit": (4, lambda: window.viewport.orbit(random.uniform(-200, 200), random.uniform(-60, 60))),
            "save": (5, self._save),
        }
        while True:
            if random.random() < 0.65:
                yield from self._stroke(window)
            else:
                (name,) = random.choices(list(others), [weight for weight, _ in others.values()])
                others[name][1]()
                yield

    def _stroke(self, window: MainWindow) -> Iterator[None]:
        viewport, mesh, random = window.viewport, window.document.mesh, self._random
        assert mesh is not None
        brush = random.choice(sorted(window.brush_actions))
        if brushes()[brush].attribute == "colors" and (mesh.colors is None or mesh.has_texture):
            brush = "draw"
        start = self._pixel_on(window)
        if start is None:
            return
        window.brush_actions[brush].trigger()
        self._journal.write("move")
        keys = Qt.KeyboardModifier.ShiftModifier if random.random() < 0.1 else Qt.KeyboardModifier.NoModifier
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, keys, start)
        way = QPoint(random.randint(-6, 6), random.randint(-6, 6))
        at = start
        for _ in range(random.randint(2, 8)):
            at = at + way
            QTest.mouseMove(viewport, at)
            yield
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, keys, at)
        yield

    def _pixel_on(self, window: MainWindow) -> QPoint | None:
        """A pixel that shows the model."""
        viewport, mesh, random = window.viewport, window.document.mesh, self._random
        assert mesh is not None
        for _ in range(_TRIES):
            x, y = random.randrange(viewport.width()), random.randrange(viewport.height())
            if cast(mesh, *viewport.ray(x, y)) is not None:
                return QPoint(x, y)
        viewport.frame_all()
        return None

    def _color(self) -> None:
        assert self._window is not None
        mesh = self._window.document.mesh
        if mesh is not None and mesh.has_texture:
            self._window.commands.model.colors_from_texture()

    def _photo(self) -> None:
        """One photo more, dropped onto the window, or one less."""
        window = self._window
        assert window is not None
        if len(window.document.photos) >= _MOST_PHOTOS:
            window.photo_panel.remove(self._random.choice(window.document.photos).id)
            return
        path = self._target.parent.parent / "base" / f"photo {self._random.randrange(10**9)}.png"
        pixels = np.frombuffer(self._random.randbytes(_PHOTO_PX[0] * _PHOTO_PX[1] * 3), np.uint8)
        Image.fromarray(pixels.reshape(_PHOTO_PX[1], _PHOTO_PX[0], 3)).save(path)
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path))])
        copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        window.dropEvent(QDropEvent(QPointF(10, 10), copy, mime, left, none))

    def _save(self) -> None:
        window = self._window
        assert window is not None
        if window.jobs.busy:
            return
        self._journal.write("saving", index=_witnesses[-1].index)
        if window.document.project_path is None:
            window.commands.saving.save_as(self._target)
        else:
            window.actions_by_id["save"].trigger()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
