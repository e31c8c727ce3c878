"""What the options panel sets for a brush; frozen when a stroke starts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.errors import InvalidInput
from app.sculpt.alpha import Alpha
from app.sculpt.automask import Automask
from app.sculpt.falloff import Falloff
from app.sculpt.symmetry import Symmetry

SPACING_MINIMUM = 0.01
# Beyond these, the square of a radius or its inverse is no float32: kernels would look up places that do not exist.
_RADIUS_RANGE_MM = (1e-15, 1e16)
_UNIT_RANGE = ("strength", "hardness", "auto_smooth", "stabiliser", "jitter", "alpha_random")
METHODS = ("space", "dots", "airbrush", "anchored", "line", "curve")


@dataclass(frozen=True)
class BrushSettings:
    """Settings of one brush.

    radius_mm: reach on the surface, mm. strength: 0 to 1, scales the brush's goal.
    falloff, hardness: influence over distance; hardness 0 to 1 is the part of the radius that is flat.
    spacing: distance between dabs as a part of the radius. auto_smooth: 0 to 1, smoothing after each dab.
    front_faces_only: leave alone what faces away from the viewer. invert: the brush's opposite.
    pressure_size, pressure_strength: pen pressure scales radius, strength.
    stabiliser: 0 to 1; the brush trails the pen on a rope of up to two radii.
    method: how the stroke makes dabs, one of METHODS. jitter: 0 to 1, how far dabs stray, as a part of the radius.
    alpha: a stamp that multiplies the factors. alpha_angle: degrees. alpha_random: 0 to 1, how much of a full turn each
    dab is turned by at random. alpha_rake: the stamp's top follows the stroke.
    automask: protection that is computed. source: mm, where Clone takes its colour from.
    color: sRGB, 0 to 1, what Paint paints. symmetry: mirrored dabs. parameters: the brush's own, by id.
    Raises InvalidInput for a number that is out of range or not finite.
    """

    radius_mm: float = 5.0
    strength: float = 0.5
    falloff: Falloff = field(default_factory=Falloff)
    hardness: float = 0.0
    spacing: float = 0.2
    auto_smooth: float = 0.0
    front_faces_only: bool = False
    invert: bool = False
    pressure_size: bool = False
    pressure_strength: bool = False
    stabiliser: float = 0.0
    method: str = "space"
    jitter: float = 0.0
    alpha: Alpha | None = None
    alpha_angle: float = 0.0
    alpha_random: float = 0.0
    alpha_rake: bool = False
    automask: Automask = field(default_factory=Automask)
    source: tuple[float, float, float] | None = None
    color: tuple[float, float, float] = (0.8, 0.3, 0.25)
    symmetry: Symmetry = field(default_factory=Symmetry)
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _RADIUS_RANGE_MM[0] <= self.radius_mm <= _RADIUS_RANGE_MM[1]:
            raise InvalidInput(f"a brush radius of {self.radius_mm:g} mm is not possible", advice="Give more than 0 mm")
        if not (math.isfinite(self.spacing) and self.spacing >= SPACING_MINIMUM):
            raise InvalidInput(f"spacing is {self.spacing}", advice=f"Give {SPACING_MINIMUM} or more")
        for name in _UNIT_RANGE:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InvalidInput(f"{name} is {getattr(self, name)}", advice="Give a number from 0 to 1")
        if len(self.color) != 3 or not all(0.0 <= part <= 1.0 for part in self.color):
            raise InvalidInput("the colour is not red, green and blue from 0 to 1", advice="Choose another colour")
        if self.method not in METHODS:
            raise InvalidInput(f'there is no stroke method "{self.method}"', advice=f"Use one of {', '.join(METHODS)}")
        numbers = (*self.symmetry.origin, *self.parameters.values(), self.alpha_angle, *(self.source or ()))
        if not all(math.isfinite(part) for part in numbers):
            raise InvalidInput("a brush setting is not a finite number", advice="Give a finite number")
