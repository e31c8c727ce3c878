"""Clone by real events: its source is picked on the model, and what is painted comes from there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.application import Application
from app.mesh.mesh import Mesh
from app.settings import Settings
from app.widgets.clone_source import CloneSource
from app.widgets.stroke_controls import SourceGroup
from tests.application.conftest import Press, Start, open_mesh
from tests.application.test_masks import CTRL, LEFT, NONE, at, drag, mesh_of, move, said, unit

RED, BLUE = (204, 26, 51), (26, 51, 204)


def shown(program: Application, path: Path, qtbot: QtBot) -> Application:
    open_mesh(program, qtbot, path)
    program.window.viewport.standard_view("front")
    program.window.viewport.set_parallel(True)
    with qtbot.waitActive(program.window, timeout=30_000):
        program.window.activateWindow()
    return program


@pytest.fixture
def program(start: Start, tmp_path: Path, qtbot: QtBot) -> Application:
    """A ball seen from the front, red on its left and blue on its right, with Clone in hand."""
    path = tmp_path / "ball.ply"
    ball = trimesh.creation.icosphere(subdivisions=5, radius=75)
    left = ball.vertices[:, :1] < 0
    trimesh.Trimesh(ball.vertices, ball.faces, vertex_colors=np.where(left, RED, BLUE).astype(np.uint8)).export(path)
    program = shown(start(), path, qtbot)
    program.window.brush_actions["clone"].trigger()
    program.window.hand.set_radius(12.0)
    return program


def mark(program: Application) -> np.ndarray | None:
    """The mark over the picture in radii from the ball's middle."""
    point = program.window.viewport._overlay.source
    lower, upper = mesh_of(program).bounds()
    return None if point is None else (point - (lower + upper) / 2) / ((upper - lower)[2] / 2)


def pick(program: Application, point: tuple[float, float, float]) -> None:
    QTest.mouseClick(program.window.viewport, LEFT, CTRL, at(program, point))


def colors(mesh: Mesh) -> np.ndarray:
    assert mesh.colors is not None
    return mesh.colors.copy()


def test_the_colours_arrive_from_the_source_and_undo_is_exact(program: Application) -> None:
    mesh, history = mesh_of(program), program.window.document.history
    before, steps = colors(mesh), len(history.steps)
    QTest.mouseClick(program.window.viewport, LEFT, NONE, at(program, (0.5, 0, 0)))
    assert "Clone needs a source" in said(program)
    assert len(history.steps) == steps
    assert mark(program) is None

    QTest.qWait(50)  # the message has taken room from the picture
    pick(program, (-0.5, 0, 0.1))
    np.testing.assert_allclose(mark(program), (-0.5, -0.86, 0.1), atol=0.02)
    assert len(history.steps) == steps
    viewport = program.window.viewport
    begin, end = at(program, (0.4, 0, 0.1)), at(program, (0.5, 0, 0.2))
    QTest.mousePress(viewport, LEFT, NONE, begin)
    move(program, end, LEFT)
    np.testing.assert_allclose(mark(program)[[0, 2]], (-0.4, 0.2), atol=0.02)  # goes along
    QTest.mouseRelease(viewport, LEFT, NONE, end)
    assert history.steps[-1].label == "Clone"
    off = np.linalg.norm(unit(mesh)[:, [0, 2]] - (0.4, 0.1), axis=1)
    front = unit(mesh)[:, 1] < 0
    under = np.argmin(np.where(front, off, np.inf))
    np.testing.assert_allclose(mesh.colors[under] * 255, RED, atol=2)
    changed = (mesh.colors != before).any(axis=1)
    assert not changed[~front].any()
    assert (np.linalg.norm(unit(mesh)[changed][:, [0, 2]] - (0.45, 0.15), axis=1) < 0.3).all()
    program.commands.model.undo()
    assert mesh.colors.tobytes() == before.tobytes()


def test_the_button_takes_the_next_click_and_escape_leaves_it(program: Application) -> None:
    group = program.window.options_bar.controls["source"]
    assert isinstance(group, SourceGroup)
    source, viewport = program.window.hand.source, program.window.viewport
    steps = len(program.window.document.history.steps)
    group.pick.click()
    assert source.picking
    move(program, at(program, (0, 0, 0)))
    assert viewport.cursor().shape() == Qt.CursorShape.CrossCursor
    QTest.keyClick(viewport, Qt.Key.Key_Escape)
    assert not source.picking
    assert not group.pick.isChecked()
    group.pick.click()
    QTest.mouseClick(viewport, LEFT, NONE, QPoint(3, 3))  # beside the model
    assert source.picking
    QTest.mouseClick(viewport, LEFT, NONE, at(program, (0.1, 0, 0.3)))
    assert not source.picking
    np.testing.assert_allclose(mark(program)[[0, 2]], (0.1, 0.3), atol=0.02)
    assert viewport.cursor().shape() != Qt.CursorShape.CrossCursor
    group.pick.click()
    program.window.brush_actions["paint"].trigger()
    assert not source.picking
    assert mark(program) is None  # not its business
    assert len(program.window.document.history.steps) == steps
    assert "source" not in program.window.options_bar.controls


def test_the_source_is_forgotten_with_the_place_it_was_on(program: Application) -> None:
    pick(program, (-0.5, 0, 0))
    assert mark(program) is not None
    program.commands.model.turn("z", 90.0)
    assert mark(program) is None
    pick(program, (-0.5, 0, 0))
    program.commands.model.clear_mask()
    assert mark(program) is not None


def test_an_aligned_stroke_goes_on_where_the_last_one_took_from(program: Application) -> None:
    taken = []
    pick(program, (-0.4, 0, 0))
    for aligned in (True, False):
        program.window.hand.source.set_aligned(aligned)
        for height in (0.0, 0.2):
            place = at(program, (0.4, 0, height))
            move(program, place)
            drag(program, place)
            taken.append(mark(program)[2])
        pick(program, (-0.4, 0, 0))
    np.testing.assert_allclose(taken[:3], (0.0, 0.2, 0.0), atol=0.02)


@pytest.mark.parametrize("aligned", [True, False])
def test_where_a_stroke_takes_from(tmp_path: Path, aligned: bool) -> None:
    store = Settings(tmp_path / "settings.json")
    source = CloneSource(store)
    source.set_aligned(aligned)
    assert source.mark(np.ones(3), False) is None
    place, first, second = np.array([1.0, 2, 3]), np.array([5.0, 5, 5]), np.array([7.0, 5, 5])
    source.place(place)
    assert source.begin(first) == (1, 2, 3)
    np.testing.assert_array_equal(source.mark(first + 1, True), place + 1)
    np.testing.assert_array_equal(source.mark(second, False), (3, 2, 3) if aligned else place)
    assert source.begin(second) == ((3, 2, 3) if aligned else (1, 2, 3))
    assert CloneSource(store).aligned == aligned
    source.forget()
    assert source.point is None


@pytest.mark.parametrize("name", ["paint", "smear", "blur", "erase", "clone"])
def test_a_model_without_colours_is_asked_about_in_the_name_of_the_brush(
    name: str, start: Start, sphere: Path, press: Press, qtbot: QtBot
) -> None:
    program = shown(start(), sphere, qtbot)
    action = program.window.brush_actions[name]
    action.trigger()
    if name == "clone":
        pick(program, (0.2, 0, 0))
    seen = press("Cancel")
    QTest.mouseClick(program.window.viewport, LEFT, NONE, at(program, (0, 0, 0)))
    (box,) = seen
    assert box.windowTitle() == action.text()
    assert f"{action.text()} works on" in box.told
    assert mesh_of(program).colors is None
