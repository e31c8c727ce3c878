"""Running: in a worker the same as here, whatever hangs on the mesh; crashes, cancelling and wrong names are told."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from app import worker
from app.errors import Cancelled, InvalidInput, WorkerFailed
from app.mesh.mesh import Mesh
from app.operations import running
from app.operations.operation import Operation, operations
from app.operations.running import apply, apply_in_worker
from tests.operations.checks import assert_sound, bits, painted, silent, textured


@pytest.fixture(autouse=True)
def _no_spare() -> Iterator[None]:
    yield
    worker.cool_down()


def test_a_worker_gives_the_same_as_this_process() -> None:
    mesh = textured()
    mesh.scratch["viewport"] = sys  # a module cannot be pickled, as little as an OpenGL buffer
    before, seen = bits(mesh), []
    values = {"triangles": 2000}
    far = apply_in_worker(mesh, "retarget", values, lambda fraction, doing: seen.append((fraction, doing)))
    here = apply(mesh, "retarget", values, silent)
    assert_sound(far.mesh)
    assert bits(far.mesh) == bits(here.mesh)
    assert (far.notes, far.color_change, far.values) == (here.notes, here.color_change, here.values)
    assert (far.triangles_before, far.triangles_after, far.label) == (mesh.triangle_count, 2000, "Retarget")
    assert bits(mesh) == before
    assert mesh.scratch == {"viewport": sys}
    assert far.mesh.scratch == {}
    assert seen[-1][0] == 1.0
    # The image is not decoded and uploaded once more: it is the very same object.
    for material, own in zip(far.mesh.materials, mesh.materials, strict=True):
        assert material is own


def test_a_pending_refresh_is_no_harm() -> None:
    mesh = painted(3)
    mesh.positions[5] *= np.float32(1.05)
    mesh.touched("positions", np.array([5], np.int32))
    moved = apply(mesh, "subdivide", {"scheme": "midpoint"}).mesh
    assert_sound(moved)
    assert mesh.moved[5]


@pytest.mark.parametrize("runner", [apply, apply_in_worker])
def test_wrong_names_and_values_are_told_before_anything_runs(runner) -> None:
    mesh = painted(2)
    with pytest.raises(InvalidInput, match="no operation"):
        runner(mesh, "levitate")
    with pytest.raises(InvalidInput, match="Triangles cannot be 3"):
        runner(mesh, "retarget", {"triangles": 3})


def test_cancelling_ends_the_worker() -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        apply_in_worker(painted(4), "remesh", {"edge": 0.1}, cancelled=cancelled)


def _dies(mesh: Mesh, operation_id: str, values: dict) -> None:
    os._exit(5)


def test_a_crash_is_an_error_message_and_the_mesh_is_unharmed(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = painted(2)
    before = bits(mesh)
    monkeypatch.setattr(running, "_apply", _dies)
    with pytest.raises(WorkerFailed, match="exit code 5"):
        apply_in_worker(mesh, "retarget")
    assert bits(mesh) == before


def test_a_precondition_is_told_with_its_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "It has holes. Close them first."
    refused = Operation("x", "Fill", "Print", "Fills", lambda mesh, progress: mesh, precondition=lambda mesh: reason)
    monkeypatch.setattr(running, "operations", lambda: {**operations(), "x": refused})
    with pytest.raises(InvalidInput) as error:
        apply(painted(1), "x")
    assert error.value.what == "Fill: It has holes"
    assert error.value.advice == "Close them first"
