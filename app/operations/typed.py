"""Operations as text, for the command line: `thicken:minimum=1.2`, and the list of what there is to type.

What does not live here: what operations and their values may be (`operation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import InvalidInput
from app.operations.operation import GROUPS, Choice, Integer, Number, Operation, Parameter, Toggle, operations
from app.operations.running import find

_YES, _NO = ("yes", "true", "on", "1"), ("no", "false", "off", "0")
_FORM = "Write it like thicken:minimum=1.2 or mirror:axis=x,half=left"


@dataclass(frozen=True)
class Wish:
    """An operation that is to be run. values: those that were given, checked."""

    operation: str
    values: Mapping[str, Any] = field(default_factory=dict)


def parsed(text: str) -> Wish:
    """ID, or ID:NAME=VALUE,NAME=VALUE. Raises InvalidInput for unknown names and for values that are not taken."""
    name, _, rest = text.partition(":")
    operation = find(name.strip())
    known = {parameter.id: parameter for parameter in operation.parameters}
    values: dict[str, Any] = {}
    for pair in filter(None, (pair.strip() for pair in rest.split(","))):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            raise InvalidInput(f'"{pair}" in "{text}" has no value', "", _FORM)
        values[key] = _value(known[key], value) if key in known else value
    checked = operation.check(values)
    return Wish(operation.id, {key: checked[key] for key in values})


def _value(parameter: Parameter, text: str) -> Any:
    """The text as what the parameter takes, or as it is where that is not possible: its check says what is wrong."""
    word = text.lower()
    if isinstance(parameter, Toggle):
        return True if word in _YES else False if word in _NO else text
    if isinstance(parameter, Choice):
        return text
    try:
        return int(text) if isinstance(parameter, Integer) else float(text)
    except ValueError:
        return text


def described() -> list[dict[str, Any]]:
    """All operations for machines: id, label, group, tooltip, and parameters with id, label, kind ("number",
    "integer", "choice" or "toggle"), default, tooltip, and unit, minimum, maximum or choices.
    """
    return [
        {
            "id": each.id,
            "label": each.label,
            "group": each.group,
            "tooltip": each.tooltip,
            "parameters": [_described(parameter) for parameter in each.parameters],
        }
        for each in operations().values()
    ]


def _described(parameter: Parameter) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": parameter.id,
        "label": parameter.label,
        "kind": type(parameter).__name__.lower(),
        "default": parameter.default,
        "tooltip": parameter.tooltip,
    }
    if isinstance(parameter, Number | Integer):
        row |= {"unit": parameter.unit, "minimum": parameter.minimum, "maximum": parameter.maximum}
    elif isinstance(parameter, Choice):
        row["choices"] = [{"value": value, "label": label} for value, label in parameter.choices]
    return row


def lines() -> list[str]:
    """All operations for people, by group."""
    told: list[str] = []
    for group in GROUPS:
        told += [group, *(line for each in operations().values() if each.group == group for line in _lines(each)), ""]
    return [*told, _FORM + "."]


def _lines(operation: Operation) -> list[str]:
    rows = [f"      {each.id}={_taken(each)}: {each.tooltip}." for each in operation.parameters]
    return [f"  {operation.id}: {operation.tooltip}.", *rows]


def _taken(parameter: Parameter) -> str:
    if isinstance(parameter, Toggle):
        return f"yes|no (default {'yes' if parameter.default else 'no'})"
    if isinstance(parameter, Choice):
        return f"{'|'.join(value for value, _ in parameter.choices)} (default {parameter.default})"
    unit = f" {parameter.unit}" if parameter.unit else ""
    # What suits the model is worked out when it is there.
    default = "by the model" if parameter.suggest is not None else f"{_plain(parameter.default)}{unit}"
    return f"{_plain(parameter.minimum)} to {_plain(parameter.maximum)}{unit} (default {default})"


def _plain(value: float) -> str:
    """A number as it may be typed: without separators."""
    return f"{value:.10g}"
