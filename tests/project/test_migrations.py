"""Files of earlier versions open for ever; how tables will be changed is tried with a made-up change."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import UnreadableFile
from app.photos.photo import PhotoView
from app.project import schema
from app.project.opening import open_project
from app.project.preview import read_preview
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from tests.project import make_v2
from tests.project.make_v1 import EXPECTED, FILE, states_in_figures
from tests.project.projects import all_states, change, new_document, opened, read_copy, reopened, saved


def test_version_1_opens(tmp_path: Path) -> None:
    path = Path(shutil.copy(FILE, tmp_path / "old.likeness"))
    before = path.read_bytes()
    expected = json.loads(EXPECTED.read_text("utf-8"))
    content = opened(path)
    assert content.version == 1
    assert content.project_id == expected["project_id"]
    assert [[step.number, step.label, step.made_at, step.vertices] for step in content.steps] == expected["steps"]
    assert content.position == len(content.steps) - 1
    assert content.job == {"profile": "wjp", "height_known": True}
    (photo,) = content.photos
    assert (photo.id, photo.name) == ("front", "front.png")
    assert photo.view == PhotoView(zoom=0.5, center=(0.25, 0.75), rotation=90.0)
    (texture,) = [mesh.materials[0].texture for mesh in content.stored.meshes.values() if mesh.has_texture]
    assert texture is not None
    assert (texture.width, texture.height, texture.mime) == (64, 32, "image/png")
    images = (texture.encoded, content.thumbnail or b"", photo.encoded)
    assert [zlib.crc32(image) for image in images] == expected["images"]
    states = states_in_figures(reopened(content))
    assert [{name: state[name] for name in old} for state, old in zip(states, expected["states"], strict=True)] == (
        expected["states"]
    )
    assert not any(mesh.face_sets.any() or mesh.hidden.any() for mesh in content.stored.meshes.values())
    assert read_preview(path).strokes == content.position
    assert path.read_bytes() == before


def test_version_2_opens(tmp_path: Path) -> None:
    content = opened(Path(shutil.copy(make_v2.FILE, tmp_path / "old.likeness")))
    expected = json.loads(make_v2.EXPECTED.read_text("utf-8"))
    assert content.version == 2
    assert [[step.number, step.label, step.made_at, step.vertices] for step in content.steps] == expected["steps"]
    assert content.mesh.face_sets.any()
    assert content.mesh.hidden.any()
    assert states_in_figures(reopened(content)) == expected["states"]


def test_the_version_in_the_files_is_theirs() -> None:
    assert schema.check_header(FILE) == 1
    assert schema.check_header(make_v2.FILE) == 2


def test_a_file_of_version_1_takes_face_sets(tmp_path: Path) -> None:
    session = Session.begin()
    content = open_project(Path(shutil.copy(FILE, tmp_path / "old.likeness")), session.working_path)
    document = reopened(content)
    copy = WorkingCopy(document, session)
    copy.adopt(content)
    change(document.history, document.mesh, 5, 10, ("face_sets", "hidden"))
    states = all_states(document)
    again = read_copy(copy)  # as after a crash
    copy.save(tmp_path / "new.likeness")
    copy.close()
    session.end()
    assert all_states(reopened(again)) == states
    saved_again = opened(tmp_path / "new.likeness")
    assert saved_again.version == schema.VERSION
    assert all_states(reopened(saved_again)) == states


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A program of the version after this one, with one more table and a column's content changed."""

    def migrate(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE landmarks (id INTEGER PRIMARY KEY, record TEXT NOT NULL)")
        connection.execute("INSERT INTO landmarks VALUES (1, '{}')")
        connection.execute("UPDATE steps SET label = 'Old ' || label")

    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    monkeypatch.setitem(schema.MIGRATIONS, schema.VERSION - 1, migrate)
    schema._expected.cache_clear()
    yield
    schema._expected.cache_clear()


@pytest.mark.usefixtures("next_version")
def test_an_older_file_is_brought_up_to_date_in_the_copy(tmp_path: Path) -> None:
    before = FILE.read_bytes()
    content = opened(FILE)
    assert FILE.read_bytes() == before
    assert content.version == 1
    assert all(step.label.startswith("Old ") for step in content.steps)
    path = saved(reopened(content), tmp_path / "new.likeness")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    assert opened(path).version == schema.VERSION
    assert read_preview(FILE).strokes == content.position


@pytest.mark.usefixtures("next_version")
def test_a_new_database_has_the_newest_tables(tmp_path: Path) -> None:
    path = saved(new_document(), tmp_path / "new.likeness")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM landmarks").fetchone() == (1,)


@pytest.mark.usefixtures("next_version")
def test_a_change_that_fails_is_no_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM steps")
        raise sqlite3.OperationalError("no room")

    path = Path(shutil.copy(FILE, tmp_path / "old.likeness"))
    schema._expected(schema.VERSION)
    monkeypatch.setitem(schema.MIGRATIONS, schema.VERSION - 1, fail)
    with pytest.raises(UnreadableFile):
        opened(path)
    with closing(schema.connect(path)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            schema.migrate(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM steps").fetchone() == (5,)
