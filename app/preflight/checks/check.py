"""What a check is, and what it answers.

@check("bow_ties", "Vertices where shells only touch", CHEAP)
def bow_ties(case: Case) -> CheckResult:
    ...
    return failed("3 vertices ...", value=3, where=..., fix="make_manifold")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from app.preflight.checks.case import Case
from app.preflight.profiles import PrinterProfile
from app.preflight.verdict import FAIL, NOTE, PASS

WARN = "warn"
CHEAP, DEAR = "cheap", "dear"
# Enough for a click to show them; a mesh that is wrong everywhere needs no list of it.
_MOST_SHOWN = 200_000


@dataclass(frozen=True, eq=False)
class Where:
    """point_mm: a place to fly to, on what was found. vertices, triangles: (n,) int32 of the mesh, to be shown.

    radius_mm: how large it is there, so that a camera knows how near to go.
    """

    point_mm: tuple[float, float, float]
    radius_mm: float = 0.0
    vertices: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    triangles: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What one check found.

    status: "pass", "warn" or "fail". message: one line for the user. value and limit in `unit` ("mm", "%", "ml", ""
    for a number of things), None where there is no such number. where: None where nothing is wrong or it has no place.
    fix: id of the operation that mends it, "" where none does. id, label, cost: of the check.
    """

    status: str
    message: str
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    where: Where | None = None
    fix: str = ""
    id: str = ""
    label: str = ""
    cost: str = CHEAP


@dataclass(frozen=True)
class Check:
    """id: never changes. label: in lists. cost: CHEAP (at once, while sculpting) or DEAR (when the hand rests).

    needed: whether a model that this check has not looked at may not pass for a printer, because the check could fail.
    """

    id: str
    label: str
    cost: str
    function: Callable[[Case], CheckResult | None]
    needed: Callable[[PrinterProfile], bool]

    def examine(self, case: Case) -> CheckResult | None:
        """Carry it out. None where it says nothing about this mesh and profile."""
        result = self.function(case)
        return None if result is None else replace(result, id=self.id, label=self.label, cost=self.cost)


_checks: dict[str, Check] = {}


def check(
    check_id: str, label: str, cost: str = CHEAP, needed: Callable[[PrinterProfile], bool] = lambda profile: False
) -> Callable[[Callable[[Case], CheckResult | None]], Check]:
    """Declare a check; see the module's docstring."""

    def declare(function: Callable[[Case], CheckResult | None]) -> Check:
        assert check_id not in _checks, check_id
        _checks[check_id] = Check(check_id, label, cost, function, needed)
        return _checks[check_id]

    return declare


def declared() -> list[Check]:
    """All checks whose modules have been imported, in order of declaration."""
    return list(_checks.values())


def result(status: str, message: str, **rest: object) -> CheckResult:
    """A CheckResult; NOTE, the word of the verdict's rows, becomes "warn"."""
    return CheckResult(WARN if status == NOTE else status, message, **rest)  # type: ignore[arg-type]


def passed(message: str, **rest: object) -> CheckResult:
    return result(PASS, message, **rest)


def warned(message: str, **rest: object) -> CheckResult:
    return result(WARN, message, **rest)


def failed(message: str, **rest: object) -> CheckResult:
    return result(FAIL, message, **rest)


def at_vertices(case: Case, vertices: np.ndarray, focus: np.ndarray | None = None) -> Where:
    """Where some vertices are. focus: those of them to fly to, by default all; the nearest to their middle is taken."""
    places = case.mesh.positions[vertices if focus is None else focus].astype(float)
    at = _central(places)
    return Where(_tuple(at), _spread(places, at), vertices=np.asarray(vertices, np.int32)[:_MOST_SHOWN])


def at_triangles(case: Case, triangles: np.ndarray, focus: np.ndarray | None = None) -> Where:
    """Where some triangles are; `focus` as in `at_vertices`."""
    places = case.mesh.positions[case.mesh.triangles[triangles if focus is None else focus]].astype(float).mean(axis=1)
    at = _central(places)
    return Where(_tuple(at), _spread(places, at), triangles=np.asarray(triangles, np.int32)[:_MOST_SHOWN])


def _central(places: np.ndarray) -> np.ndarray:
    # The middle itself may be in the air; the median is not drawn away by one stray place.
    return places[np.argmin(((places - np.median(places, axis=0)) ** 2).sum(axis=1))]


def _spread(places: np.ndarray, at: np.ndarray) -> float:
    """Half of the places lie within this distance."""
    return float(np.median(np.linalg.norm(places - at, axis=1)))


def _tuple(point: np.ndarray) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in point)
    return x, y, z
