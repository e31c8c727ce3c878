"""The dialogs: height, error, export report, preferences, questions about files and unsaved work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QFileDialog, QLabel, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.errors import UnreadableFile
from app.project.in_use import FileInUse
from app.resources import resource
from app.settings import Settings
from app.widgets import backgrounds, questions
from app.widgets.error_box import ErrorBox, show_error
from app.widgets.export_report import ExportReportDialog
from app.widgets.height_dialog import (
    DEFAULT_MM,
    SOLD_HEIGHTS_MM,
    HeightDialog,
    ask_height,
    proposed_height,
    remembered_height,
)
from app.widgets.main_window import MainWindow
from app.widgets.preferences import PreferencesDialog
from app.widgets.theme import apply_theme
from tests.widgets.test_actions import report


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    return parent


@pytest.fixture
def themed() -> Iterator[Callable[[bool], None]]:
    """Dresses the program in its theme for one test."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    palette, sheet = application.palette(), application.styleSheet()
    yield lambda dark: apply_theme(application, dark)
    application.setPalette(palette)
    application.setStyleSheet(sheet)


def when_open(kind: type, act: Callable[[object], None]) -> None:
    """Do something with the dialog of a kind as soon as its own event loop runs."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            act(dialog)
        else:
            QTimer.singleShot(10, look)

    QTimer.singleShot(0, look)


def press(box: object, text: str) -> None:
    """Click the button of a message box that says this."""
    assert isinstance(box, QMessageBox)
    next(button for button in box.buttons() if button.text().replace("&", "") == text).click()


class TestHeight:
    def dialog(self, qtbot: QtBot, proposed: float = 150.0) -> HeightDialog:
        dialog = HeightDialog((50.0, 40.0, 100.0), proposed, "How tall?", SOLD_HEIGHTS_MM)
        qtbot.addWidget(dialog)
        return dialog

    def test_the_other_extents_follow(self, qtbot: QtBot) -> None:
        dialog = self.dialog(qtbot)
        assert any("75.0 × 60.0 × 150.0 mm" in label.text() for label in dialog.findChildren(QLabel))

    @pytest.mark.parametrize("dark", [True, False])
    def test_the_number_can_be_read(self, dark: bool, qtbot: QtBot, themed: Callable[[bool], None]) -> None:
        themed(dark)
        dialog = self.dialog(qtbot)
        dialog.show()
        qtbot.waitExposed(dialog)
        editor = dialog._field.lineEdit()
        assert editor.text() == "150.0 mm"
        assert editor.width() > editor.fontMetrics().horizontalAdvance(editor.text())
        assert editor.height() >= editor.fontMetrics().height()

    def test_sold_heights_are_one_click(self, qtbot: QtBot) -> None:
        dialog = self.dialog(qtbot)
        assert {button.text() for button in dialog.presets} == {f"{h} mm" for h in (60, 80, 100, 120, 150, 200)}
        next(button for button in dialog.presets if button.text() == "80 mm").click()
        assert dialog.height_mm == 80.0

    def test_what_is_typed_is_taken_by_enter(self, qtbot: QtBot) -> None:
        dialog = self.dialog(qtbot)
        dialog.show()
        qtbot.waitExposed(dialog)
        QTest.keyClicks(dialog._field, "123.4")
        with qtbot.waitSignal(dialog.accepted):
            QTest.keyClick(dialog._field, Qt.Key.Key_Return)
        assert dialog.height_mm == 123.4

    def test_the_answer_is_remembered_for_the_file_and_proposed_for_the_next(
        self, parent: QWidget, settings: Settings
    ) -> None:
        path = Path("/models/a.glb")
        assert remembered_height(settings, path) is None
        assert proposed_height(settings) == DEFAULT_MM

        def answer(dialog: object) -> None:
            assert isinstance(dialog, HeightDialog)
            dialog._field.setValue(80.0)
            dialog.accept()

        when_open(HeightDialog, answer)
        assert ask_height(parent, settings, (1.0, 1.0, 2.0), path, known=False) == 80.0
        assert remembered_height(Settings(settings.path), path) == 80.0
        assert remembered_height(settings, Path("/models/b.glb")) is None
        assert proposed_height(settings) == 80.0

    def test_cancel_remembers_nothing(self, parent: QWidget, settings: Settings) -> None:
        when_open(HeightDialog, lambda dialog: dialog.reject())  # type: ignore[attr-defined]
        assert ask_height(parent, settings, (1.0, 1.0, 2.0), Path("/models/a.glb"), known=True) is None
        assert remembered_height(settings, Path("/models/a.glb")) is None

    def test_a_known_height_is_what_is_proposed(self, parent: QWidget, settings: Settings) -> None:
        seen: list[float] = []

        def look(dialog: object) -> None:
            assert isinstance(dialog, HeightDialog)
            seen.append(dialog.height_mm)
            dialog.reject()

        when_open(HeightDialog, look)
        ask_height(parent, settings, (30.0, 30.0, 98.7), None, known=True)
        assert seen == [98.7]

    def test_a_lying_model_is_turned_at_once_and_the_size_follows(self, qtbot: QtBot) -> None:
        asked: list[tuple[str, float]] = []
        answers: list[tuple[float, float, float] | None] = [(50.0, 100.0, 40.0), None]

        def turn(axis: str, degrees: float) -> tuple[float, float, float] | None:
            asked.append((axis, degrees))
            return answers.pop(0)

        dialog = HeightDialog((50.0, 40.0, 100.0), 80.0, "How tall?", SOLD_HEIGHTS_MM, turn=turn)
        qtbot.addWidget(dialog)
        forward, sideways = dialog.turns
        forward.click()
        assert "100.0 × 200.0 × 80.0 mm" in dialog._result.text()
        sideways.click()  # the model was not turned, so nothing changes
        assert "100.0 × 200.0 × 80.0 mm" in dialog._result.text()
        assert asked == [("x", 90.0), ("y", 90.0)]
        assert dialog.result() == 0
        assert dialog.height_mm == 80.0

    def test_turning_is_offered_only_where_it_can_be_done(self, qtbot: QtBot) -> None:
        assert self.dialog(qtbot).turns == []

    def test_it_leaves_the_middle_of_the_window_free(self, qtbot: QtBot) -> None:
        window = QWidget()
        qtbot.addWidget(window)
        window.setGeometry(50, 50, 1400, 850)
        window.show()
        qtbot.waitExposed(window)
        dialog = HeightDialog((50.0, 40.0, 100.0), 80.0, "How tall?", SOLD_HEIGHTS_MM, window)
        dialog.show()
        qtbot.waitExposed(dialog)
        assert not dialog.frameGeometry().contains(window.geometry().center())
        assert dialog.geometry().right() <= window.frameGeometry().right()


class TestErrorBox:
    def test_what_where_and_advice(self, parent: QWidget) -> None:
        box = ErrorBox(UnreadableFile("is truncated", "/models/a.glb", "Download it again"), parent=parent)
        assert box.text() == "The file is truncated."
        assert box.informativeText() == "/models/a.glb\n\nDownload it again."

    def test_a_fault_says_that_it_is_one(self, parent: QWidget) -> None:
        box = ErrorBox(ZeroDivisionError("division by zero"), "Opening a.glb", parent)
        assert "Opening a.glb failed" in box.text()
        assert "ZeroDivisionError" in box.informativeText()

    def test_copy_details_keeps_the_box_open(self, parent: QWidget, qtbot: QtBot) -> None:
        try:
            raise UnreadableFile("is truncated", "/models/a.glb", "Download it again")
        except UnreadableFile as error:
            box = show_error(parent, error)
        assert box.isVisible()
        box.copy_button.click()
        assert box.isVisible()
        copied = QGuiApplication.clipboard().text()
        assert "/models/a.glb" in copied
        assert "Traceback" in copied
        with qtbot.waitSignal(box.destroyed):
            box.close()


class TestExportReport:
    def test_every_check_with_its_mark(self, parent: QWidget) -> None:
        dialog = ExportReportDialog(report(), parent)
        texts = [label.text() for label in dialog.findChildren(QLabel)]
        assert "✓  Triangles" in texts
        assert "✓  Size" in texts
        assert "960" in texts
        assert dialog.path.text() == "/models/sphere-20mm.3mf"

    @pytest.mark.parametrize(
        ("warnings", "title", "role"),
        [((), "✓ sphere-20mm.3mf", "pass"), (("For WJP it fails: 960.",), "! sphere-20mm.3mf", "warning")],
    )
    def test_only_a_clean_export_is_green(
        self, warnings: tuple[str, ...], title: str, role: str, parent: QWidget
    ) -> None:
        dialog = ExportReportDialog(replace(report(), warnings=warnings), parent)
        label = next(label for label in dialog.findChildren(QLabel) if label.text().endswith("sphere-20mm.3mf"))
        assert (label.text(), label.property("role")) == (title, role)

    def test_open_folder(self, parent: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
        opened: list[str] = []
        monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
        ExportReportDialog(report(), parent).folder.click()
        assert opened == ["/models"]


class TestPreferences:
    @pytest.fixture
    def dialog(self, window: MainWindow) -> PreferencesDialog:
        window.actions_by_id["preferences"].trigger()
        return next(d for d in window.findChildren(PreferencesDialog) if d.isVisible())

    def test_undo_memory(self, dialog: PreferencesDialog, settings: Settings) -> None:
        dialog.undo.setValue(512)
        assert settings.get("undo/limit_mb", 0) == 512

    @pytest.mark.parametrize("dark", [True, False])
    def test_the_numbers_can_be_read(
        self, dark: bool, dialog: PreferencesDialog, themed: Callable[[bool], None], qtbot: QtBot
    ) -> None:
        themed(dark)
        qtbot.waitExposed(dialog)
        QApplication.processEvents()
        boxes = dialog.findChildren(QAbstractSpinBox)
        assert boxes
        for editor in (box.lineEdit() for box in boxes):
            assert editor.text()
            assert editor.width() > editor.fontMetrics().horizontalAdvance(editor.text()) > 20

    def test_background_reaches_the_viewport(self, dialog: PreferencesDialog, window: MainWindow) -> None:
        corner = window.viewport.image()[5, 5]
        dialog.background.activated.emit(dialog.background.findText("Black"))
        assert backgrounds.background(window.settings) == (0.0, 0.0, 0.0)
        assert not window.viewport.image()[5, 5].any()
        assert corner.any()

    def test_photo_side(self, dialog: PreferencesDialog, window: MainWindow) -> None:
        dialog.photo_side.activated.emit(1)
        assert window.photo_place.on_left
        assert window.actions_by_id["photo-left"].isChecked()

    def test_radius_unit(self, dialog: PreferencesDialog, window: MainWindow) -> None:
        dialog.radius_unit.activated.emit(1)
        assert window.hand.radius_in_pixels

    def test_theme(self, dialog: PreferencesDialog, settings: Settings, window: MainWindow) -> None:
        dialog.theme.setCurrentIndex(1)
        dialog.theme.activated.emit(1)
        assert settings.get("theme/dark", True) is False
        assert window.actions_by_id["light-theme"].isChecked()

    def test_pen(self, dialog: PreferencesDialog, window: MainWindow) -> None:
        dialog.pressure_size.click()
        assert window.hand.options.pressure_size is dialog.pressure_size.isChecked()


@pytest.mark.parametrize("stored", ["red", [1, 2], [0.1, 0.2, 3], [None, None, None], [0.5, 0.5, "a"]])
def test_a_damaged_background_is_the_default(stored: object, settings: Settings) -> None:
    settings.set(backgrounds.KEY, stored)
    assert backgrounds.background(settings) == backgrounds.DEFAULT


class TestQuestions:
    @pytest.mark.parametrize(("button", "answer"), [("Save", "save"), ("Don't Save", "discard"), ("Cancel", "cancel")])
    def test_unsaved(self, button: str, answer: str, parent: QWidget) -> None:
        when_open(QMessageBox, lambda box: press(box, button))
        assert questions.ask_unsaved(parent, "sphere") == answer

    def test_escape_cancels(self, parent: QWidget) -> None:
        when_open(QMessageBox, lambda box: QTest.keyClick(box, Qt.Key.Key_Escape))  # type: ignore[call-overload]
        assert questions.ask_unsaved(parent, "sphere") == "cancel"

    @pytest.mark.parametrize(
        ("here", "button", "answer"),
        [
            (True, "Open a Copy", "other"),
            (True, "Cancel", "no"),
            (False, "Open a Copy", "other"),
            (False, "Take Over", "take over"),
        ],
    )
    def test_in_use(self, here: bool, button: str, answer: str, parent: QWidget) -> None:
        error = FileInUse("/jobs/anna.likeness", "studio-3", "maria", time.time(), here)

        def look(box: object) -> None:
            assert isinstance(box, QMessageBox)
            told = box.informativeText()
            assert "maria" in told
            assert "today" in told
            assert ("studio-3" in told) is not here
            assert any(b.text() == "Take Over" for b in box.buttons()) is not here
            press(box, button)

        when_open(QMessageBox, look)
        assert questions.ask_in_use(parent, Path("/jobs/anna.likeness"), error, saving=False) == answer

    def test_open_shows_projects_first(
        self, parent: QWidget, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *arguments: asked.append(arguments) or ("", ""))
        assert questions.ask_open(parent, settings) is None
        filters = asked[0][-1].split(";;")
        assert filters[0].startswith("Projects and meshes (*.likeness *")
        assert filters[1] == "Likeness projects (*.likeness)"

    @pytest.mark.parametrize(
        ("typed", "there", "button", "path"),
        [
            ("/tmp/anna.likeness", False, "", "/tmp/anna.likeness"),
            ("/tmp/anna", False, "", "/tmp/anna.likeness"),
            ("/tmp/anna.glb", False, "", "/tmp/anna.glb.likeness"),
            ("anna", True, "Replace", "anna.likeness"),
        ],
    )
    def test_a_project_gets_its_suffix_and_nothing_is_replaced_unasked(
        self,
        typed: str,
        there: bool,
        button: str,
        path: str,
        parent: QWidget,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *arguments: (str(tmp_path / typed), ""))
        if there:
            (tmp_path / path).touch()
            when_open(QMessageBox, lambda box: press(box, button))
        proposed = tmp_path / "proposed.likeness"
        assert questions.ask_project_path(parent, settings, "Save", proposed) == tmp_path / path

    def test_who_does_not_want_to_replace_is_asked_again(
        self, parent: QWidget, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "anna.likeness").touch()
        names = [str(tmp_path / "anna"), str(tmp_path / "berta")]
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *arguments: (names.pop(0), ""))
        when_open(QMessageBox, lambda box: press(box, "Cancel"))
        proposed = tmp_path / "proposed.likeness"
        assert questions.ask_project_path(parent, settings, "Save", proposed) == tmp_path / "berta.likeness"

    def test_open_asks_for_every_format_that_is_read(
        self, parent: QWidget, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        asked: list[tuple[object, ...]] = []

        def answer(*arguments: object) -> tuple[str, str]:
            asked.append(arguments)
            return str(tmp_path / "a.glb"), ""

        monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
        assert questions.ask_mesh(parent, settings) == tmp_path / "a.glb"
        assert all(suffix in str(asked[0][-1]) for suffix in ("*.glb", "*.obj", "*.ply", "*.stl", "*.3mf"))
        questions.ask_mesh(parent, settings)
        assert asked[1][2] == str(tmp_path)

    def test_files_are_sought_beside_the_open_mesh_first(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        beside, last, documents = (tmp_path / name for name in ("beside", "last", "documents"))
        for folder in (beside, last, documents):
            folder.mkdir()
        monkeypatch.setattr(platformdirs, "user_documents_dir", lambda: str(documents))
        sample = resource("sample/bust.glb")
        assert questions.start_folder(settings, None) == documents
        assert questions.start_folder(settings, sample) == documents  # the program's own folder holds nothing of theirs
        settings.set("files/folder", str(last))
        assert questions.start_folder(settings, sample) == last
        assert questions.start_folder(settings, beside / "a.glb") == beside
        assert questions.start_folder(settings, tmp_path / "gone" / "a.glb") == last
        documents.rmdir()
        last.rmdir()
        assert questions.start_folder(settings, None) == Path.home()

    @pytest.mark.parametrize(("typed", "path"), [("/out/a", "/out/a.3mf"), ("/out/b.3mf", "/out/b.3mf"), ("", None)])
    def test_export_as_adds_the_suffix(
        self, typed: str, path: str | None, parent: QWidget, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *arguments: (typed, ""))
        assert questions.ask_export_path(parent, Path("/out/x.3mf")) == (Path(path) if path else None)
