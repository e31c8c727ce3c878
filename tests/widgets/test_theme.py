"""The two themes: neutral, legible, and switched while the program runs."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QPushButton, QSlider, QToolButton
from pytestqt.qtbot import QtBot

from app.widgets import theme
from app.widgets.theme import DARK, LIGHT, Theme, apply_theme, palette, stylesheet
from tests.widgets.test_icons import contrast

SURFACES = ("window", "panel", "raised", "hover", "base", "border", "line", "tooltip", "photo")
BOTH = pytest.mark.parametrize("colors", [DARK, LIGHT], ids=["dark", "light"])


@BOTH
def test_surfaces_and_text_carry_no_tint(colors: Theme) -> None:
    for name in (*SURFACES, "text", "dim", "disabled", "tooltip_text"):
        assert QColor(getattr(colors, name)).hsvSaturation() == 0, name


def test_dark_panels_are_seventeen_to_twenty_four_percent() -> None:
    for name in ("window", "panel"):
        assert 0.165 <= DARK.color(name).valueF() <= 0.245


@BOTH
def test_text_can_be_read(colors: Theme) -> None:
    for surface in ("window", "panel", "raised", "base", "hover"):
        assert contrast(colors.color("text"), colors.color(surface)) > 7
        assert contrast(colors.color("dim"), colors.color(surface)) > 4
    assert contrast(colors.color("tooltip_text"), colors.color("tooltip")) > 7
    assert contrast(colors.color("accent_text"), colors.color("accent")) > 4.5
    assert contrast(colors.color("disabled"), colors.color("panel")) > 2.7
    assert contrast(colors.color("focus"), colors.color("panel")) > 3
    for verdict in ("passed", "warning", "failed"):
        assert contrast(colors.color(verdict), colors.color("panel")) > 4


@BOTH
def test_the_stylesheet_and_the_palette_use_only_the_themes_colours(colors: Theme) -> None:
    known = {getattr(colors, field.name) for field in fields(Theme) if field.name != "dark"}
    sheet = stylesheet(colors)
    assert "$" not in sheet
    assert set(re.findall(r"#[0-9a-f]{6}", sheet)) <= known
    for picture in re.findall(r"url\(\"([^\"]+)\"\)", sheet):
        assert QSvgRenderer(picture).isValid()
    assert palette(colors).color(QPalette.ColorRole.Window) == colors.color("panel")


@BOTH
def test_controls_are_of_one_height(qtbot: QtBot, qapp: QApplication, colors: Theme) -> None:
    apply_theme(qapp, dark=colors.dark)
    for widget in (QPushButton("Export"), QToolButton()):
        qtbot.addWidget(widget)
        widget.show()
        assert 24 <= widget.sizeHint().height() <= 30
    slider = QSlider()
    qtbot.addWidget(slider)
    assert slider.style().name() == "fusion" or "Style" in type(slider.style()).__name__


def test_switching_changes_widgets_that_are_shown(qtbot: QtBot, qapp: QApplication) -> None:
    apply_theme(qapp, dark=True)
    button = QPushButton("Export")
    qtbot.addWidget(button)
    button.show()
    dark = button.grab().toImage().pixelColor(4, button.height() // 2)
    with qtbot.waitSignal(theme.events.changed):
        apply_theme(qapp, dark=False)
    light = button.grab().toImage().pixelColor(4, button.height() // 2)
    assert (dark, light) == (DARK.color("raised"), LIGHT.color("raised"))
    assert theme.theme() is LIGHT
    apply_theme(qapp, dark=True)
