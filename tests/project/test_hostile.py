"""Project files from anywhere open whole, or are refused with a clear error; nothing else, and at no great cost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import struct
import tempfile
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import worker
from app.errors import LikenessError, LimitExceeded, UnreadableFile, WorkerFailed
from app.mesh.transform import rotated
from app.project.arrays import encode
from app.project.opening import open_project, open_project_in_worker
from app.project.preview import read_preview
from app.project.schema import VERSION
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from app.sculpt.packing import pack_words, squeeze
from tests.meshes import sphere
from tests.project.projects import (
    TURN,
    all_states,
    altered,
    busy,
    change,
    mesh_bits,
    new_document,
    opened,
    png,
    read_copy,
    reopened,
    saved,
    write_bits,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a bit of everything; not to be changed."""
    return saved(busy(new_document()), tmp_path_factory.mktemp("good") / "good.likeness")


@pytest.fixture
def project(good: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copy(good, tmp_path / "project.likeness"))


def refused(path: Path, kind: type[LikenessError] = UnreadableFile) -> LikenessError:
    """Opening fails with an error for users, and leaves nothing behind."""
    session = Session.begin()
    try:
        with pytest.raises(kind) as caught:
            open_project(path, session.working_path)
        assert caught.value.where == str(path)
        assert caught.value.advice
        assert [file.name for file in session.folder.iterdir()] == ["lock"]
        return caught.value
    finally:
        session.end()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"PK\3\4" + bytes(500), bytes(4096), b"x" * 99])
def test_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.likeness"
    path.write_bytes(content)
    refused(path)
    with pytest.raises(UnreadableFile):
        read_preview(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.likeness")
    for path in (tmp_path, tmp_path / "not there.likeness", tmp_path / "pipe.likeness", Path("/dev/zero")):
        refused(path)


def test_another_database_and_another_program(tmp_path: Path, project: Path) -> None:
    refused(altered(tmp_path / "other.likeness", "CREATE TABLE notes (a)"))
    refused(altered(project, "PRAGMA application_id = 77"))


def test_a_newer_version_is_refused_kindly(project: Path) -> None:
    before = altered(project, f"PRAGMA user_version = {VERSION + 1}").read_bytes()
    error = refused(project)
    assert "newer version" in error.what
    assert "Update Likeness" in error.advice
    assert project.read_bytes() == before


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.98])
def test_truncated(project: Path, share: float) -> None:
    size = project.stat().st_size
    os.truncate(project, int(size * share))
    refused(project)


@given(st.data())
@settings(max_examples=60)
def test_flipped_bytes(good: Path, data: st.DataObject) -> None:
    content = bytearray(good.read_bytes())
    places = data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5))
    for place in places:
        content[place] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.likeness")
        path.write_bytes(content)
        session = Session.begin()
        try:
            with suppress(UnreadableFile):
                document = reopened(open_project(path, session.working_path))
                all_states(document)  # whatever was accepted can be undone and redone
        finally:
            session.end()
        with suppress(UnreadableFile):
            read_preview(path)


SCHEMES = [
    "CREATE TRIGGER evil AFTER INSERT ON meta BEGIN DELETE FROM steps; END",
    "CREATE VIEW more AS SELECT * FROM meta",
    "CREATE TABLE more (a)",
    "CREATE INDEX more ON meta (value)",
    "CREATE VIRTUAL TABLE more USING fts5(a)",
    "ALTER TABLE meta ADD COLUMN more",
    "DROP TABLE photos",
]


@pytest.mark.parametrize("statement", SCHEMES)
def test_foreign_schemes(project: Path, statement: str) -> None:
    assert "tables" in refused(altered(project, statement)).what
    with pytest.raises(UnreadableFile):
        read_preview(project)


def test_a_view_in_the_place_of_a_table(project: Path) -> None:
    altered(project, "DROP TABLE meta", "CREATE VIEW meta AS SELECT 'a' AS key, writefile('/tmp/x', 'y') AS value")
    refused(project)


def record(path: Path, **changes: Any) -> Path:
    """The project with another record of the mesh in hand."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (mesh,) = connection.execute("SELECT value FROM meta WHERE key = 'mesh'").fetchone()
        (text,) = connection.execute("SELECT record FROM meshes WHERE id = ?", (json.loads(mesh),)).fetchone()
        values = {**json.loads(text), **changes}
        connection.execute("UPDATE meshes SET record = ? WHERE id = ?", (json.dumps(values), json.loads(mesh)))
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"vertex_count": 10},
        {"vertex_count": 0},
        {"vertex_count": -5},
        {"vertex_count": "many"},
        {"vertex_count": True},
        {"page_vertices": 0},
        {"page_vertices": 512},
        {"arrays": {}},
        {"arrays": {"triangles": 1}},
        {"arrays": []},
        {"arrays": {"triangles": "x"}},
        {"attributes": ["positions"]},
        {"attributes": ["positions", "mask", "scratch"]},
        {"attributes": [{}]},
        {"attributes": None},
        {"materials": []},
        {"materials": [7]},
        {"materials": [{"base_color": "red"}]},
        {"materials": [{"base_color": [1, 1, 1], "texture": {"blob": "../../etc/passwd"}}] * 2},
        {"materials": [{"base_color": [1, 1, 1], "texture": 7}] * 2},
    ],
    ids=str,
)
def test_wrong_records_of_a_mesh(project: Path, changes: dict[str, Any]) -> None:
    refused(record(project, **changes))


def test_huge_claims_cost_nothing(project: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for changes in ({"vertex_count": 10**9}, {"vertex_count": 10**18}):
        refused(record(project, **changes), UnreadableFile)
    for shape in ([10**9, 3], [10**18, 10**18], [2**63, 3]):
        refused(altered(project, ("UPDATE arrays SET shape = ?", (json.dumps(shape),))))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_more_vertices_than_any_honest_mesh_has(project: Path) -> None:
    refused(record(project, vertex_count=50_000_000), LimitExceeded)


def test_bombs_cost_nothing(project: Path) -> None:
    bomb = squeeze(np.zeros(900 << 20, np.uint8))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for statement in ("UPDATE pages SET data = ?", "UPDATE arrays SET data = ?"):
        refused(altered(Path(shutil.copy(project, f"{project}2")), (statement, (bomb,))))
    altered(project, ("UPDATE changes SET differences = ?", (bomb,)))
    content = opened(project)
    assert not [step for step in content.steps if step.label.startswith("Step")]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize("harm", ["above", "below", "order"])
def test_triangles_that_would_make_kernels_read_elsewhere(tmp_path: Path, harm: str) -> None:
    mesh = sphere(2)
    path = saved(new_document(mesh), tmp_path / "a.likeness")
    triangles = mesh.triangles.copy()
    if harm == "order":
        triangles = triangles[::-1].copy()
    else:
        triangles[5, 1] = mesh.vertex_count if harm == "above" else -1
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (text,) = connection.execute("SELECT record FROM meshes").fetchone()
        row = (encode(triangles), json.loads(text)["arrays"]["triangles"])
        connection.execute("UPDATE arrays SET data = ? WHERE id = ?", row)
    assert "triangle" in refused(path).what


@pytest.mark.parametrize("name", ["uv_vertex", "corner_uv", "triangle_material", "file_vertex", "file_triangle", "uv"])
def test_other_arrays_out_of_range(tmp_path: Path, name: str) -> None:
    document = new_document()
    path = saved(document, tmp_path / "a.likeness")
    array = getattr(document.mesh, name).copy()
    array.flat[3] = np.nan if name == "uv" else 32_000
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (text,) = connection.execute("SELECT record FROM meshes").fetchone()
        row = (encode(array), json.loads(text)["arrays"][name])
        connection.execute("UPDATE arrays SET data = ? WHERE id = ?", row)
    refused(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE arrays SET dtype = 'object'",
        "UPDATE arrays SET dtype = 'float64'",
        "UPDATE arrays SET shape = 'nonsense'",
        "UPDATE arrays SET shape = '[3]'",
        "UPDATE arrays SET data = 'text'",
        "UPDATE arrays SET data = 77",
        "UPDATE pages SET data = x''",
        "UPDATE pages SET page = page + 1000000",
        "UPDATE pages SET page = -page",
        "DELETE FROM pages WHERE page = 1",
        "DELETE FROM arrays",
        "DELETE FROM meshes",
        "DELETE FROM meta",
        "DELETE FROM blobs",
        "UPDATE blobs SET data = 'text'",
        "UPDATE blobs SET data = zeroblob(30000000)",
        "UPDATE meshes SET record = 'nonsense'",
        "UPDATE meshes SET record = '[]'",
        "UPDATE meshes SET id = -id",
        "UPDATE photos SET record = '{'",
        "UPDATE photos SET record = '[]'",
        "UPDATE photos SET blob = 'none'",
        "UPDATE meta SET value = 'nonsense'",
        "UPDATE meta SET value = 'null'",
        "UPDATE meta SET value = '[[[' WHERE key = 'job'",
        "UPDATE meta SET value = '1e999' WHERE key = 'position'",
        "UPDATE meta SET value = '999' WHERE key = 'position'",
        "UPDATE meta SET value = '-1' WHERE key = 'position'",
        "UPDATE meta SET value = '99' WHERE key = 'mesh'",
        "UPDATE meta SET value = (SELECT replace(hex(zeroblob(100000)), '0', '[')) WHERE key = 'job'",
        "UPDATE meta SET value = (SELECT replace(hex(zeroblob(5000)), '0', '7')) WHERE key = 'position'",
    ],
)
def test_rows_that_make_no_sense(project: Path, statement: str) -> None:
    refused(altered(project, statement))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET value = '[1, 2]' WHERE key = 'job'",
        "UPDATE meta SET value = '\"../../../etc\"' WHERE key = 'project_id'",
        "UPDATE meta SET value = '\"/etc/passwd\"' WHERE key = 'project_path'",
        "UPDATE meta SET value = '{\"a\": 1}' WHERE key = 'thumbnail'",
        "UPDATE steps SET label = '<b>' || hex(zeroblob(9000)), made_at = 'yesterday', vertices = -7",
        'UPDATE photos SET record = \'{"width": 1e308, "path": "/dev/sda", "view": {"zoom": "x"}}\'',
    ],
)
def test_harmless_nonsense_is_put_right(project: Path, statement: str) -> None:
    content = opened(altered(project, statement))
    assert content.project_path is None
    assert isinstance(content.job, dict)
    assert all(len(step.label) <= 1000 and np.isfinite(step.made_at) for step in content.steps)
    preview = read_preview(project)
    assert preview.thumbnail is None


def test_a_huge_thumbnail_is_none(project: Path) -> None:
    content = bytearray(png())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    statement = ("INSERT OR REPLACE INTO blobs VALUES ('t', ?)", (bytes(content),))
    altered(project, statement, "INSERT OR REPLACE INTO meta VALUES ('thumbnail', '\"t\"')")
    assert read_preview(project).thumbnail is None
    assert opened(project).thumbnail is None


# Damage in the history costs the history, not the model.

DAMAGE = [
    ("UPDATE changes SET vertices = ? WHERE step = {}", (pack_words(np.array([[1], [10**6]], np.int32)),)),
    ("UPDATE changes SET differences = x'00' WHERE step = {}", ()),
    ("UPDATE changes SET count = 1000000000000 WHERE step = {}", ()),
    ("UPDATE changes SET count = 'x' WHERE step = {}", ()),
    ("UPDATE changes SET attribute = 'topology' WHERE step = {}", ()),
    ("UPDATE steps SET kind = 'code' WHERE number = {}", ()),
    ("UPDATE steps SET kind = 'mesh', mesh = 12345 WHERE number = {}", ()),
    ("DELETE FROM changes WHERE step = {}", ()),
]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage[0])
def test_a_damaged_step_is_left_out_with_those_beyond_it(tmp_path: Path, damage: tuple[str, Any]) -> None:
    document = new_document()
    for seed in range(6):
        change(document.history, document.mesh, seed)
    document.go_to(4)
    states = all_states(document)
    path = saved(document, tmp_path / "a.likeness")
    altered(path, (damage[0].format(2), damage[1]), (damage[0].format(6), damage[1]))
    session = Session.begin()
    content = open_project(path, session.working_path)
    assert [step.number for step in content.steps] == [3, 4, 5]
    assert content.position == 2
    assert "3 of its 6 steps" in content.notes[0]
    other = reopened(content)
    assert all_states(other) == states[2:6]
    copy = WorkingCopy(other, session)
    copy.adopt(content)
    change(other.history, other.mesh, 9)
    again = read_copy(copy)
    assert again.notes == []
    assert all_states(reopened(again)) == all_states(other)
    copy.close()
    session.end()


def test_a_damaged_whole_mesh_step_takes_its_mesh_along(tmp_path: Path) -> None:
    document = new_document()
    change(document.history, document.mesh, 1)
    document.history.replace_mesh("Turn", rotated(document.mesh, TURN))
    change(document.history, document.mesh, 2)
    path = altered(saved(document, tmp_path / "a.likeness"), "UPDATE steps SET mesh = 999 WHERE kind = 'mesh'")
    content = opened(path)
    assert [step.label for step in content.steps] == ["Step 2"]
    assert list(content.stored.meshes.values()) == [content.mesh]
    assert mesh_bits(content.mesh) == mesh_bits(document.mesh)


def test_steps_that_leave_points_nowhere_are_undone(tmp_path: Path) -> None:
    document = new_document()
    change(document.history, document.mesh, 1)
    state = mesh_bits(document.mesh)
    nan = np.array([[0x7FC00000] * 3], np.uint32)
    write_bits(document.history, document.mesh, "positions", np.array([3], np.int32), nan)
    change(document.history, document.mesh, 2)
    session = Session.begin()
    content = open_project(saved(document, tmp_path / "a.likeness"), session.working_path)
    assert (content.position, len(content.steps)) == (1, 3)
    assert mesh_bits(content.mesh) == state
    assert "undone" in content.notes[0]
    other = reopened(content)
    copy = WorkingCopy(other, session)
    copy.adopt(content)
    assert mesh_bits(read_copy(copy).mesh) == state
    copy.close()
    session.end()


def test_points_nowhere_from_the_beginning(tmp_path: Path) -> None:
    mesh = sphere(2)
    mesh.positions[7, 1] = np.inf
    assert "finite" in refused(saved(new_document(mesh), tmp_path / "a.likeness")).what


# In the worker


def test_the_worker_says_the_same(project: Path) -> None:
    session = Session.begin()
    os.truncate(project, 100_000)
    with pytest.raises(UnreadableFile):
        open_project_in_worker(project, session.working_path)
    assert not session.working_path.exists()
    session.end()


def test_a_worker_that_dies_leaves_nothing_behind(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session.begin()

    def die(*_: object, **__: object) -> None:
        session.working_path.write_bytes(b"half")
        raise WorkerFailed("the work crashed", "", "Try again")

    monkeypatch.setattr(worker, "run", die)
    with pytest.raises(WorkerFailed) as caught:
        open_project_in_worker(project, session.working_path)
    assert caught.value.where == str(project)
    assert not session.working_path.exists()
    session.end()
