"""Chunks: whole coverage, tight boxes, dirty ranges that name what was touched and no more than its chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mesh.chunks import Chunks
from tests.meshes import grid, sphere


def _with_small_chunks(size: int) -> tuple[Chunks, np.ndarray, np.ndarray]:
    mesh = sphere(3)
    return Chunks.of(mesh.positions, mesh.triangles, size), mesh.positions, mesh.triangles


@pytest.mark.parametrize("size", [1, 7, 64, 642, 1000])
def test_every_vertex_and_triangle_belongs_to_one_chunk(size: int) -> None:
    chunks, positions, triangles = _with_small_chunks(size)
    assert chunks.vertex_offsets[0] == chunks.triangle_offsets[0] == 0
    assert chunks.vertex_offsets[-1] == len(positions)
    assert chunks.triangle_offsets[-1] == len(triangles)
    for c in range(chunks.count):
        own = triangles[chunks.triangle_offsets[c] : chunks.triangle_offsets[c + 1]].min(axis=1)
        assert ((own >= chunks.vertex_offsets[c]) & (own < chunks.vertex_offsets[c + 1])).all()


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_boxes_are_tight(size: int) -> None:
    chunks, positions, triangles = _with_small_chunks(size)
    chunks.refresh_triangle_boxes(positions, triangles)
    for c in range(chunks.count):
        points = positions[chunks.vertex_offsets[c] : chunks.vertex_offsets[c + 1]]
        np.testing.assert_array_equal(chunks.lower[c], points.min(axis=0))
        np.testing.assert_array_equal(chunks.upper[c], points.max(axis=0))
        own = triangles[chunks.triangle_offsets[c] : chunks.triangle_offsets[c + 1]]
        if len(own):
            np.testing.assert_array_equal(chunks.triangle_lower[c], positions[own].min(axis=(0, 1)))
            np.testing.assert_array_equal(chunks.triangle_upper[c], positions[own].max(axis=(0, 1)))


@given(st.sets(st.integers(0, 641)), st.integers(1, 100))
def test_chunks_of_vertices(vertices: set[int], size: int) -> None:
    chunks, _, _ = _with_small_chunks(size)
    found = chunks.of_vertices(np.array(sorted(vertices), np.int32))
    assert found.tolist() == sorted({vertex // size for vertex in vertices})


def test_boxes_and_size_follow_moved_vertices() -> None:
    mesh = sphere(5)
    vertices = np.arange(100, 300, dtype=np.int32)
    mesh.positions[vertices] *= 3
    mesh.touched("positions", vertices)
    for c in range(mesh.chunks.count):
        points = mesh.positions[mesh.chunks.vertex_offsets[c] : mesh.chunks.vertex_offsets[c + 1]]
        np.testing.assert_array_equal(mesh.chunks.lower[c], points.min(axis=0))
        np.testing.assert_array_equal(mesh.chunks.upper[c], points.max(axis=0))
    np.testing.assert_array_equal(mesh.size(), np.ptp(mesh.positions.astype(float), axis=0))


@pytest.mark.parametrize("name", ["positions", "mask", "colors"])
def test_dirty_ranges_cover_what_was_touched_once(name: str) -> None:
    mesh = sphere(5, colored=True)
    mesh.touched(name, np.array([0, 1, 3000, 9000], np.int32))
    ranges = mesh.take_dirty(name)
    covered = np.concatenate([np.arange(start, stop) for start, stop in ranges])
    assert {0, 1, 3000, 9000} <= set(covered.tolist())
    assert len(covered) <= 3 * mesh.chunks.size
    assert (ranges[1:, 0] > ranges[:-1, 1]).all()
    assert len(mesh.take_dirty(name)) == 0


def test_touching_all_makes_one_range() -> None:
    mesh = grid(50)
    mesh.touched_all("mask")
    assert mesh.take_dirty("mask").tolist() == [[0, mesh.vertex_count]]


def test_an_unknown_attribute_is_refused() -> None:
    mesh = grid()
    with pytest.raises(KeyError):
        mesh.attribute("weight")
    with pytest.raises(KeyError):
        mesh.attribute("colors")  # this mesh has none
