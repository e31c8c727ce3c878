"""The stroke, top to bottom: press to release, one undo step.

    samples -> stabiliser -> spacer -> dabs (x symmetry)
      -> chunk query -> region (vertices in reach) -> factors
        -> history captures old values on first touch -> the brush returns a delta toward its goal
          -> write base + delta x factor -> mesh.touched

Normals follow once per frame (`mesh.refresh`), not here, unless the brush declares that it needs them fresh.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace

import numpy as np

from app.errors import LikenessError
from app.mesh.jit import prange, scaling_kernel
from app.mesh.mesh import Mesh
from app.sculpt.automask import Protection
from app.sculpt.brush import Brush, BrushFunction
from app.sculpt.dabs import Dab, Sample
from app.sculpt.history import History
from app.sculpt.methods import stroke_dabs
from app.sculpt.recorder import Recorder
from app.sculpt.region import WHOLE, Area, Region, RegionFinder
from app.sculpt.settings import BrushSettings
from app.sculpt.smoothing import smoothing_passes, toward_ring_mean

__all__ = ["Sample", "StrokeInHand", "StrokeSurface"]

# Values an attribute may take. A kilometre either way is nonsense for a figurine, but finite.
_RANGES = {
    "positions": (np.float32(-1e6), np.float32(1e6)),
    "colors": (np.float32(0), np.float32(1)),
    "mask": (np.float32(0), np.float32(1)),
    "face_sets": (np.float32(0), np.float32(1 << 24)),
    "hidden": (np.float32(0), np.float32(1)),
}
_WHOLE_FROM = 0.5  # the factor at which a vertex takes the goal of one of WHOLE


_AGAIN = Sample(np.zeros(3), np.zeros(3))
_NOWHERE = Area(np.zeros(3), np.zeros(3))


class StrokeInHand:
    """A stroke that has begun: feed it samples, then finish or cancel it.

    Once finished: touched, whether any vertex was within its reach; changed, whether it changed any.
    Raises LikenessError if the mesh lacks what the brush edits.
    """

    def __init__(self, mesh: Mesh, history: History, brush: Brush, settings: BrushSettings) -> None:
        if brush.attribute == "colors" and mesh.colors is None:
            what = "keeps its colour in a texture" if mesh.has_texture else "has no colours on its vertices"
            advice = "Move the texture's colour onto the vertices first" if mesh.has_texture else "Add vertex colours"
            raise LikenessError(f"{brush.label} paints on vertices, and this model {what}", advice=advice)
        self.touched = self.changed = False
        self._stroke = self._run(mesh, history, brush, settings)
        next(self._stroke)

    def add(self, sample: Sample) -> None:
        """Apply the dabs that this sample brings. One with a number that is not finite is ignored."""
        if sample.is_finite():
            self._stroke.send(sample)

    def again(self) -> None:
        """Take back all that the stroke did so far and go on as if it had just begun: a line or curve is drawn anew."""
        self._stroke.send(_AGAIN)

    def finish(self) -> bool:
        """End the stroke. Returns whether it changed anything, and so made an undo step."""
        with suppress(StopIteration):
            self._stroke.send(None)
        return self.changed

    def cancel(self) -> None:
        """Take the stroke back to the bit."""
        self._stroke.close()

    def _run(
        self, mesh: Mesh, history: History, brush: Brush, settings: BrushSettings
    ) -> Generator[None, Sample | None, None]:
        with history.record(brush.label) as recorder:
            surface = StrokeSurface(mesh, recorder, brush, settings)
            dabs = stroke_dabs(settings, holds=brush.from_stroke_start, pulls=brush.pulls)
            while (sample := (yield)) is not None:
                if sample is _AGAIN:
                    surface.take_back()
                    dabs = stroke_dabs(settings, holds=brush.from_stroke_start, pulls=brush.pulls)
                    continue
                for dab in dabs(sample):
                    surface.apply(dab)
        self.touched, self.changed = recorder.touched, recorder.changed


class StrokeSurface:
    """The surface under one stroke's dabs, and what is carried from dab to dab. Lives inside `history.record`."""

    def __init__(self, mesh: Mesh, recorder: Recorder, brush: Brush, settings: BrushSettings) -> None:
        self._mesh, self._recorder, self._brush, self._settings = mesh, recorder, brush, settings
        self._finder = RegionFinder.of(mesh, settings.symmetry.count)
        self._table = settings.falloff.table(settings.hardness)
        values = mesh.attribute(brush.attribute)
        self._values = values if values.ndim == 2 else values.reshape(-1, 1)
        self._start = recorder.start(brush.attribute)
        self._protection = Protection(mesh, settings.automask)
        self._regions: list[Region] | None = None
        self._begun: dict[int, Area] = {}

    def take_back(self) -> None:
        """As at the start of the stroke, normals included."""
        self._recorder.roll_back()
        self._mesh.refresh()
        self._regions = None
        self._begun.clear()

    def apply(self, dab: Dab) -> None:
        """One dab and its mirror images, which all see the mesh as it was before any of them."""
        if dab.alone:
            self.take_back()
        if self._brush.fresh_normals:
            self._mesh.refresh()
        images = dab.images()
        regions = self._regions_under(images)
        attribute = self._brush.attribute
        for function, strength in self._passes(dab.strength):
            pairs = [(region, replace(image, strength=strength)) for region, image in zip(regions, images, strict=True)]
            # Where two images share a whole goal it must be reached once: the second sees what the first did.
            for group in [[pair] for pair in pairs] if attribute in WHOLE else [pairs]:
                deltas = [function(self._mesh, region, image) for region, image in group]
                for (region, _), delta in zip(group, deltas, strict=True):
                    if attribute in WHOLE:
                        region.factors[:] = region.factors >= _WHOLE_FROM
                    _write(region.vertices, region.factors, delta, self._values, *_RANGES[attribute])
        for region in regions:
            self._mesh.touched(attribute, region.vertices)

    def _regions_under(self, images: list[Dab]) -> list[Region]:
        """The regions of these dabs, captured; for brushes that work from the stroke's start, those of the first dab,
        put back to that start."""
        attribute = self._brush.attribute
        if self._regions is None or not self._brush.from_stroke_start:
            self._regions = self._finder.find(images, self._table, attribute, self._protection)
            for index, (region, image) in enumerate(zip(self._regions, images, strict=True)):
                self._recorder.capture(attribute, region.vertices)
                region.start = self._start
                region.saved_at, region.saving = self._recorder.saved(attribute)
                if self._brush.start_normals:
                    region.start_normals = self._recorder.start_normals(region.vertices)
                if index not in self._begun and len(region.vertices):
                    self._begun[index] = region.area(self._mesh, image)
                region.begun = self._begun.get(index, _NOWHERE)
        else:
            for region in self._regions:
                self._recorder.restore(attribute, region.vertices)
        return self._regions

    def _passes(self, strength: float) -> list[tuple[BrushFunction, float]]:
        """What one dab runs: the brush, then the smoothing that follows it."""
        passes = [(self._brush.function, part) for part in self._brush.passes(strength)]
        if self._brush.attribute == "positions":
            passes += [(_smooth, part) for part in smoothing_passes(self._settings.auto_smooth)]
        return passes


def _smooth(mesh: Mesh, region: Region, dab: Dab) -> np.ndarray:
    return toward_ring_mean(mesh, region, mesh.positions, dab.strength)


@scaling_kernel
def _write(vertices, factors, delta, values, low, high):
    """values += delta * factor, kept in its range. A sum that is not a number leaves the value as it was."""
    for i in prange(len(vertices)):
        v = np.uint32(vertices[i])
        for k in range(values.shape[1]):
            value = values[v, k] + delta[i, k] * factors[i]
            if value == value:
                values[v, k] = min(max(value, low), high)
