"""What an operation is: a declaration and one function that makes a new mesh.

Adding an operation is adding a file to this folder with one decorated function. The dialog's form, the menu entry, the
command line and the contract tests are made from the declaration; no other file lists operation ids.

    @operation(
        id="smooth_surface", label="Smooth surface", group="Density", tooltip="Evens out ... .",
        parameters=(Number("strength", "Strength", "%", 0.0, 100.0, 50.0, "How much ... ."),),
    )
    def smooth_surface(mesh: Mesh, progress: Progress, *, strength: float) -> Mesh | Result: ...

The function never changes its input and shares with it only what brushes cannot write (triangles, topology, texture
coordinates). It reports progress often: the callable raises Cancelled when the user wants no more. The same input gives
the same bits. Lengths are millimetres. What it cannot do it says by InvalidInput.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from app.errors import InvalidInput
from app.formats.registry import Progress, no_progress
from app.mesh.mesh import Mesh

GROUPS = ("Clean", "Density", "Shape", "Print")

__all__ = [
    "GROUPS",
    "Choice",
    "Integer",
    "Number",
    "Operation",
    "Parameter",
    "Progress",
    "Result",
    "Toggle",
    "no_progress",
    "operation",
    "operations",
    "part_of",
]


@dataclass(frozen=True)
class Number:
    """A measure. unit: "mm", "%", "°" or nothing. suggest: a better default for the mesh in hand."""

    id: str
    label: str
    unit: str
    minimum: float
    maximum: float
    default: float
    tooltip: str
    suggest: Callable[[Mesh], float] | None = None

    def checked(self, value: Any) -> float:
        """The value as a float. Raises InvalidInput where it is no number or outside the limits."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InvalidInput(f"{self.label}: {value!r} is not a number", "", _range(self))
        if not self.minimum <= value <= self.maximum:
            raise InvalidInput(f"{self.label} cannot be {value:,g}{_space(self.unit)}", "", _range(self))
        return float(value)


@dataclass(frozen=True)
class Integer:
    """A count. profile_field: the printer profile's key that gives the default where it is not zero."""

    id: str
    label: str
    unit: str
    minimum: int
    maximum: int
    default: int
    tooltip: str
    suggest: Callable[[Mesh], int] | None = None
    profile_field: str = ""

    def checked(self, value: Any) -> int:
        """The value as an int. Raises InvalidInput where it is no whole number or outside the limits."""
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise InvalidInput(f"{self.label}: {value!r} is not a whole number", "", _range(self))
        if not self.minimum <= value <= self.maximum:
            raise InvalidInput(f"{self.label} cannot be {value:,g}{_space(self.unit)}", "", _range(self))
        return int(value)


@dataclass(frozen=True)
class Choice:
    """One of several. choices: (value, label) pairs."""

    id: str
    label: str
    choices: tuple[tuple[str, str], ...]
    default: str
    tooltip: str

    def checked(self, value: Any) -> str:
        """The value. Raises InvalidInput where it is none of the choices."""
        known = [name for name, _ in self.choices]
        if value not in known:
            raise InvalidInput(f"{self.label}: there is no {value!r}", "", f"Choose one of {', '.join(known)}")
        return str(value)


@dataclass(frozen=True)
class Toggle:
    """Yes or no."""

    id: str
    label: str
    default: bool
    tooltip: str

    def checked(self, value: Any) -> bool:
        """The value. Raises InvalidInput where it is neither True nor False."""
        if not isinstance(value, bool):
            raise InvalidInput(f"{self.label}: {value!r} is neither yes nor no", "", "Give true or false")
        return value


Parameter = Number | Integer | Choice | Toggle


@dataclass(frozen=True, eq=False)
class Result:
    """What an operation made. notes: what the user should know of, one sentence each."""

    mesh: Mesh
    notes: list[str] = field(default_factory=list)


OperationFunction = Callable[..., Mesh | Result]


@dataclass(frozen=True, eq=False)
class Operation:
    """The declaration of an operation.

    group: one of GROUPS, the menu's section. tooltip: one sentence. precondition: why it cannot run on a mesh, as one
    sentence that says what to do, or None when it can. safe: part of "Clean up". order: place in the menu, and in
    "Clean up" the order of running.
    """

    id: str
    label: str
    group: str
    tooltip: str
    function: OperationFunction
    parameters: tuple[Parameter, ...] = ()
    precondition: Callable[[Mesh], str | None] | None = None
    safe: bool = False
    order: int = 100

    def defaults(self, mesh: Mesh | None = None) -> dict[str, Any]:
        """Values before a user changes them; with a mesh, those that suit it."""
        values: dict[str, Any] = {}
        for parameter in self.parameters:
            value: Any = parameter.default
            if mesh is not None and isinstance(parameter, Number | Integer) and parameter.suggest is not None:
                value = min(max(parameter.suggest(mesh), parameter.minimum), parameter.maximum)
            values[parameter.id] = parameter.checked(value)
        return values

    def check(self, values: Mapping[str, Any], mesh: Mesh | None = None) -> dict[str, Any]:
        """All values, checked; those not given are defaults. Raises InvalidInput for unknown names and wrong values."""
        known = {parameter.id: parameter for parameter in self.parameters}
        unknown = sorted(set(values) - set(known))
        if unknown:
            advice = f"Known are {', '.join(known)}" if known else "It takes none"
            raise InvalidInput(f'{self.label} has no parameter "{unknown[0]}"', "", advice)
        return self.defaults(mesh) | {name: known[name].checked(value) for name, value in values.items()}

    def reason_against(self, mesh: Mesh) -> str | None:
        """Why it cannot run on this mesh now, or None."""
        if not mesh.triangle_count:
            return "There is no surface to work on. Open a model first."
        return None if self.precondition is None else self.precondition(mesh)


_registered: dict[str, Operation] = {}


def operation(
    *,
    id: str,  # noqa: A002 - reads as the declaration it is
    label: str,
    group: str,
    tooltip: str,
    parameters: tuple[Parameter, ...] = (),
    precondition: Callable[[Mesh], str | None] | None = None,
    safe: bool = False,
    order: int = 100,
) -> Callable[[OperationFunction], OperationFunction]:
    """Declare an operation. See `Operation` for the arguments."""

    def declare(function: OperationFunction) -> OperationFunction:
        _registered[id] = Operation(id, label, group, tooltip, function, parameters, precondition, safe, order)
        return function

    return declare


@cache
def operations() -> dict[str, Operation]:
    """All operations by id, in menu order."""
    package = importlib.import_module("app.operations")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"app.operations.{module.name}")
    return dict(sorted(_registered.items(), key=lambda item: (GROUPS.index(item[1].group), item[1].order, item[0])))


def part_of(progress: Progress, start: float, stop: float) -> Progress:
    """A progress whose 0 to 1 is start to stop of another: for the steps of an operation."""
    return lambda fraction, doing: progress(start + (stop - start) * fraction, doing)


def _range(parameter: Number | Integer) -> str:
    return f"Give a value from {parameter.minimum:,g} to {parameter.maximum:,g}{_space(parameter.unit)}"


def _space(unit: str) -> str:
    return f" {unit}" if unit else ""
