"""What every operation promises, whatever it does."""

from __future__ import annotations

import contextlib
import re
from functools import cache

import numpy as np
import pytest

from app.errors import Cancelled, InvalidInput
from app.mesh.build import build_mesh
from app.mesh.jit import numba
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.operations.operation import GROUPS, Choice, Integer, Number, Toggle, operations
from app.operations.running import Outcome, apply
from app.sculpt.face_sets import shows_anything
from tests.operations.checks import assert_sound, bits, crossed_sheets, open_sheet, painted, textured

every_operation = pytest.mark.parametrize("name", list(operations()))

# Where the defaults would make too much of a small model for a test.
SMALL = {"retarget": {"triangles": 3000}, "decimate": {"keep": 40.0}, "voxel_remesh": {"resolution": 0.8}}
# Parts of their surface are new and no likeness of an old one, so they are seen.
MAKES_SURFACE = ("hollow", "thicken", "solidify", "add_stand")


def two_balls() -> Mesh:
    """Two coloured balls that overlap, and a crumb beside them."""
    ball = painted(3)
    assert ball.colors is not None
    parts = [ball.positions, ball.positions + np.float32((9, 1, 2)), ball.positions / 40 + np.float32((30, 0, 0))]
    triangles = np.concatenate([ball.triangles + n * ball.vertex_count for n in range(3)]).astype(np.int32)
    return build_mesh(Soup(np.concatenate(parts), triangles, colors=np.tile(ball.colors, (3, 1)), unit_mm=1.0))


MODELS = {
    "painted": lambda: painted(3),
    "textured": textured,
    "open": open_sheet,
    "crossed": lambda: crossed_sheets(6),
    "two balls": two_balls,
}


@cache
def model(kind: str) -> Mesh:
    return MODELS[kind]()


@cache
def outcome(name: str, kind: str) -> Outcome | None:
    """What the operation makes of the model; None where it says in words that it cannot."""
    mesh = model(kind)
    before = bits(mesh)
    made = None
    with contextlib.suppress(InvalidInput):
        made = apply(mesh, name, SMALL.get(name))
    assert bits(mesh) == before
    return made


@every_operation
def test_the_declaration_is_whole(name: str) -> None:
    operation = operations()[name]
    assert operation.id == name
    assert re.fullmatch(r"[a-z][a-z_]+", name)
    assert operation.group in GROUPS
    assert re.fullmatch(r"[A-Z].*[^.]", operation.tooltip)
    assert operation.label
    assert operation.function.__doc__ or operation.function.__module__
    ids = [parameter.id for parameter in operation.parameters]
    assert len(set(ids)) == len(ids)
    for parameter in operation.parameters:
        assert re.fullmatch(r"[A-Z].*", parameter.tooltip)
        assert parameter.label
        assert parameter.checked(parameter.default) == parameter.default
    if operation.safe:
        assert operation.group == "Clean"


@every_operation
def test_declared_limits_hold(name: str) -> None:
    operation = operations()[name]
    for parameter in operation.parameters:
        wrong: list[object] = ["nonsense", None]
        if isinstance(parameter, Number | Integer):
            assert parameter.checked(parameter.minimum) == parameter.minimum
            assert parameter.checked(parameter.maximum) == parameter.maximum
            wrong += [parameter.minimum - 1, parameter.maximum + 1, float("nan"), True]
        elif isinstance(parameter, Toggle):
            wrong += [1, 0.0]
        else:
            assert isinstance(parameter, Choice)
            assert all(parameter.checked(value) == value for value, _ in parameter.choices)
        for value in wrong:
            with pytest.raises(InvalidInput):
                apply(model("painted"), name, {parameter.id: value})
    with pytest.raises(InvalidInput, match="no parameter"):
        apply(model("painted"), name, {"surely not": 1})


@every_operation
@pytest.mark.parametrize("kind", list(MODELS))
def test_the_result_is_a_sound_mesh_with_its_colours(name: str, kind: str) -> None:
    mesh, made = model(kind), outcome(name, kind)
    if made is None:
        return
    result = made.mesh
    assert result is not mesh
    assert result.triangle_count
    assert_sound(result)
    assert (made.triangles_before, made.triangles_after) == (mesh.triangle_count, result.triangle_count)
    assert result.has_texture == mesh.has_texture
    assert (result.colors is None) == (mesh.colors is None)
    assert made.color_change is not None
    assert 0 <= made.color_change.mean <= made.color_change.p95 + 100
    if mesh.mask.any() and name not in ("cut_base", "mirror"):
        assert result.mask.any()
    for note in made.notes:
        assert re.fullmatch(r"[A-Z0-9].*\.", note), note
    for attribute in ("positions", "colors", "mask"):
        before, after = getattr(mesh, attribute), getattr(result, attribute)
        assert after is None or not np.shares_memory(before, after), f"a stroke on the result would change {attribute}"
    assert not np.shares_memory(mesh.normals, result.normals)


@every_operation
@pytest.mark.parametrize("kind", ["painted", "textured", "two balls"])
def test_what_is_hidden_stays_hidden_and_what_is_seen_stays_in_sight(name: str, kind: str) -> None:
    mesh = model(kind).snapshot()
    mesh.hidden[:] = mesh.positions[:, 1] > 2.0
    try:
        made = apply(mesh, name, SMALL.get(name)).mesh
    except InvalidInput:
        return
    scale = mesh.size()[1] / made.size()[1]  # undoes a change of size; the middle across stays where it is
    depth = made.positions[:, 1] * scale
    fuzzy = 2.0  # mm: edges of the triangles
    assert not made.hidden[depth < 2.0 - fuzzy].any()
    far = made.hidden[depth > 2.0 + fuzzy]
    assert far.all() or (name in MAKES_SURFACE and far.any())
    assert shows_anything(made, made.hidden)


def test_what_loses_all_that_was_in_sight_shows_the_rest() -> None:
    mesh = model("two balls").snapshot()
    mesh.hidden[:] = mesh.positions[:, 0] < 29  # only the crumb beside the balls is seen
    made = apply(mesh, "remove_floaters").mesh
    assert made.vertex_count < mesh.vertex_count
    assert not made.hidden.any()


@every_operation
def test_it_works_on_some_model(name: str) -> None:
    assert any(outcome(name, kind) for kind in MODELS)


@every_operation
def test_the_same_input_gives_the_same_bits_on_any_number_of_threads(name: str) -> None:
    kind = next(kind for kind in MODELS if outcome(name, kind))
    first = outcome(name, kind)
    assert first is not None
    cores = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        again = apply(model(kind), name, SMALL.get(name))
    finally:
        numba.set_num_threads(cores)
    assert bits(again.mesh) == bits(first.mesh)
    assert again.notes == first.notes
    assert again.color_change == first.color_change


@every_operation
def test_it_reports_rising_progress_and_stops_when_cancelled(name: str) -> None:
    kind = next(kind for kind in MODELS if outcome(name, kind))
    mesh, seen = model(kind), []

    def watch(fraction: float, doing: str) -> None:
        seen.append((fraction, doing))

    apply(mesh, name, SMALL.get(name), watch)
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert all(re.fullmatch(r"[A-Z].*[^.]", doing) for _, doing in seen)
    inside = [index for index, fraction in enumerate(fractions) if 0 < fraction < 0.93]
    stop = inside[len(inside) // 2] if inside else 0
    calls = 0

    def cancel(fraction: float, doing: str) -> None:
        nonlocal calls
        calls += 1
        if calls > stop:
            raise Cancelled

    before = bits(mesh)
    with pytest.raises(Cancelled):
        apply(mesh, name, SMALL.get(name), cancel)
    assert bits(mesh) == before


@every_operation
def test_nothing_to_work_on_is_said(name: str) -> None:
    empty = build_mesh(Soup(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)))
    with pytest.raises(InvalidInput, match="no surface"):
        apply(empty, name)
