"""Every icon is one of ours: drawn with lines in the palette's colour, legible small, sharp on a fine screen."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.resources import resource
from app.sculpt.brush import brushes
from app.widgets.actions import specs
from app.widgets.icons import FALLBACK, icon, icon_names, icon_source
from app.widgets.theme import DARK, LIGHT, apply_theme

SMALL = QSize(20, 20)
PROGRAM = "app"  # the program's own icon has colours and is shown large


@pytest.fixture(params=[DARK, LIGHT], ids=["dark", "light"], autouse=True)
def each_theme(request: pytest.FixtureRequest, qapp: QApplication) -> None:
    apply_theme(qapp, dark=request.param.dark)


def drawn(name: str, mode: QIcon.Mode, state: QIcon.State, size: QSize = SMALL, ratio: float = 1.0) -> np.ndarray:
    """(h, w, 4) uint8 RGBA of an icon on nothing."""
    image = icon(name).pixmap(size, ratio, mode, state).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy()


def luminance(color: QColor) -> float:
    """Relative luminance, WCAG 2.2."""
    channels = np.array(color.getRgbF()[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(first: QColor, second: QColor) -> float:
    """Contrast ratio, WCAG 2.2."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", [name for name in icon_names() if name != PROGRAM])
def test_each_icon_can_be_seen_at_twenty_pixels(name: str) -> None:
    for mode, state in ((QIcon.Mode.Normal, QIcon.State.Off), (QIcon.Mode.Disabled, QIcon.State.Off)):
        pixels = drawn(name, mode, state)
        covered = (pixels[:, :, 3] > 100).mean()
        assert 0.02 < covered < 0.6
        strongest = pixels[np.unravel_index(pixels[:, :, 3].argmax(), pixels.shape[:2])]
        panel = QApplication.palette().color(QPalette.ColorRole.Window)
        needed = 7.0 if mode == QIcon.Mode.Normal else 2.5
        assert contrast(QColor(*map(int, strongest[:3])), panel) > needed


@pytest.mark.parametrize("name", icon_names())
def test_each_file_draws_by_itself_in_one_style(name: str) -> None:
    text = (resource("icons") / f"{name}.svg").read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert "href" not in text
    assert not re.search(r"url\(|<(image|script|style|text|use)\b|<!", text)
    assert set(re.findall(r"https?://[^\"']+", text)) == {"http://www.w3.org/2000/svg"}
    if name != PROGRAM:
        assert root.get("viewBox") == "0 0 20 20"
        assert root.get("stroke-width") == "1.5"
        assert root.get("stroke-linecap") == "round"
        assert set(re.findall(r"(?:fill|stroke)=\"([^\"]+)\"", text)) <= {"none", "currentColor"}
        assert len(text) < 1500


@pytest.mark.parametrize("name", icon_names())
def test_nothing_is_cut_off_at_the_edge(name: str) -> None:
    pixels = drawn(name, QIcon.Mode.Normal, QIcon.State.Off, QSize(80, 80))
    edge = np.concatenate([pixels[0, :, 3], pixels[-1, :, 3], pixels[:, 0, 3], pixels[:, -1, 3]])
    assert edge.max() < 60


def test_no_two_icons_are_the_same() -> None:
    seen = {drawn(name, QIcon.Mode.Normal, QIcon.State.Off).tobytes(): name for name in icon_names()}
    assert len(seen) == len(icon_names())


def test_each_brush_has_an_icon_of_its_own() -> None:
    names = [brush.icon for brush in brushes().values()]
    assert set(names) <= set(icon_names())
    assert len(set(names)) == len(names)


def test_each_icon_that_the_program_names_exists() -> None:
    used = {spec.icon for spec in specs() if spec.icon}
    for path in Path(__file__).parents[2].glob("app/widgets/*.py"):
        used |= set(re.findall(r"\bicon\(\"([a-z-]+)\"\)", path.read_text("utf-8")))
    assert used <= set(icon_names())


def test_a_brush_without_an_icon_shows_as_a_brush() -> None:
    assert icon_source("no-such-icon") == icon_source(FALLBACK)


def test_icons_take_the_colours_of_the_palette_and_follow_a_change(qapp: QApplication) -> None:
    palette, role = QApplication.palette(), QPalette.ColorRole
    expected = {
        (QIcon.Mode.Normal, QIcon.State.Off): palette.color(role.ButtonText),
        (QIcon.Mode.Normal, QIcon.State.On): palette.color(role.HighlightedText),
        (QIcon.Mode.Disabled, QIcon.State.Off): palette.color(QPalette.ColorGroup.Disabled, role.ButtonText),
    }
    for (mode, state), color in expected.items():
        pixels = drawn("texture", mode, state, QSize(100, 100))
        assert tuple(pixels[30, 30, :3]) == color.getRgb()[:3]
    was_dark = palette.color(role.Window).lightness() < 128
    apply_theme(qapp, dark=not was_dark)
    pixels = drawn("texture", QIcon.Mode.Normal, QIcon.State.Off, QSize(100, 100))
    assert tuple(pixels[30, 30, :3]) == QApplication.palette().color(role.ButtonText).getRgb()[:3]


def test_icons_are_drawn_at_the_resolution_of_the_screen() -> None:
    assert drawn("draw", QIcon.Mode.Normal, QIcon.State.Off, SMALL, 2.0).shape[:2] == (40, 40)
    target = QImage(40, 40, QImage.Format.Format_RGBA8888)
    target.setDevicePixelRatio(2.0)
    target.fill(0)
    painter = QPainter(target)
    icon("draw").paint(painter, 0, 0, 20, 20)
    painter.end()
    painted = np.frombuffer(target.constBits(), np.uint8).reshape(40, 40, 4)
    fine = drawn("draw", QIcon.Mode.Normal, QIcon.State.Off, SMALL, 2.0)
    np.testing.assert_allclose(painted[:, :, 3].astype(int), fine[:, :, 3].astype(int), atol=2)


def test_an_icon_survives_being_copied_and_used_everywhere(qtbot: QtBot) -> None:
    copies = [QIcon(icon("draw")) for _ in range(3)]
    copies[0].addPixmap(icon("smooth").pixmap(SMALL))  # makes Qt copy the engine behind the icon
    assert all(not copy.isNull() for copy in copies)
    assert not copies[0].pixmap(SMALL).isNull()
