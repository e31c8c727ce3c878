"""Methods, alphas and automasks in the options bar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.errors import LikenessError
from app.sculpt.alphas import alpha_files, user_folder
from app.sculpt.automask import Automask
from app.sculpt.settings import METHODS
from app.sculpt.symmetry import Symmetry
from app.settings import Settings
from app.widgets import stroke_controls, verbs
from app.widgets.brush_hand import BrushHand
from app.widgets.main_window import MainWindow
from app.widgets.option_controls import MirrorGroup
from app.widgets.stroke_controls import AlphaButton, AutomaskButton, MethodCombo


def alpha_button(window: MainWindow) -> AlphaButton:
    window.hand.select("draw")
    button = window.options_bar.controls["alpha"]
    assert isinstance(button, AlphaButton)
    return button


def test_every_method_can_be_chosen(window: MainWindow) -> None:
    window.hand.select("draw")
    combo = window.options_bar.controls["method"]
    assert isinstance(combo, MethodCombo)
    assert list(stroke_controls.METHODS) == list(METHODS)
    for row, method in enumerate(METHODS):
        combo.activated.emit(row)
        assert window.hand.settings(1.0).method == method
        assert combo.currentData() == method
    window.hand.select("grab")
    assert "method" not in window.options_bar.controls


def test_an_alpha_is_chosen_from_the_list_and_taken_off_again(window: MainWindow) -> None:
    button = alpha_button(window)
    button.click()
    items = {
        button.list.item(row).data(Qt.ItemDataRole.UserRole): button.list.item(row)
        for row in range(button.list.count())
    }
    assert set(items) == {"", *alpha_files()}
    button.list.itemClicked.emit(items["pores"])
    alpha = window.hand.settings(1.0).alpha
    assert alpha is not None
    assert alpha.id == "pores"
    assert "pores" in button.toolTip()
    button.list.itemClicked.emit(items[""])
    assert window.hand.settings(1.0).alpha is None


def test_how_the_stamp_lies(window: MainWindow) -> None:
    button = alpha_button(window)
    button.angle.value_changed.emit(30.0)
    button.random.value_changed.emit(50.0)
    button.jitter.value_changed.emit(25.0)
    button.rake.click()
    settings = window.hand.settings(1.0)
    assert (settings.alpha_angle, settings.alpha_random, settings.jitter) == (30.0, 0.5, 0.25)
    assert settings.alpha_rake


def test_a_png_of_the_users_own(window: MainWindow, tmp_path: Path) -> None:
    button = alpha_button(window)
    path = tmp_path / "My Stamp.png"
    Image.fromarray(np.full((8, 8), 128, np.uint8)).save(path)
    button.add_file(path)
    assert (user_folder() / "My Stamp.png").read_bytes() == path.read_bytes()
    alpha = window.hand.settings(1.0).alpha
    assert alpha is not None
    assert alpha.id == "My Stamp"


def test_a_file_that_is_no_image_is_said_and_changes_nothing(window: MainWindow, tmp_path: Path) -> None:
    button = alpha_button(window)
    failures: list[Exception] = []
    window.options_bar.failed.connect(failures.append)
    path = tmp_path / "notes.png"
    path.write_text("no image", "utf-8")
    button.add_file(path)
    assert len(failures) == 1
    assert isinstance(failures[0], LikenessError)
    assert window.hand.settings(1.0).alpha is None
    assert not (user_folder() / "notes.png").exists()


def test_automask_switches(window: MainWindow) -> None:
    window.hand.select("draw")
    button = window.options_bar.controls["automask"]
    assert isinstance(button, AutomaskButton)
    assert not button.isChecked()
    button.boxes["borders"].click()
    button.cavity.value_changed.emit(-50.0)
    button.front.value_changed.emit(60.0)
    assert window.hand.settings(1.0).automask == Automask(borders=True, cavity=-0.5, front_limit=60.0)
    assert button.isChecked()
    button.click()
    assert button.isChecked()


def test_radial_symmetry(window: MainWindow) -> None:
    group = window.options_bar.controls["mirror"]
    assert isinstance(group, MirrorGroup)
    group.radial.setValue(6)
    group.radial_axis.activated.emit(1)
    symmetry = window.hand.options.symmetry
    assert (symmetry.radial, symmetry.radial_axis) == (6, "y")
    assert group.place.text() == "6× Y"  # it shows without opening anything
    group.radial.setValue(1)
    assert group.place.text() == ""


def test_every_image_of_a_dab_has_its_ring(window: MainWindow) -> None:
    """Two mirrors and three turns are twelve dabs, and twelve rings of one size."""
    viewport, mesh = window.viewport, window.document.mesh
    assert mesh is not None
    window.hand.update(symmetry=Symmetry((True, True, False), (1.0, 2.0, 0.0), 3, "z"))
    QTest.mouseMove(viewport, QPoint(viewport.width() // 2 + 11, viewport.height() // 2 + 7))
    cursor = viewport._overlay.brush_cursor
    assert cursor is not None
    places = np.array([place for place, _ in cursor.places()])
    assert len(np.unique(places.round(6), axis=0)) == len(places) == 12
    from_axis = np.linalg.norm(places[:, :2] - (1.0, 2.0), axis=1)
    np.testing.assert_allclose(from_axis, from_axis[0])
    np.testing.assert_allclose(places[:, 2], places[0, 2])
    assert len(viewport._overlay.rings(cursor)) == 12


def test_the_mirror_goes_through_the_place_under_the_pointer(window: MainWindow) -> None:
    viewport = window.viewport
    place = QPoint(viewport.width() // 2 + 11, viewport.height() // 2 + 7)
    QTest.mouseMove(viewport, place - QPoint(5, 5))
    QTest.mouseMove(viewport, place)
    cursor = viewport._overlay.brush_cursor
    assert cursor is not None
    window.actions_by_id["mirror-here"].trigger()
    assert window.hand.options.symmetry.origin == pytest.approx((cursor.point[0], 0.0, 0.0))
    assert f"X mirror at {cursor.point[0]:.2f} mm" in window.message_bar.text
    window.hand.update(symmetry=Symmetry((False, True, True)))
    verbs.mirror_here(window, QPointF(*viewport.project(cursor.point)))  # the message took room from the picture
    assert window.hand.options.symmetry.origin == pytest.approx((0.0, cursor.point[1], cursor.point[2]), abs=0.01)
    origin = window.hand.options.symmetry.origin
    verbs.mirror_here(window, QPointF(1, 1))
    assert window.hand.options.symmetry.origin == origin
    assert "over the model" in window.message_bar.text


def test_the_hand_remembers_and_survives_what_is_gone(tmp_path: Path) -> None:
    store = Settings(tmp_path / "settings.json")
    hand = BrushHand(store)
    hand.select("draw")
    hand.update(method="dots", jitter=0.5, automask=Automask(connected=True, cavity=0.25))
    folder = user_folder()
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4), 255, np.uint8)).save(folder / "gone.png")
    hand.update(alpha=stroke_controls.load_alpha("gone"))
    hand.remember()
    again = BrushHand(Settings(store.path))
    again.select("draw")
    assert again.options.alpha is not None
    assert (again.options.method, again.options.jitter) == ("dots", 0.5)
    assert again.options.automask == Automask(connected=True, cavity=0.25)
    (folder / "gone.png").unlink()
    later = BrushHand(Settings(store.path))
    later.select("draw")
    assert later.options.alpha is None
    assert later.options.method == "dots"


@pytest.mark.parametrize("stored", [{"automask": {"cavity": 9}}, {"automask": 3}, {"method": "magic"}, {"alpha": 7}])
def test_damaged_memories_are_left_out(stored: dict[str, object], tmp_path: Path) -> None:
    store = Settings(tmp_path / "settings.json")
    store.set("brush/draw", {**stored, "jitter": 0.75})
    hand = BrushHand(store)
    hand.select("draw")
    assert hand.options.jitter == 0.75
    assert (hand.options.method, hand.options.alpha, hand.options.automask) == ("space", None, Automask())
