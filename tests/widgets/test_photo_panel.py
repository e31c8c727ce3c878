"""The photo panel, driven by real events: drop, paste, wheel, drag, keys, reparenting."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QEnterEvent,
    QGuiApplication,
    QImage,
    QKeySequence,
    QShortcut,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from app.photos.photo import Photo, PhotoView
from app.photos.placement import to_photo
from app.widgets import photo_loader
from app.widgets.photo_empty import EMPTY_TEXT
from app.widgets.photo_panel import PhotoPanel
from app.widgets.photo_view import PhotoCanvas
from tests.photos.pictures import encoded, quarters

LEFT, MIDDLE, NO_KEYS = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[PhotoPanel]:
    panel = PhotoPanel()
    qtbot.addWidget(panel)
    panel.resize(420, 700)
    panel.show()
    qtbot.waitExposed(panel)
    yield panel
    panel._loader.stop()


@pytest.fixture
def files(tmp_path: Path) -> Callable[[int], list[Path]]:
    """Makes so many photo files, each of another size."""

    def make(count: int) -> list[Path]:
        paths = [tmp_path / f"photo {index}.png" for index in range(count)]
        for index, path in enumerate(paths):
            path.write_bytes(encoded(quarters(600 + index, 400)))
        return paths

    return make


@pytest.fixture
def filled(panel: PhotoPanel, qtbot: QtBot, files: Callable[[int], list[Path]]) -> PhotoPanel:
    """The panel with three photos, the first one shown."""
    panel.add(files(3))
    settle(panel, qtbot)
    return panel


def settle(panel: PhotoPanel, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not panel.busy, timeout=30_000)
    QApplication.processEvents()


def shown(panel: PhotoPanel) -> list[Photo]:
    return [canvas.photo for canvas in panel.wall.canvases if canvas.photo is not None and canvas.isVisible()]


def drop(panel: PhotoPanel, mime: QMimeData) -> bool:
    """Drag over the panel and let go; whether the panel wanted it."""
    at, action = QPoint(50, 50), Qt.DropAction.CopyAction
    with warnings.catch_warnings():  # the way to make one was another before Qt 6.12
        warnings.simplefilter("ignore", DeprecationWarning)
        enter = QDragEnterEvent(at, action, mime, LEFT, NO_KEYS)
    enter.ignore()
    QApplication.sendEvent(panel, enter)
    if enter.isAccepted():
        QApplication.sendEvent(panel, QDropEvent(QPointF(at), action, mime, LEFT, NO_KEYS))
    return enter.isAccepted()


def of_files(*paths: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def wheel(canvas: PhotoCanvas, at: QPointF, delta: int) -> None:
    position = QPointF(canvas.mapToGlobal(at.toPoint()))
    event = QWheelEvent(
        at, position, QPoint(), QPoint(0, delta), Qt.MouseButton.NoButton, NO_KEYS, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(canvas, event)


def drag(widget: QWidget, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT, steps: int = 5) -> None:
    QTest.mousePress(widget, button, NO_KEYS, start)
    for step in range(1, steps + 1):
        QTest.mouseMove(widget, start + (end - start) * step / steps)
    QTest.mouseRelease(widget, button, NO_KEYS, end)


def under(canvas: PhotoCanvas, x: float, y: float) -> tuple[float, float]:
    """Photo coordinates under a point of a canvas."""
    assert canvas.photo is not None
    size = float(canvas.photo.width), float(canvas.photo.height)
    return to_photo(canvas.photo.view, size, (float(canvas.width()), float(canvas.height())), x, y)


# Adding


def test_an_empty_panel_says_what_to_do(panel: PhotoPanel) -> None:
    texts = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    assert EMPTY_TEXT in texts
    assert not panel.controls.isVisible()


def test_dropped_files_have_their_places_at_once_and_stay_in_order(
    panel: PhotoPanel, qtbot: QtBot, files: Callable[[int], list[Path]]
) -> None:
    paths = files(3)
    assert drop(panel, of_files(*paths))
    assert panel.strip.count() == 3  # at once, while they are read
    settle(panel, qtbot)
    assert [photo.path for photo in panel.photos()] == paths
    assert [photo.name for photo in shown(panel)] == ["photo 0.png"]


def test_the_first_look_starts_where_it_is_told_and_later_ones_where_photos_were_found(
    qtbot: QtBot, files: Callable[[int], list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = files(1)
    asked: list[str] = []

    def answer(parent: object, title: str, folder: str, kinds: str) -> tuple[list[str], str]:
        asked.append(folder)
        return ([str(found[0])], "") if len(asked) > 1 else ([], "")

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", answer)
    starts = iter([Path("/models/a"), Path("/models/b")])
    panel = PhotoPanel(lambda: next(starts))
    qtbot.addWidget(panel)
    for _ in range(3):
        panel.choose_files()
    assert asked == ["/models/a", "/models/b", str(found[0].parent)]
    panel._loader.stop()


def test_a_dropped_folder_gives_its_photos(panel: PhotoPanel, qtbot: QtBot, files: Callable[[int], list[Path]]) -> None:
    paths = files(2)
    (paths[0].parent / "notes.txt").write_text("not a photo")
    drop(panel, of_files(paths[0].parent))
    settle(panel, qtbot)
    assert [photo.path for photo in panel.photos()] == paths


def test_a_model_is_left_to_the_window(panel: PhotoPanel, tmp_path: Path) -> None:
    assert not drop(panel, of_files(tmp_path / "bust.glb"))
    assert panel.strip.count() == 0


def test_an_image_from_a_browser_can_be_dropped_and_pasted(panel: PhotoPanel, qtbot: QtBot) -> None:
    mime = QMimeData()
    mime.setImageData(QImage(quarters().data, 60, 40, 180, QImage.Format.Format_RGB888).copy())
    assert drop(panel, mime)
    settle(panel, qtbot)
    QGuiApplication.clipboard().setImage(QImage(quarters().data, 60, 40, 180, QImage.Format.Format_RGB888).copy())
    panel.canvas.setFocus()
    QTest.keySequence(panel.canvas, QKeySequence(QKeySequence.StandardKey.Paste))
    settle(panel, qtbot)
    assert len(panel.photos()) == 2
    for photo in panel.photos():
        assert photo.display is not None
        np.testing.assert_array_equal(photo.display.pixels, quarters())


def test_copied_files_can_be_pasted(panel: PhotoPanel, qtbot: QtBot, files: Callable[[int], list[Path]]) -> None:
    QGuiApplication.clipboard().setMimeData(of_files(*files(2)))
    assert panel.paste()
    settle(panel, qtbot)
    assert len(panel.photos()) == 2


def test_pasting_nothing_says_so(panel: PhotoPanel) -> None:
    QGuiApplication.clipboard().setText("just words")
    assert not panel.paste()
    assert "no image on the clipboard" in panel.messages.text


def test_bad_photos_are_a_line_in_the_panel_and_the_others_stay(
    filled: PhotoPanel, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"not a photo")
    (tmp_path / "empty.jpg").touch()
    filled.add([tmp_path / "broken.jpg", tmp_path / "empty.jpg"])
    settle(filled, qtbot)
    assert "broken.jpg: is not a photo" in filled.messages.text
    assert "empty.jpg: is empty" in filled.messages.text
    assert len(filled.photos()) == filled.strip.count() == 3
    assert QApplication.activeModalWidget() is None
    filled.messages.close_button.click()
    assert filled.messages.text == ""


def test_real_photos_of_every_kind(panel: PhotoPanel, qtbot: QtBot, shared: Path) -> None:
    folder = shared / "reference_photos"
    names = ["scikit-image/astronaut.png", "pillow/hopper_orientation_6.webp", "pillow_heif/heif/zPug_3.heic"]
    panel.add([folder / name for name in names])
    settle(panel, qtbot)
    assert [photo.name for photo in panel.photos()] == [Path(name).name for name in names]
    panel.strip.choose(panel.strip.ids())
    assert len(shown(panel)) == 3


# Looking


@pytest.mark.parametrize("delta", [120, -120, 480])
def test_the_wheel_zooms_to_the_pointer(filled: PhotoPanel, delta: int) -> None:
    canvas = filled.canvas
    canvas.zoom_by(3.0)
    at, zoom = QPointF(200, 330), canvas.zoom
    before = under(canvas, at.x(), at.y())
    wheel(canvas, at, delta)
    assert canvas.zoom == pytest.approx(zoom * 1.2 ** (delta / 120))
    assert under(canvas, at.x(), at.y()) == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("button", [LEFT, MIDDLE])
def test_dragging_moves_the_photo_with_the_pointer(filled: PhotoPanel, button: Qt.MouseButton) -> None:
    canvas = filled.canvas
    canvas.zoom_by(4.0)
    before = under(canvas, 200, 200)
    drag(canvas, QPoint(200, 200), QPoint(160, 250), button)
    assert under(canvas, 160, 250) == pytest.approx(before, abs=1e-9)


def test_a_double_click_fits_the_photo_again(filled: PhotoPanel) -> None:
    canvas = filled.canvas
    fitting = canvas.zoom
    canvas.zoom_by(5.0)
    QTest.mouseDClick(canvas, LEFT, NO_KEYS, QPoint(100, 100))
    assert canvas.zoom == pytest.approx(fitting)
    assert canvas.photo is not None
    assert canvas.photo.view == PhotoView()


def test_buttons_and_sliders_change_the_active_photo(filled: PhotoPanel, qtbot: QtBot) -> None:
    actions, canvas = filled.controls.actions_by_id, filled.canvas
    for name in ("flip", "rotate-right", "grid", "actual-size"):
        with qtbot.waitSignal(filled.photos_changed):
            actions[name].trigger()
    filled.controls.brightness.value_changed.emit(40.0)
    filled.controls.contrast.value_changed.emit(-20.0)
    filled.controls.angle.value_changed.emit(12.5)
    assert canvas.photo is not None
    view = canvas.photo.view
    assert (view.flipped, view.grid, view.brightness, view.contrast, view.rotation) == (True, 3, 0.4, -0.2, 12.5)
    assert canvas.zoom == pytest.approx(1.0)
    actions["reset"].trigger()
    assert canvas.photo.view == PhotoView(grid=3)


def test_each_photo_remembers_its_view(filled: PhotoPanel) -> None:
    filled.controls.actions_by_id["flip"].trigger()
    filled.controls.actions_by_id["brighter"].trigger()
    filled.step(1)
    assert [photo.view for photo in shown(filled)] == [PhotoView()]
    assert filled.controls.brightness.value == 0
    filled.step(-1)
    assert shown(filled)[0].view == PhotoView(flipped=True, brightness=0.1)
    assert filled.controls.brightness.value == pytest.approx(10)


def test_keys_of_the_panel_come_before_those_of_the_window(
    filled: PhotoPanel, qtbot: QtBot, qapp: QApplication
) -> None:
    window, pressed = QMainWindow(), []
    window.setCentralWidget(filled)
    for key in ("Home", "R", "G"):
        QShortcut(QKeySequence(key), window, activated=lambda key=key: pressed.append(key))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    filled.canvas.setFocus()
    qtbot.waitUntil(filled.canvas.hasFocus)
    filled.canvas.zoom_by(4.0)
    for key in (Qt.Key.Key_Home, Qt.Key.Key_R, Qt.Key.Key_G):
        QTest.keyClick(window.windowHandle(), key)
    assert filled.canvas.photo is not None
    assert filled.canvas.photo.view == PhotoView(rotation=90.0)
    assert pressed == ["G"]  # what means nothing here is the window's, brushes above all
    window.takeCentralWidget()


def test_arrows_pan_and_plus_zooms(filled: PhotoPanel) -> None:
    canvas = filled.canvas
    QTest.keyClick(canvas, Qt.Key.Key_Plus, Qt.KeyboardModifier.ShiftModifier)
    before = under(canvas, 200, 200)
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    assert under(canvas, 152, 200) == pytest.approx(before, abs=1e-9)


def test_several_at_once_each_with_its_own_zoom(filled: PhotoPanel) -> None:
    filled.controls.actions_by_id["several"].trigger()
    assert len(shown(filled)) == 3
    first, second, third = filled.wall.canvases[:3]
    zooms = first.zoom, third.zoom
    wheel(second, QPointF(60, 60), 240)
    assert (first.zoom, third.zoom) == zooms
    assert filled.canvas is second  # what is worked on is what the buttons mean
    filled.controls.actions_by_id["flip"].trigger()
    assert [photo.view.flipped for photo in shown(filled)] == [False, True, False]
    filled.controls.actions_by_id["several"].trigger()
    assert [photo.name for photo in shown(filled)] == ["photo 1.png"]


def test_control_click_shows_another_photo_beside(filled: PhotoPanel) -> None:
    strip = filled.strip
    at = strip.visualItemRect(strip.item(2)).center()
    QTest.mouseClick(strip.viewport(), LEFT, Qt.KeyboardModifier.ControlModifier, at)
    assert [photo.name for photo in shown(filled)] == ["photo 0.png", "photo 2.png"]


def test_the_pixels_on_the_screen_are_the_photos(filled: PhotoPanel) -> None:
    filled.canvas.zoom_to_actual()
    image = filled.canvas.grab().toImage()
    ratio = image.devicePixelRatio()
    middle = filled.canvas.width() / 2, filled.canvas.height() / 2
    for dx, dy, expected in ((-40, -40, (220, 30, 40)), (40, -40, (40, 200, 60)), (40, 40, (240, 240, 240))):
        color = image.pixelColor(round((middle[0] + dx) * ratio), round((middle[1] + dy) * ratio))
        assert color.getRgb()[:3] == expected


def test_brightness_changes_the_photo_and_not_what_is_around_it(filled: PhotoPanel) -> None:
    canvas = filled.canvas
    before = canvas.grab().toImage()
    filled.controls.brightness.value_changed.emit(80.0)
    after = canvas.grab().toImage()
    around, inside = QPoint(5, 5), QPoint(before.width() // 4, before.height() // 2 - 20)
    assert after.pixelColor(around) == before.pixelColor(around)
    assert after.pixelColor(inside).lightness() > before.pixelColor(inside).lightness() + 20


def test_the_grid_stays_upright_on_the_screen_or_moves_with_the_photo(filled: PhotoPanel) -> None:
    canvas = filled.canvas

    def column_changes(view: PhotoView) -> bool:
        """Whether the grid's first line is vertical in the middle of the view."""
        canvas.set_view(PhotoView())
        plain = canvas.grab().toImage()
        canvas.set_view(view)
        gridded = canvas.grab().toImage()
        x = plain.width() // 3
        rows = range(plain.height() // 2 - 30, plain.height() // 2 + 30)
        return all(gridded.pixelColor(x, y) != plain.pixelColor(x, y) for y in rows)

    assert column_changes(PhotoView(grid=3))
    assert column_changes(PhotoView(grid=3, zoom=0.0, rotation=0.0))
    assert not column_changes(PhotoView(grid=2))


# Picking a colour


def test_alt_click_picks_the_photos_own_colour(filled: PhotoPanel, qtbot: QtBot) -> None:
    filled.controls.brightness.value_changed.emit(100.0)
    middle = filled.canvas.rect().center()
    with qtbot.waitSignal(filled.color_picked) as picked:
        QTest.mouseClick(filled.canvas, LEFT, Qt.KeyboardModifier.AltModifier, middle - QPoint(40, 40))
    assert picked.args == pytest.approx(np.array((220, 30, 40)) / 255)


def test_the_eyedropper_picks_until_escape(filled: PhotoPanel, qtbot: QtBot) -> None:
    picker = filled.controls.actions_by_id["pick-color"]
    picker.trigger()
    before = filled.canvas.zoom
    with qtbot.waitSignal(filled.color_picked) as picked:
        QTest.mouseClick(filled.canvas, LEFT, NO_KEYS, filled.canvas.rect().center() + QPoint(40, 40))
    assert picked.args == pytest.approx(np.array((240, 240, 240)) / 255)
    QTest.keyClick(filled.canvas, Qt.Key.Key_Escape)
    assert not picker.isChecked()
    with qtbot.assertNotEmitted(filled.color_picked):
        drag(filled.canvas, QPoint(200, 200), QPoint(210, 210))
    assert filled.canvas.zoom == pytest.approx(before)


# The list


def test_thumbnails_are_reordered_by_dragging(filled: PhotoPanel, qtbot: QtBot) -> None:
    strip = filled.strip
    first, last = (strip.visualItemRect(strip.item(row)).center() for row in (0, 2))
    with qtbot.waitSignal(filled.photos_changed):
        drag(strip.viewport(), first, last, steps=12)
    assert [photo.name for photo in filled.photos()] == ["photo 1.png", "photo 2.png", "photo 0.png"]
    assert [photo.name for photo in shown(filled)] == ["photo 0.png"]


def test_a_removed_photo_can_be_put_back(filled: PhotoPanel, qtbot: QtBot) -> None:
    filled.step(1)
    filled.controls.actions_by_id["flip"].trigger()
    with qtbot.waitSignal(filled.photos_changed):
        QTest.keyClick(filled.canvas, Qt.Key.Key_Delete)
    assert [photo.name for photo in filled.photos()] == ["photo 0.png", "photo 2.png"]
    assert [photo.name for photo in shown(filled)] == ["photo 2.png"]
    with qtbot.waitSignal(filled.photos_changed):
        QTest.mouseClick(filled.messages.action_button, LEFT)
    assert [photo.name for photo in filled.photos()] == ["photo 0.png", "photo 1.png", "photo 2.png"]
    assert shown(filled)[0].view.flipped


def test_the_cross_on_a_thumbnail_removes_it(filled: PhotoPanel) -> None:
    strip = filled.strip
    cell = strip.visualItemRect(strip.item(2))
    QTest.mouseClick(strip.viewport(), LEFT, NO_KEYS, QPoint(cell.right() - 12, cell.top() + 12))
    assert [photo.name for photo in filled.photos()] == ["photo 0.png", "photo 1.png"]
    assert [photo.name for photo in shown(filled)] == ["photo 0.png"]


def test_removing_the_last_photo_shows_the_empty_panel(filled: PhotoPanel) -> None:
    for _ in range(3):
        filled.remove_current()
    assert filled.photos() == shown(filled) == []
    assert not filled.controls.isVisible()


def test_a_photo_that_is_being_read_can_be_removed(panel: PhotoPanel, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "slow.tif").write_bytes(encoded(quarters(), "TIFF"))
    panel.add([tmp_path / "slow.tif"])
    panel.remove(panel.strip.ids()[0])
    assert panel.strip.count() == 0
    panel._loader._pool.shutdown(wait=True)
    QApplication.processEvents()
    assert panel.photos() == []
    assert panel.messages.text == ""


def test_photos_of_a_document_are_shown_without_an_echo(filled: PhotoPanel, qtbot: QtBot) -> None:
    first, second, third = filled.photos()
    with qtbot.assertNotEmitted(filled.photos_changed):
        filled.set_photos([third, first])
        assert filled.photos() == [third, first]
        assert shown(filled) == [first]  # what was looked at stays
        filled.set_photos([third, first, second])
        assert shown(filled) == [first]
        filled.set_photos([])
        assert shown(filled) == []


def test_photos_from_a_project_are_decoded_when_they_are_shown(panel: PhotoPanel, qtbot: QtBot) -> None:
    stored = Photo("stored.png", encoded(quarters()), 60, 40, view=PhotoView(zoom=2.0, grid=3)).to_dict()
    photo = Photo.from_dict(stored, encoded(quarters()))
    panel.set_photos([photo])
    qtbot.waitUntil(lambda: photo.display is not None)
    assert panel.photos() == [photo]
    assert photo.view == PhotoView(zoom=2.0, grid=3)


def test_display_copies_that_are_not_shown_are_bounded_and_come_back(
    filled: PhotoPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_loader, "_KEPT_BYTES", 0)
    filled.step(1)
    first, second, third = filled.photos()
    assert (first.display, third.display) == (None, None)
    assert second.display is not None
    filled.step(-1)
    qtbot.waitUntil(lambda: first.display is not None)
    assert second.display is None


def test_a_stored_photo_that_cannot_be_decoded_says_so_once(panel: PhotoPanel, qtbot: QtBot) -> None:
    photo = Photo("stored.png", b"damaged", 60, 40)
    panel.set_photos([photo])
    qtbot.waitUntil(lambda: panel.messages.text != "", timeout=30_000)
    assert panel.messages.text.startswith("stored.png: ")
    assert panel.photos() == [photo]
    panel.messages.close_button.click()
    panel.step(0)
    QTest.qWait(300)
    assert panel.messages.text == ""


def test_keys_belong_to_a_photo_only_while_the_pointer_is_over_it(filled: PhotoPanel, qtbot: QtBot) -> None:
    canvas = filled.canvas
    filled.activateWindow()
    qtbot.waitUntil(filled.isActiveWindow)
    middle = QPointF(canvas.rect().center())
    QApplication.sendEvent(canvas, QEnterEvent(middle, middle, QPointF(canvas.mapToGlobal(middle.toPoint()))))
    assert canvas.hasFocus()
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert not canvas.hasFocus()


def test_the_panel_survives_a_window_of_its_own(filled: PhotoPanel, qtbot: QtBot) -> None:
    filled.controls.actions_by_id["several"].trigger()
    for _ in range(2):
        window = QWidget()
        qtbot.addWidget(window)
        filled.setParent(window)
        filled.show()
        window.resize(700, 500)
        filled.resize(700, 500)
        window.show()
        qtbot.waitExposed(window)
        assert len(shown(filled)) == 3
        wheel(filled.wall.canvases[0], QPointF(30, 30), 120)
        filled.setParent(None)  # type: ignore[call-overload]
    filled.show()
    assert len(shown(filled)) == 3


def test_every_control_says_what_it_does_and_its_key(filled: PhotoPanel) -> None:
    for action in filled.controls.actions_by_id.values():
        assert action.shortcut().toString(QKeySequence.SequenceFormat.NativeText) in action.toolTip()
        assert "\n" in action.toolTip()
    keys = [action.shortcut().toString() for action in filled.controls.actions_by_id.values()]
    assert len(set(keys)) == len(keys)
