"""The brush in hand: which brush, and the settings of each as the user left them. No Qt.

Each brush remembers its own radius, strength, falloff and so on; the paint colour and the radius unit are the hand's
and stay when the brush changes; the mirror planes are the figurine's (`app.document`), and the hand only has them in
use. What does not live here: showing and changing them (`options_bar`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from psygnal import Signal

from app.errors import InvalidInput, LikenessError
from app.sculpt.alphas import load_alpha
from app.sculpt.automask import Automask
from app.sculpt.brush import Brush, brushes
from app.sculpt.falloff import Falloff
from app.sculpt.settings import BrushSettings
from app.sculpt.symmetry import Symmetry
from app.settings import Settings
from app.widgets.clone_source import CloneSource

_STORE = "brush/"
_SHARED = ("color", "symmetry")
FIRST_BRUSH = "inflate"
SMALLEST_MM, LARGEST_MM = 0.1, 100.0
SMALLEST_PX, LARGEST_PX = 2.0, 500.0
_FIRST_PX = 50.0


class BrushHand:
    """`changed`: the brush or any of its settings changed. source: of brushes that take from another place."""

    changed = Signal()
    RADIUS_STEP = 1.1

    def __init__(self, store: Settings) -> None:
        self._store = store
        self._options: dict[str, BrushSettings] = {}
        self.source = CloneSource(store)
        self.source.changed.connect(self.changed.emit)
        self._radius_in_pixels = store.get(_STORE + "radius_in_pixels", False)
        self._radius_px: dict[str, float] = {}
        known = brushes()
        wanted = store.get(_STORE + "in_hand", FIRST_BRUSH)
        self._brush = known.get(wanted) or known.get(FIRST_BRUSH) or next(iter(known.values()))
        color = _color_from(store.get(_STORE + "shared", {}))
        self._shared: dict[str, Any] = {"color": color, "symmetry": Symmetry()}

    # The brush

    @property
    def brush(self) -> Brush:
        return self._brush

    def select(self, brush_id: str) -> None:
        """Take a brush in hand; its settings come with it."""
        if brush_id != self._brush.id:
            self._brush = brushes()[brush_id]
            self.source.picking = False
            self.changed.emit()

    # Its settings

    @property
    def options(self) -> BrushSettings:
        """Settings of the brush in hand; radius_mm counts where the radius is not in pixels."""
        return self._of(self._brush)

    def settings(self, mm_per_pixel: float, brush_id: str | None = None) -> BrushSettings:
        """What a stroke with a brush (the one in hand unless named) starts with.

        mm_per_pixel: mm on the surface under one logical pixel at the stroke's start, for a radius in pixels.
        """
        brush = self._brush if brush_id is None else brushes()[brush_id]
        options = self._of(brush)
        if self._radius_in_pixels:
            return replace(options, radius_mm=max(self._px(brush) * mm_per_pixel, 1e-6))
        return options

    def update(self, **changes: Any) -> None:
        """Change fields of BrushSettings for the brush in hand. Raises InvalidInput where a value is impossible."""
        options = replace(self.options, **changes)
        for name in _SHARED:
            if name in changes:
                self._shared[name] = changes[name]
        self._options[self._brush.id] = options
        self.changed.emit()

    def set_parameter(self, parameter_id: str, value: float) -> None:
        """Change one of the brush's own parameters."""
        self.update(parameters={**self.options.parameters, parameter_id: float(value)})

    def set_symmetry(self, symmetry: Symmetry) -> None:
        """Take over the mirror planes of a figurine."""
        if symmetry != self.options.symmetry:
            self.update(symmetry=symmetry)

    def set_mirror(self, axis: int, on: bool) -> None:
        """Mirror across the plane of axis 0, 1 or 2."""
        symmetry = self.options.symmetry
        x, y, z = (on if i == axis else symmetry.axes[i] for i in range(3))
        self.update(symmetry=replace(symmetry, axes=(x, y, z)))

    def set_mirror_origin(self, origin: tuple[float, float, float]) -> None:
        """Move the mirror planes, mm."""
        self.update(symmetry=replace(self.options.symmetry, origin=origin))

    def reset(self) -> None:
        """Give the brush in hand the settings that it came with; what all brushes share stays."""
        self._radius_px.pop(self._brush.id, None)
        self._options[self._brush.id] = self._brush.defaults()
        self.changed.emit()

    # The radius, in mm on the model or in pixels on the screen

    @property
    def radius_in_pixels(self) -> bool:
        return self._radius_in_pixels

    def set_radius_in_pixels(self, on: bool, mm_per_pixel: float | None = None) -> None:
        """Choose the radius unit; with mm_per_pixel the brush in hand keeps its present size on the screen."""
        if on == self._radius_in_pixels:
            return
        if mm_per_pixel:
            if on:
                self._set_px(self.options.radius_mm / mm_per_pixel)
            else:
                self._set_mm(self._px(self._brush) * mm_per_pixel)
        self._radius_in_pixels = on
        self.changed.emit()

    @property
    def radius(self) -> float:
        """In the unit chosen: mm or logical pixels."""
        return self._px(self._brush) if self._radius_in_pixels else self.options.radius_mm

    def set_radius(self, radius: float) -> None:
        """In the unit chosen; limited to what is sensible."""
        if self._radius_in_pixels:
            self._set_px(radius)
        else:
            self._set_mm(radius)
        self.changed.emit()

    def scale_radius(self, factor: float) -> None:
        """Make the brush larger or smaller by a factor."""
        self.set_radius(self.radius * factor)

    def _set_px(self, radius: float) -> None:
        self._of(self._brush)
        self._radius_px[self._brush.id] = min(max(radius, SMALLEST_PX), LARGEST_PX)

    def _set_mm(self, radius: float) -> None:
        radius = min(max(radius, SMALLEST_MM), LARGEST_MM)
        self._options[self._brush.id] = replace(self.options, radius_mm=radius)

    def _px(self, brush: Brush) -> float:
        self._of(brush)
        return self._radius_px.get(brush.id, _FIRST_PX)

    # Remembering

    def _of(self, brush: Brush) -> BrushSettings:
        if brush.id not in self._options:
            stored: dict[str, Any] = self._store.get(_STORE + brush.id, {})
            self._options[brush.id] = _from_json(brush.defaults(), stored)
            radius_px = stored.get("radius_px")
            if isinstance(radius_px, int | float) and SMALLEST_PX <= radius_px <= LARGEST_PX:
                self._radius_px[brush.id] = float(radius_px)
        return replace(self._options[brush.id], **self._shared)

    def remember(self) -> None:
        """Write what changed to the settings file; the window calls it when the hand has come to rest."""
        self._store.set(_STORE + "in_hand", self._brush.id)
        self._store.set(_STORE + "radius_in_pixels", self._radius_in_pixels)
        self._store.set(_STORE + "shared", {"color": list(self._shared["color"])})
        for brush_id, options in self._options.items():
            stored = _to_json(options)
            if brush_id in self._radius_px:
                stored["radius_px"] = self._radius_px[brush_id]
            self._store.set(_STORE + brush_id, stored)


_PLAIN = (
    *("radius_mm", "strength", "hardness", "spacing", "auto_smooth", "stabiliser"),
    *("front_faces_only", "invert", "pressure_size", "pressure_strength"),
    *("method", "jitter", "alpha_angle", "alpha_random", "alpha_rake"),
)


def _to_json(options: BrushSettings) -> dict[str, Any]:
    values = {name: getattr(options, name) for name in _PLAIN}
    falloff = {"kind": options.falloff.kind, "points": [list(point) for point in options.falloff.points]}
    alpha = options.alpha.id if options.alpha else ""
    return {
        **values,
        "falloff": falloff,
        "alpha": alpha,
        "automask": vars(options.automask),
        "parameters": dict(options.parameters),
    }


def _from_json(options: BrushSettings, stored: Mapping[str, Any]) -> BrushSettings:
    """The defaults with every stored value that is still possible; a damaged one is left out."""
    readers: dict[str, Callable[[Any], Any]] = {
        **{name: type(getattr(options, name)) for name in _PLAIN},
        "falloff": lambda value: Falloff(value["kind"], tuple((float(x), float(y)) for x, y in value["points"])),
        "alpha": lambda value: load_alpha(str(value)) if value else None,
        "automask": lambda value: Automask(
            **{name: type(default)(value[name]) for name, default in vars(Automask()).items() if name in value}
        ),
        "parameters": lambda value: {
            key: float(value.get(key, default)) for key, default in options.parameters.items()
        },
    }
    for name, read in readers.items():
        if name in stored:
            try:
                options = replace(options, **{name: read(stored[name])})
            except (LikenessError, TypeError, ValueError, KeyError, AttributeError):
                continue
    return options


def _color_from(stored: Mapping[str, Any]) -> tuple[float, float, float]:
    try:
        red, green, blue = (float(part) for part in stored["color"])
        return BrushSettings(color=(red, green, blue)).color
    except (InvalidInput, TypeError, ValueError, KeyError):
        return BrushSettings().color
