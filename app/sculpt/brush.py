"""What a brush is: a declaration and one function that returns a delta toward its goal.

Adding a brush is adding a file to `app/tools/` with one decorated function. The palette, the options panel, the
shortcuts and the help are made from the declaration; no other file lists brush ids.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from app.mesh.mesh import Mesh
from app.sculpt.alphas import load_alpha
from app.sculpt.dabs import Dab
from app.sculpt.falloff import Falloff
from app.sculpt.region import Region
from app.sculpt.settings import BrushSettings

# mesh, region, dab -> (k, 3) float32 (or (k, 1) for the mask): the wanted change of the k vertices of the region at
# factor 1. A brush reads the mesh and never writes to it; `region.delta` is there to be filled and returned.
BrushFunction = Callable[[Mesh, Region, Dab], np.ndarray]

# Groups of the palette, and the `order` from which on brushes belong to each.
_GROUPS = (
    (0, "Shape"),
    (50, "Clay and Planes"),
    (80, "Move"),
    (110, "Smooth"),
    (140, "Detail"),
    (170, "Colour"),
    (200, "Mask and Sets"),
)


@dataclass(frozen=True)
class Parameter:
    """A number of a brush's own, shown in the options panel. unit: "mm", "%", or nothing."""

    id: str
    label: str
    unit: str
    minimum: float
    maximum: float
    default: float
    tooltip: str


def _one_pass(strength: float) -> list[float]:
    return [strength]


@dataclass(frozen=True)
class Brush:
    """The declaration of a brush.

    attribute: what it edits, one of `app.mesh.mesh.ATTRIBUTES`.
    from_stroke_start: every dab starts again from the values at the start of the stroke, over the region of the first.
    pulls: a dab takes hold of the surface where the one before let go, and follows the pointer off the surface.
    start_normals: wants `region.start_normals`.
    fresh_normals: needs the normals of the dab before, not of the last frame.
    passes: strength -> strengths of the runs of `function` that make one dab.
    strength, spacing, falloff, auto_smooth, method, alpha, alpha_random: defaults; alpha by its id.
    invert_label: what Ctrl turns it into; empty for nothing.
    takes_color: wants `settings.color`, which the user chooses.
    takes_source: wants `settings.source`, a place on the model that is picked first.
    order: place in the palette, and so the group.
    """

    id: str
    label: str
    shortcut: str
    tooltip: str
    function: BrushFunction
    invert_label: str = ""
    attribute: str = "positions"
    from_stroke_start: bool = False
    pulls: bool = False
    start_normals: bool = False
    fresh_normals: bool = False
    passes: Callable[[float], Sequence[float]] = _one_pass
    strength: float = 0.5
    spacing: float = 0.2
    falloff: str = "smooth"
    auto_smooth: float = 0.0
    method: str = "space"
    alpha: str = ""
    alpha_random: float = 0.0
    parameters: tuple[Parameter, ...] = ()
    takes_color: bool = False
    takes_source: bool = False
    order: int = 100

    @property
    def group(self) -> str:
        """The heading under which the palette shows it."""
        return next(name for start, name in reversed(_GROUPS) if self.order >= start)

    @property
    def with_ctrl(self) -> str:
        """What Ctrl turns it into or does, in a word or two; empty for nothing."""
        return "Pick the Source" if self.takes_source else self.invert_label

    @property
    def drags(self) -> bool:
        """Whether the stroke follows the pointer in a plane parallel to the screen, and not on the surface."""
        return self.from_stroke_start or self.pulls

    @property
    def icon(self) -> str:
        """File name of the icon without its suffix."""
        return self.id

    def defaults(self) -> BrushSettings:
        """Settings as they are before a user changes them."""
        return BrushSettings(
            strength=self.strength,
            spacing=self.spacing,
            falloff=Falloff(self.falloff),
            auto_smooth=self.auto_smooth,
            method=self.method,
            alpha=load_alpha(self.alpha) if self.alpha else None,
            alpha_random=self.alpha_random,
            parameters={parameter.id: parameter.default for parameter in self.parameters},
        )


_registered: dict[str, Brush] = {}


def brush(
    *,
    label: str,
    shortcut: str,
    tooltip: str,
    invert_label: str = "",
    attribute: str = "positions",
    from_stroke_start: bool = False,
    pulls: bool = False,
    start_normals: bool = False,
    fresh_normals: bool = False,
    passes: Callable[[float], Sequence[float]] = _one_pass,
    strength: float = 0.5,
    spacing: float = 0.2,
    falloff: str = "smooth",
    auto_smooth: float = 0.0,
    method: str = "space",
    alpha: str = "",
    alpha_random: float = 0.0,
    parameters: tuple[Parameter, ...] = (),
    takes_color: bool = False,
    takes_source: bool = False,
    order: int = 100,
) -> Callable[[BrushFunction], BrushFunction]:
    """Declare a brush; its id is the function's name. See `Brush` for the arguments."""

    def declare(function: BrushFunction) -> BrushFunction:
        name = function.__name__
        _registered[name] = Brush(
            id=name,
            label=label,
            shortcut=shortcut,
            tooltip=tooltip,
            function=function,
            invert_label=invert_label,
            attribute=attribute,
            from_stroke_start=from_stroke_start,
            pulls=pulls,
            start_normals=start_normals,
            fresh_normals=fresh_normals,
            passes=passes,
            strength=strength,
            spacing=spacing,
            falloff=falloff,
            auto_smooth=auto_smooth,
            method=method,
            alpha=alpha,
            alpha_random=alpha_random,
            parameters=parameters,
            takes_color=takes_color,
            takes_source=takes_source,
            order=order,
        )
        return function

    return declare


@cache
def brushes() -> dict[str, Brush]:
    """All brushes by id, in palette order."""
    package = importlib.import_module("app.tools")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"app.tools.{module.name}")
    return dict(sorted(_registered.items(), key=lambda item: (item[1].order, item[0])))


def grouped() -> dict[str, list[Brush]]:
    """All brushes by group, both in palette order."""
    groups: dict[str, list[Brush]] = {}
    for each in brushes().values():
        groups.setdefault(each.group, []).append(each)
    return groups
