"""Masks, face sets and hiding in the window, by real events on the real document."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.application import Application, exporting
from app.mesh.mesh import Mesh
from app.preflight.checks.running import run_checks
from app.widgets.operation_dialog import OperationDialog
from tests.application.conftest import OPEN_MS, Start, open_mesh

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def program(start: Start, sphere: Path, qtbot: QtBot) -> Application:
    """The ball seen from the front, which is -y, without perspective."""
    program = start()
    open_mesh(program, qtbot, sphere)
    program.window.viewport.standard_view("front")
    program.window.viewport.set_parallel(True)
    with qtbot.waitActive(program.window, timeout=30_000):
        program.window.activateWindow()
    return program


def mesh_of(program: Application) -> Mesh:
    mesh = program.window.document.mesh
    assert mesh is not None
    return mesh


def at(program: Application, point: tuple[float, float, float]) -> QPoint:
    """The pixel of a point given in radii from the ball's middle."""
    lower, upper = mesh_of(program).bounds()
    x, y = program.window.viewport.project((lower + upper) / 2 + np.array(point) * (upper - lower)[2] / 2)
    return QPoint(round(x), round(y))


def move(program: Application, place: QPoint, held: Qt.MouseButton = Qt.MouseButton.NoButton) -> None:
    viewport = program.window.viewport
    where = QPointF(place)
    kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    QApplication.sendEvent(viewport, QMouseEvent(kind, where, viewport.mapToGlobal(where), none, held, NONE))


def drag(program: Application, *places: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
    viewport = program.window.viewport
    QTest.mousePress(viewport, LEFT, keys, places[0])
    for place in places[1:]:
        move(program, place, LEFT)
    QTest.mouseRelease(viewport, LEFT, keys, places[-1])


def press(program: Application, keys: str) -> None:
    QTest.keySequence(program.window.viewport, QKeySequence(keys))


def said(program: Application) -> str:
    return program.window.message_bar.text


def unit(mesh: Mesh) -> np.ndarray:
    lower, upper = mesh.bounds()
    return (mesh.positions - (lower + upper) / 2) / ((upper - lower)[2] / 2)


def begin(program: Application, keys: str) -> None:
    """The mode begins with a message, which takes room from the picture."""
    press(program, keys)
    assert program.window.mask_outline.active
    QTest.qWait(50)


def test_box_and_lasso(program: Application) -> None:
    mesh, steps = mesh_of(program), program.window.document.history
    before = mesh.positions.copy()
    x, y, z = unit(mesh).T
    begin(program, "Ctrl+B")
    corner, opposite = at(program, (-0.5, 0, -0.4)), at(program, (0.3, 0, 0.2))
    drag(program, corner, at(program, (0, 0, 0)), opposite)
    assert not program.window.mask_outline.active
    inside = (x > -0.45) & (x < 0.25) & (z > -0.35) & (z < 0.15)
    outside = (x < -0.6) | (x > 0.4) | (z < -0.5) | (z > 0.3)
    assert (mesh.mask[inside & (y < 0)] == 1).all()
    assert not mesh.mask[outside | (y > 0.3)].any()
    assert steps.steps[-1].label == "Box Mask"
    assert "protected" in said(program)

    begin(program, "Ctrl+L")  # frees the right half of it again
    around = [(0.0, 0, -0.6), (0.6, 0, -0.6), (0.6, 0, 0.6), (0.0, 0, 0.6)]
    drag(program, *(at(program, place) for place in around), keys=CTRL)
    assert not mesh.mask[x > 0.05].any()
    assert (mesh.mask[inside & (y < 0) & (x < -0.05)] == 1).all()

    begin(program, "Ctrl+B")  # through to the far side
    drag(program, corner, opposite, keys=SHIFT)
    assert mesh.mask[inside & (y > 0.5)].all()

    done = len(steps.steps)
    begin(program, "Ctrl+B")
    drag(program, QPoint(2, 2), QPoint(6, 6))
    assert "holds nothing" in said(program)
    begin(program, "Ctrl+L")
    QTest.mousePress(program.window.viewport, LEFT, NONE, corner)
    QTest.keyClick(program.window.viewport, Qt.Key.Key_Escape)
    assert not program.window.mask_outline.active
    QTest.mouseRelease(program.window.viewport, LEFT, NONE, corner)
    assert len(steps.steps) == done
    np.testing.assert_array_equal(mesh.positions, before)
    for _ in range(3):
        press(program, "Ctrl+Z")
    assert not mesh.mask.any()


def test_hide_isolate_and_show(program: Application) -> None:
    mesh = mesh_of(program)
    upper = unit(mesh)[:, 2] > 0
    mesh.mask[:] = upper
    mesh.touched_all("mask")
    press(program, "Ctrl+W")
    assert set(mesh.face_sets[upper]) == {1}
    assert "1 face set" in said(program)
    whole = program.window.viewport.image()
    move(program, at(program, (0, 0, 0.5)))
    press(program, "H")
    np.testing.assert_array_equal(mesh.hidden, upper)
    assert "hidden" in said(program)
    assert (program.window.viewport.image() != whole).any()
    press(program, "Ctrl+Shift+I")
    np.testing.assert_array_equal(mesh.hidden, ~upper)
    press(program, "Ctrl+Shift+H")
    assert not mesh.hidden.any()
    np.testing.assert_array_equal(program.window.viewport.image(), whole)
    press(program, "Ctrl+Shift+H")
    assert "nothing is hidden" in said(program)
    move(program, at(program, (0, 0, -0.5)))
    press(program, "Shift+H")
    np.testing.assert_array_equal(mesh.hidden, upper)
    press(program, "H")  # all that is left
    np.testing.assert_array_equal(mesh.hidden, upper)
    assert "would hide the whole model" in said(program)
    press(program, "Ctrl+Z")
    assert not mesh.hidden.any()


def test_what_the_pointer_is_over_and_what_it_is_not(program: Application) -> None:
    mesh = mesh_of(program)
    program.window.controller._leave()
    program.window.actions_by_id["mask-connected"].trigger()
    assert "Hold the pointer over the model" in said(program)
    program.window.viewport.customContextMenuRequested.emit(at(program, (0, 0, 0)))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    (here,) = [action.menu() for action in menu.actions() if action.text() == "This Place"]
    assert isinstance(here, QMenu)
    here.actions()[0].trigger()
    menu.close()
    assert (mesh.mask == 1).all()
    press(program, "Ctrl+Alt+G")
    assert "no edge to grow" in said(program)


@pytest.mark.parametrize("action_id", ["mask-normal", "mask-color"])
def test_what_asks_first(program: Application, action_id: str) -> None:
    mesh = mesh_of(program)
    mesh.colors = np.where(unit(mesh)[:, :1] > 0, np.float32(0.2), np.float32(0.8)) * np.ones((1, 3), np.float32)
    move(program, at(program, (0.5, 0, 0)))
    program.window.actions_by_id[action_id].trigger()
    dialog = program.window.findChild(OperationDialog)
    assert dialog is not None
    dialog.accept()
    x, y, _ = unit(mesh).T
    wanted = y < -0.72 if action_id == "mask-normal" else x > 0.1
    rest = y > -0.5 if action_id == "mask-normal" else x < 0
    assert (mesh.mask[wanted] == 1).all()
    assert not mesh.mask[rest].any()


def test_what_is_hidden_is_out_of_the_frame_but_in_the_file_and_both_is_said(
    program: Application, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        exporting,
        "check_all",
        lambda mesh, profile, progress, cancelled, *, unit_known: run_checks(mesh, profile, unit_known=unit_known),
    )
    window, mesh = program.window, mesh_of(program)
    label = window.status.labels["hidden"]
    assert label.isHidden()
    mesh.mask[:] = unit(mesh)[:, 2] < 0.5
    mesh.touched_all("mask")
    press(program, "Ctrl+Alt+H")
    qtbot.waitUntil(lambda: not label.isHidden())
    assert label.text() == f"{100 * mesh.hidden.mean():.0f} % hidden !"
    assert "exported" in label.toolTip()

    press(program, "Home")
    seen = mesh.positions[mesh.hidden == 0]
    np.testing.assert_allclose(window.viewport.camera.focus, (seen.min(axis=0) + seen.max(axis=0)) / 2, atol=1e-3)
    x, y = window.viewport.camera.project(seen, window.viewport.picture_size()).T
    width, height = window.viewport.picture_size()
    assert min(x.min(), y.min(), width - x.max(), height - y.max()) >= 0
    assert np.ptp(x) > 0.8 * width or np.ptp(y) > 0.8 * height
    np.testing.assert_allclose(window.viewport.anchor(1, 1, middle=True), window.viewport.camera.focus, atol=1e-3)

    program.commands.model.set_profile("ply")
    window.actions_by_id["export"].trigger()
    qtbot.waitUntil(lambda: window.last_report is not None, timeout=OPEN_MS)
    assert window.last_report is not None
    assert any("The file has all of it." in warning for warning in window.last_report.warnings)
    [path] = [file for file in window.last_report.files if file.suffix == ".ply"]
    written = trimesh.load(path, force="mesh")
    assert len(written.faces) == mesh.triangle_count
    assert written.is_watertight
    press(program, "Ctrl+Shift+H")
    qtbot.waitUntil(label.isHidden)
