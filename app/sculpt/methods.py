"""Stroke methods: how the samples of a stroke become dabs.

    space      at even distances along the steadied path
    dots       one at every sample
    airbrush   at even times while the pen is down, also where it rests
    anchored   one dab, dragged out from where the pen went down: the drag gives radius and angle
    line       as space, along the straight way from press to release
    curve      as space, along a curve through points that are set one after the other

For a line and a curve the window draws the path anew with every movement and starts the stroke again
(`StrokeInHand.again`); here they are the same as space. Brushes that hold on to the surface have a method of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from app.sculpt.dabs import Dab, Sample, Spacer, Stabiliser, dab_at
from app.sculpt.settings import BrushSettings

# A jump across the scene must not freeze the program.
DABS_PER_SAMPLE = 10_000
_AIRBRUSH_SECONDS = 0.02
_MASK = (1 << 64) - 1

Dabs = Callable[[Sample], Iterator[Dab]]


def stroke_dabs(settings: BrushSettings, *, holds: bool = False, pulls: bool = False) -> Dabs:
    """What makes dabs of the samples of one stroke. At most DABS_PER_SAMPLE for each sample.

    holds: every dab stays at the first sample and carries the displacement from it. pulls: a dab takes hold where the
    one before let go.
    """
    if holds:
        return _held(settings)
    placed = _placed(settings, "space" if pulls else settings.method)
    finished = _finished(settings, pulls)
    return lambda sample: islice((finished(dab) for dab in placed(sample)), DABS_PER_SAMPLE)


def _placed(settings: BrushSettings, method: str) -> Dabs:
    if method == "anchored":
        return _anchored(settings)
    stabiliser = Stabiliser.of(settings)
    if method == "dots":
        return _dots(settings, stabiliser)
    if method == "airbrush":
        return _airbrush(settings, stabiliser)
    spacer = Spacer.of(settings)

    def dabs(sample: Sample) -> Iterator[Dab]:
        for steady in stabiliser.add(sample):
            for place, travel in spacer.add(steady):
                yield dab_at(place, settings, travel)

    return dabs


def _dots(settings: BrushSettings, stabiliser: Stabiliser) -> Dabs:
    last: Sample | None = None

    def dabs(sample: Sample) -> Iterator[Dab]:
        nonlocal last
        for steady in stabiliser.add(sample):
            yield dab_at(steady, settings, _way(last, steady))
            last = steady

    return dabs


def _airbrush(settings: BrushSettings, stabiliser: Stabiliser) -> Dabs:
    last: Sample | None = None
    due = -math.inf

    def dabs(sample: Sample) -> Iterator[Dab]:
        nonlocal last, due
        steadied = list(stabiliser.add(sample))
        # On a slack rope the brush rests, and sprays where it is.
        for steady in steadied or ([replace(last, time=sample.time)] if last is not None else []):
            before, last = last, steady
            due = steady.time if before is None else due
            while due <= steady.time:
                span = 0.0 if before is None else steady.time - before.time
                place = steady if before is None or span <= 0 else before.toward(steady, 1 - (steady.time - due) / span)
                yield dab_at(place, settings, _way(before, steady))
                due += _AIRBRUSH_SECONDS

    return dabs


def _anchored(settings: BrushSettings) -> Dabs:
    first: Sample | None = None
    alone = replace(settings, spacing=1.0)  # does at once what a stroke's overlapping dabs add up to

    def dabs(sample: Sample) -> Iterator[Dab]:
        nonlocal first
        if first is None:
            first = sample
        drag = np.asarray(sample.point, np.float64) - first.point
        length = float(np.linalg.norm(drag))
        dab = dab_at(first, alone, _way(first, sample))
        yield replace(dab, radius=length if length > 0 else dab.radius, alone=True)

    return dabs


def _held(settings: BrushSettings) -> Dabs:
    anchor: np.ndarray | None = None

    def dabs(sample: Sample) -> Iterator[Dab]:
        nonlocal anchor
        if anchor is None:
            anchor = np.array(sample.point, np.float64)
        yield replace(dab_at(sample, settings, np.zeros(3), anchor), origin=anchor)

    return dabs


def _way(start: Sample | None, end: Sample) -> np.ndarray:
    """(3,) unit direction from one sample to another; zeros where there is none."""
    if start is None:
        return np.zeros(3)
    way = np.asarray(end.point, np.float64) - start.point
    length = float(np.linalg.norm(way))
    return way / length if length > 0 else np.zeros(3)


def _finished(settings: BrushSettings, pulls: bool) -> Callable[[Dab], Dab]:
    """What a dab has from its place in the stroke: the way from the one before, jitter, the turn of the stamp."""
    first: Dab | None = None
    last: Dab | None = None
    number = 0

    def finish(dab: Dab) -> Dab:
        nonlocal first, last, number
        first, before = first or dab, last or dab
        last = dab
        step = dab.center - before.center
        center = dab.center - step if pulls else dab.center + _jitter(dab, settings.jitter * dab.radius, number)
        angle = math.radians(settings.alpha_angle + 360.0 * settings.alpha_random * _chance(number, 0))
        number += not dab.alone  # a stamp that is dragged out stays the same one
        return replace(dab, center=center, step=step, origin=first.center, angle=angle)

    return finish


def _jitter(dab: Dab, reach: float, number: int) -> np.ndarray:
    """(3,) mm, square to the view, evenly spread over a disc of radius `reach` mm."""
    if reach <= 0 or not dab.view.any():
        return np.zeros(3)
    side = np.cross(dab.view, (0.0, 0.0, 1.0) if abs(dab.view[2]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    angle, distance = 2 * math.pi * _chance(number, 1), reach * math.sqrt(_chance(number, 2))
    return distance * (math.cos(angle) * side + math.sin(angle) * np.cross(dab.view, side))


def _chance(number: int, stream: int) -> float:
    """A number from 0 to 1 that looks random and is the same each time (SplitMix64: Steele, Lea and Flood 2014)."""
    state = (number * 4 + stream + 1) * 0x9E3779B97F4A7C15 & _MASK
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
    return (state ^ state >> 31) / (1 << 64)
