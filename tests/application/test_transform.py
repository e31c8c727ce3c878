"""Move, rotate and scale the free part in the window: by mouse on the gizmo, by keys, by numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeySequence, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.application import Application
from app.mesh.mesh import Mesh
from app.sculpt import transform
from app.viewport.gizmo import ARROW_FROM, ARROW_TO, BOX, CIRCLE, RING, Handle
from app.widgets.transform_mode import BORDER, MIDDLE, PLACED, TransformMode
from tests.application.conftest import Start, open_mesh, save
from tests.application.test_saving import open_project
from tests.sculpting import reference_normals
from tests.test_job import state_of

LEFT, NO_BUTTON, NO_KEY = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
X_ARROW, Z_RING = Handle("move", 0), Handle("turn", 2)


@pytest.fixture
def program(start: Start, sphere: Path, qtbot: QtBot) -> Iterator[Application]:
    """The ball seen from the front, which is -y, without perspective: free above, masked below, a part hidden."""
    program = start()
    open_mesh(program, qtbot, sphere)
    mesh = mesh_of(program)
    lower, upper = mesh.bounds()
    unit = (mesh.positions - (lower + upper) / 2) / ((upper - lower)[2] / 2)
    mesh.mask[:] = (0.5 - unit[:, 2] / 0.4).clip(0, 1)
    mesh.hidden[:] = unit[:, 0] > 0.9
    for name in ("mask", "hidden", "positions"):  # normals, too: as a file has them they differ in the last bits
        mesh.touched_all(name)
    window = program.window
    window.hints.done("sculpt", "camera", "files")
    window.viewport.standard_view("front")
    window.viewport.set_parallel(True)
    window.viewport.flush()
    with qtbot.waitActive(window, timeout=30_000):
        window.activateWindow()
    yield program
    window.transform.cancel()


def mesh_of(program: Application) -> Mesh:
    mesh = program.window.document.mesh
    assert mesh is not None
    return mesh


def mode_of(program: Application) -> TransformMode:
    return program.window.transform


def labels(program: Application) -> list[str]:
    return [step.label for step in program.window.document.history.steps]


def pixel(program: Application, handle: Handle) -> tuple[float, float]:
    """Of a handle, for whom looks from the front."""
    view = program.window.viewport
    camera, size, gizmo = view.camera, view.picture_size(), mode_of(program).gizmo
    if handle.kind == "turn":  # the ring about Z is a line from the front, free of all else between box and centre
        x, y = camera.project(gizmo.center, size)
        return x - 0.9 * RING, y
    reach = BOX if handle.kind == "scale" else (ARROW_FROM + ARROW_TO) / 2
    x, y = gizmo.along(handle, reach, camera, size)
    return float(x), float(y)


def mouse(
    program: Application,
    kind: QEvent.Type,
    place: tuple[float, float],
    button: Qt.MouseButton = NO_BUTTON,
    held: Qt.MouseButton = NO_BUTTON,
    keys: Qt.KeyboardModifier = NO_KEY,
) -> None:
    view, at = program.window.viewport, QPointF(*place)
    QApplication.sendEvent(view, QMouseEvent(kind, at, view.mapToGlobal(at), button, held, keys))


def drag(
    program: Application,
    start: tuple[float, float],
    by: tuple[float, float],
    keys: Qt.KeyboardModifier = NO_KEY,
    release: bool = True,
) -> None:
    mouse(program, QEvent.Type.MouseMove, start)
    mouse(program, QEvent.Type.MouseButtonPress, start, LEFT, LEFT, keys)
    for part in (0.25, 0.5, 1.0):
        place = start[0] + part * by[0], start[1] + part * by[1]
        mouse(program, QEvent.Type.MouseMove, place, NO_BUTTON, LEFT, keys)
    if release:
        mouse(program, QEvent.Type.MouseButtonRelease, place, LEFT, NO_BUTTON, keys)


def press(program: Application, keys: str) -> None:
    QTest.keySequence(program.window.viewport, QKeySequence(keys))


def begin(program: Application) -> None:
    press(program, "T")
    assert mode_of(program).active
    QTest.qWait(50)  # a message takes room from the picture


def test_an_arrow_moves_the_free_part_along_x_by_so_many_millimetres(program: Application) -> None:
    mesh, window = mesh_of(program), program.window
    before, start = state_of(program), mesh.positions.copy()
    begin(program)
    assert window.option_rows.currentWidget() is window.option_rows.transform_bar
    mm = window.viewport.mm_per_pixel(mode_of(program).gizmo.center)
    drag(program, pixel(program, X_ARROW), (60.0, 13.0))
    assert labels(program) == []  # not before it is applied
    assert window.document.history.recording
    press(program, "Return")
    assert not mode_of(program).active
    assert window.option_rows.currentWidget() is window.options_bar
    assert labels(program) == ["Move"]
    weights = np.where(mesh.hidden != 0, 0, 1 - mesh.mask.astype(float))
    np.testing.assert_allclose(mesh.positions[:, 0] - start[:, 0], 60 * mm * weights, atol=2e-4)
    np.testing.assert_array_equal(mesh.positions[:, 1:], start[:, 1:])
    np.testing.assert_array_equal(mesh.positions[weights == 0], start[weights == 0])
    np.testing.assert_allclose(mesh.normals, reference_normals(mesh), atol=1e-4)
    after = state_of(program)
    press(program, "Ctrl+Z")
    assert state_of(program) == before
    press(program, "Ctrl+Shift+Z")
    assert state_of(program) == after


def test_ctrl_snaps(program: Application) -> None:
    begin(program)
    drag(program, pixel(program, X_ARROW), (33.0, 0.0), CTRL)
    drag(program, pixel(program, Z_RING), (31.0, 0.0), CTRL)
    x, y = pixel(program, Handle("scale", 2))
    drag(program, (x, y), (0.0, -17.0), CTRL)
    now = mode_of(program).transform
    assert now.move[0] == round(now.move[0]) != 0
    assert now.turn[2] / 5 == round(now.turn[2] / 5) != 0
    assert now.scale[2] / 0.05 == pytest.approx(round(now.scale[2] / 0.05))
    assert now.scale[2] > 1
    press(program, "T")  # the same key applies
    assert labels(program) == ["Transform"]


def test_esc_ends_the_drag_first_and_then_the_mode(program: Application) -> None:
    mesh = mesh_of(program)
    before, normals = state_of(program), mesh.normals.tobytes()
    begin(program)
    drag(program, pixel(program, Z_RING), (40.0, 0.0))
    turned = mode_of(program).transform
    start = pixel(program, X_ARROW)
    drag(program, start, (50.0, 0.0), release=False)
    QTest.qWait(20)
    assert mode_of(program).transform != turned
    assert program.window.controller.busy
    press(program, "Ctrl+Z")  # waits for the end of the drag, like everything else
    assert mode_of(program).holds
    press(program, "Esc")
    mouse(program, QEvent.Type.MouseButtonRelease, start, LEFT)
    assert mode_of(program).active
    assert mode_of(program).transform == turned
    press(program, "Esc")
    assert not mode_of(program).active
    assert state_of(program) == before
    assert mesh.normals.tobytes() == normals
    assert labels(program) == []
    assert not program.window.document.history.recording


def test_nothing_done_makes_no_step(program: Application) -> None:
    before = state_of(program)
    begin(program)
    drag(program, pixel(program, X_ARROW), (40.0, 0.0))
    program.window.option_rows.transform_bar.reset_button.click()
    assert state_of(program) == before
    press(program, "Enter")
    assert labels(program) == []
    assert not mode_of(program).active


def test_the_gizmo_is_drawn_and_gone_after(program: Application) -> None:
    view = program.window.viewport

    def red_pixels() -> int:
        QTest.qWait(50)
        image = view.grab().toImage()
        x, y = (round(part * image.devicePixelRatio()) for part in place)
        colors = [image.pixelColor(x + dx, y + dy) for dx in range(-5, 6) for dy in range(-5, 6)]
        return sum(color.red() > 1.5 * max(color.green(), color.blue()) for color in colors)

    begin(program)
    place = pixel(program, X_ARROW)
    assert red_pixels() > 15
    mouse(program, QEvent.Type.MouseMove, place)  # under the pointer it is lit
    assert red_pixels() < 10
    mouse(program, QEvent.Type.MouseMove, (5.0, 5.0))
    assert red_pixels() > 15
    press(program, "Esc")
    assert red_pixels() == 0


def test_undo_takes_back_one_drag_and_then_what_was_before(program: Application) -> None:
    window = program.window
    window.commands.model.invert_mask()
    window.commands.model.invert_mask()
    begin(program)
    states = [state_of(program)]
    for handle in (X_ARROW, Z_RING):
        drag(program, pixel(program, handle), (30.0, 0.0))
        states.append(state_of(program))
    press(program, "Ctrl+Z")
    assert state_of(program) == states[1]
    press(program, "Ctrl+Shift+Z")
    assert state_of(program) == states[2]
    press(program, "Ctrl+Z")
    press(program, "Ctrl+Z")
    assert state_of(program) == states[0]
    assert not window.document.history.recording
    press(program, "Ctrl+Z")  # and on in the history, with the mode still on
    assert window.document.history.position == 1
    assert mode_of(program).active
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    window.history_panel.view.clicked.emit(window.history_panel.model.index(0))
    assert labels(program) == ["Invert Mask", "Move"]
    assert window.document.history.position == 0


def test_a_brush_applies_it_and_is_in_hand(program: Application) -> None:
    window = program.window
    begin(program)
    assert not any(action.isChecked() for action in window.brush_actions.values())
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    press(program, "S")
    assert not mode_of(program).active
    assert labels(program) == ["Move"]
    assert [name for name, action in window.brush_actions.items() if action.isChecked()] == ["smooth"]
    begin(program)
    window.brush_actions["smooth"].trigger()  # the one that was in hand before
    assert not mode_of(program).active
    assert window.brush_actions["smooth"].isChecked()


def test_beside_the_gizmo_the_hand_turns_the_model(program: Application) -> None:
    begin(program)
    before, camera = state_of(program), program.window.viewport.camera
    x, y = pixel(program, X_ARROW)
    drag(program, (x - 104, y + CIRCLE + 30), (40.0, 0.0))
    assert program.window.viewport.camera.azimuth != camera.azimuth
    assert state_of(program) == before
    assert labels(program) == []


def test_numbers_are_typed(program: Application) -> None:
    window, bar = program.window, program.window.option_rows.transform_bar
    begin(program)
    mode_of(program).set_pivot(BORDER)
    field = bar.fields["turn-x"]
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "-12.5")
    QTest.keyClick(field, Qt.Key.Key_Tab)
    assert window.panels_shown
    assert QApplication.focusWidget() is bar.fields["turn-y"]
    assert mode_of(program).transform.turn == (-12.5, 0.0, 0.0)
    bar.fields["scale"].setFocus()
    bar.fields["scale"].selectAll()
    QTest.keyClicks(bar.fields["scale"], "110")
    np.testing.assert_allclose(mode_of(program).transform.scale, 1.1)
    press(program, "Ctrl+Z")  # all that was typed into one field at once
    assert mode_of(program).transform.size == 1
    QTest.keyClick(bar.fields["scale"], Qt.Key.Key_Return)
    assert labels(program) == ["Rotate"]
    assert not mode_of(program).active
    begin(program)
    assert mode_of(program).pivot_choice == BORDER  # as it was chosen last
    assert bar.fields["turn-x"].value() == 0


def test_pivots_leave_what_is_free_where_it_is(program: Application) -> None:
    mesh = mesh_of(program)
    begin(program)
    assert mode_of(program).pivot_choice == MIDDLE
    drag(program, pixel(program, Z_RING), (40.0, 0.0))
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    free = (mesh.mask == 0) & (mesh.hidden == 0)
    before = mesh.positions.copy()
    mode_of(program).set_pivot(BORDER)
    np.testing.assert_allclose(mesh.positions[free], before[free], atol=1e-4)
    view = program.window.viewport
    lower, upper = mesh.bounds()
    place = view.project(np.array([lower[0] + 0.2 * (upper - lower)[0], 0.0, upper[2] * 0.75]))
    mouse(program, QEvent.Type.MouseButtonPress, place, LEFT, LEFT, SHIFT)
    mouse(program, QEvent.Type.MouseButtonRelease, place, LEFT, NO_BUTTON, SHIFT)
    assert mode_of(program).pivot_choice == PLACED
    np.testing.assert_allclose(view.project(mode_of(program).gizmo.center), place, atol=1e-6)
    np.testing.assert_allclose(mesh.positions[free], before[free], atol=1e-4)


def test_what_changes_the_mask_applies_it_and_the_mode_goes_on(program: Application) -> None:
    begin(program)
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    press(program, "Ctrl+Alt+B")
    assert labels(program) == ["Move", "Blur Mask"]
    assert mode_of(program).active
    assert mode_of(program).transform.identity
    press(program, "Ctrl+I")
    start = mesh_of(program).positions.copy()
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    press(program, "Return")
    moved = (mesh_of(program).positions != start).any(axis=1)
    np.testing.assert_array_equal(moved, (mesh_of(program).mask < 1) & (mesh_of(program).hidden == 0))


def test_a_job_that_needs_the_model_ends_the_mode(program: Application, qtbot: QtBot) -> None:
    begin(program)
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    program.commands.operating.operate("weld")
    assert not mode_of(program).active
    assert labels(program)[:1] == ["Move"]
    qtbot.waitUntil(lambda: not program.window.jobs.busy, timeout=60_000)


def test_saving_takes_it_along_and_a_project_has_it_as_a_step(
    program: Application, start: Start, tmp_path: Path, qtbot: QtBot
) -> None:
    before = state_of(program)
    begin(program)
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    after = state_of(program)
    assert after != before
    path = tmp_path / "posed.likeness"
    save(program, qtbot, path)
    assert labels(program) == ["Move"]
    program.window.close_without_asking()
    program.shut_down()
    again = start()
    open_project(again, qtbot, path)
    assert labels(again) == ["Move"]
    assert state_of(again) == after
    again.window.actions_by_id["undo"].trigger()
    assert state_of(again) == before
    again.window.close_without_asking()
    again.shut_down()


def test_closing_keeps_it_for_recovery(program: Application) -> None:
    begin(program)
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    program.window.close_without_asking()
    assert labels(program) == ["Move"]
    assert not program.window.document.history.recording


def test_what_fails_puts_all_back_and_is_said(program: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    before, failures = state_of(program), []
    mode_of(program).failed.disconnect()
    mode_of(program).failed.connect(failures.append)
    begin(program)
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))

    def fails(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(transform, "move_part", fails)
    drag(program, pixel(program, X_ARROW), (30.0, 0.0))
    assert [type(failure) for failure in failures] == [MemoryError]
    assert not mode_of(program).active
    assert state_of(program) == before
    assert labels(program) == []
    assert not program.window.document.history.recording


def test_nothing_free_is_said(program: Application) -> None:
    mesh = mesh_of(program)
    mesh.mask[:] = 1
    press(program, "T")
    assert not mode_of(program).active
    assert not program.window.actions_by_id["transform"].isChecked()
    assert "nothing to transform" in program.window.message_bar.text
    mesh.mask[:] = 0
    mesh.hidden[:] = 0
    begin(program)
    assert "the whole model" in program.window.message_bar.text
