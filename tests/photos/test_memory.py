"""Photos are found again beside the mesh they stood beside, each as it was viewed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from app.photos.load import load_photo
from app.photos.memory import recall, remember
from app.photos.photo import Photo
from app.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


def _photo(path: Path, **view: object) -> Photo:
    Image.new("RGB", (64, 48), "teal").save(path)
    photo = load_photo(path)
    photo.view = replace(photo.view, **view)
    return photo


def test_a_photo_comes_back_with_its_view_in_a_later_session(settings: Settings, tmp_path: Path) -> None:
    photo = _photo(tmp_path / "front.png", zoom=2.5, rotation=90.0, flipped=True)
    remember(settings, tmp_path / "bust.glb", [photo])
    (again,) = recall(Settings(settings.path), tmp_path / "bust.glb")
    assert again.view == photo.view
    assert again.encoded == photo.encoded
    assert recall(settings, tmp_path / "other.glb") == []


def test_photos_that_are_gone_or_were_pasted_are_left_out(settings: Settings, tmp_path: Path) -> None:
    kept, gone = _photo(tmp_path / "kept.png"), _photo(tmp_path / "gone.png")
    pasted = load_photo(kept.encoded, "pasted")
    remember(settings, tmp_path / "bust.glb", [gone, pasted, kept])
    gone.path.unlink()
    assert [photo.path for photo in recall(settings, tmp_path / "bust.glb")] == [kept.path]


def test_taking_all_photos_away_is_remembered_too(settings: Settings, tmp_path: Path) -> None:
    remember(settings, tmp_path / "bust.glb", [_photo(tmp_path / "front.png")])
    remember(settings, tmp_path / "bust.glb", [])
    assert recall(settings, tmp_path / "bust.glb") == []


@pytest.mark.parametrize("damaged", [3, [3], [{"path": 5}], [{"path": "/nowhere/x.png", "view": "x"}]])
def test_damaged_settings_recall_nothing(settings: Settings, tmp_path: Path, damaged: object) -> None:
    settings.set("photos/by_file", {str(tmp_path / "bust.glb"): damaged})
    assert recall(settings, tmp_path / "bust.glb") == []
