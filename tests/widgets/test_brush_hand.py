"""The brush in hand: what it remembers, in which unit, and what damaged settings do to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import InvalidInput
from app.sculpt.brush import brushes
from app.sculpt.falloff import Falloff
from app.sculpt.symmetry import Symmetry
from app.settings import Settings
from app.widgets.brush_hand import LARGEST_MM, SMALLEST_MM, BrushHand


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.json"


@pytest.fixture
def hand(path: Path) -> BrushHand:
    return BrushHand(Settings(path))


def test_begins_with_the_brushs_own_defaults(hand: BrushHand) -> None:
    for brush in brushes().values():
        hand.select(brush.id)
        assert hand.options.strength == brush.strength
        assert hand.options.spacing == brush.spacing
        assert hand.options.falloff == Falloff(brush.falloff)


def test_each_brush_keeps_its_own(hand: BrushHand) -> None:
    hand.select("inflate")
    hand.update(strength=0.9)
    hand.set_radius(12.0)
    hand.select("smooth")
    hand.update(strength=0.1)
    hand.set_radius(3.0)
    hand.select("inflate")
    assert (hand.options.strength, hand.radius) == (0.9, 12.0)
    assert hand.settings(1.0, "smooth").strength == 0.1


def test_mirror_and_colour_stay_when_the_brush_changes(hand: BrushHand) -> None:
    hand.select("inflate")
    hand.set_mirror(0, True)
    hand.set_mirror_origin((1.0, 2.0, 3.0))
    hand.update(color=(0.1, 0.2, 0.3))
    hand.select("paint")
    assert hand.options.symmetry.axes == (True, False, False)
    assert hand.options.symmetry.origin == (1.0, 2.0, 3.0)
    assert hand.options.color == (0.1, 0.2, 0.3)


def test_all_of_it_comes_back(hand: BrushHand, path: Path) -> None:
    hand.select("crease")
    curve = Falloff("custom", ((0.0, 1.0), (0.4, 0.2), (1.0, 0.0)))
    hand.update(strength=0.25, falloff=curve, front_faces_only=True, pressure_size=True, color=(0.5, 0.25, 0.125))
    hand.set_radius_in_pixels(True)
    hand.set_radius(77.0)
    hand.remember()
    again = BrushHand(Settings(path))
    assert again.brush.id == "crease"
    assert again.options == hand.options
    assert again.radius_in_pixels
    assert again.radius == 77.0


def test_mirror_planes_belong_to_the_figurine_and_do_not_come_back(hand: BrushHand, path: Path) -> None:
    hand.set_mirror(2, True)
    hand.set_mirror_origin((1.0, 2.0, 3.0))
    hand.remember()
    assert BrushHand(Settings(path)).options.symmetry == Symmetry()
    hand.set_symmetry(Symmetry((True, False, False), (0.0, 5.0, 0.0)))
    hand.select("smooth")
    assert hand.options.symmetry == Symmetry((True, False, False), (0.0, 5.0, 0.0))


def test_pixels_become_millimetres_at_the_strokes_start(hand: BrushHand) -> None:
    hand.set_radius_in_pixels(True)
    hand.set_radius(40.0)
    assert hand.settings(0.05).radius_mm == pytest.approx(2.0)
    hand.set_radius_in_pixels(False)
    hand.set_radius(4.2)
    assert hand.settings(0.05).radius_mm == 4.2


def test_changing_the_unit_keeps_the_size_on_the_screen(hand: BrushHand) -> None:
    hand.set_radius(6.0)
    hand.set_radius_in_pixels(True, mm_per_pixel=0.1)
    assert hand.radius == pytest.approx(60.0)
    hand.set_radius(30.0)
    hand.set_radius_in_pixels(False, mm_per_pixel=0.1)
    assert hand.radius == pytest.approx(3.0)


def test_the_radius_has_limits(hand: BrushHand) -> None:
    for _ in range(200):
        hand.scale_radius(hand.RADIUS_STEP)
    assert hand.radius == LARGEST_MM
    hand.set_radius(0.0)
    assert hand.radius == SMALLEST_MM


def test_reset_gives_back_the_defaults_of_this_brush_only(hand: BrushHand) -> None:
    hand.select("smooth")
    hand.update(strength=0.11)
    hand.select("inflate")
    hand.update(strength=0.99)
    hand.set_mirror(0, True)
    hand.reset()
    assert hand.options.strength == brushes()["inflate"].strength
    assert hand.options.symmetry.axes[0]
    hand.select("smooth")
    assert hand.options.strength == 0.11


def test_impossible_values_are_refused_and_nothing_changes(hand: BrushHand) -> None:
    before = hand.options
    with pytest.raises(InvalidInput):
        hand.update(strength=2.0)
    assert hand.options == before


@pytest.mark.parametrize(
    "stored",
    [
        {"strength": "strong", "hardness": 0.5},
        {"strength": 17, "hardness": 0.5},
        {"falloff": {"kind": "wavy", "points": []}, "hardness": 0.5},
        {"falloff": 3, "parameters": [], "hardness": 0.5},
        {"radius_px": "wide", "radius_mm": -1, "hardness": 0.5},
    ],
)
def test_damaged_settings_cost_only_what_is_damaged(stored: dict[str, object], path: Path) -> None:
    settings = Settings(path)
    settings.set("brush/in_hand", "inflate")
    settings.set("brush/inflate", stored)
    settings.set("brush/shared", {"color": "red"})
    hand = BrushHand(settings)
    assert hand.options.strength == brushes()["inflate"].strength
    assert hand.options.hardness == 0.5
    assert hand.options.radius_mm > 0


def test_a_brush_that_is_gone_is_replaced(path: Path) -> None:
    settings = Settings(path)
    settings.set("brush/in_hand", "a brush of another version")
    assert BrushHand(settings).brush.id in brushes()


def test_each_change_is_told_once(hand: BrushHand) -> None:
    told = []
    hand.changed.connect(lambda: told.append(hand.radius))
    hand.set_radius(7.0)
    hand.update(strength=0.3)
    hand.select("smooth")
    hand.select("smooth")
    assert len(told) == 3
