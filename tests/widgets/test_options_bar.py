"""The options bar shows what the hand holds, and what it shows is what a stroke gets."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QColorDialog, QToolButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.sculpt.brush import brushes
from app.sculpt.falloff import KINDS, Falloff
from app.widgets.falloff_editor import CurveEditor
from app.widgets.main_window import MainWindow
from app.widgets.option_controls import ColorButton, FalloffCombo, MirrorGroup, RadiusGroup
from app.widgets.slider import Slider
from app.widgets.verbs import mm_per_pixel

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def slider(window: MainWindow, name: str) -> Slider:
    control = window.options_bar.controls[name]
    assert isinstance(control, Slider)
    return control


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("strength", "0.35", 0.35),
        ("hardness", "0.6", 0.6),
        ("auto_smooth", "0.15", 0.15),
        ("stabiliser", "1", 1.0),
        ("spacing", "45", 0.45),
    ],
)
def test_a_typed_value_is_what_a_stroke_gets(name: str, typed: str, value: float, window: MainWindow) -> None:
    window.hand.select("inflate")
    before = window.hand.settings(1.0)
    control = slider(window, name)
    control.edit()
    assert control._editor is not None
    control._editor.setText(typed)
    QTest.keyClick(control._editor, Qt.Key.Key_Return)
    after = window.hand.settings(1.0)
    assert getattr(after, name) == pytest.approx(value)
    assert replace(after, **{name: getattr(before, name)}) == before


def test_the_radius_in_both_units(window: MainWindow) -> None:
    group = window.options_bar.controls["radius"]
    assert isinstance(group, RadiusGroup)
    window.hand.set_radius(4.2)
    assert (group.slider.text, group.unit.text()) == ("4.2", "mm")
    scale = mm_per_pixel(window)
    group.unit.click()
    assert group.unit.text() == "px"
    assert window.hand.settings(scale).radius_mm == pytest.approx(4.2)
    assert window.actions_by_id["radius-pixels"].isChecked()


@pytest.mark.parametrize("name", ["pressure_size", "pressure_strength"])
def test_pressure_buttons(name: str, window: MainWindow) -> None:
    button = window.options_bar.controls[name]
    assert isinstance(button, QToolButton)
    before = getattr(window.hand.options, name)
    button.click()
    assert getattr(window.hand.options, name) is not before
    assert button.isChecked() is not before


@pytest.mark.parametrize(("name", "action"), [("invert", "invert"), ("front_faces_only", "front-faces")])
def test_buttons_and_menu_entries_are_one(name: str, action: str, window: MainWindow) -> None:
    button = window.options_bar.controls[name]
    assert isinstance(button, QToolButton)
    button.click()
    assert getattr(window.hand.options, name)
    assert window.actions_by_id[action].isChecked()
    window.actions_by_id[action].trigger()
    assert not button.isChecked()
    assert not getattr(window.hand.options, name)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_mirror_buttons(axis: int, window: MainWindow) -> None:
    group = window.options_bar.controls["mirror"]
    button = next(b for b in group.findChildren(QToolButton) if b.text() == "XYZ"[axis])
    button.click()
    assert window.hand.options.symmetry.axes[axis]
    assert button.isChecked()
    assert window.actions_by_id[f"mirror-{'xyz'[axis]}"].isChecked()


def test_mirror_planes_in_millimetres(window: MainWindow) -> None:
    group = window.options_bar.controls["mirror"]
    assert isinstance(group, MirrorGroup)
    group.fields[1].setValue(-2.5)
    assert window.hand.options.symmetry.origin == (0.0, -2.5, 0.0)
    mesh = window.document.mesh
    assert mesh is not None
    group.middle.click()
    middle = [sum(ends) / 2 for ends in zip(*mesh.bounds(), strict=True)]
    assert window.hand.options.symmetry.origin == pytest.approx(middle)
    assert [field.value() for field in group.fields] == pytest.approx(middle, abs=0.05)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "custom"])
def test_falloff_presets(kind: str, window: MainWindow) -> None:
    combo = window.options_bar.controls["falloff"]
    assert isinstance(combo, FalloffCombo)
    combo.activated.emit(KINDS.index(kind))
    assert window.hand.options.falloff == Falloff(kind)
    assert combo.currentData() == kind


def test_custom_falloff_opens_the_editor_and_is_used(window: MainWindow, qtbot: QtBot) -> None:
    combo = window.options_bar.controls["falloff"]
    assert isinstance(combo, FalloffCombo)
    combo.activated.emit(KINDS.index("custom"))
    assert combo.editor.isVisible()
    curve = combo.editor.curve
    start = curve.place(curve.points[1]).toPoint()
    QTest.mousePress(curve, LEFT, NONE, start)
    QTest.mouseMove(curve, start + QPoint(0, 30))
    QTest.mouseRelease(curve, LEFT, NONE, start + QPoint(0, 30))
    assert window.hand.options.falloff == Falloff("custom", curve.points)
    assert curve.points[1][1] < 0.7


def test_paint_offers_a_colour_and_others_do_not(window: MainWindow) -> None:
    window.hand.select("inflate")
    assert "color" not in window.options_bar.controls
    window.hand.select("paint")
    button = window.options_bar.controls["color"]
    assert isinstance(button, ColorButton)
    dialog = button.choose()
    assert isinstance(dialog, QColorDialog)
    dialog.setCurrentColor("#336699")
    assert window.hand.options.color == pytest.approx((0x33 / 255, 0x66 / 255, 0x99 / 255), abs=1e-4)
    dialog.close()


def test_brushes_change_while_everything_listens(window: MainWindow) -> None:
    for _ in range(3):
        for brush_id in brushes():
            window.hand.select(brush_id)
            window.hand.set_radius(window.hand.radius + 0.5)
            window.hand.update(color=(0.1, 0.2, 0.3))
            QApplication.processEvents()
            assert window.hand.brush.id == brush_id
            assert [key for key, action in window.brush_actions.items() if action.isChecked()] == [brush_id]
            group = window.options_bar.controls["radius"]
            assert isinstance(group, RadiusGroup)
            assert group.slider.value == pytest.approx(window.hand.radius)
            assert window.hand.options.color == (0.1, 0.2, 0.3)
            assert all(isValid(control) for control in window.options_bar.controls.values())


def test_a_colour_picked_from_a_photo_is_painted_with(window: MainWindow) -> None:
    window.photo_panel.color_picked.emit(0.25, 0.5, 0.75)
    assert window.hand.options.color == (0.25, 0.5, 0.75)


@pytest.mark.parametrize("brush_id", brushes())
def test_options_follow_the_brushs_declaration(brush_id: str, window: MainWindow) -> None:
    brush = brushes()[brush_id]
    window.hand.select(brush_id)
    controls = window.options_bar.controls
    for parameter in brush.parameters:
        control = slider(window, parameter.id)
        assert parameter.label in control.toolTip()
        control.value_changed.emit(parameter.maximum)
        assert window.hand.settings(1.0).parameters[parameter.id] == parameter.maximum
    assert ("spacing" in controls) is not brush.drags
    assert ("auto_smooth" in controls) is (brush.attribute == "positions")
    assert slider(window, "strength").value == pytest.approx(brush.strength)


@pytest.mark.parametrize("width", [960, 1100, 1280, 1600, 2200])
@pytest.mark.parametrize("brush_id", ["inflate", "paint", "grab"])
def test_nothing_is_cut_at_any_width(width: int, brush_id: str, window: MainWindow, qtbot: QtBot) -> None:
    window.hand.select(brush_id)
    bar = window.options_bar
    bar.resize(width, bar.height())
    QApplication.processEvents()
    shown = [item for item in bar.items if item.isVisible()]
    row = [*shown, *([bar.more] if not bar.more.isHidden() else []), bar.export_button]
    for left, right in pairwise(row):
        assert left.geometry().right() < right.geometry().left()
    assert row[-1].geometry().right() <= bar.width()
    for item in row:
        assert item.width() >= item.minimumSizeHint().width()
    assert bar.more.isHidden() is (len(shown) == len(bar.items))


def test_what_does_not_fit_works_in_the_drop_down(window: MainWindow, qtbot: QtBot) -> None:
    window.hand.select("inflate")
    bar = window.options_bar
    bar.resize(960, bar.height())
    hidden = [item for item in bar.items if not item.isVisible()]
    assert window.options_bar.controls["stabiliser"] in hidden
    bar.more.click()
    assert bar.panel.isVisible()
    assert all(item.isVisible() for item in hidden)
    slider(window, "stabiliser").value_changed.emit(0.5)
    assert window.hand.options.stabiliser == 0.5
    bar.panel.close()
    bar.resize(4000, bar.height())
    assert all(item.isVisible() for item in bar.items)


def test_the_export_button_names_the_printer(window: MainWindow) -> None:
    from app.preflight.profiles import profiles

    assert window.options_bar.export_button.text() == "Export WJP"
    window.document.profile = profiles()["stl"]
    assert "STL" in window.options_bar.export_button.text()
    window.options_bar.export_button.click()
    assert window.commands.calls == [("export",)]  # type: ignore[attr-defined]


class TestCurveEditor:
    @pytest.fixture
    def editor(self, qtbot: QtBot) -> CurveEditor:
        editor = CurveEditor(((0.0, 1.0), (0.5, 0.5), (1.0, 0.0)))
        qtbot.addWidget(editor)
        editor.show()
        qtbot.waitExposed(editor)
        return editor

    def drag(self, editor: CurveEditor, point: int, to: QPoint) -> None:
        start = editor.place(editor.points[point]).toPoint()
        QTest.mousePress(editor, LEFT, NONE, start)
        QTest.mouseMove(editor, to)
        QTest.mouseRelease(editor, LEFT, NONE, to)

    def test_ends_stay_at_the_middle_and_the_rim(self, editor: CurveEditor) -> None:
        self.drag(editor, 0, editor.box().center().toPoint())
        self.drag(editor, 2, editor.box().center().toPoint())
        assert editor.points[0][0] == 0.0
        assert editor.points[2][0] == 1.0
        assert editor.points[0][1] == pytest.approx(0.5, abs=0.02)

    def test_a_point_cannot_pass_its_neighbours(self, editor: CurveEditor) -> None:
        self.drag(editor, 1, QPoint(1000, -1000))
        assert editor.points[1][0] < 1.0
        assert editor.points[1][1] == 1.0
        assert Falloff("custom", editor.points)

    def test_double_click_adds_and_removes(self, editor: CurveEditor) -> None:
        place = editor.place((0.75, 0.9)).toPoint()
        QTest.mouseDClick(editor, LEFT, NONE, place)
        assert len(editor.points) == 4
        QTest.mouseDClick(editor, LEFT, NONE, place)
        assert len(editor.points) == 3
        QTest.mouseDClick(editor, LEFT, NONE, editor.place((0.0, 1.0)).toPoint())
        assert len(editor.points) == 3
