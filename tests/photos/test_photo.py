"""A view survives JSON, and nonsense from a damaged project becomes the default view."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from app.photos.photo import MAX_ZOOM, MIN_ZOOM, Photo, PhotoView

_part = st.floats(-1, 1)
_unit = st.floats(0, 1)
views = st.builds(
    PhotoView,
    zoom=st.one_of(st.just(0.0), st.floats(MIN_ZOOM, MAX_ZOOM)),
    center=st.tuples(_unit, _unit),
    rotation=st.floats(-180, 180),
    flipped=st.booleans(),
    brightness=_part,
    contrast=_part,
    grid=st.integers(0, 32),
    grid_on_photo=st.booleans(),
)


@given(views)
def test_a_view_comes_back_from_json_as_it_was(view: PhotoView) -> None:
    assert PhotoView.from_dict(json.loads(json.dumps(view.to_dict()))) == view


@given(
    st.dictionaries(
        st.sampled_from(sorted(PhotoView().to_dict())),
        st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.lists(st.floats(), max_size=3)),
    )
)
def test_any_json_becomes_a_view_that_can_be_drawn(values: dict[str, object]) -> None:
    view = PhotoView.from_dict(values)
    assert view.zoom == 0 or MIN_ZOOM <= view.zoom <= MAX_ZOOM
    assert all(0 <= part <= 1 for part in view.center)
    assert all(math.isfinite(number) for number in (view.rotation, view.brightness, view.contrast))
    assert PhotoView.from_dict(view.to_dict()) == view


def test_a_photo_comes_back_from_json_and_its_bytes() -> None:
    photo = Photo("Käthe.jpg", b"bytes", 400, 300, view=PhotoView(zoom=2.0, rotation=-90.0, grid=3))
    restored = Photo.from_dict(json.loads(json.dumps(photo.to_dict())), b"bytes")
    assert restored.to_dict() == photo.to_dict()
    assert (restored.id, restored.view, restored.encoded) == (photo.id, photo.view, photo.encoded)


def test_a_photo_record_without_anything_is_still_a_photo() -> None:
    photo = Photo.from_dict({"view": "nonsense", "width": -3}, b"bytes")
    assert photo.view == PhotoView()
    assert photo.width == photo.height == 1
