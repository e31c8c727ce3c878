"""Packed words and packed steps: exact to the bit, small, and safe with bytes from anywhere."""

from __future__ import annotations

import pickle
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.errors import UnreadableFile
from app.sculpt.history import AttributeStep, History
from app.sculpt.packed import Differences, PackedPart, PackedStep, step_differences
from app.sculpt.packing import Damaged, pack_words, squeeze, unpack_words, unsqueeze
from tests.meshes import sphere
from tests.sculpting import PLACE, Owner, bits, bumpy_sphere, samples, stroke, surface_points

shapes = st.tuples(st.integers(0, 60), st.integers(1, 3))


@given(arrays.arrays(np.uint32, shapes))
def test_any_words_come_back(words: np.ndarray) -> None:
    unpacked = unpack_words(pack_words(words), *words.shape)
    assert unpacked.dtype == np.uint32
    np.testing.assert_array_equal(unpacked, words)


def test_floats_and_indices_are_words_too() -> None:
    for values in (np.linspace(-1, 1, 300, dtype=np.float32).reshape(-1, 3), np.arange(9, dtype=np.int32)[:, None]):
        back = unpack_words(pack_words(values), *values.shape).view(values.dtype)
        assert back.tobytes() == values.tobytes()


def test_a_smooth_surface_packs_well() -> None:
    mesh = bumpy_sphere(6)
    assert len(pack_words(mesh.positions)) < 0.75 * mesh.positions.nbytes
    assert len(pack_words(np.arange(40_000, dtype=np.int32).reshape(-1, 1))) < 200


@given(st.binary(max_size=200), st.integers(0, 1000))
def test_arbitrary_bytes_are_refused(packed: bytes, size: int) -> None:
    with pytest.raises(Damaged):
        unsqueeze(packed, size)


@given(st.data())
def test_no_flipped_bit_goes_unnoticed(data: st.DataObject) -> None:
    words = np.arange(500, dtype=np.uint32).reshape(-1, 1) ** 2
    packed = bytearray(pack_words(words))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(Damaged):  # or a bit of the header that means nothing
        np.testing.assert_array_equal(unpack_words(bytes(packed), 500, 1), words)


def test_a_bomb_costs_nothing() -> None:
    bomb = squeeze(np.zeros(300 << 20, np.uint8))
    liar = zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(bytes(50 << 20))
    tracemalloc.start()
    for packed in (bomb, liar):
        with pytest.raises(Damaged):
            unsqueeze(packed, 1000)
    with pytest.raises(Damaged):
        unsqueeze(squeeze(np.zeros(10, np.uint8)) + bomb, 10)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def packed(step: AttributeStep, mesh) -> PackedStep:
    done = step.done
    return PackedStep(step.label, [part.pack() for part in step_differences(step, mesh)], done=done)


@pytest.mark.parametrize("brush", ["draw", "smooth", "paint", "mask", "grab"])
def test_a_packed_step_undoes_and_redoes_to_the_bit(brush: str) -> None:
    mesh = bumpy_sphere()
    before = bits(mesh)
    history, changed = stroke(mesh, brush, samples(surface_points(mesh, PLACE, 4.0, 5)), radius_mm=2.0)
    assert changed
    after = bits(mesh)
    step = pickle.loads(pickle.dumps(packed(history.steps[-1], mesh)))  # noqa: S301 - as the worker hands it over
    step.number = 1
    history.restore([step], 1)
    change = history.undo()
    assert bits(mesh) == before
    assert change.vertices == step.vertices > 0
    assert mesh.take_unsaved(next(iter(change.attributes))).size
    history.redo()
    assert bits(mesh) == after
    history.undo()
    assert bits(mesh) == before


def test_an_undone_step_gives_the_same_record() -> None:
    mesh = bumpy_sphere()
    history, _ = stroke(mesh, "draw", samples([PLACE * 10.4]), radius_mm=2.0)
    (done,) = step_differences(history.steps[0], mesh)
    history.undo()
    (undone,) = step_differences(history.steps[0], mesh)
    np.testing.assert_array_equal(done.words, undone.words)
    assert done.words.any()


def test_special_values_in_one_record() -> None:
    mesh = sphere(1)
    special = np.array([0x80000000, 0x7FC00001, 0x7F800000, 1, 0xFFFFFFFF], np.uint32)
    history = History(Owner(mesh))
    vertices = np.arange(5, dtype=np.int32)
    with history.record("Special") as recorder:
        recorder.capture("mask", vertices)
        mesh.mask.view(np.uint32)[:5] = special
    step = packed(history.steps[0], mesh)
    step.number = 1
    history.restore([step], 1)
    history.undo()
    assert not mesh.mask.view(np.uint32).any()
    history.redo()
    np.testing.assert_array_equal(mesh.mask.view(np.uint32)[:5], special)


@pytest.mark.parametrize(
    "part",
    [
        PackedPart("positions", 3, pack_words(np.array([[0], [1], [900]], np.int32)), b""),
        PackedPart("positions", 2, pack_words(np.array([[1], [1]], np.int32)), b""),
        PackedPart("positions", 2, pack_words(np.array([[-1], [1]], np.int32)), b""),
        PackedPart("positions", 1 << 40, b"", b""),
        PackedPart("positions", 0, b"", b""),
        PackedPart("positions", 1, pack_words(np.zeros((1, 1), np.int32)), pack_words(np.zeros((1, 1), np.uint32))),
        PackedPart("normals", 1, b"", b""),
        PackedPart("scratch", 1, b"", b""),
        Differences("colors", np.zeros(1, np.int32), np.zeros((1, 3), np.uint32)).pack(),
    ],
)
def test_a_step_that_is_none_of_this_mesh_changes_nothing(part: PackedPart) -> None:
    mesh = sphere(2)
    good = Differences("positions", np.arange(3, dtype=np.int32), np.ones((3, 3), np.uint32)).pack()
    history = History(Owner(mesh))
    step = PackedStep("Draw", [good, part], done=True)
    step.number = 1
    history.restore([step], 1)
    before, heard = mesh.positions.tobytes(), []
    history.changed.connect(lambda: heard.append(history.position))
    with pytest.raises(UnreadableFile, match="cannot be undone"):
        history.undo()
    assert mesh.positions.tobytes() == before
    assert history.position == 1
    assert history.stamp is not None
    with history.record("Goes on") as recorder:
        recorder.capture("positions", np.arange(1, dtype=np.int32))
        mesh.positions[0] += 1
    assert heard[-1] == 2
