"""Undo against a model that keeps full copies; limits; steps that replace the mesh."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.mesh.mesh import Mesh
from app.sculpt.history import Change, History
from app.sculpt.scripted import run_strokes
from tests.meshes import sphere
from tests.sculpting import Owner, bits

ATTRIBUTES = ("positions", "colors", "mask")
indices = st.sets(st.integers(0, 161), max_size=30).map(lambda chosen: np.array(sorted(chosen), np.int32))


def write(mesh: Mesh, recorder, attribute: str, vertices: np.ndarray, seed: int) -> None:
    recorder.capture(attribute, vertices)
    values = mesh.attribute(attribute)
    values[vertices] = np.random.default_rng(seed).random(values[vertices].shape, np.float32)
    mesh.touched(attribute, vertices)


def twin(mesh: Mesh) -> Mesh:
    """Another mesh with the same topology and arrays of its own; what is never written is shared, as operations do."""
    return Mesh(
        mesh.positions * np.float32(1.5),
        mesh.triangles,
        colors=mesh.colors.copy(),
        original_colors=mesh.original_colors,
        mask=mesh.mask.copy(),
        topology=mesh.topology,
    )


class Model(RuleBasedStateMachine):
    """The history must always agree with a list of full copies."""

    @initialize()
    def start(self) -> None:
        self.owner = Owner(sphere(2, colored=True))
        self.history = History(self.owner)
        self.states = [self.state()]
        self.position = 0

    def state(self) -> tuple[int, dict[str, bytes]]:
        return id(self.owner.mesh), bits(self.owner.mesh)

    def did(self) -> None:
        del self.states[self.position + 1 :]
        if self.state() != self.states[-1]:
            self.states.append(self.state())
            self.position += 1

    @rule(writes=st.lists(st.tuples(st.sampled_from(ATTRIBUTES), indices, st.integers(0, 9)), min_size=1, max_size=4))
    def stroke(self, writes) -> None:
        before = self.state()
        with self.history.record("Stroke") as recorder:
            for attribute, vertices, seed in writes:
                write(self.owner.mesh, recorder, attribute, vertices, seed)
        changed = self.state() != before
        assert recorder.changed == changed
        if changed:
            self.did()

    @rule(attribute=st.sampled_from(ATTRIBUTES), vertices=indices)
    def failed_stroke(self, attribute: str, vertices: np.ndarray) -> None:
        with suppress(ZeroDivisionError), self.history.record("Broken") as recorder:
            write(self.owner.mesh, recorder, attribute, vertices, 3)
            write(self.owner.mesh, recorder, attribute, vertices, 4)
            raise ZeroDivisionError

    @rule()
    def replace(self) -> None:
        self.history.replace_mesh("Scale", twin(self.owner.mesh))
        self.did()

    @rule()
    def undo(self) -> None:
        assert (self.history.undo() is not None) == (self.position > 0)
        self.position = max(self.position - 1, 0)

    @rule()
    def redo(self) -> None:
        assert (self.history.redo() is not None) == (self.position < len(self.states) - 1)
        self.position = min(self.position + 1, len(self.states) - 1)

    @precondition(lambda self: len(self.states) > 1)
    @rule(data=st.data())
    def jump(self, data) -> None:
        target = data.draw(st.integers(0, len(self.states) - 1))
        assert (self.history.go_to(target) is not None) == (target != self.position)
        self.position = target

    @invariant()
    def agrees(self) -> None:
        assert self.state() == self.states[self.position]
        assert self.history.position == self.position
        assert len(self.history.steps) == len(self.states) - 1
        mesh = self.owner.mesh
        offsets = mesh.chunks.vertex_offsets
        assert np.array_equal(mesh.chunks.lower[0], mesh.positions[: offsets[1]].min(axis=0))


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=25)


def stroke_of(history: History, mesh: Mesh, count: int, label: str = "Stroke", seed: int = 0) -> None:
    with history.record(label) as recorder:
        write(mesh, recorder, "positions", np.arange(count, dtype=np.int32), seed)


def test_a_step_knows_its_label_vertices_and_bytes():
    owner = Owner(sphere(2, colored=True))
    history = History(owner)
    stroke_of(history, owner.mesh, 10, "Draw")
    with history.record("Mask") as recorder:
        write(owner.mesh, recorder, "mask", np.arange(20, dtype=np.int32), 1)
    facts = [(step.label, step.vertices, step.bytes) for step in history.steps]
    assert facts == [("Draw", 10, 10 * (4 + 12)), ("Mask", 20, 20 * (4 + 4))]
    assert history.bytes == 160 + 160


def test_only_what_really_changed_is_kept():
    owner = Owner(sphere(2))
    history = History(owner)
    every = np.arange(owner.mesh.vertex_count, dtype=np.int32)
    with history.record("Captures all, moves one") as recorder:
        recorder.capture("positions", every)
        owner.mesh.positions[7] += 1
    assert history.steps[0].vertices == 1
    with history.record("There and back") as recorder:
        recorder.capture("positions", every)
        owner.mesh.positions += 1
        owner.mesh.positions[:] = recorder.start("positions")
    assert len(history.steps) == 1


def test_negative_zero_and_nan_come_back_with_their_bits():
    owner = Owner(sphere(2))
    history = History(owner)
    owner.mesh.mask[:3] = (-0.0, np.nan, 0.0)
    before = owner.mesh.mask.tobytes()
    with history.record("Zero") as recorder:
        recorder.capture("mask", np.arange(3, dtype=np.int32))
        owner.mesh.mask[:3] = 0.0
    assert history.steps[0].vertices == 2
    history.undo()
    assert owner.mesh.mask.tobytes() == before


def test_the_oldest_steps_go_first_and_the_newest_stays():
    owner = Owner(sphere(2))
    history = History(owner, limit_bytes=16 * 35)
    for seed in range(5):
        stroke_of(history, owner.mesh, 10, f"Stroke {seed}", seed)
    assert [step.label for step in history.steps] == ["Stroke 2", "Stroke 3", "Stroke 4"]
    assert history.position == 3
    history.limit_bytes = 16 * 20
    assert len(history.steps) == 2
    stroke_of(history, owner.mesh, 100, "Large", 9)
    assert [step.label for step in history.steps] == ["Large"]
    assert history.undo() == Change(frozenset({"positions"}), 100, False)
    history.limit_bytes = 0
    assert history.redo() is not None


def test_a_new_step_clears_the_redo_branch():
    owner = Owner(sphere(2))
    history = History(owner)
    for seed in range(3):
        stroke_of(history, owner.mesh, 10, f"Stroke {seed}", seed)
    history.go_to(1)
    stroke_of(history, owner.mesh, 5, "Other", 7)
    assert [step.label for step in history.steps] == ["Stroke 0", "Other"]
    assert history.redo() is None


def test_signals_tell_of_every_change_once():
    owner = Owner(sphere(2, colored=True))
    history = History(owner)
    heard: list[str] = []
    history.changed.connect(lambda: heard.append("changed"))
    history.mesh_replaced.connect(lambda: heard.append("replaced"))
    stroke_of(history, owner.mesh, 10)
    assert heard == ["changed"]
    history.replace_mesh("Scale", twin(owner.mesh))
    assert sorted(heard[1:]) == ["changed", "replaced"]
    heard.clear()
    change = history.go_to(0)
    assert change.mesh_replaced
    assert change.attributes == {"positions"}
    assert sorted(heard) == ["changed", "replaced"]
    heard.clear()
    history.go_to(0)
    with history.record("Nothing"):
        pass
    assert heard == []


def test_a_replaced_mesh_counts_only_what_it_does_not_share():
    owner = Owner(sphere(3, colored=True))
    history = History(owner)
    old = owner.mesh
    history.replace_mesh("Scale", twin(old))
    written = (old.positions, old.colors, old.mask, old.face_sets, old.hidden)
    alone = sum(array.nbytes for array in (*written, old.normals, old.moved))
    assert alone <= history.bytes < alone + 20_000
    assert history.bytes < alone + old.topology.ring.nbytes


def test_history_must_wait_for_the_stroke_in_hand():
    owner = Owner(sphere(2))
    history = History(owner)
    stroke_of(history, owner.mesh, 10)
    with history.record("Running"):
        assert history.recording
        for act in (history.undo, history.clear, lambda: history.replace_mesh("Other", owner.mesh)):
            with pytest.raises(RuntimeError):
                act()
        with pytest.raises(RuntimeError), history.record("Second"):
            pass
    assert history.undo() is not None
    with pytest.raises(IndexError):
        history.go_to(2)


def test_strokes_on_both_sides_of_a_replaced_mesh_undo_to_the_bit():
    owner = Owner(sphere(3))
    first = owner.mesh
    start = bits_of(first)
    history = History(owner)
    strokes = {"strokes": [{"brush": "inflate", "radius_mm": 4, "points": [[0, 0, 10], [2, 0, 10]]}]}
    run_strokes(first, history, strokes)
    history.replace_mesh("Scale", Mesh(first.positions * np.float32(2), first.triangles, topology=first.topology))
    run_strokes(owner.mesh, history, {"strokes": [{**strokes["strokes"][0], "points": [[0, 0, 20]]}]})
    end = bits_of(owner.mesh)
    history.go_to(0)
    assert owner.mesh is first
    assert bits_of(first) == start
    history.go_to(3)
    assert bits_of(owner.mesh) == end


def bits_of(mesh: Mesh) -> bytes:
    return mesh.positions.tobytes() + mesh.mask.tobytes()


def test_a_state_has_one_name_however_it_was_reached() -> None:
    mesh = sphere(2)
    history = History(Owner(mesh))

    def step(seed: int) -> int:
        with history.record("Step") as recorder:
            write(mesh, recorder, "positions", np.array([3], np.int32), seed)
        return history.state

    opened, first = history.state, step(1)
    history.undo()
    assert history.state == opened
    other = step(2)
    step(3)
    assert len({opened, first, other, history.state}) == 4
    history.limit_bytes = 1  # drops all but the newest
    history.undo()
    assert (history.position, history.state) == (0, other)
