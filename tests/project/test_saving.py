"""Save: there is always a whole file at the name, and an error says what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import Cancelled, WriteFailed
from app.project import saving
from app.project.preview import read_preview
from app.project.saving import save_left_behind
from app.project.sessions import Session, recoverable
from tests.project.projects import all_states, busy, change, kept, new_document, opened, reopened, saved, until


def strangers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_before_is_kept_as_bak(tmp_path: Path) -> None:
    document, path = busy(new_document()), tmp_path / "a.likeness"
    with kept(document) as copy:
        copy.save(path)
        first = path.read_bytes()
        change(document.history, document.mesh, 1)
        copy.save(path)
        second = path.read_bytes()
        assert strangers(tmp_path) == ["a.likeness", "a.likeness.bak"]
        assert (tmp_path / "a.likeness.bak").read_bytes() == first != second
        path.write_bytes(b"damaged by another program")
        copy.save(path)
    assert (tmp_path / "a.likeness.bak").read_bytes() == first  # the last good one
    assert all_states(reopened(opened(path))) == all_states(document)


def test_a_saved_file_is_one_file_and_tells_nothing_of_this_machine(tmp_path: Path) -> None:
    document = busy(new_document())
    document.project_path = tmp_path / "secret place" / "a.likeness"
    path = saved(document, tmp_path / "a.likeness")
    assert path.read_bytes()[18:20] == b"\1\1"  # no write-ahead log
    assert b"secret place" not in path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert not opened(path).unsaved


def test_unused_room_is_not_saved(tmp_path: Path) -> None:
    document = new_document()
    with kept(document) as copy:
        for seed in range(150):
            change(document.history, document.mesh, seed, 1500, ("positions", "colors"))
        copy.save(tmp_path / "large.likeness")
        document.go_to(0)
        change(document.history, document.mesh, 1, 10)
        copy.save(tmp_path / "small.likeness")
    assert (tmp_path / "small.likeness").stat().st_size < 0.3 * (tmp_path / "large.likeness").stat().st_size


def test_rights_and_links_stay(tmp_path: Path) -> None:
    document, real, link = new_document(), tmp_path / "real.likeness", tmp_path / "link.likeness"
    with kept(document) as copy:
        copy.save(real)
        real.chmod(0o640)
        link.symlink_to(real)
        change(document.history, document.mesh, 1)
        copy.save(link)
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert len(opened(real).steps) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes")
@pytest.mark.parametrize("name", ["客户 Åsa 🙂", "a#b?c%20d", "two\nlines", os.fsdecode(b"caf\xe9")])
def test_any_name_that_the_disk_takes(tmp_path: Path, name: str) -> None:
    document, path = busy(new_document()), tmp_path / f"{name}.likeness"
    with kept(document) as copy:
        copy.save(path)
        copy.save(path)
    assert strangers(tmp_path) == [path.name, f"{path.name}.bak"]
    assert read_preview(path).strokes == document.history.position
    assert all_states(reopened(opened(path))) == all_states(document)


@pytest.mark.parametrize("point", ["connect", "sync_file", "_check", "replace", "link", "sync_folder"])
def test_an_error_at_any_point_leaves_the_file_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    document, path = busy(new_document()), tmp_path / "a.likeness"

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with kept(document) as copy:
        copy.save(path)
        before = path.read_bytes()
        with monkeypatch.context() as patch:
            if point == "replace":
                patch.setattr(Path, "replace", fail)
            elif point == "link":
                patch.setattr(os, "link", fail)
                patch.setattr(saving.shutil, "copy2", fail)
            elif point == "connect":
                patch.setattr(saving.schema, "connect", fail)
            else:
                patch.setattr(saving, point, fail)
            with pytest.raises(WriteFailed) as caught:
                copy.save(path)
        assert caught.value.where == str(path)
        assert "full" in caught.value.what
        assert "Free some space" in caught.value.advice
        assert path.read_bytes() == before or point == "sync_folder"
        assert not [name for name in strangers(tmp_path) if name not in ("a.likeness", "a.likeness.bak")]
        copy.save(path)
    assert all_states(reopened(opened(path))) == all_states(document)


@pytest.mark.parametrize("calls", [1, 2])
def test_cancel_leaves_the_file_before(tmp_path: Path, calls: int) -> None:
    document, path = busy(new_document()), tmp_path / "a.likeness"
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) >= calls

    with kept(document) as copy:
        copy.save(path)
        before = path.read_bytes()
        change(document.history, document.mesh, 1)
        with pytest.raises(Cancelled):
            copy.save(path, cancelled=cancelled)
        assert path.read_bytes() == before
        assert strangers(tmp_path) == ["a.likeness"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("no folder/a.likeness", "folder is not there"), ("", "folder of this name"), ("x" * 300, "too long")],
)
def test_errors_say_what_to_do(tmp_path: Path, name: str, said: str) -> None:
    with kept(new_document()) as copy, pytest.raises(WriteFailed, match=said) as caught:
        copy.save(tmp_path / name)
    assert caught.value.advice


def test_what_was_written_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(path: Path) -> None:
        with path.open("r+b") as stream:
            stream.seek(5000)
            stream.write(b"\xff" * 3000)

    document, path = busy(new_document()), tmp_path / "a.likeness"
    with kept(document) as copy:
        copy.save(path)
        before = path.read_bytes()
        monkeypatch.setattr(saving, "sync_file", spoil)
        with pytest.raises(WriteFailed, match=r"read back|does not have|damaged"):
            copy.save(path)
        assert path.read_bytes() == before
        assert strangers(tmp_path) == ["a.likeness"]


def test_saving_marks_the_work_as_saved_and_a_copy_does_not(tmp_path: Path) -> None:
    document, session = busy(new_document()), Session.begin()
    with kept(document, session) as copy:
        copy.save_copy(tmp_path / "copy.likeness")
        assert copy.flush(20)
        with closing(sqlite3.connect(f"file:{tmp_path / 'copy.likeness'}?mode=ro", uri=True)) as connection:
            assert connection.execute("SELECT value FROM meta WHERE key = 'unsaved'").fetchone() == ("false",)
        change(document.history, document.mesh, 1)
    session.leave()
    (left,) = [work for work in recoverable() if work.folder == session.folder]
    save_left_behind(left.working_path, tmp_path / "left.likeness", lambda *_: None, lambda: False)
    assert all_states(reopened(opened(tmp_path / "left.likeness"))) == all_states(document)
    left.discard()
    other = Session.begin()
    with kept(document, other) as copy:
        mark = document.mark()
        copy.save(tmp_path / "a.likeness")
        document.saved(mark, tmp_path / "a.likeness")
        assert copy.flush(20)
    other.leave()
    assert not [work for work in recoverable() if work.folder == other.folder]
    assert not other.folder.exists()


def test_a_stroke_during_save_stays_unsaved(tmp_path: Path) -> None:
    document, session = busy(new_document()), Session.begin()
    with kept(document, session) as copy:
        mark = document.mark()

        def meanwhile(part: float, doing: str) -> None:
            if doing == "Checking what was written":
                change(document.history, document.mesh, 5)

        copy.save(tmp_path / "a.likeness", meanwhile)
        document.saved(mark, tmp_path / "a.likeness")
        assert document.modified
        until(lambda: not copy.pending)
    session.leave()
    (left,) = [work for work in recoverable() if work.folder == session.folder]
    assert left.project_path == tmp_path / "a.likeness"
    left.discard()
