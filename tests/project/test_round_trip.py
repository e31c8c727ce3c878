"""What is saved comes back to the bit: arrays, history in both directions, photos, settings."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mesh.mesh import Mesh
from app.project.changes import STATIC
from app.project.opening import open_project, open_project_in_worker
from app.project.preview import read_preview
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from app.sculpt.packed import PackedStep
from tests.meshes import sphere
from tests.project.projects import (
    all_states,
    busy,
    change,
    colored_mesh,
    facts,
    kept,
    mesh_bits,
    new_document,
    opened,
    png,
    read_copy,
    reopened,
    saved,
    write_bits,
)


def test_everything_survives_save_and_open(tmp_path: Path) -> None:
    document = busy(new_document())
    states, told = all_states(document), facts(document)
    path = saved(document, tmp_path / "ball.likeness")
    other = reopened(opened(path), path)
    assert facts(other) == told
    assert all_states(other) == states
    assert not other.modified


def test_a_second_life_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    document = busy(new_document())
    path = saved(document, tmp_path / "ball.likeness")
    session = Session.begin()
    content = open_project(path, session.working_path)
    other = reopened(content, path)
    copy = WorkingCopy(other, session)
    copy.adopt(content)
    other.history.redo()
    other.history.go_to(2)  # back over both whole-mesh steps
    change(other.history, other.mesh, 77, 40, ("positions", "mask"))  # and another branch
    other.history.replace_mesh("Again", colored_mesh(20, 20))
    change(other.history, other.mesh, 78, 40)
    states, told = all_states(other), facts(other)
    third = reopened(read_copy(copy))
    copy.close()
    session.end()
    assert facts(third) == told
    assert all_states(third) == states


def test_meshes_that_share_arrays_share_them_again(tmp_path: Path) -> None:
    content = opened(saved(busy(new_document()), tmp_path / "ball.likeness"))
    other, first, turned = sorted(content.stored.meshes.values(), key=lambda mesh: mesh.triangle_count)
    assert turned.triangles is first.triangles
    assert turned.topology is first.topology
    assert turned.materials[0].texture is first.materials[0].texture
    assert other.triangles is not first.triangles
    assert len(content.stored.arrays) == 2 * len(STATIC)


def test_normals_and_boxes_are_those_of_the_positions(tmp_path: Path) -> None:
    document = busy(new_document())
    content = opened(saved(document, tmp_path / "ball.likeness"))
    fresh = Mesh(content.mesh.positions.copy(), content.mesh.triangles)
    np.testing.assert_array_equal(content.mesh.normals, fresh.normals)
    np.testing.assert_array_equal(content.mesh.chunks.lower, fresh.chunks.lower)


SPECIAL = [0x80000000, 0, 0x7FC00000, 0xFFC00001, 0x7F800001, 0x7F800000, 0xFF800000, 1, 0x807FFFFF, 0xFFFFFFFF]
words = st.one_of(st.sampled_from(SPECIAL), st.integers(0, 0xFFFFFFFF))


@given(
    st.lists(st.tuples(st.sampled_from(["colors", "mask"]), st.lists(words, min_size=1, max_size=9)), max_size=5),
    st.integers(0, 5),
)
@settings(max_examples=25)
def test_any_bits_survive_in_both_directions(steps: list[tuple[str, list[int]]], back: int) -> None:
    document = new_document(sphere(2, colored=True))
    for number, (attribute, values) in enumerate(steps):
        columns = 3 if attribute == "colors" else 1
        vertices = np.arange(number, number + len(values), dtype=np.int32)
        bits = np.repeat(np.array(values, np.uint32), columns).reshape(len(values), -1)
        write_bits(document.history, document.mesh, attribute, vertices, bits if columns > 1 else bits.ravel())
    document.history.go_to(max(0, document.history.position - back))
    states = all_states(document)
    with kept(document) as copy:
        assert all_states(reopened(read_copy(copy))) == states


def test_pages_without_face_sets_are_not_stored(tmp_path: Path) -> None:
    document = new_document(sphere(4))
    document.mesh.face_sets[-1] = 3
    path = saved(document, tmp_path / "ball.likeness")
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT attribute, count(*) FROM pages GROUP BY attribute"
        pages = dict(connection.execute(query))
    assert pages["mask"] > 1
    assert pages["face_sets"] == 1
    assert "hidden" not in pages
    np.testing.assert_array_equal(opened(path).mesh.face_sets, document.mesh.face_sets)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 0.5, 1e9])
def test_a_face_set_that_is_no_number_of_one_is_none(tmp_path: Path, value: float) -> None:
    document = new_document(sphere(2))
    document.mesh.face_sets[:2] = value, 5
    mesh = opened(saved(document, tmp_path / "ball.likeness")).mesh
    assert mesh.face_sets[:2].tolist() == [0, 5]


def test_positions_may_have_been_nan_in_between(tmp_path: Path) -> None:
    document = new_document()
    nan = np.array([[0x7FC12345, 0xFF800000, 0x80000000]], np.uint32)
    write_bits(document.history, document.mesh, "positions", np.array([7], np.int32), nan)
    document.undo()
    states = all_states(document)
    assert all_states(reopened(opened(saved(document, tmp_path / "a.likeness")))) == states


def test_a_mesh_without_colours_texture_or_history(tmp_path: Path) -> None:
    document = new_document(sphere(1))
    content = opened(saved(document, tmp_path / "plain.likeness"))
    assert mesh_bits(content.mesh) == mesh_bits(document.mesh)
    assert content.steps == []
    assert content.thumbnail is None
    assert content.photos == []


def test_thumbnail_settings_and_preview(tmp_path: Path) -> None:
    document = busy(new_document())
    path = tmp_path / "Anna.likeness"
    with kept(document) as copy:
        copy.set_thumbnail(png(shade=1))
        copy.set_thumbnail(png(shade=2))
        copy.set_job({"profile": "wjp", "view": {"camera": [1.5, None, "x"]}})
        copy.save(path)
    content = opened(path)
    assert content.thumbnail == png(shade=2)
    assert content.job == {"profile": "wjp", "view": {"camera": [1.5, None, "x"]}}
    before = sorted(tmp_path.iterdir())
    preview = read_preview(path)
    assert (preview.thumbnail, preview.name, preview.triangles) == (png(shade=2), "Anna", document.mesh.triangle_count)
    assert preview.strokes == document.history.position
    assert preview.saved_at > 1e9
    assert sorted(tmp_path.iterdir()) == before


def test_in_a_worker_the_same_comes_out(tmp_path: Path) -> None:
    document = busy(new_document())
    states, told = all_states(document), facts(document)
    path, session, heard = saved(document, tmp_path / "ball.likeness"), Session.begin(), []
    content = open_project_in_worker(path, session.working_path, lambda part, doing: heard.append((part, doing)))
    assert heard[-1] == (1.0, "Opened")
    assert all(isinstance(step, PackedStep) for step in content.steps if step.label.startswith("Step"))
    other = reopened(content, path)
    session.end()
    assert facts(other) == told
    assert all_states(other) == states


def test_a_working_copy_is_never_opened_over_another(tmp_path: Path) -> None:
    path = saved(new_document(), tmp_path / "a.likeness")
    document, session = new_document(), Session.begin()
    with kept(document, session) as copy:
        assert copy.flush(20)
        with pytest.raises(ValueError, match="working copy"):
            open_project(path, session.working_path)
        change(document.history, document.mesh, 1)
        assert copy.flush(20)
    session.end()
