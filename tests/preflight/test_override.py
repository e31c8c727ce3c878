"""The record of an export against the verdict: it comes and goes with its file, and replaces nobody's text."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.errors import InvalidInput, WriteFailed
from app.mesh.build import build_mesh
from app.preflight import export as exporting
from app.preflight.checks.running import run_checks
from app.preflight.export import export
from app.preflight.override import Override, failing_of, notes_of, record_path
from app.preflight.profiles import profile
from tests.meshes import icosphere_soup

WHY = Override(("Walls that hold: 3 places thinner than 1 mm", "Size: too small"), "a draft\nfor the customer")
PLY = profile("ply")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "ball.ply"


def written(target: Path, override: Override | None = None) -> exporting.ExportReport:
    return export(build_mesh(icosphere_soup(2, 50.0)), target, PLY, override=override)


def test_what_fails_and_why_stand_beside_the_file(target: Path) -> None:
    report = written(target, WHY)
    record = target.with_name("ball.ply.override.txt")
    assert report.files == (target, record)
    text = record.read_text("utf-8")
    assert all(line in text for line in WHY.failing)
    assert "a draft for the customer" in text
    assert hashlib.sha256(target.read_bytes()).hexdigest() in text
    assert PLY.label in text
    assert all(f"{check.name}: {check.found}" in text for check in report.checks)
    assert all(line in report.override for line in WHY.failing)
    assert report.override.endswith("Reason given: a draft for the customer.")
    assert sorted(path.name for path in target.parent.iterdir()) == [target.name, record.name]


def test_a_reason_is_needed() -> None:
    with pytest.raises(InvalidInput, match="reason"):
        Override(("Size: too small",), "  ")


def test_it_goes_when_its_file_is_replaced_by_one_that_needs_none(target: Path) -> None:
    written(target, WHY)
    report = written(target)
    assert report.override == ""
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_it_is_renewed_with_its_file(target: Path) -> None:
    written(target, WHY)
    written(target, Override(("Size: too large",), "another"))
    assert "too small" not in record_path(target).read_text("utf-8")
    assert len(list(target.parent.iterdir())) == 2


def test_somebodys_own_text_stays(target: Path) -> None:
    own = target.with_name("ball.ply.override.txt")
    own.write_text("mine")
    assert written(target, WHY).files[1].name == "ball.ply.override-2.txt"
    assert written(target, WHY).files[1].name == "ball.ply.override-2.txt"  # its own one is renewed
    written(target)
    assert sorted(path.name for path in target.parent.iterdir()) == ["ball.ply", own.name]
    assert own.read_text() == "mine"


def test_the_record_of_a_file_that_was_moved_away_stays(target: Path) -> None:
    written(target, WHY)
    before = record_path(target).read_text("utf-8")
    target.unlink()
    export(build_mesh(icosphere_soup(3, 50.0)), target, PLY)
    written(target)
    assert target.with_name("ball.ply.override.txt").read_text("utf-8") == before


def test_without_a_record_there_is_no_file(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "record_text", full)
    with pytest.raises(WriteFailed, match="no space left"):
        written(target, WHY)
    assert not list(target.parent.iterdir())


def test_sentences_of_a_report_tell_number_and_limit() -> None:
    report = run_checks(build_mesh(icosphere_soup(3, 50.0)), profile("wjp"))
    assert failing_of(report) == ("Number of triangles: 1,280 of 1,600,000 triangles",)
    assert any(note.startswith("Colour: ") for note in notes_of(report))
    assert failing_of(run_checks(build_mesh(icosphere_soup(3, 50.0)), PLY)) == ()
