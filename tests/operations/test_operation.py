"""Declarations: what a form, a menu and a command line need is there, and wrong values are refused in words."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from app.errors import InvalidInput
from app.operations.operation import Choice, Integer, Number, Operation, Toggle, part_of
from tests.meshes import sphere

NUMBER = Number("edge", "Edge length", "mm", 0.1, 10.0, 1.0, "How long", lambda mesh: 0.25 * float(mesh.size()[2]))
INTEGER = Integer("count", "Count", "", 2, 5000, 10, "How many", profile_field="target_triangles")
CHOICE = Choice("way", "Way", (("up", "Upward"), ("down", "Downward")), "up", "Which way")
TOGGLE = Toggle("deep", "Deep", False, "Whether it goes deep")
EXAMPLE = Operation(
    "example", "Example", "Clean", "Does nothing", lambda mesh, progress: mesh, (NUMBER, INTEGER, CHOICE, TOGGLE)
)


def test_values_not_given_are_defaults_that_suit_the_mesh() -> None:
    assert EXAMPLE.check({}) == {"edge": 1.0, "count": 10, "way": "up", "deep": False}
    ball = sphere(1, 10.0)
    assert EXAMPLE.check({"count": 7.0}, ball) == {"edge": pytest.approx(5.0), "count": 7, "way": "up", "deep": False}
    assert EXAMPLE.defaults(sphere(1, 500.0))["edge"] == 10.0
    assert isinstance(EXAMPLE.check({"count": 7.0})["count"], int)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"edge": 0.05}, "Edge length cannot be 0.05 mm"),
        ({"edge": 11}, "from 0.1 to 10 mm"),
        ({"edge": math.nan}, "is not a number"),
        ({"edge": "1"}, "is not a number"),
        ({"edge": True}, "is not a number"),
        ({"count": 1}, "from 2 to 5,000"),
        ({"count": 2.5}, "is not a whole number"),
        ({"count": math.inf}, "whole number|cannot be"),
        ({"count": True}, "is not a whole number"),
        ({"way": "left"}, "Choose one of up, down"),
        ({"way": ["up"]}, "Choose one of up, down"),
        ({"deep": 1}, "neither yes nor no"),
        ({"size": 1}, "Known are edge, count, way, deep"),
    ],
)
def test_wrong_values_are_refused_in_words(values: dict, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        EXAMPLE.check(values)


def test_a_part_of_progress_is_a_part() -> None:
    seen = []
    inner = part_of(part_of(lambda fraction, doing: seen.append((fraction, doing)), 0.5, 1.0), 0.0, 0.5)
    inner(0.0, "a")
    inner(1.0, "b")
    assert seen == [(0.5, "a"), (0.75, "b")]


def test_each_file_of_an_operation_declares_one() -> None:
    folder = Path(__file__).parents[2] / "app" / "operations"
    for path in folder.glob("*.py"):
        assert path.read_text("utf-8").count("\n@operation(") <= 1, path
