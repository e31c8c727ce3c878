"""The command line: exit codes, one line for errors, the shapes that others rely on, and files other tools can open."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import trimesh

from app import __version__, cli
from app.formats.opening import open_mesh
from app.formats.registry import WriteOptions, formats, no_progress
from app.mesh.soup import Soup
from tests.meshes import icosphere_soup, textured_soup

REPOSITORY = Path(__file__).resolve().parent.parent


def write(path: Path, soup: Soup) -> Path:
    writer = next(known for known in formats().values() if path.suffix in known.suffixes).write
    assert writer is not None
    writer(soup, path, WriteOptions(), no_progress)
    return path


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    """A closed sphere, 100 mm, 1,280 triangles."""
    return write(tmp_path / "ball.stl", icosphere_soup(3, 50.0))


@pytest.fixture
def printer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile of the user's own that the ball passes."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "config" / "printers"
    folder.mkdir(parents=True)
    (folder / "small.toml").write_text(
        'label = "Small"\nformat = "ply"\nsuffix = ".ply"\ntarget_triangles = 1280\ncolor = "vertex"\n'
    )
    return "small"


def program(
    *arguments: object, stdout: int | IO[str] = subprocess.PIPE, stderr: int | IO[str] = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        stdout=stdout,
        stderr=stderr,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device on which nothing can be written")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_an_answer_that_cannot_be_written_is_one_line_and_2(ball: Path, options: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = program("check", ball, *options, stdout=full)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "likeness: the answer cannot be written: No space left on device. Look at where the output is sent."
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device on which nothing can be written")
def test_notes_that_cannot_be_written_do_not_change_the_exit_code(ball: Path, tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        assert program("convert", ball, tmp_path / "ball.ply", stderr=full).returncode == 0
        assert program("check", tmp_path / "ball.ply", "--profile", "nowhere", stderr=full).returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="Windows has no broken pipes")
def test_a_reader_that_went_away_gets_2_without_a_word(ball: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = program("check", ball, stdout=pipe)
    assert (done.returncode, done.stderr) == (2, "")


def test_help_and_version_name_the_commands_without_loading_anything_heavy() -> None:
    listed = program("--help")
    assert listed.returncode == 0
    assert all(command in listed.stdout for command in cli.COMMANDS)
    assert program("--version").stdout.split()[-1] == __version__
    code = (
        "import sys; from app import cli\n"
        "try: cli.main(['check', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'numba', 'PySide6', 'vtkmodules')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False, capture_output=True).returncode == 0
    )


def test_check_never_loads_qt_or_vtk(ball: Path) -> None:
    code = (
        "import sys; from app import cli\n"
        f"cli.main(['check', {str(ball)!r}])\n"
        "sys.exit(any(name in sys.modules for name in ('PySide6', 'vtkmodules', 'pymeshlab')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False, capture_output=True).returncode == 0
    )


def test_check_passes_with_0(ball: Path, printer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(ball), "--profile", printer]) == 0
    heading, row, reason = capsys.readouterr().out.splitlines()
    assert row.split() == ["pass", "1,280", "100.0", "×", "100.0", "×", "100.0", "0", "0", "1", str(ball)]
    assert heading.split()[0] == "verdict"
    assert "closed" in reason


def test_check_fails_the_default_profile_with_1(ball: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(ball)]) == 1
    assert "1,280 of 1,600,000 triangles" in capsys.readouterr().out


def test_check_shows_what_the_reader_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "ball.obj", textured_soup(radius=75.0))
    path.with_suffix(".mtl").unlink()
    cli.main(["check", str(path)])
    assert capsys.readouterr().out.splitlines()[-1].strip().startswith("note: The material file ball.mtl is not beside")


def test_check_json_is_a_list_and_the_worst_file_decides(
    ball: Path, printer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.glb"
    broken.write_bytes(b"glTF\x02\x00\x00\x00\xff\xff\xff\xff")
    files = [str(ball), str(broken), str(ball)]
    assert cli.main(["check", *files, "--json", "--jobs", "2", "--profile", printer]) == 2
    answers = json.loads(capsys.readouterr().out)
    assert [answer["file"] for answer in answers] == files
    assert [answer["verdict"] for answer in answers] == ["pass", "unreadable", "pass"]
    assert answers[0]["size_mm"] == pytest.approx([100.0, 100.0, 100.0], abs=0.5)
    assert answers[1]["triangles"] is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check", "BALL", "--profile", "nowhere"], 'no printer profile "nowhere"'),
        (["export", "MISSING.stl", "-o", "OUT.3mf"], "MISSING.stl"),
        (["export", "BALL", "-o", "OUT.stl"], "takes .3mf files"),
        (["convert", "BALL", "OUT.docx"], '".docx" cannot be written'),
        (["convert", "BALL", "BALL"], "is the file that is read"),
        (["convert", "BALL", "missing/OUT.ply"], "folder does not exist"),
        (["sculpt", "BALL", "--strokes", "MISSING.json", "-o", "OUT.stl"], "MISSING.json"),
        (["sculpt", "BALL", "--strokes", "BALL", "-o", "OUT.stl"], "is not valid JSON"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_2(
    ball: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    names = {"BALL": str(ball)}
    placed = [
        names.get(word, str(tmp_path / word) if "." in word and not word.startswith("-") else word)
        for word in arguments
    ]
    assert cli.main(placed) == 2
    captured = capsys.readouterr()
    errors = [line for line in captured.err.splitlines() if not line.startswith("note:")]
    assert len(errors) == 1
    assert told in errors[0]
    assert errors[0].startswith("likeness: ")
    assert not captured.out
    assert not list(tmp_path.glob("OUT*"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check"], "required: FILE"),
        (["check", "a", "--jobs", "0"], "argument --jobs: '0' is not a whole number of at least 1"),
        (["bench", "--triangles", "abc"], "argument --triangles: 'abc' is not a whole number of at least 1"),
        (["check", "a", "--time-limit", "soon"], "argument --time-limit: 'soon' is not a number above 0"),
        (["convert", "a", "b", "--height", "-3"], "argument --height: '-3' is not a number above 0"),
        (["convert", "a", "b", "--height", "nan"], "argument --height: 'nan' is not a number above 0"),
    ],
)
def test_a_wrong_command_line_is_2_with_usage(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert "usage:" in error
    assert told in error


def test_export_refuses_what_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "base.glb", textured_soup(radius=0.9))
    assert cli.main(["export", str(source), "-o", str(tmp_path / "figure.3mf"), "--height", "150"]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "fail for WJP full colour",
        "  Number of triangles: 960 of 1,600,000 triangles",
    ]
    assert "nothing was written" in captured.err
    assert "--override" in captured.err
    assert [path.name for path in tmp_path.iterdir()] == ["base.glb"]


def test_export_with_an_override_writes_the_profiles_file_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "base.glb", textured_soup(radius=0.9))
    target = tmp_path / "figure.3mf"
    arguments = ["export", str(source), "-o", str(target), "--height", "150", "--override", "a draft"]
    assert cli.main(arguments) == 0
    captured = capsys.readouterr()
    assert "150.0 × 150.0 × 150.0 mm" in captured.out
    assert "volume" in captured.out
    assert "Reason given: a draft." in captured.out
    opened = open_mesh(target)
    assert opened.mesh.size()[2] == pytest.approx(150.0, abs=0.01)
    assert opened.mesh.has_texture
    record = (tmp_path / "figure.3mf.override.txt").read_text("utf-8")
    assert "Number of triangles: 960 of 1,600,000 triangles" in record
    assert "a draft" in record


def test_export_without_a_name_writes_here(
    ball: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printer: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert cli.main(["export", str(ball), "--profile", printer]) == 0  # which passes: nobody has to want it
    assert [path.name for path in Path().iterdir()] == ["ball.ply"]


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply", ".stl", ".3mf", ".wrl", ".zip"])
def test_convert_keeps_the_size(ball: Path, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"converted{suffix}"
    assert cli.main(["convert", str(ball), str(target)]) == 0
    assert open_mesh(target).mesh.size() == pytest.approx([100.0, 100.0, 100.0], abs=0.5)


def test_convert_scales_to_a_height(ball: Path, tmp_path: Path) -> None:
    target = tmp_path / "converted.stl"
    assert cli.main(["convert", str(ball), str(target), "--height", "60"]) == 0
    assert trimesh.load(target).extents[2] == pytest.approx(60.0, abs=1e-3)


def strokes(path: Path, *entries: dict) -> str:
    path.write_text(json.dumps({"strokes": entries}))
    return str(path)


def test_sculpt_applies_strokes_like_the_window(ball: Path, tmp_path: Path) -> None:
    target = tmp_path / "sculpted.stl"
    entry = {"brush": "inflate", "radius_mm": 12.0, "strength": 1.0, "points": [[0, 0, 50], [2, 0, 50], [4, 0, 50]]}
    assert cli.main(["sculpt", str(ball), "--strokes", strokes(tmp_path / "s.json", entry), "-o", str(target)]) == 0
    before, after = trimesh.load(ball), trimesh.load(target)
    assert after.bounds[1][2] > before.bounds[1][2] + 0.1  # grown at the top
    assert np.allclose(after.bounds[0], before.bounds[0], atol=1e-4)  # and nowhere else
    assert after.is_watertight


def test_sculpt_notes_strokes_beside_the_model_and_writes_it(
    ball: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "sculpted.stl"
    entry = {"brush": "inflate", "radius_mm": 12.0, "points": [[0, 0, 500]]}
    assert cli.main(["sculpt", str(ball), "--strokes", strokes(tmp_path / "s.json", entry), "-o", str(target)]) == 0
    assert "note: stroke 1 touched no vertex" in capsys.readouterr().err.splitlines()
    assert np.array_equal(trimesh.load(target).triangles, trimesh.load(ball).triangles)


def test_sculpt_can_paint_what_has_a_texture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path / "base.glb", textured_soup(radius=50.0))
    target = tmp_path / "painted.ply"
    entry = {
        "brush": "paint",
        "radius_mm": 20.0,
        "strength": 1.0,
        "color": "#00ff00",
        "points": [[0, 0, 50], [1, 0, 50]],
    }
    arguments = ["sculpt", str(source), "--strokes", strokes(tmp_path / "s.json", entry), "-o", str(target)]
    assert cli.main([*arguments, "--height", "100"]) == 0
    assert "moved onto the vertices" in capsys.readouterr().err
    colors = open_mesh(target).mesh.colors
    assert colors is not None
    assert (np.abs(colors - [0, 1, 0]).max(axis=1) < 0.1).any()


def test_a_wrong_stroke_is_told_and_nothing_written(
    ball: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {"brush": "inflete", "radius_mm": 12.0, "points": [[0, 0, 50]]}
    target = tmp_path / "sculpted.stl"
    assert cli.main(["sculpt", str(ball), "--strokes", strokes(tmp_path / "s.json", entry), "-o", str(target)]) == 2
    assert "inflete" in capsys.readouterr().err
    assert not target.exists()


def test_sculpt_help_lists_the_brushes_and_the_form_of_the_file() -> None:
    told = program("sculpt", "--help").stdout
    assert '"radius_mm"' in told
    assert all(f"\n  {brush} " in told for brush in ("inflate", "smooth", "crease", "paint"))
