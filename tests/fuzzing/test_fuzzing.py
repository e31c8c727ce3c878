"""A short campaign over all readers, the same inputs every time; and that the watch catches what it is there for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import pytest

from tests.fuzzing import subjects, traces
from tests.fuzzing.__main__ import table
from tests.fuzzing.campaign import Campaign
from tests.fuzzing.case import Case, canaries
from tests.fuzzing.child import make_input
from tests.fuzzing.findings import smaller
from tests.fuzzing.misbehaving import READERS
from tests.fuzzing.mutate import damaged_file
from tests.fuzzing.process import Plan

_INPUTS_EACH = 150


@pytest.mark.timeout(600)
def test_damaged_files_are_refused_in_words_or_give_whole_models(tmp_path: Path) -> None:
    readers = len(subjects.subjects())
    campaign = Campaign(Plan(readers * _INPUTS_EACH, seed=3, findings=tmp_path / "findings", plain=True, smaller=False))
    campaign.run()
    said = "\n".join(
        f"{finding.title}\n{(finding.examples[0] / 'what.txt').read_text('utf-8')}"
        for finding in campaign.findings.all()
    )
    assert not said, f"{table(campaign)}\n{said}"
    assert campaign.made >= 0.95 * readers * _INPUTS_EACH
    for name, count in campaign.counts.items():
        assert count.accepted > 0, f"{name} accepts nothing: it is not looked into"
        assert count.refused > 0 or name == "settings", f"{name} refuses nothing"


# The watch itself


@pytest.mark.timeout(300)
def test_each_kind_of_misbehaviour_is_found(tmp_path: Path) -> None:
    campaign = Campaign(
        Plan(
            len(READERS) * 2,  # a whole file and a damaged one
            findings=tmp_path, plain=True, smaller=False, work_seconds=1.0, library="tests.fuzzing.misbehaving",
        )
    )  # fmt: skip
    campaign.run()
    found = {finding.subject: finding.kind for finding in campaign.findings.all()}
    assert found == {name: kind for name, (_, kind) in READERS.items() if kind}
    assert campaign.counts["well behaved"].accepted == 2
    for finding in campaign.findings.all():
        example = finding.examples[0]
        assert (example / "input" / "a.txt").is_file()
        assert (example / "what.txt").stat().st_size > 0


def test_the_same_number_gives_the_same_input() -> None:
    case = Case("a.obj", {"a.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "a.mtl": b"newmtl m\nKd 1 0 0\n"})
    inputs = [make_input([case], (), 7, "obj", number).files for number in range(1, 40)]
    assert inputs == [make_input([case], (), 7, "obj", number).files for number in range(1, 40)]
    assert len({tuple(sorted(files.items())) for files in inputs}) > 30


@pytest.mark.parametrize("name", ["a.glb", "a.gltf", "a.3mf", "a.ply", "a.png", "a.jpg", "a.wrl", "a.dae", "a.json"])
def test_damage_of_any_kind_of_file_works_on_any_content(name: str) -> None:
    rng = Random(1)
    for content in (b"", b"{}", b"\0" * 50, b"PK\3\4", b"<a b='1'/>", b"glTF", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"):
        for _ in range(30):
            assert isinstance(damaged_file(name, content, rng, b"other"), bytes)


def test_what_shows_a_fault_is_made_smaller() -> None:
    case = Case("a", {"a": bytes(500) + b"needle" + bytes(300), "b": b"not needed"})
    assert smaller(case, lambda case: b"needle" in case.files["a"]) == Case("a", {"a": b"needle"})


def test_planted_files_would_be_recognised(tmp_path: Path) -> None:
    for name, content in canaries().items():
        (tmp_path / name).write_bytes(content)
    for name in ("secret.obj", "secret.usda"):
        with pytest.raises(subjects.Escape):
            subjects.read_mesh(tmp_path / name)
    with pytest.raises(subjects.Escape):
        subjects.read_picture(tmp_path / "secret.png")
    (tmp_path / "a.obj").write_text("mtllib secret.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl red\nf 1 2 3\n")
    with pytest.raises(subjects.Escape):
        subjects.read_mesh(tmp_path / "a.obj")


def test_a_trace_tells_what_lies_outside(tmp_path: Path) -> None:
    sandbox = f"{tempfile.gettempdir()}/likeness-fuzzing-abc/child1"
    inside = [f'7 openat(AT_FDCWD, "{sandbox}/chosen/a.obj", O_RDONLY) = 3', '7 stat("/etc/passwd", {st_mode=1}) = 0']
    outside_lines = [
        '7 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3',
        f'7 openat(AT_FDCWD, "{sandbox}/secret.png", O_RDONLY) = 3',
        '7 openat(AT_FDCWD, "/nowhere", O_RDONLY) = -1 ENOENT (No such file or directory)',
        '7 unlink("/home/me/figure.likeness") = 0',
        f'7 openat(AT_FDCWD<{sandbox}/elsewhere>, "secret.bin", O_RDONLY) = 3',
        f'7 openat(4<{sandbox}/chosen>, "../../x", O_RDONLY) = 3',
        "7 connect(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0",
        '7 execve("/bin/sh", ["sh"], 0x1 /* 2 vars */) = 0',
    ]
    begin, end = f'7 access("{traces.BEGIN}", F_OK) = -1', f'7 access("{traces.END}", F_OK) = -1'
    lines = ['7 openat(AT_FDCWD, "/etc/hosts", O_RDONLY) = 3', begin, *inside, *outside_lines, end, outside_lines[0]]
    (tmp_path / "child1.txt").write_text("\n".join(lines))
    found = traces.outside(tmp_path, [])
    assert len(found) == len(outside_lines)
    assert "hosts" not in str(found)
