"""Where the work is, in words; the warnings that last; the picture that is taken when the hand rests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.document import Document
from app.errors import WriteFailed
from app.widgets import thumbnails, verbs
from app.widgets.main_window import MainWindow
from app.widgets.safety import Safety, explanation, sentence
from app.widgets.safety_bars import describe
from app.widgets.thumbnails import SIDE_PX, from_png, to_png
from tests.widgets.conftest import step
from tests.widgets.fakes import RecordedCommands

NOW = 1_750_000_000.0
FULL = WriteFailed("the working copy cannot be written: the disk is full", "/nowhere/x", "Free some space")


class TestSentence:
    def test_from_the_first_stroke_to_save_and_on(self, document: Document) -> None:
        safety = Safety()
        assert sentence(document, safety, NOW) == ("not saved yet, keeping it safe", "")
        safety.kept(NOW - 1.4)
        assert sentence(document, safety, NOW) == ("not saved yet, kept safe 1 s ago", "")
        document.saved(document.mark(), Path("/models/anna.likeness"))
        safety.saved(NOW - 3)
        assert sentence(document, safety, NOW) == ("saved 3 s ago", "")
        step(document, "Draw")
        assert sentence(document, safety, NOW) == ("changes not saved, kept safe 1 s ago", "")

    def test_what_fails_is_said(self, document: Document) -> None:
        safety = Safety()
        safety.keeping_failed(FULL)
        assert sentence(document, safety, NOW) == ("not saved and not kept safe", "fail")
        safety.keeping_works()
        assert sentence(document, safety, NOW)[1] == ""

    def test_nothing_to_say(self, document: Document) -> None:
        document.saved(document.mark())
        assert sentence(document, Safety(), NOW) == ("", "")  # a mesh as it was delivered
        document.mesh = None
        assert sentence(document, Safety(), NOW) == ("", "")

    def test_the_tooltip_explains(self, document: Document) -> None:
        assert "No project file yet" in explanation(document)
        assert "working copy" in explanation(document)
        document.saved(document.mark(), Path("/models/anna.likeness"))
        assert "/models/anna.likeness" in explanation(document)

    def test_the_status_bar_follows(self, window: MainWindow) -> None:
        label = window.status.labels["safety"]
        assert label.isVisible()
        assert label.text() == "not saved yet, keeping it safe"
        window.safety.keeping_failed(FULL)
        assert (label.text(), label.property("role")) == ("not saved and not kept safe ✗", "fail")
        window.document.saved(window.document.mark())
        assert label.isHidden()


class TestWarnings:
    def test_a_failing_working_copy(
        self, window: MainWindow, commands: RecordedCommands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        bar = window.safety_bars.keeping
        assert bar.text == ""
        window.safety.keeping_failed(FULL)
        assert bar.isVisible()
        assert "not being kept safe" in bar.text
        assert "the disk is full" in bar.text
        assert bar.close_button.isHidden()  # it lasts as long as what it warns of
        monkeypatch.setattr(verbs.questions, "ask_folder", lambda *arguments: tmp_path)
        monkeypatch.setattr(verbs.questions, "ask_project_path", lambda *arguments: tmp_path / "a.likeness")
        assert [button.text() for button in bar.buttons] == ["Try Again", "Keep Safe Elsewhere…", "Save As…"]
        for button in bar.buttons:
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert commands.calls == [("keep_again",), ("keep_elsewhere", tmp_path), ("save_as", tmp_path / "a.likeness")]
        window.safety.keeping_works()
        assert not bar.isVisible()
        assert window.message_bar.text == "Your strokes are kept safe again"

    def test_a_failing_save(self, window: MainWindow, commands: RecordedCommands) -> None:
        bar = window.safety_bars.saving
        window.safety.save_failed(FULL)
        assert bar.isVisible()
        QTest.mouseClick(bar.buttons[0], Qt.MouseButton.LeftButton)
        assert commands.calls == [("save",)]
        bar.close_button.click()
        assert not bar.isVisible()
        window.safety.save_failed(FULL)
        window.safety.saved(NOW)
        assert not bar.isVisible()

    def test_what_where_and_how_much_room(self, tmp_path: Path) -> None:
        text = describe(WriteFailed("cannot be saved: the disk is full", tmp_path / "a.likeness", "Free some space"))
        assert text.startswith("Cannot be saved: the disk is full (")
        assert text.endswith(f"B free). Free some space. {tmp_path / 'a.likeness'}")


class TestThumbnails:
    def test_the_middle_square(self) -> None:
        pixels = np.zeros((300, 700, 3), np.uint8)
        pixels[:, 200:500] = (10, 200, 30)
        image = QImage.fromData(to_png(pixels))
        assert (image.width(), image.height()) == (SIDE_PX, SIDE_PX)
        for at in ((0, 0), (SIDE_PX - 1, SIDE_PX - 1), (128, 128)):
            assert image.pixelColor(*at).getRgb()[:3] == (10, 200, 30)
        assert QImage.fromData(to_png(pixels[:40, :50])).width() == 40  # a small one is not blown up

    @pytest.mark.parametrize("png", [None, b"", b"\x89PNG\r\n\x1a\n" + bytes(40)])
    def test_no_picture_is_a_plain_figure(self, png: bytes | None, qtbot: QtBot) -> None:
        assert not from_png(png, 48, 2.0).isNull()
        assert from_png(png, 48, 2.0).width() == 96

    def test_taken_at_rest_and_not_during_a_stroke(
        self, window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
    ) -> None:
        taken: list[bytes] = []
        window.thumbnail_taken.connect(taken.append)
        rest = window.thumbnailer._rest
        rest.setInterval(50)
        at = window.viewport.rect().center()
        QTest.mousePress(window.viewport, Qt.MouseButton.LeftButton, pos=at)
        QTest.mouseMove(window.viewport, at + QPoint(6, 0))
        assert window.controller.busy
        qtbot.wait(200)
        assert taken == []
        QTest.mouseRelease(window.viewport, Qt.MouseButton.LeftButton, pos=at)
        qtbot.waitUntil(lambda: len(taken) == 1)
        qtbot.wait(300)  # what was due has been drawn
        frames: list[float] = []
        window.viewport.frame_rendered.connect(frames.append)
        assert window.thumbnailer.take() == taken[0]
        assert frames == []  # nothing was drawn for it
        assert thumbnails.to_png(window.viewport.image()) == taken[0]

    def test_nothing_in_sight_is_no_picture(self, window: MainWindow) -> None:
        window.document.history.clear()
        window.document.mesh = None
        assert window.thumbnailer.take() is None


class TestJobView:
    @pytest.mark.parametrize(
        "view",
        [
            {"camera": {"focus": "x", "distance": "far", "azimuth": None}, "shading": "no such", "photos": "x"},
            {"camera": [1], "shading": 5, "photos": [5, None], "photo": 7},
            {"camera": {"focus": [1, 2], "distance": float("inf")}},
        ],
    )
    def test_a_file_may_say_anything(self, view: dict[str, object], window: MainWindow) -> None:
        shading = window.viewport.shading
        window.document.view = view
        window.document.opened.emit()
        assert np.isfinite(window.viewport.camera.position).all()
        assert window.viewport.shading == shading

    def test_the_mirror_goes_into_the_document(self, window: MainWindow) -> None:
        QTest.keyClick(window.viewport, Qt.Key.Key_X)
        assert window.document.symmetry.axes == (True, False, False)

    def test_the_camera_goes_into_the_document_when_it_rests(self, window: MainWindow, qtbot: QtBot) -> None:
        window.viewport.zoom_at(*QPointF(window.viewport.rect().center()).toTuple(), 2.0)
        qtbot.waitUntil(lambda: window.document.view.get("camera") == window.viewport.camera_state())
