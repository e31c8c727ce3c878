"""Saving and opening projects in the window, by real events, with the real file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.application import Application
from app.project.sessions import sessions_folder
from app.widgets.main_window import MainWindow
from tests.application.conftest import OPEN_MS, Press, Start, closed, end, open_mesh, rest, save, sculpt
from tests.test_job import drop, state_of, stroke, surface_pixel


def rows(window: MainWindow) -> list[str]:
    model = window.history_panel.model
    return [model.data(model.index(row)).strip("▸ ") for row in range(model.rowCount())]


def open_project(program: Application, qtbot: QtBot, path: Path) -> None:
    program.commands.opening.open_file(path)
    qtbot.waitUntil(lambda: program.window.document.project_path == path, timeout=OPEN_MS)
    rest(program, qtbot)


def test_the_whole_round(start: Start, sphere: Path, photo: Path, tmp_path: Path, qtbot: QtBot) -> None:
    """Open a mesh, three strokes, a photo, save, close, start again: all of it is there, to the bit."""
    program = start()
    open_mesh(program, qtbot, sphere)
    states = [state_of(program)]
    for brush in ("inflate", "crease", "mask"):
        sculpt(program, qtbot, brush)
        states.append(state_of(program))
    drop(program, [photo])
    qtbot.waitUntil(lambda: len(program.window.document.photos) == 1, timeout=OPEN_MS)
    path = tmp_path / "anna.likeness"
    save(program, qtbot, path)
    assert program.window.windowTitle() == "anna[*] · Likeness"
    assert program.window.status.labels["safety"].text().startswith("saved ")
    end(program, qtbot)
    assert list(sessions_folder().iterdir()) == []

    again = start()
    open_project(again, qtbot, path)
    window = again.window
    assert rows(window) == ["Open ball.ply", "Inflate", "Crease", "Mask"]
    assert state_of(again) == states[3]
    assert not window.document.modified
    (kept,) = window.document.photos
    assert kept.encoded == photo.read_bytes()
    window.actions_by_id["undo"].trigger()
    assert state_of(again) == states[2]
    assert window.document.modified
    window.actions_by_id["redo"].trigger()
    assert state_of(again) == states[3]
    assert not window.document.modified
    window.history_panel.view.clicked.emit(window.history_panel.model.index(0))
    assert state_of(again) == states[0]
    window.history_panel.view.clicked.emit(window.history_panel.model.index(3))
    assert state_of(again) == states[3]
    sculpt(again, qtbot, "draw")
    assert rows(window)[-1] == "Draw"
    end_unsaved(again)


def end_unsaved(program: Application) -> None:
    program.window.close_without_asking()
    program.shut_down()


def test_what_belongs_to_the_job_comes_back_with_it(
    start: Start, sphere: Path, photo: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    window = program.window
    second = photo.with_name("side.jpg")
    second.write_bytes(photo.read_bytes())
    drop(program, [photo, second])
    qtbot.waitUntil(lambda: len(window.document.photos) == 2, timeout=OPEN_MS)
    in_front = window.document.photos[1].id
    window.photo_panel.strip.choose([in_front])
    window.photo_panel.controls.actions_by_id["flip"].trigger()
    program.commands.model.set_profile("stl")
    window.hand.set_mirror(0, True)
    window.hand.set_mirror_origin((1.5, 0.0, 0.0))
    window.hand.update(symmetry=replace(window.hand.options.symmetry, radial=6, radial_axis="y"))
    window.viewport.set_shading("matcap:" + next(s for s in window.viewport.shadings() if "matcap:" in s)[7:])
    window.viewport.orbit(70, 20)
    camera, shading = window.viewport.camera_state(), window.viewport.shading
    path = tmp_path / "anna.likeness"
    save(program, qtbot, path)
    # Another figurine has none of it.
    open_mesh(program, qtbot, sphere)
    assert window.hand.options.symmetry.axes == (False, False, False)
    assert not window.actions_by_id["mirror-x"].isChecked()
    assert window.document.photos == []
    program.commands.model.set_profile("wjp")
    end(program, qtbot)

    again = start()
    assert again.window.hand.options.symmetry.axes == (False, False, False)
    open_project(again, qtbot, path)
    window = again.window
    assert window.document.profile.id == "stl"
    assert window.model_panel.profile.currentData() == "stl"
    assert window.document.height_known
    assert window.document.source_path == sphere
    assert window.hand.options.symmetry.axes == (True, False, False)
    assert window.hand.options.symmetry.origin == (1.5, 0.0, 0.0)
    assert (window.hand.options.symmetry.radial, window.hand.options.symmetry.radial_axis) == (6, "y")
    assert window.actions_by_id["mirror-x"].isChecked()
    assert window.viewport.shading == shading
    assert window.viewport.camera_state() == camera
    assert window.photo_panel.in_front() == ([in_front], in_front)
    assert window.document.photos[1].view.flipped
    assert window.settings.get("printer/profile", "") == "wjp"
    assert not window.document.modified


def test_the_first_save_goes_beside_the_mesh_and_strokes_go_on_meanwhile(
    start: Start, sphere: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    document = program.window.document
    sculpt(program, qtbot, "inflate")
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: asked.append(a[2]) or (a[2], ""))
    at = surface_pixel(program)
    program.window.actions_by_id["save"].trigger()
    assert program.window.jobs.busy
    assert not program.window.jobs.blocking
    saved = state_of(program)
    stroke(program, qtbot, at)
    program.window.actions_by_id["undo"].trigger()
    program.window.actions_by_id["redo"].trigger()
    assert document.history.position == 2
    rest(program, qtbot)
    path = sphere.with_suffix(".likeness")
    assert asked == [str(path)]
    assert document.project_path == path
    assert document.modified  # the second stroke is not in it
    end_unsaved(program)
    again = start()
    open_project(again, qtbot, path)
    # The file holds the state of when Save was asked for, or the stroke after it too.
    assert state_of(again) == saved or again.window.document.history.position == 2


def test_save_goes_to_the_same_file_and_keeps_the_one_before(
    start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    sculpt(program, qtbot, "inflate")
    path = tmp_path / "anna.likeness"
    save(program, qtbot, path)
    first = path.read_bytes()
    sculpt(program, qtbot, "inflate")
    program.window.actions_by_id["save"].trigger()
    rest(program, qtbot)
    assert not program.window.document.modified
    assert path.with_name("anna.likeness.bak").read_bytes() == first
    program.commands.saving.save_copy(tmp_path / "copy.likeness")
    rest(program, qtbot)
    assert (tmp_path / "copy.likeness").exists()
    assert program.window.document.project_path == path
    assert program.window.windowTitle().startswith("anna")


def test_exporting_saves_nothing(start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot) -> None:
    from tests.test_job import export

    program = start()
    open_mesh(program, qtbot, sphere)
    sculpt(program, qtbot, "inflate")
    export(program, qtbot, tmp_path / "ball.3mf")
    assert program.window.document.modified
    assert program.window.isWindowModified()


class TestUnsavedWork:
    @pytest.fixture
    def program(self, start: Start, sphere: Path, qtbot: QtBot) -> Application:
        program = start()
        open_mesh(program, qtbot, sphere)
        sculpt(program, qtbot, "inflate")
        return program

    def test_cancel_stays(self, program: Application, press: Press) -> None:
        seen = press("Cancel")
        assert not program.window.close()
        assert len(seen) == 1
        assert program.window.isVisible()

    def test_dont_save_leaves_nothing_behind(self, program: Application, press: Press, qtbot: QtBot) -> None:
        press("Don't Save")
        end(program, qtbot)
        assert list(sessions_folder().iterdir()) == []

    def test_save_closes_when_it_is_saved(
        self, program: Application, press: Press, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "anna.likeness"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
        press("Save")
        program.window.close()
        closed(program, qtbot)
        program.shut_down()
        assert path.exists()
        assert list(sessions_folder().iterdir()) == []

    def test_a_save_that_fails_keeps_the_window(
        self, program: Application, press: Press, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nowhere = tmp_path / "gone" / "anna.likeness"
        names = [str(nowhere), str(tmp_path / "anna.likeness")]
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (names.pop(0), ""))
        press("Save")
        assert not program.window.close()
        rest(program, qtbot)
        bars = program.window.safety_bars
        qtbot.waitUntil(lambda: bars.saving.isVisible())
        assert str(nowhere) in bars.saving.text
        assert program.window.isVisible()
        assert program.window.document.modified
        # Save As elsewhere: the warning goes, and nothing closes that nobody asked to close.
        next(button for button in bars.saving.buttons if button.text() == "Save As…").click()
        rest(program, qtbot)
        qtbot.waitUntil(lambda: not bars.saving.isVisible())
        assert program.window.isVisible()
        assert not program.window.document.modified

    def test_opening_another_asks_and_goes_on_after_save(
        self, program: Application, press: Press, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "anna.likeness"
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
        other = tmp_path / "other.ply"
        other.write_bytes((tmp_path / "ball.ply").read_bytes())
        press("Save")
        program.commands.opening.open_file(other)
        document = program.window.document
        qtbot.waitUntil(lambda: document.source_path == other, timeout=OPEN_MS)
        assert path.exists()
        assert document.project_path is None
        assert not document.modified

    def test_a_broken_project_changes_nothing(
        self, program: Application, press: Press, qtbot: QtBot, tmp_path: Path
    ) -> None:
        broken = tmp_path / "broken.likeness"
        broken.write_bytes(b"SQLite format 3\0" + bytes(5000))
        before = state_of(program)
        seen = press("Don't Save", "Close")
        program.commands.opening.open_file(broken)
        qtbot.waitUntil(lambda: len(seen) == 2, timeout=OPEN_MS)
        assert str(broken) in seen[1].told
        assert state_of(program) == before
        assert program.window.document.modified
        sculpt(program, qtbot, "draw")  # and its strokes are kept safe as before
        assert program._keeping.flush(10.0)
        assert len([f for f in sessions_folder().iterdir() if f.is_dir()]) == 1

    def test_photos_and_views_of_photos_are_work_too(
        self, program: Application, photo: Path, tmp_path: Path, qtbot: QtBot
    ) -> None:
        window = program.window
        save(program, qtbot, tmp_path / "anna.likeness")
        drop(program, [photo])
        qtbot.waitUntil(lambda: window.document.modified, timeout=OPEN_MS)
        save(program, qtbot, tmp_path / "anna.likeness")
        window.photo_panel.controls.actions_by_id["rotate-right"].trigger()
        assert window.document.modified
        save(program, qtbot, tmp_path / "anna.likeness")
        window.viewport.orbit(40, 0)
        window.job_view.note()
        assert not window.document.modified  # looking is no work
        window.hand.set_mirror(1, True)
        assert window.document.modified


def test_photos_that_were_laid_out_first_stay_for_the_mesh(
    start: Start, sphere: Path, photo: Path, qtbot: QtBot
) -> None:
    program = start()
    program.commands.opening.open_sample()
    rest(program, qtbot)
    drop(program, [photo])
    document = program.window.document
    qtbot.waitUntil(lambda: len(document.photos) == 1, timeout=OPEN_MS)
    open_mesh(program, qtbot, sphere)
    assert [p.path for p in document.photos] == [photo]
    assert document.modified
    program.window.photo_panel.remove_current()
    assert not document.modified


def test_a_mesh_and_its_photos_in_one_drop(start: Start, sphere: Path, photo: Path, qtbot: QtBot) -> None:
    program = start()
    drop(program, [photo, sphere])
    document = program.window.document
    qtbot.waitUntil(lambda: document.source_path == sphere and len(document.photos) == 1, timeout=OPEN_MS)


def test_the_mesh_of_a_project_says_that_there_is_one(start: Start, sphere: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    save(program, qtbot, sphere.with_suffix(".likeness"))
    open_mesh(program, qtbot, sphere)
    bar = program.window.message_bar
    assert "ball.likeness" in bar.text
    bar.action_button.click()
    qtbot.waitUntil(lambda: program.window.document.project_path == sphere.with_suffix(".likeness"), timeout=OPEN_MS)


def test_a_save_during_an_export_waits_for_it(start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot) -> None:
    program = start()
    open_mesh(program, qtbot, sphere)
    sculpt(program, qtbot, "inflate")
    program.commands.exporting.export_as(tmp_path / "ball.3mf")
    program.commands.saving.save_as(tmp_path / "anna.likeness")
    assert "as soon as" in program.window.message_bar.text
    qtbot.waitUntil(lambda: not program.window.document.modified, timeout=OPEN_MS)
    assert (tmp_path / "anna.likeness").exists()


def test_a_project_shows_its_picture_among_the_recent_files(
    start: Start, sphere: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    from app.project.opening import read_preview
    from app.widgets.thumbnails import from_png

    program = start()
    open_mesh(program, qtbot, sphere)
    sculpt(program, qtbot, "inflate")
    save(program, qtbot, tmp_path / "anna.likeness")
    preview = read_preview(tmp_path / "anna.likeness")
    assert preview.strokes == 1
    image = from_png(preview.thumbnail, 64, 1.0).toImage()
    middle, corner = image.pixelColor(QPoint(32, 32)), image.pixelColor(QPoint(32, 2))
    assert middle != corner  # the ball, and what is behind it
    assert np.allclose([corner.red(), corner.green(), corner.blue()], corner.red(), atol=3)
