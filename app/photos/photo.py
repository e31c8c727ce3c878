"""A reference photo and how it is looked at. No Qt, no decoding: `load` makes photos, `display` draws them.

The encoded bytes of the file are kept as they came, for the project file and to decode again; decoded pixels are a
display copy that may be dropped at any time.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.photos.display import DisplayCopy

MIN_ZOOM, MAX_ZOOM = 1 / 256, 64.0
MAX_GRID = 32


@dataclass(frozen=True)
class PhotoView:
    """How one photo is looked at.

    zoom: screen pixels (device-independent) per photo pixel; 0 fits the photo into whatever room there is.
    center: the point of the photo in the middle of the view, as fractions of its width and height.
    rotation: degrees clockwise on the screen, -180 to 180. flipped: left and right exchanged, before the rotation.
    brightness, contrast: -1 to 1, 0 shows the photo as it is.
    grid: lines divide the view into grid x grid fields; 0 and 1 draw none.
    grid_on_photo: the grid lies on the photo and moves with it, instead of on the screen.
    """

    zoom: float = 0.0
    center: tuple[float, float] = (0.5, 0.5)
    rotation: float = 0.0
    flipped: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    grid: int = 0
    grid_on_photo: bool = False

    def to_dict(self) -> dict[str, Any]:
        """JSON values that `from_dict` takes."""
        return {**asdict(self), "center": list(self.center)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PhotoView:
        """A view from JSON. What is missing or makes no sense gets its default: a view is never worth an error."""
        zoom = _number(values.get("zoom"), 0.0, 0.0, MAX_ZOOM)
        center = values.get("center")
        if not isinstance(center, list | tuple) or len(center) != 2:
            center = (0.5, 0.5)
        return cls(
            zoom=max(zoom, MIN_ZOOM) if zoom > 0 else 0.0,
            center=(_number(center[0], 0.5, 0.0, 1.0), _number(center[1], 0.5, 0.0, 1.0)),
            rotation=_number(values.get("rotation"), 0.0, -180.0, 180.0),
            flipped=values.get("flipped") is True,
            brightness=_number(values.get("brightness"), 0.0, -1.0, 1.0),
            contrast=_number(values.get("contrast"), 0.0, -1.0, 1.0),
            grid=int(_number(values.get("grid"), 0, 0, MAX_GRID)),
            grid_on_photo=values.get("grid_on_photo") is True,
        )


def _number(value: Any, default: float, minimum: float, maximum: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return default
    return min(max(value, minimum), maximum)


@dataclass(eq=False)
class Photo:
    """One reference photo.

    width, height: pixels of the original, upright as its EXIF orientation says.
    thumbnail: (h, w, 3) uint8 sRGB; None until the bytes have been decoded for the first time.
    display: the copy that is drawn, or None while the photo is not shown.
    """

    name: str
    encoded: bytes = field(repr=False)
    width: int
    height: int
    path: Path | None = None
    view: PhotoView = field(default_factory=PhotoView)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    thumbnail: np.ndarray | None = field(default=None, repr=False)
    display: DisplayCopy | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the encoded bytes, as JSON values."""
        return {
            "id": self.id,
            "name": self.name,
            "path": str(self.path) if self.path else None,
            "width": self.width,
            "height": self.height,
            "view": self.view.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], encoded: bytes) -> Photo:
        """A photo from `to_dict` and its bytes, not decoded yet."""
        path, view = values.get("path"), values.get("view")
        return cls(
            name=str(values.get("name") or "Photo"),
            encoded=encoded,
            width=max(1, int(_number(values.get("width"), 1, 1, 1 << 20))),
            height=max(1, int(_number(values.get("height"), 1, 1, 1 << 20))),
            path=Path(path) if isinstance(path, str) and path else None,
            view=PhotoView.from_dict(view if isinstance(view, Mapping) else {}),
            id=str(values.get("id") or uuid.uuid4().hex),
        )
