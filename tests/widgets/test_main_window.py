"""The window as a whole: sculpting by real events, history, drags, drops, panels that come back, closing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent, QImage, QMouseEvent, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.document import Document
from app.preflight.checks.check import result
from app.preflight.checks.running import run_checks
from app.preflight.verdict import FAIL, NOTE, PASS
from app.settings import Settings
from app.widgets.main_window import MainWindow
from app.widgets.model_panel import headline
from app.widgets.safety import Safety
from app.widgets.verbs import mm_per_pixel
from tests.widgets.conftest import close, recorded, step
from tests.widgets.fakes import RecordedCommands

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier


def middle(window: MainWindow) -> QPoint:
    return window.viewport.rect().center()


def hover(window: MainWindow, at: QPoint) -> None:
    """Move the pointer, at once: QTest's way waits for an X server that may take its time."""
    place = QPointF(at)
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(QEvent.Type.MouseMove, place, window.viewport.mapToGlobal(place), none, none, NONE)
    QApplication.sendEvent(window.viewport, event)


class TestSculpting:
    def test_a_drag_is_one_step(self, window: MainWindow) -> None:
        mesh = window.document.mesh
        assert mesh is not None
        before = mesh.positions.copy()
        at = middle(window)
        hover(window, at)
        QTest.mousePress(window.viewport, LEFT, NONE, at)
        for i in range(6):
            QTest.mouseMove(window.viewport, at + QPoint(6 * i, 2 * i))
        QTest.mouseRelease(window.viewport, LEFT, NONE, at + QPoint(30, 10))
        assert [step.label for step in window.document.history.steps][3:] == [window.hand.brush.label]
        assert (mesh.positions != before).any()
        assert not window.hints.isVisible() or "sculpt" in window.settings.get("hints/done", [])

    def test_undo_and_redo_to_the_bit(self, window: MainWindow) -> None:
        mesh = window.document.mesh
        assert mesh is not None
        before = mesh.positions.copy()
        self.test_a_drag_is_one_step(window)
        after = mesh.positions.copy()
        window.actions_by_id["undo"].trigger()
        assert np.array_equal(mesh.positions, before)
        window.actions_by_id["redo"].trigger()
        assert np.array_equal(mesh.positions, after)


class TestHistory:
    def rows(self, window: MainWindow) -> list[str]:
        model = window.history_panel.model
        return [model.data(model.index(row)) for row in range(model.rowCount())]

    def test_it_lists_what_was_done_and_marks_where_we_are(self, window: MainWindow) -> None:
        assert self.rows(window) == ["   Open sphere.glb", "   Inflate", "   Smooth", "▸ Draw"]

    @pytest.mark.parametrize("row", [0, 1, 2, 3])
    def test_a_click_goes_to_the_step(self, row: int, window: MainWindow, commands: RecordedCommands) -> None:
        window.document.go_to(2)
        window.docks["history"].raise_()
        view = window.history_panel.view
        QTest.mouseClick(view.viewport(), LEFT, NONE, view.visualRect(view.model().index(row, 0)).center())
        assert commands.calls == [("go_to", row)]
        assert window.document.history.position == row
        assert [text.startswith("▸") for text in self.rows(window)].index(True) == row

    def test_a_new_step_replaces_the_undone_ones(self, window: MainWindow, document: Document) -> None:
        document.go_to(1)
        step(document, "Pinch")
        assert self.rows(window) == ["   Open sphere.glb", "   Inflate", "▸ Pinch"]

    def test_dropped_steps_disappear(self, window: MainWindow, document: Document) -> None:
        document.history.limit_bytes = 1
        assert len(self.rows(window)) == len(document.history.steps) + 1


class TestValueDrag:
    def test_radius_follows_the_pointer_and_a_click_takes_it(self, window: MainWindow) -> None:
        window.hand.set_radius(2.0)
        at = middle(window)
        hover(window, at)
        window.actions_by_id["radius-drag"].trigger()
        scale = mm_per_pixel(window, QPointF(at))
        hover(window, at + QPoint(40, 0))
        assert window.hand.radius == pytest.approx(2.0 + 40 * scale, rel=0.02)
        steps = len(window.document.history.steps)
        QTest.mouseClick(window.viewport, LEFT, NONE, at + QPoint(40, 0))
        assert not window.value_drag.active
        assert window.hand.radius == pytest.approx(2.0 + 40 * scale, rel=0.02)
        assert len(window.document.history.steps) == steps  # the click was not a stroke

    @pytest.mark.parametrize("how", ["escape", "right"])
    @pytest.mark.parametrize("kind", ["radius", "strength"])
    def test_escape_and_the_right_button_leave_it(self, kind: str, how: str, window: MainWindow) -> None:
        before = window.hand.options
        at = middle(window)
        hover(window, at)
        window.actions_by_id[f"{kind}-drag"].trigger()
        hover(window, at + QPoint(60, 5))
        assert window.hand.options != before
        if how == "escape":
            QTest.keyClick(window.viewport, Qt.Key.Key_Escape)
        else:
            QTest.mouseClick(window.viewport, RIGHT, NONE, at + QPoint(60, 5))
        assert not window.value_drag.active
        assert window.hand.options == before

    def test_strength_by_sideways_movement(self, window: MainWindow) -> None:
        window.hand.update(strength=0.5)
        at = middle(window)
        hover(window, at)
        window.actions_by_id["strength-drag"].trigger()
        hover(window, at + QPoint(50, 0))
        assert window.hand.options.strength == pytest.approx(0.75)
        hover(window, at + QPoint(-150, 0))
        assert window.hand.options.strength == 0.0
        QTest.keyClick(window.viewport, Qt.Key.Key_Return)
        assert window.hand.options.strength == 0.0

    def test_in_pixels(self, window: MainWindow) -> None:
        window.hand.set_radius_in_pixels(True)
        window.hand.set_radius(50.0)
        at = middle(window)
        hover(window, at)
        window.actions_by_id["radius-drag"].trigger()
        hover(window, at + QPoint(25, 0))
        assert window.hand.radius == pytest.approx(75.0)

    def test_a_pen_takes_it_too_and_makes_no_stroke(self, window: MainWindow) -> None:
        at = middle(window)
        hover(window, at)
        window.actions_by_id["radius-drag"].trigger()
        before, steps = window.hand.radius, len(window.document.history.steps)
        for kind in (QEvent.Type.TabletMove, QEvent.Type.TabletPress, QEvent.Type.TabletRelease):
            buttons = LEFT if kind == QEvent.Type.TabletPress else Qt.MouseButton.NoButton
            button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletMove else LEFT
            place = QPointF(at + QPoint(30, 0))
            event = QTabletEvent(
                kind,
                QPointingDevice.primaryPointingDevice(),
                place,
                window.viewport.mapToGlobal(place),
                0.5,
                0,
                0,
                0,
                0,
                0,
                NONE,
                button,
                buttons,
            )
            QApplication.sendEvent(window.viewport, event)
        assert window.hand.radius > before
        assert not window.value_drag.active
        assert len(window.document.history.steps) == steps


class TestStatusBar:
    def test_what_it_says(self, window: MainWindow, qtbot: QtBot) -> None:
        window.check.count_now()
        texts = {name: label.text() for name, label in window.status.labels.items() if not label.isHidden()}
        assert texts["triangles"] == "960 of 1,600,000 triangles ✗"
        assert texts["size"].startswith("20.0 × 20.0 × 2")
        assert texts["closed"] == "closed ✓"
        assert texts["shells"] == "1 shell"
        assert texts["brush"] == "Inflate 5.0 mm"
        assert "manifold" not in texts

    def test_the_size_follows_the_surface(self, window: MainWindow, qtbot: QtBot) -> None:
        window.check.count_now()
        mesh = window.document.mesh
        assert mesh is not None
        with window.document.history.record("Stretch") as recorder:
            recorder.capture("positions", np.arange(mesh.vertex_count, dtype=np.int32))
            mesh.positions[:, 0] *= np.float32(1.5)
            mesh.touched_all("positions")
        window.document.surface_changed.emit()
        qtbot.waitUntil(lambda: window.status.labels["size"].text().startswith("30.0 × 20.0"))

    def test_verdict_follows_the_profile(self, window: MainWindow) -> None:
        from app.preflight.profiles import profiles

        window.check.count_now()
        assert "mend" in window.model_panel.verdict.text()
        assert window.model_panel.verdict.property("role") == "fail"
        window.document.profile = profiles()["stl"]
        assert window.model_panel.verdict.text() == "Good so far"  # walls and crossings take longer
        assert window.model_panel.verdict.property("role") == "dim"
        assert window.document.mesh is not None
        window.preflight.take(run_checks(window.document.mesh, window.document.profile))
        assert window.model_panel.verdict.text() == "! Ready, with 1 note"  # STL carries no colour
        assert window.model_panel.verdict.property("role") == "warning"
        assert window.status.labels["triangles"].text() == "960 triangles ✓"
        assert window.model_panel.profile.currentData() == "stl"

    def test_old_findings_are_out_of_sight_at_once(self, window: MainWindow) -> None:
        window.check.count_now()
        assert window.check.verdict is not None
        before = len(window.model_panel.widget().findChildren(QLabel))
        for _ in range(3):  # no events are handled in between, as while a dialog asks
            window.model_panel.refresh()
        assert len(window.model_panel.widget().findChildren(QLabel)) == before

    def test_notes_make_the_verdict_amber(self) -> None:
        def of(status: str, *statuses: str) -> str:
            return headline(status, tuple(result(each, "y") for each in statuses))

        assert of(PASS, PASS, PASS) == "✓ Ready to print"
        assert of(NOTE, PASS, NOTE) == "! Ready, with 1 note"
        assert of(NOTE, NOTE, NOTE) == "! Ready, with 2 notes"
        assert of(FAIL, NOTE, FAIL) == "✗ 1 thing to mend"
        assert of("", PASS) == "Good so far"  # not all of it has been checked

    def test_open_edges_are_counted_and_bad(self, window: MainWindow, document: Document) -> None:
        from app.mesh.build import build_mesh
        from tests.meshes import grid_soup

        document.open(build_mesh(grid_soup(4)), Path("/models/grid.stl"), height_known=True)
        window.check.count_now()
        label = window.status.labels["closed"]
        assert label.text() == "16 open edges ✗"
        assert label.property("role") == "fail"

    def test_nothing_open(self, window: MainWindow, document: Document) -> None:
        document.history.clear()
        document.mesh = None
        window.check.count_now()
        assert window.status.labels["triangles"].text() == "Open a mesh, or drop one here"
        assert window.model_panel.verdict.text() == "Nothing open"


def drop(window: MainWindow, paths: list[Path]) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, LEFT, NONE)
    window.dropEvent(event)
    assert event.isAccepted()


class TestDrop:
    def test_a_mesh_is_opened(self, window: MainWindow, commands: RecordedCommands, qtbot: QtBot) -> None:
        drop(window, [Path("/models/other.glb")])
        qtbot.waitUntil(lambda: commands.calls == [("open_file", Path("/models/other.glb"))])

    def test_what_is_neither_is_opened_too_and_so_explained(
        self, window: MainWindow, commands: RecordedCommands, qtbot: QtBot
    ) -> None:
        drop(window, [Path("/models/notes.docx")])
        qtbot.waitUntil(lambda: commands.calls == [("open_file", Path("/models/notes.docx"))])

    def test_photos_go_to_the_panel(self, window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
        image = QImage(60, 40, QImage.Format.Format_RGB32)
        image.fill(QColor("grey"))
        paths = [tmp_path / "front.png", tmp_path / "side.jpg"]
        assert all(image.save(str(path)) for path in paths)
        drop(window, paths)
        qtbot.waitUntil(lambda: len(window.document.photos) == 2, timeout=30_000)
        assert window.commands.calls == []  # type: ignore[attr-defined]
        assert "files" in window.settings.get("hints/done", [])

    def test_photos_that_come_with_a_mesh_wait_for_it(
        self, window: MainWindow, commands: RecordedCommands, qtbot: QtBot
    ) -> None:
        drop(window, [Path("/models/front.png"), Path("/models/other.glb")])
        qtbot.waitUntil(lambda: bool(commands.calls))
        assert commands.calls == [("open_file", Path("/models/other.glb"), Path("/models/front.png"))]
        assert not window.photo_panel.busy


class TestPlaces:
    def test_window_panels_and_splitter_come_back(
        self, make_window: Callable[[], MainWindow], settings: Settings, document: Document, qtbot: QtBot
    ) -> None:
        first = make_window()
        first.resize(1400, 850)
        first.docks["history"].close()
        first.actions_by_id["photo-left"].trigger()
        first.splitter.setSizes([420, 600])
        QApplication.processEvents()
        sizes = first.splitter.sizes()
        close(first, qtbot)
        again = MainWindow(document, Settings(settings.path), recorded(document, Path("/models")), Safety())
        again.show()
        qtbot.waitExposed(again)
        QApplication.processEvents()  # the palette chooses its columns by the height that it was given
        assert (again.width(), again.height()) == (1400, 850)
        assert again.docks["history"].isHidden()
        assert not again.docks["model"].isHidden()
        assert again.splitter.widget(0) is again.photo_panel
        assert again.splitter.sizes() == pytest.approx(sizes, abs=3)
        close(again, qtbot)

    def test_closing_with_hidden_panels_does_not_lose_them(
        self, make_window: Callable[[], MainWindow], settings: Settings, document: Document, qtbot: QtBot
    ) -> None:
        first = make_window()
        first.set_panels_shown(False)
        close(first, qtbot)
        again = MainWindow(document, Settings(settings.path), recorded(document, Path("/models")), Safety())
        again.show()
        qtbot.waitExposed(again)
        assert again.panels_shown
        assert not again.photo_panel.isHidden()
        assert not again.docks["model"].isHidden()
        close(again, qtbot)

    def test_photos_in_their_own_window(self, window: MainWindow, qtbot: QtBot) -> None:
        window.actions_by_id["photo-window"].trigger()
        own = window.photo_place.window
        assert own is not None
        assert own.isAncestorOf(window.photo_panel)
        qtbot.waitExposed(own)
        own.close()
        QApplication.processEvents()
        assert window.splitter.indexOf(window.photo_panel) >= 0
        assert not window.actions_by_id["photo-window"].isChecked()

    def test_photos_on_the_left_keep_their_width(self, window: MainWindow) -> None:
        width = window.photo_panel.width()
        window.actions_by_id["photo-left"].trigger()
        QApplication.processEvents()
        assert window.splitter.widget(0) is window.photo_panel
        assert window.photo_panel.width() == pytest.approx(width, abs=3)

    def test_replaced_mesh_of_the_same_model_looks_the_same(self, window: MainWindow, document: Document) -> None:
        from app.mesh.transform import scaled

        assert document.mesh is not None
        before = window.viewport.image()
        document.history.replace_mesh("Colour", scaled(document.mesh, 1.0))
        assert np.array_equal(window.viewport.image(), before)

    def test_replaced_mesh_of_the_same_model_keeps_the_camera(self, window: MainWindow, document: Document) -> None:
        from app.mesh.transform import scaled

        assert document.mesh is not None
        window.viewport.orbit(80, 30)
        before = window.viewport.camera_state()
        document.history.replace_mesh("Colour", scaled(document.mesh, 1.0))
        assert window.viewport.camera_state() == before
        document.history.replace_mesh("Height", scaled(document.mesh, 3.0))
        assert window.viewport.camera_state() != before


class TestClosing:
    def test_what_may_not_go_keeps_the_window(self, window: MainWindow, commands: RecordedCommands) -> None:
        commands.may_go = False
        assert not window.close()
        assert window.isVisible()

    def test_it_closes_when_the_work_has_been_saved(
        self, window: MainWindow, commands: RecordedCommands, qtbot: QtBot
    ) -> None:
        commands.may_go = False
        window.close()
        (_, then) = commands.calls[-1]
        commands.may_go = True
        with qtbot.waitSignal(window.destroyed, timeout=10_000), qtbot.waitSignal(window.let_go):
            then()

    def test_leaving_asks_nothing_and_gives_nothing_up(
        self, window: MainWindow, commands: RecordedCommands, qtbot: QtBot
    ) -> None:
        with qtbot.waitSignal(window.destroyed, timeout=10_000), qtbot.assertNotEmitted(window.let_go):
            window.close_without_asking()
        assert commands.calls == []

    def test_the_title_says_what_is_open_and_whether_it_changed(self, window: MainWindow) -> None:
        assert window.windowTitle() == "sphere[*] · Likeness"
        assert window.isWindowModified()
        window.document.saved(window.document.mark(), Path("/models/anna.likeness"))
        assert window.windowTitle() == "anna[*] · Likeness"
        assert not window.isWindowModified()


class TestHints:
    def test_three_hints_that_go_away_for_good(self, make_window: Any, settings: Settings) -> None:
        window = make_window()
        assert window.hints.isVisible()
        window.hints.all_done.click()
        assert not window.hints.isVisible()
        assert not make_window().hints.isVisible()

    def test_each_by_itself(self, window: MainWindow) -> None:
        for name in ("sculpt", "camera", "files"):
            assert window.hints.isVisible()
            window.hints._rows[name][1].click()
        assert not window.hints.isVisible()
