"""`likeness fix` and `likeness operations`: steps, files that other readers accept, exit codes, nothing half done."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from app import cli, worker
from app.errors import InvalidInput
from app.formats.registry import no_progress
from app.operations.operation import Toggle, operations
from app.operations.typed import Wish, described, lines, parsed
from app.preflight import batch, fixing
from app.preflight.fixing import NEAREST, Recipe, fix_file
from app.preflight.profiles import PrinterProfile
from tests.meshes import icosphere_soup, textured_soup
from tests.test_cli import REPOSITORY, write

PROFILE = (
    'label = "Small"\nformat = "ply"\nsuffix = ".ply"\ntarget_triangles = 4000\ntriangle_tolerance = 0.0\n'
    'color = "vertex"\n[products]\nfigures = [60, 100]\n'
)


@pytest.fixture
def printer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A profile that wants exactly 4,000 triangles, 60 or 100 mm tall."""
    monkeypatch.setenv("LIKENESS_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "config" / "printers"
    folder.mkdir(parents=True)
    (folder / "small.toml").write_text(PROFILE)
    return "small"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work for workers is done in this process, which saves their start."""

    def run(function: Any, *args: Any, progress: Any = None, cancelled: Any = None, limits: Any = None) -> Any:
        takes_progress = "progress" in inspect.signature(function).parameters
        return function(*args, **({"progress": progress or no_progress} if takes_progress else {}))

    class InOrder:
        """Kernels stay on the main thread, as they are in a worker."""

        def __init__(self, jobs: int) -> None: ...

        map = staticmethod(map)

        def shutdown(self, *, cancel_futures: bool) -> None: ...

    monkeypatch.setattr(batch, "ThreadPoolExecutor", InOrder)
    monkeypatch.setattr(worker, "run", run)
    monkeypatch.setattr(worker, "warm_up", lambda preparation: None)


@pytest.fixture
def torn(tmp_path: Path) -> Path:
    """A textured ball, 1.8 m tall, with a hole."""
    soup = textured_soup(96, 48, 0.9)
    soup.triangles = np.ascontiguousarray(soup.triangles[40:])
    assert soup.corner_uv is not None
    soup.corner_uv = np.ascontiguousarray(soup.corner_uv[40:])
    return write(tmp_path / "torn.glb", soup)


def fixed(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict[str, Any]]]:
    code = cli.main(["fix", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_torn_base_mesh_becomes_a_file_that_passes(
    torn: Path, printer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "figure.ply"
    code, (answer,) = fixed(capsys, torn, "-o", target, "--profile", printer, "--height", 100)
    assert (code, answer["verdict"], answer["output"]) == (0, "pass", str(target)), answer["message"]
    assert [step["operation"] for step in answer["steps"]] == ["clean_up", "scale_to_height", "retarget"]
    clean_up, scaled, retargeted = answer["steps"]
    assert any("hole" in note for note in clean_up["notes"])
    assert scaled["values"] == {"height": 100.0, "ground": True}
    assert retargeted["triangles_after"] == 4000
    for step in answer["steps"]:
        assert 0 <= step["color_change"]["mean"] < 2
        assert 0 <= step["color_change"]["p95"] < 5
    assert answer["check"]["file"] == str(target)
    assert answer["check"]["triangles"] == 4000
    assert {check["name"] for check in answer["written"]["checks"]} >= {"triangles", "volume"}
    found = trimesh.load(target)
    assert len(found.faces) == 4000
    assert found.is_watertight
    assert found.extents[2] == pytest.approx(100.0, abs=0.01)
    assert found.bounds[0][2] == pytest.approx(0.0, abs=1e-3)
    assert not list(tmp_path.glob(".likeness*"))


@pytest.mark.usefixtures("here")
def test_what_is_written_may_still_fail(
    torn: Path, printer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "figure.3mf"
    arguments = [str(torn), "-o", str(target), "--profile", printer, "--height", "100", "--target", "3000"]
    assert cli.main(["fix", *arguments]) == 1
    told = capsys.readouterr().out
    assert "→ 3,000 triangles, colour change ΔE" in told
    assert "  fail: 3,000 of 4,000 triangles" in told
    assert len(trimesh.load(target, force="mesh", process=False).faces) == 3000


@pytest.mark.usefixtures("here")
def test_a_folder_of_files_with_broken_ones_in_it(
    torn: Path, printer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, output = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    output.mkdir()
    write(folder / "a ball.stl", icosphere_soup(3, 49.0))
    (folder / "broken.glb").write_bytes(b"glTF\x02\x00\x00\x00\xff\xff\xff\xff")
    torn.rename(folder / "torn.glb")
    code, answers = fixed(capsys, folder, "-o", output, "--profile", printer, "--height", "nearest")
    assert code == 2
    assert [answer["verdict"] for answer in answers] == ["pass", "unreadable", "undone"]
    ball, broken, unsized = answers
    assert ball["check"]["size_mm"][2] == pytest.approx(100.0, abs=0.01)  # 98 mm is nearer to it than to 60
    assert (broken["output"], broken["steps"]) == (None, [])
    assert "no height that is sold is the nearest" in unsized["message"]
    assert [path.name for path in output.iterdir()] == ["a ball.ply"]


@pytest.mark.usefixtures("here")
def test_operations_are_done_at_the_size_and_before_the_count(
    printer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = write(tmp_path / "ball.stl", icosphere_soup(3, 30.0)), tmp_path / "stood.stl"
    arguments = ["--do", "cut_base:height=10", "--do", "smooth_surface:strength=1", "--no-clean-up", "--target", 0]
    _, (answer,) = fixed(capsys, source, "-o", target, "--profile", printer, *arguments)
    assert [step["operation"] for step in answer["steps"]] == ["", "cut_base", "smooth_surface"]
    assert answer["steps"][0]["label"] == "Stand on the ground"
    assert trimesh.load(target).extents[2] == pytest.approx(50.0, abs=0.6)
    _, (left,) = fixed(
        capsys, source, "-o", tmp_path / "left.stl", "--profile", printer, "--no-clean-up", "--target", 0
    )
    assert left["check"]["triangles"] == 1280


@pytest.mark.usefixtures("here")
def test_an_operation_that_cannot_be_done_writes_nothing(
    printer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = write(tmp_path / "ball.stl", icosphere_soup(2, 30.0)), tmp_path / "out.ply"
    code, (answer,) = fixed(capsys, source, "-o", target, "--profile", printer, "--do", "close_holes")
    assert (code, answer["verdict"]) == (2, "undone")
    assert "It has no holes" in answer["message"]
    assert not target.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["BALL", "-o", "OUT.docx"], '".docx" cannot be written'),
        (["BALL", "-o", "missing/OUT.ply"], "the folder does not exist"),
        (["BALL", "-o", "BALL"], "is a file that is read"),
        (["BALL", "-o", "BALL", "--force"], "is a file that is read"),
        (["BALL", "-o", "THERE"], "exists already"),
        (["BALL", "THERE", "-o", "OUT.ply"], "is no folder, as several files need it"),
        (["BALL", "TWIN", "-o", "FOLDER"], "would be written from"),
        (["BALL", "-o", "OUT.ply", "--do", "thikken"], 'no operation "thikken"'),
        (["BALL", "-o", "OUT.ply", "--do", "thicken:minimum=99"], "from 0.1 to 20 mm"),
        (["BALL", "-o", "OUT.ply", "--target", "7"], "Triangles cannot be 7"),
        (["BALL", "-o", "OUT.ply", "--height", "5000"], "from 1 to 1,000 mm"),
        (["BALL", "-o", "OUT.ply", "--height", "nearest", "--profile", "stl"], "has no list of heights"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(
    printer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    ball = write(tmp_path / "ball.stl", icosphere_soup(2, 30.0))
    (tmp_path / "twin").mkdir()
    names = {
        "BALL": ball,
        "THERE": write(tmp_path / "there.ply", icosphere_soup(2, 30.0)),
        "TWIN": write(tmp_path / "twin" / "Ball.ply", icosphere_soup(2, 30.0)),
        "FOLDER": tmp_path,
    }
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}
    placed = [str(names.get(word, tmp_path / word if "OUT." in word else word)) for word in arguments]
    assert cli.main(["fix", *placed, *([] if "--profile" in placed else ["--profile", printer])]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not captured.out
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()} == before


@pytest.mark.usefixtures("here")
def test_existing_files_are_replaced_when_forced(printer: str, tmp_path: Path) -> None:
    ball = write(tmp_path / "ball.stl", icosphere_soup(2, 30.0))
    there = write(tmp_path / "there.ply", icosphere_soup(1, 30.0))
    arguments = [str(ball), "-o", str(there), "--profile", printer, "--force", "--no-clean-up", "--target", "0"]
    assert cli.main(["fix", *arguments]) == 1
    assert len(trimesh.load(there).faces) == 320


@pytest.mark.skipif(os.name == "nt", reason="Windows interrupts in another way")
def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    source, output = write(tmp_path / "ball.stl", icosphere_soup(3, 50.0)), tmp_path / "out"
    output.mkdir()
    # Programs that a shell starts in the background are told to ignore interrupts, and hand that on.
    begin = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    begin += "runpy.run_module('app', run_name='__main__')"
    command = [sys.executable, "-c", begin, "fix", str(source), "-o", str(output / "ball.3mf"), "--target", "900000"]
    program = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while not list(output.iterdir()) and program.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)  # until the folder in which the file is made is there
    os.killpg(program.pid, signal.SIGINT)
    told = program.communicate(timeout=60)
    assert (program.returncode, told) == (130, (b"", b""))
    assert not list(output.iterdir())


@pytest.mark.usefixtures("here")
def test_a_file_that_vanishes_is_one_answer_among_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ball = write(tmp_path / "ball.stl", icosphere_soup(2, 30.0))
    recipe = Recipe(PrinterProfile("p", "P", "ply", ".ply", target_triangles=0), clean=False)
    gone = fix_file(tmp_path / "gone.stl", tmp_path / "gone.ply", recipe)
    assert gone["verdict"] == "unreadable"
    real = fixing.export_in_worker

    def vanishing(*args: Any, **more: Any) -> Any:
        report = real(*args, **more)
        report.path.unlink()
        return report

    monkeypatch.setattr(fixing, "export_in_worker", vanishing)
    answer = fix_file(ball, tmp_path / "ball.ply", recipe)
    assert answer["verdict"] == "unreadable"  # what nobody can read has not been made


def test_a_recipe_knows_what_no_file_could_be_done_with() -> None:
    sold = PrinterProfile("p", "P", "ply", ".ply", products={"figures": (60.0,)})
    Recipe(sold, height=NEAREST, target=100).check()
    with pytest.raises(InvalidInput, match="no list of heights"):
        Recipe(PrinterProfile("p", "P", "ply", ".ply"), height=NEAREST).check()


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("clean_up", Wish("clean_up", {})),
        (" thicken : minimum = 1.2 ", Wish("thicken", {"minimum": 1.2})),
        ("mirror:axis=y,half=positive,at=-3", Wish("mirror", {"axis": "y", "half": "positive", "at": -3.0})),
        ("hollow:holes=1", Wish("hollow", {"holes": 1})),
        ("orient:keep_cavities=no", Wish("orient", {"keep_cavities": False})),
    ],
)
def test_operations_can_be_typed(text: str, wish: Wish) -> None:
    assert parsed(text) == wish


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nothing", "no operation"),
        ("thicken:wall=1", 'no parameter "wall"'),
        ("thicken:minimum", "has no value"),
        ("thicken:minimum=thick", "is not a number"),
        ("thicken:minimum=nan", "is not a number"),
        ("hollow:holes=1.5", "is not a whole number"),
        ("orient:keep_cavities=perhaps", "neither yes nor no"),
        ("mirror:axis=w", "Choose one of x, y, z"),
    ],
)
def test_what_is_typed_wrong_is_told(text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        parsed(text)


def test_every_operation_is_listed_and_its_defaults_can_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["operations"]) == 0
    shown = capsys.readouterr().out
    assert shown == "\n".join(lines()) + "\n"
    assert cli.main(["operations", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(described()))
    for operation in operations().values():
        assert f"  {operation.id}: " in shown
        given = [
            f"{each.id}={('yes' if each.default else 'no') if isinstance(each, Toggle) else each.default}"
            for each in operation.parameters
        ]
        assert all(f"{each.id}=" in shown for each in operation.parameters)
        assert parsed(f"{operation.id}:{','.join(given)}").values == operation.defaults()
