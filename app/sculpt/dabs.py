"""Samples to dabs: the stabiliser steadies the hand, the spacer places dabs at even distances along the path.

Both walk the path by length, not by event, so a path cut into more events gives the same dabs. What does not live here:
the ways in which a stroke makes dabs of them (`methods`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from app.sculpt.settings import BrushSettings

# Rope of the lazy mouse at full stabiliser, in radii; and how finely the pull along the path is stepped.
_ROPE_RADII = 2.0
_STEPS_PER_ROPE = 16
# A rope is taut from here on: exactly its length would be decided by rounding, and with it where pressure is taken.
_TAUT = 1 + 1e-9
# Height of a stroke at full strength, in radii.
_STROKE_HEIGHT = 0.5
# A jump across the scene must not freeze the program.
_STEPS_PER_SAMPLE = 100_000
# Lightest touch of a pen still has a tip.
_SMALLEST_TIP = 0.05


_VECTORS = ("view", "travel", "displacement", "step", "up")


def _nowhere() -> np.ndarray:
    return np.zeros(3)


@dataclass(frozen=True, eq=False)
class Sample:
    """One pointer event on the surface.

    point: (3,) mm. view: (3,) unit, from the surface toward the viewer; zeros where there is none.
    pressure: 0 to 1. tilt_x, tilt_y: degrees. time: s.
    """

    point: np.ndarray
    view: np.ndarray
    pressure: float = 1.0
    tilt_x: float = 0.0
    tilt_y: float = 0.0
    time: float = 0.0

    def is_finite(self) -> bool:
        """Whether every number in it can be used."""
        scalars = (self.pressure, self.tilt_x, self.tilt_y, self.time)
        return bool(np.isfinite(self.point).all() and np.isfinite(self.view).all() and all(map(math.isfinite, scalars)))

    def toward(self, other: Sample, part: float) -> Sample:
        """The sample a part (0 to 1) of the way to another one."""

        def mix(a: float, b: float) -> float:
            return a + (b - a) * part

        view = self.view + (other.view - self.view) * part
        length = float(np.linalg.norm(view))
        return Sample(
            self.point + (other.point - self.point) * part,
            view / length if length > 0 else other.view,
            mix(self.pressure, other.pressure),
            mix(self.tilt_x, other.tilt_x),
            mix(self.tilt_y, other.tilt_y),
            mix(self.time, other.time),
        )


@dataclass(frozen=True, eq=False)
class Dab:
    """One application of a brush: where, how large, how strong.

    center: (3,) float64, mm. view: (3,) float64, unit toward the viewer, or zeros. radius: mm.
    strength: 0 to 1, pressure included. sign: -1 where inverted, else 1.
    travel: (3,) float64, unit, the way the stroke goes; zeros at its first dab.
    displacement: (3,) float64, mm, from the stroke's first sample; only for brushes that work from it.
    step: (3,) float64, mm, from the dab before; zeros at the first.
    origin: (3,) float64, mm, where the stroke began. source: (3,) float64, mm, where Clone takes its colour from.
    up: (3,) float64, unit, the figurine's up, along which a stamp stands. handed: -1 in a mirror, else 1.
    angle: radians by which a stamp is turned. alone: everything that the stroke did before is taken back first.
    """

    center: np.ndarray
    view: np.ndarray
    radius: float
    strength: float
    sign: float
    travel: np.ndarray
    displacement: np.ndarray
    settings: BrushSettings
    step: np.ndarray = field(default_factory=_nowhere)
    origin: np.ndarray = field(default_factory=_nowhere)
    source: np.ndarray | None = None
    up: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))
    handed: float = 1.0
    angle: float = 0.0
    alone: bool = False

    @property
    def height(self) -> float:
        """mm that a dab adds, so that a straight stroke adds up to strength * radius / 2 whatever the spacing.

        Dabs `spacing` radii apart overlap; the smooth falloff sums to 1 / spacing on their line. Negative if inverted.
        """
        return self.sign * self.strength * self.radius * min(self.settings.spacing, 1.0) * _STROKE_HEIGHT

    @property
    def rate(self) -> float:
        """Part of the way to a goal that a dab goes, 0 to 1, so that a stroke goes as far whatever the spacing."""
        return self.strength * min(self.settings.spacing, 1.0)

    def parameter(self, name: str) -> float:
        """One of the brush's own parameters."""
        return self.settings.parameters[name]

    def images(self) -> list[Dab]:
        """This dab and its mirror images."""
        symmetry = self.settings.symmetry
        if symmetry.count == 1:
            return [self]
        points = {name: symmetry.points(getattr(self, name)) for name in ("center", "origin")}
        if self.source is not None:
            points["source"] = symmetry.points(self.source)
        vectors = {name: symmetry.vectors(getattr(self, name)) for name in _VECTORS}
        images = {**points, **vectors, "handed": symmetry.handed()}
        return [replace(self, **{name: image[i] for name, image in images.items()}) for i in range(symmetry.count)]


def dab_at(sample: Sample, settings: BrushSettings, travel: np.ndarray, anchor: np.ndarray | None = None) -> Dab:
    """The dab that a sample asks for. With an anchor, (3,) mm, it stays there and the sample gives the displacement."""
    pressure = min(max(sample.pressure, 0.0), 1.0)
    center = np.array(sample.point if anchor is None else anchor, np.float64)
    return Dab(
        center=center,
        view=np.array(sample.view, np.float64),
        radius=settings.radius_mm * (max(pressure, _SMALLEST_TIP) if settings.pressure_size else 1.0),
        strength=settings.strength * (pressure if settings.pressure_strength else 1.0),
        sign=-1.0 if settings.invert else 1.0,
        travel=travel,
        displacement=np.asarray(sample.point, np.float64) - center,
        settings=settings,
        source=None if settings.source is None else np.array(settings.source, np.float64),
    )


class Stabiliser:
    """Lazy mouse: the brush is pulled behind the pen on a rope and moves only while the rope is taut."""

    def __init__(self, rope_mm: float) -> None:
        self._rope = rope_mm
        self._last: Sample | None = None
        self._tip: Sample | None = None
        self._due = rope_mm / _STEPS_PER_ROPE  # path length until the next step

    @classmethod
    def of(cls, settings: BrushSettings) -> Stabiliser:
        return cls(settings.stabiliser * _ROPE_RADII * settings.radius_mm)

    def add(self, sample: Sample) -> Iterator[Sample]:
        """Samples of the steadied path, none while the rope is slack. The first sample comes through at once."""
        last, self._last = self._last, sample
        if self._rope <= 0 or last is None or self._tip is None:
            self._tip = sample
            yield sample
            return
        length = float(np.linalg.norm(sample.point - last.point))
        along = self._due
        for _ in range(_STEPS_PER_SAMPLE):
            if along > length:
                break
            hand = last.toward(sample, along / length)
            slack = float(np.linalg.norm(hand.point - self._tip.point))
            if slack > self._rope * _TAUT:
                pulled = self._tip.point + (hand.point - self._tip.point) * (1.0 - self._rope / slack)
                self._tip = replace(hand, point=pulled)
                yield self._tip
            along += self._rope / _STEPS_PER_ROPE
        self._due = max(along - length, 0.0)


class Spacer:
    """Places samples at even distances along the path of the samples it is given."""

    def __init__(self, step_mm: Callable[[Sample], float]) -> None:
        """step_mm: distance from a dab at this sample to the next."""
        self._step_mm = step_mm
        self._last: Sample | None = None
        self._due = 0.0  # path length until the next dab

    @classmethod
    def of(cls, settings: BrushSettings) -> Spacer:
        nowhere = np.zeros(3)
        return cls(lambda sample: settings.spacing * dab_at(sample, settings, nowhere).radius)

    def add(self, sample: Sample) -> Iterator[tuple[Sample, np.ndarray]]:
        """Where dabs are due, each with the (3,) unit direction of travel; zeros for the very first."""
        last, self._last = self._last, sample
        if last is None:
            self._due = self._step_mm(sample)
            yield sample, np.zeros(3)
            return
        path = np.asarray(sample.point, np.float64) - last.point
        length = float(np.linalg.norm(path))
        along = self._due
        while along <= length and length > 0:
            due = last.toward(sample, along / length)
            along += self._step_mm(due)
            yield due, path / length
        self._due = along - length
