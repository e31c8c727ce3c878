"""Findings and checks in the window, by real events: rows, flying there, tint, heat map, fixes, what is out of date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from app.document import Document
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from app.operations.triage import triage
from app.preflight.checks.running import run_checks
from app.widgets import intake, preflight
from app.widgets.check_list import CheckRow, measure
from app.widgets.main_window import _DOCK_WIDTH, MainWindow
from tests.meshes import icosphere_soup
from tests.widgets.conftest import step
from tests.widgets.fakes import RecordedCommands

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 60_000


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing starts by itself in the background: reports are handed in by the tests."""
    for module in (intake, preflight):
        monkeypatch.setattr(module, "_REST_MS", 10 * WAIT_MS)


def with_a_hole_and_a_floater() -> Soup:
    """A ball of 75 mm with a triangle missing on top, and a small ball on its right."""
    ball, bit = icosphere_soup(4, 75.0), icosphere_soup(1, 0.8)
    top = int(np.argmax(ball.positions[ball.triangles].mean(axis=1)[:, 2]))
    triangles = np.delete(ball.triangles, top, axis=0)
    positions = np.concatenate([ball.positions, bit.positions + np.array((90, 0, 0), np.float32)])
    return Soup(positions, np.concatenate([triangles, bit.triangles + len(ball.positions)]))


def slab_and_block() -> Soup:
    """A box of 30 mm whose upper half is a wall 0.5 mm thick: an L from the side."""
    import manifold3d

    block = manifold3d.Manifold.cube((30, 30, 30)) + manifold3d.Manifold.cube((30, 0.5, 60))
    mesh = block.refine_to_length(2.0).to_mesh()
    return Soup(np.asarray(mesh.vert_properties, np.float32)[:, :3], np.asarray(mesh.tri_verts, np.int32))


@pytest.fixture
def broken(window: MainWindow, document: Document) -> MainWindow:
    document.open(build_mesh(with_a_hole_and_a_floater()), Path("/models/broken.glb"), height_known=True)
    mesh = document.mesh
    assert mesh is not None
    window.intake._known[mesh] = triage(mesh)
    window.intake.changed.emit()
    check(window)
    return window


def check(window: MainWindow) -> None:
    """What a worker would find out, here."""
    mesh = window.document.mesh
    assert mesh is not None
    window.check.count_now()
    window.preflight.take(run_checks(mesh, window.document.profile, with_walls=True))


def row(window: MainWindow, label: str) -> CheckRow:
    panel = window.model_panel
    return next(each for each in [*panel.intake_list.rows, *panel.checks.rows] if each.row.label == label)


def click(widget: Any) -> None:
    QTest.mouseClick(widget, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(24, 8))


def landed(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not window.viewport.flying, timeout=WAIT_MS)


def test_the_verdict_and_every_finding_are_told(broken: MainWindow) -> None:
    panel = broken.model_panel
    assert panel.verdict.text() == "✗ 2 things to mend"
    assert panel.verdict.font().pointSizeF() > 1.5 * panel.state.font().pointSizeF()
    assert panel.state.isHidden()  # up to date
    assert row(broken, "Closed surface").row.status == "fail"
    assert row(broken, "Holes").row.message == "1 hole with 3 open edges."
    assert row(broken, "Floaters").fix_button is not None
    assert not panel.clean_up.isHidden()
    assert panel.retarget.text() == "Retarget to 1,600,000"
    passed = [each for each in panel.checks.rows if each.row.status == "pass"]
    assert panel.checks.fold.text() == f"{len(passed)} passed"
    assert not any(each.isVisible() for each in passed)
    panel.checks.fold.click()
    assert passed[0].isVisibleTo(panel)
    assert broken.settings.get("checks/folded", True) is False


def test_a_click_flies_there_and_tints_it_and_escape_ends_that(broken: MainWindow, qtbot: QtBot) -> None:
    viewport = broken.viewport
    plain = viewport.image()
    click(row(broken, "Floaters"))
    landed(broken, qtbot)
    middle = np.array(viewport.picture_size()) / 2
    place = np.array((90.0, 0.0, 0.0))
    assert np.linalg.norm(np.array(viewport.project(place)) - middle) < 0.15 * middle.min()
    assert viewport.highlighted
    shown = viewport.image().astype(int)
    magenta = (shown[..., 0] > shown[..., 1] + 50) & (shown[..., 2] > shown[..., 1] + 30)
    height, width = magenta.shape
    assert magenta[height // 2 - 20 : height // 2 + 20, width // 2 - 20 : width // 2 + 20].mean() > 0.5
    QTest.keyClick(viewport, Qt.Key.Key_Escape)
    assert not viewport.highlighted
    click(row(broken, "Closed surface"))
    landed(broken, qtbot)
    hole = next(each.where for each in broken.preflight.results if each.id == "open_edges")
    assert hole is not None
    assert hole.point_mm[2] > 70
    assert np.array(viewport.project(np.array(hole.point_mm))) == pytest.approx(middle, abs=1.5)
    viewport.frame_all()
    viewport.standard_view("front")
    broken.places.clear()
    viewport.frame_all()
    assert (np.abs(viewport.image().astype(int) - plain) > 8).any(axis=2).mean() < 0.01


def test_fixes_ask_for_the_operation(broken: MainWindow, commands: RecordedCommands) -> None:
    commands.calls.clear()
    for label in ("Holes", "Floaters", "Closed surface", "Number of triangles"):
        button = row(broken, label).fix_button
        assert button is not None
        QTest.mouseClick(button, LEFT)
    panel = broken.model_panel
    QTest.mouseClick(panel.clean_up, LEFT)
    QTest.mouseClick(panel.retarget, LEFT)
    names = [call[1] for call in commands.calls]
    assert names == ["close_holes", "remove_floaters", "close_holes", "retarget", "clean_up", "retarget"]
    assert commands.calls[1][2] == pytest.approx({"share": 1.0, "size": commands.calls[1][2]["size"]})
    assert commands.calls[-1][2]["triangles"] == 1_600_000


def test_a_stroke_makes_it_out_of_date_and_undo_up_to_date_again(broken: MainWindow) -> None:
    panel, document = broken.model_panel, broken.document
    assert broken.preflight.current
    step(document, "Inflate")
    assert not broken.preflight.current
    assert "changed" in panel.state.text()
    assert panel.verdict.text() == "✗ 2 things to mend"
    assert "Out of date" in row(broken, "Does not go through itself").toolTip()
    assert "Out of date" not in row(broken, "Closed surface").toolTip()  # a stroke cannot open a hole
    document.undo()
    assert broken.preflight.current
    assert panel.state.isHidden()


def test_the_size_follows_a_stroke_at_once(broken: MainWindow) -> None:
    document = broken.document
    mesh = document.mesh
    assert mesh is not None
    with document.history.record("Draw") as recorder:
        recorder.capture("positions", np.arange(mesh.vertex_count, dtype=np.int32))
        mesh.positions[:] *= np.float32(1.01)
        mesh.touched_all("positions")
    document.surface_changed.emit()
    broken.check.count_now()
    size = next(each for each in broken.preflight.results if each.id == "size")
    assert size.value == pytest.approx(151.5, abs=0.1)


def test_another_printer_is_another_verdict(broken: MainWindow) -> None:
    from app.preflight.profiles import profile

    broken.document.profile = profile("stl")
    assert broken.preflight.report is None
    assert "triangles" not in broken.model_panel.verdict.text()
    assert broken.model_panel.retarget.isHidden()


def test_a_clean_model_gets_one_line(window: MainWindow, document: Document) -> None:
    document.open(build_mesh(icosphere_soup(4, 75.0)), Path("/models/ball.glb"), height_known=True)
    assert document.mesh is not None
    found = [replace(each) for each in triage(document.mesh)]
    window.intake._known[document.mesh] = found
    window.intake.changed.emit()
    panel = window.model_panel
    assert window.intake.problems == []
    assert panel.intake_list.summary.text() == "nothing to mend"
    assert not any(each.isVisibleTo(panel) for each in panel.intake_list.rows)
    assert panel.clean_up.isHidden()


def test_walls_are_red_where_they_are_thin(window: MainWindow, document: Document, qtbot: QtBot) -> None:
    document.open(build_mesh(slab_and_block()), Path("/models/slab.glb"), height_known=True)
    check(window)
    box, viewport, legend = window.model_panel.walls_box, window.viewport, window.wall_view.legend
    before = viewport.shading
    plain = viewport.image()
    QTest.mouseClick(box, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(8, box.height() // 2))
    assert window.wall_view.shown
    assert legend.isVisible()
    assert "under 1 mm: breaks" in legend.scale.accessibleName()
    assert legend.state == ""
    heat = viewport.image().astype(int)
    ratio = viewport.devicePixelRatioF()

    def color(place: tuple[float, float, float]) -> np.ndarray:
        x, y = viewport.project(np.array(place))
        return heat[round(y * ratio), round(x * ratio)]

    thin, thick = color((15.0, 0.0, 50.0)), color((15.0, 0.0, 12.0))
    assert thin[0] > thin[2] + 60  # red
    assert thick[2] > thick[0] - 10  # cool
    assert np.abs(thin - thick).max() > 80
    step(document, "Inflate")
    assert "Out of date" in legend.state
    document.undo()
    assert legend.state == ""
    QTest.mouseClick(legend.close_button, LEFT)
    assert viewport.shading == before
    assert not box.isChecked()
    assert legend.isHidden()
    assert (viewport.image() == plain).all()


def test_a_thin_wall_is_shown_as_heat(window: MainWindow, document: Document, qtbot: QtBot) -> None:
    document.open(build_mesh(slab_and_block()), Path("/models/slab.glb"), height_known=True)
    check(window)
    walls = row(window, "Walls that hold")
    assert walls.row.status == "fail"
    assert "0.50 mm" in walls.row.message
    click(walls)
    landed(window, qtbot)
    assert window.wall_view.shown
    place = next(each.where for each in window.preflight.results if each.id == "walls")
    assert place is not None
    middle = np.array(window.viewport.picture_size()) / 2
    assert np.array(window.viewport.project(np.array(place.point_mm))) == pytest.approx(middle, abs=1.5)


def test_another_row_ends_the_heat_that_a_row_began(window: MainWindow, document: Document) -> None:
    """A tint is hard to see on it; heat that the user asked for stays."""
    document.open(build_mesh(slab_and_block()), Path("/models/slab.glb"), height_known=True)
    check(window)
    panel, mesh = window.model_panel, document.mesh
    assert mesh is not None
    window.intake._known[mesh] = [replace(each, point=mesh.positions[0]) for each in triage(mesh)][:1]
    window.intake.changed.emit()
    other = panel.intake_list.rows[0]
    before = window.viewport.shading
    click(row(window, "Walls that hold"))
    assert window.wall_view.shown
    click(other)
    assert window.viewport.shading == before
    panel.walls_box.click()
    click(row(window, "Walls that hold"))
    click(other)
    assert window.wall_view.shown


def test_what_passed_says_what_was_found(window: MainWindow, document: Document) -> None:
    document.open(build_mesh(slab_and_block()), Path("/models/slab.glb"), height_known=True)
    check(window)
    assert row(window, "Separate parts").row.message == "One part"
    assert row(window, "Material needed").row.number.endswith("ml")
    assert row(window, "Material needed").row.message == ""


def test_nothing_of_the_panel_is_cut_off_at_the_side(broken: MainWindow) -> None:
    panel = broken.model_panel
    room = _DOCK_WIDTH - panel.verticalScrollBar().sizeHint().width()
    assert panel.widget().minimumSizeHint().width() <= room


def test_rows_can_be_used_with_the_keyboard(broken: MainWindow) -> None:
    holes = row(broken, "Holes")
    holes.setFocus()
    QTest.keyClick(holes, Qt.Key.Key_Return)
    assert broken.places.shown
    assert holes.accessibleName().startswith("✗ Holes")


@pytest.mark.parametrize(
    ("value", "limit", "unit", "text"),
    [
        (None, None, "mm", ""),
        (28, 0, "", "28 / 0"),
        (0.6213, 1.0, "mm", "0.62 / 1 mm"),
        (123456.7, None, "ml", "123,457 ml"),
    ],
)
def test_measures(value: float | None, limit: float | None, unit: str, text: str) -> None:
    assert measure(value, limit, unit) == text


def test_closing_the_window_does_not_wait(make_window: Callable[[], MainWindow], qtbot: QtBot) -> None:
    """Background work that would go on for an hour is gone with the window."""
    import threading

    window = make_window()
    started, ended = threading.Event(), threading.Event()

    def work(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> None:
        started.set()
        for _ in range(360_000):
            if cancelled():
                ended.set()
                return
            threading.Event().wait(0.01)

    done: list[object] = []
    window.background.start("long", work, done.append)
    qtbot.waitUntil(started.is_set, timeout=WAIT_MS)
    assert window.close()
    assert ended.is_set()
    assert done == []


def test_background_work_makes_way_for_jobs_and_comes_back(window: MainWindow, qtbot: QtBot) -> None:
    import threading

    tries: list[int] = []
    go_on = threading.Event()

    def work(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> str:
        tries.append(1)
        while not go_on.wait(0.01):
            progress(0.5, "Looking")  # raises when it has to stop
        return "found"

    found: list[str] = []
    window.background.start("look", work, found.append)
    qtbot.waitUntil(lambda: len(tries) == 1, timeout=WAIT_MS)
    release = threading.Event()
    window.jobs.start("Export", lambda *_: release.wait(30), lambda _: None)
    qtbot.wait(200)
    assert len(tries) == 1
    assert window.background.busy("look")
    go_on.set()
    release.set()
    qtbot.waitUntil(lambda: found == ["found"], timeout=WAIT_MS)
    assert len(tries) == 2
    assert not window.background.busy("look")


def test_the_box_says_what_the_menu_says(broken: MainWindow) -> None:
    action = broken.actions_by_id["walls"]
    box: QCheckBox = broken.model_panel.walls_box
    action.trigger()
    assert box.isChecked()
    assert action.isChecked()
    action.trigger()
    assert not box.isChecked()
