"""Operations, fixes and exports in the whole program, through real events and real workers."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.application import Application, exporting
from app.application.operating import step_label, unchanged
from app.errors import WorkerFailed
from app.mesh.mesh import Mesh
from app.operations.running import apply
from app.operations.triage import triage
from app.preflight.checks.running import run_checks
from app.preflight.override import record_path
from app.sculpt.history import MeshStep
from app.widgets.export_report import ExportReportDialog
from app.widgets.export_verdict import ExportVerdictDialog
from app.widgets.operation_dialog import OperationDialog
from app.widgets.slider import Slider
from tests.application.conftest import OPEN_MS, Start, open_mesh, rest, sculpt
from tests.test_job import surface_pixel

ARRAYS = ("positions", "triangles", "mask", "normals", "triangle_material")
LEFT = Qt.MouseButton.LeftButton


def bits(mesh: Mesh | None) -> list[bytes]:
    assert mesh is not None
    return [getattr(mesh, name).tobytes() for name in ARRAYS]


@pytest.fixture
def torn(tmp_path: Path) -> Path:
    """A ball of 150 mm with a hole, and a bit that floats beside it."""
    ball = trimesh.creation.icosphere(subdivisions=4, radius=75)
    ball.update_faces(np.arange(len(ball.faces)) >= 4)
    bit = trimesh.creation.icosphere(subdivisions=1, radius=0.7)
    bit.apply_translation((80, 0, 0))
    path = tmp_path / "ball.ply"
    trimesh.util.concatenate([ball, bit]).export(path)
    return path


def action(program: Application, operation_id: str) -> QAction:
    found = program.window.findChild(QAction, f"operation-{operation_id}")
    assert found is not None
    for menu_action in program.window.menu_bar.actions():
        menu = menu_action.menu()
        if isinstance(menu, QMenu) and menu.title() == "Me&sh":
            menu.aboutToShow.emit()
    return found


def mesh_of(program: Application) -> Mesh:
    assert program.window.document.mesh is not None
    return program.window.document.mesh


def shown(program: Application, kind: type) -> Any:
    children: list[Any] = program.window.findChildren(kind)
    return next((child for child in children if child.isVisible()), None)


def typed(dialog: QWidget, text: str) -> None:
    """Keys, as they come from a keyboard, and Enter."""
    field = dialog.focusWidget()
    assert field is not None
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_a_fix_is_one_step_and_undo_brings_back_every_bit(start: Start, torn: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, torn)
    window = program.window
    window.intake._known[mesh_of(program)] = triage(mesh_of(program))  # at once, and not when it is its turn
    window.intake.changed.emit()
    rows = {row.row.label: row for row in window.model_panel.intake_list.rows}
    assert {"Holes", "Floaters"} <= set(rows)
    window.viewport.orbit(30, 10)  # a view that nobody has turned frames the model anew when panels change their size
    before, camera, steps = bits(window.document.mesh), window.viewport.camera_state(), window.document.history.position
    button = rows["Holes"].fix_button
    assert button is not None
    QTest.mouseClick(button, LEFT)
    assert window.jobs.busy
    rest(program, qtbot)
    assert not mesh_of(program).topology.boundary.any()
    assert [step.label for step in window.document.history.steps][steps:] == ["Close holes"]
    assert window.viewport.camera_state() == camera
    assert "triangles" in window.message_bar.text
    window.actions_by_id["undo"].trigger()
    assert bits(window.document.mesh) == before
    assert window.intake.findings is not None  # known already
    window.actions_by_id["redo"].trigger()
    assert not mesh_of(program).topology.boundary.any()


def test_clean_up_then_retarget_in_two_clicks(start: Start, torn: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, torn)
    window = program.window
    window.settings.set("operations/values", {"retarget": {"triangles": 5, "follow_curvature": True}})
    window.actions_by_id["clean-up"].trigger()
    rest(program, qtbot)
    assert len(trimesh.Trimesh(mesh_of(program).positions, mesh_of(program).triangles).split()) == 1
    # As with the printer's number, but for a smaller one.
    program.commands.operating.operate("retarget", {"triangles": 12_000})
    rest(program, qtbot)
    assert mesh_of(program).triangle_count == 12_000
    assert [step.label for step in window.document.history.steps][-2:] == ["Clean up", "Retarget to 12,000"]
    steps = len(window.document.history.steps)
    program.commands.operating.operate("retarget", {"triangles": 12_000})
    rest(program, qtbot)
    assert len(window.document.history.steps) == window.document.history.position == steps
    assert "already" in window.message_bar.text  # and no step was made of nothing


def test_cancel_in_the_middle_leaves_everything(start: Start, sphere: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    window = program.window
    before, steps = bits(window.document.mesh), window.document.history.position
    progress: list[float] = []
    window.jobs.progressed.connect(lambda part, _: progress.append(part))
    program.commands.operating.operate("retarget", {"triangles": 1_000_000})
    qtbot.waitUntil(lambda: any(part > 0.02 for part in progress), timeout=OPEN_MS)
    window.status.job_bar.cancel_button.click()
    rest(program, qtbot)
    assert bits(window.document.mesh) == before
    assert window.document.history.position == steps
    assert "Cancelled" in window.message_bar.text
    sculpt(program, qtbot, "inflate")  # the hand is free again
    assert window.document.history.position == steps + 1


def test_the_hand_rests_while_an_operation_runs(start: Start, sphere: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    window = program.window
    steps, camera = window.document.history.position, window.viewport.camera_state()
    at = surface_pixel(program)
    program.commands.operating.operate("retarget", {"triangles": 400_000})
    assert window.jobs.busy
    qtbot.mousePress(window.viewport, LEFT, Qt.KeyboardModifier.NoModifier, at)
    qtbot.mouseMove(window.viewport, at + type(at)(40, 0))
    qtbot.mouseRelease(window.viewport, LEFT, Qt.KeyboardModifier.NoModifier, at + type(at)(40, 0))
    assert window.document.history.position == steps
    assert "Retarget is running" in window.message_bar.text
    assert window.viewport.camera_state() != camera  # but it can be looked at
    window.jobs.cancel()
    rest(program, qtbot)


def test_what_cannot_run_says_why(start: Start, sphere: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    closing = action(program, "close_holes")
    assert not closing.isEnabled()
    assert "no holes" in closing.toolTip()
    program.commands.operating.operate("close_holes")
    assert not program.window.jobs.busy
    assert "no holes" in program.window.message_bar.text
    assert action(program, "smooth_surface").isEnabled()


def test_a_form_asks_and_remembers(start: Start, sphere: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    action(program, "smooth_surface").trigger()
    dialog = shown(program, OperationDialog)
    strength = dialog.fields["strength"]
    assert isinstance(strength, Slider)
    assert strength.value == 20.0
    QTest.mouseDClick(strength, LEFT)
    typed(dialog, "35")
    before = mesh_of(program).snapshot()
    QTest.mouseClick(dialog.ok, LEFT)
    rest(program, qtbot)
    assert program.window.document.history.steps[-1].label == "Smooth"
    same = apply(before, "smooth_surface", {"strength": 35.0}).mesh
    assert unchanged(same, mesh_of(program))
    assert (before.positions != mesh_of(program).positions).any()
    action(program, "smooth_surface").trigger()
    again = shown(program, OperationDialog)
    assert again.fields["strength"].value == 35.0
    again.show_values(again._defaults)
    assert again.values() == {"strength": 20.0}
    again.reject()
    action(program, "retarget").trigger()
    form = shown(program, OperationDialog)
    assert form.values()["triangles"] == program.window.document.profile.target_triangles
    assert form.fields["triangles"].text == "1,600,000"
    form.reject()


def test_what_keeps_its_triangles_is_a_step_of_values_and_the_mirror_is_that_of_the_brushes(
    start: Start, sphere: Path, qtbot: QtBot
) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    window, mesh = program.window, mesh_of(program)
    sculpt(program, qtbot, "inflate")
    mesh.mask[mesh.positions[:, 2] > 100] = 1
    mesh.hidden[mesh.positions[:, 2] < 30] = 1
    before = mesh.snapshot()
    window.viewport.orbit(30, 10)
    camera = window.viewport.camera_state()
    window.hand.set_mirror(1, True)
    window.hand.set_mirror_origin((1.0, 0.5, 2.0))
    action(program, "symmetrise").trigger()
    dialog = shown(program, OperationDialog)
    assert {name: dialog.values()[name] for name in ("axis", "at")} == {"axis": "y", "at": 0.5}
    dialog.reject()
    window.hand.set_mirror(1, False)
    action(program, "symmetrise").trigger()
    dialog = shown(program, OperationDialog)
    assert {name: dialog.values()[name] for name in ("axis", "at")} == {"axis": "x", "at": 1.0}
    QTest.mouseClick(dialog.ok, LEFT)
    rest(program, qtbot)
    assert mesh_of(program) is mesh
    assert np.array_equal(mesh.hidden, before.hidden)
    step = window.document.history.steps[-1]
    assert step.label == "Symmetrise"
    assert not isinstance(step, MeshStep)
    assert step.bytes < mesh.positions.nbytes
    assert window.viewport.camera_state() == camera
    after = mesh.snapshot()
    assert not unchanged(after, before)
    window.actions_by_id["undo"].trigger()
    assert unchanged(mesh, before)
    np.testing.assert_allclose(mesh.normals, before.normals, atol=1e-5)
    window.actions_by_id["redo"].trigger()
    assert unchanged(mesh, after)
    # What moves the model as a whole is another matter: the camera follows.
    program.commands.operating.operate("scale_to_height", {"height": 80.0})
    rest(program, qtbot)
    assert isinstance(window.document.history.steps[-1], MeshStep)
    assert window.viewport.camera_state() != camera


def test_labels_name_the_number() -> None:
    from tests.meshes import sphere as ball

    assert step_label(apply(ball(2), "retarget", {"triangles": 200})) == "Retarget to 200"


@pytest.fixture
def checked_here(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Checks before an export run in this process; how often."""
    calls: list[int] = []

    def check_all(mesh: Mesh, profile: Any, progress: Any, cancelled: Any, *, unit_known: bool) -> Any:
        calls.append(1)
        return run_checks(mesh, profile, unit_known=unit_known)

    monkeypatch.setattr(exporting, "check_all", check_all)
    return calls


def test_a_failing_export_is_asked_about_and_the_override_is_recorded(
    start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot, checked_here: list[int]
) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    window, target = program.window, tmp_path / "ball-150mm.3mf"
    window.actions_by_id["export"].trigger()
    qtbot.waitUntil(lambda: shown(program, ExportVerdictDialog) is not None, timeout=OPEN_MS)
    assert not target.exists()
    shown(program, ExportVerdictDialog).reject()
    assert not target.exists()
    assert checked_here == [1]
    window.actions_by_id["export"].trigger()  # nothing changed: the verdict is known
    dialog = shown(program, ExportVerdictDialog)
    assert checked_here == [1]
    QTest.keyClick(dialog, Qt.Key.Key_Return)  # Cancel is what Enter does
    assert not dialog.isVisible()
    assert not window.jobs.busy
    window.actions_by_id["export"].trigger()
    dialog = shown(program, ExportVerdictDialog)
    assert not dialog.export_button.isEnabled()
    dialog.box.click()
    assert not dialog.export_button.isEnabled()  # not without a reason
    assert dialog.focusWidget() is dialog.reason
    QTest.keyClicks(dialog.reason, "draft for the customer")
    QTest.keyClick(dialog.reason, Qt.Key.Key_Return)  # which now exports
    qtbot.waitUntil(lambda: window.last_report is not None, timeout=OPEN_MS)
    assert target.exists()
    assert window.last_report is not None
    override = window.last_report.override
    assert "20,480 of 1,600,000 triangles" in override
    assert "draft for the customer" in override
    record = record_path(target).read_text("utf-8")
    assert "20,480 of 1,600,000 triangles" in record
    assert "draft for the customer" in record
    assert record_path(target) in window.last_report.files
    report = shown(program, ExportReportDialog)
    assert any(override in label.text() for label in report.findChildren(QLabel))


def test_one_click_is_enough_when_nothing_fails(
    start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot, checked_here: list[int]
) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    program.commands.model.set_profile("ply")
    program.window.actions_by_id["export"].trigger()
    qtbot.waitUntil(lambda: program.window.last_report is not None, timeout=OPEN_MS)
    assert shown(program, ExportVerdictDialog) is None
    assert program.window.last_report is not None
    assert program.window.last_report.override == ""
    assert (tmp_path / "ball-150mm.ply").exists()
    assert not record_path(tmp_path / "ball-150mm.ply").exists()
    assert any(warning.startswith("Colour: ") for warning in program.window.last_report.warnings)
    assert program.window.preflight.current  # the check before the export is the panel's, too


def test_the_hand_goes_on_while_an_export_is_checked(
    start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written is the model of the click; a stroke in hand is not cut short by the question."""
    program = start()
    open_mesh(program, qtbot, sphere)
    window, go = program.window, threading.Event()

    def check_all(mesh: Mesh, profile: Any, progress: Any, cancelled: Any, *, unit_known: bool) -> Any:
        assert go.wait(OPEN_MS / 1000)
        return run_checks(mesh, profile, unit_known=unit_known)

    monkeypatch.setattr(exporting, "check_all", check_all)
    at = surface_pixel(program)
    before, steps = mesh_of(program).positions.copy(), window.document.history.position
    window.brush_actions["inflate"].trigger()
    window.actions_by_id["export"].trigger()
    qtbot.mousePress(window.viewport, LEFT, Qt.KeyboardModifier.NoModifier, at)
    qtbot.mouseMove(window.viewport, at + type(at)(20, 0))
    assert window.controller.busy
    go.set()
    rest(program, qtbot)
    assert window.controller.busy
    assert shown(program, ExportVerdictDialog) is None
    qtbot.mouseRelease(window.viewport, LEFT, Qt.KeyboardModifier.NoModifier, at + type(at)(40, 0))
    dialog = shown(program, ExportVerdictDialog)
    assert window.document.history.position == steps + 1
    assert not window.preflight.current  # the checks were about the model before the stroke
    dialog.box.click()
    QTest.keyClicks(dialog.reason, "as it was")
    QTest.mouseClick(dialog.export_button, LEFT)
    qtbot.waitUntil(lambda: window.last_report is not None, timeout=OPEN_MS)
    written = trimesh.load(tmp_path / "ball-150mm.3mf", force="mesh")
    assert (before != mesh_of(program).positions).any()
    assert written.area == pytest.approx(trimesh.Trimesh(before, mesh_of(program).triangles).area, rel=1e-6)


def test_a_cancelled_check_exports_nothing(
    start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_all(mesh: Mesh, profile: Any, progress: Any, cancelled: Any, *, unit_known: bool) -> Any:
        while True:
            time.sleep(0.01)
            progress(0.5, "Checking")

    monkeypatch.setattr(exporting, "check_all", check_all)
    program = start()
    open_mesh(program, qtbot, sphere)
    program.window.actions_by_id["export"].trigger()
    program.window.status.job_bar.cancel_button.click()
    rest(program, qtbot)
    assert "nothing was exported" in program.window.message_bar.text
    assert shown(program, ExportVerdictDialog) is None
    assert [path.name for path in tmp_path.glob("ball*")] == ["ball.ply"]


def test_checks_that_cannot_be_run_are_something_to_override(
    start: Start, sphere: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_all(*_: Any, **__: Any) -> Any:
        raise WorkerFailed("it took too much memory")

    monkeypatch.setattr(exporting, "check_all", check_all)
    program = start()
    open_mesh(program, qtbot, sphere)
    program.window.actions_by_id["export"].trigger()
    qtbot.waitUntil(lambda: shown(program, ExportVerdictDialog) is not None, timeout=OPEN_MS)
    dialog = shown(program, ExportVerdictDialog)
    assert any("too much memory" in label.text() for label in dialog.findChildren(QLabel))
    dialog.reject()
