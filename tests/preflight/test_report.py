"""Reports for QA: folders of files, the page that holds everything, the table, and pictures without a screen."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import cli, terminal, worker
from app.errors import InvalidInput, LikenessError
from app.formats.registry import WriteOptions, formats, no_progress
from app.mesh.mesh import Mesh
from app.mesh.soup import Soup
from app.preflight import check
from app.preflight.batch import Sheet, check_files, files_in
from app.preflight.check import Checked, reported, unreadable
from app.preflight.checks.running import run_checks
from app.preflight.heat import heat_colors, limits_mm, stops
from app.preflight.page import html_page
from app.preflight.placing import write_text
from app.preflight.profiles import PrinterProfile, profile
from app.preflight.report import check_lines
from app.preflight.spreadsheet import csv_table
from app.preflight.verdict import Verdict
from app.viewport.portraits import portraits
from tests.mesh.test_thickness import shell
from tests.meshes import icosphere_soup, sphere
from tests.preflight.test_shells import HERE, ball, together

PRINTER = PrinterProfile("test", "Test & Co", "stl", ".stl", target_triangles=0, wall_mm=1.0, color_wall_mm=2.0)
NOW = datetime(2025, 3, 4, 15, 16, tzinfo=UTC)


def write(path: Path, soup: Soup) -> Path:
    writer = next(known for known in formats().values() if path.suffix in known.suffixes).write
    assert writer is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    writer(soup, path, WriteOptions(), no_progress)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ball, a broken file, a text, and a ball in a folder further down."""
    write(tmp_path / "in" / "ball.stl", icosphere_soup(3, 30.0))
    (tmp_path / "in" / "broken <b>.glb").write_bytes(b"glTF\x02\x00\x00\x00\xff\xff\xff\xff")
    (tmp_path / "in" / "notes.txt").write_text("nothing to check")
    write(tmp_path / "in" / "deep" / "small.ply", icosphere_soup(2, 20.0))
    return tmp_path / "in"


def dots(mesh: Mesh, heat: np.ndarray | None) -> dict[str, bytes]:
    """Stands for a renderer, in a worker."""
    names = ["front", "back", "left", "right"] + ([] if heat is None else ["walls-front", "walls-back"])
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (10, 20, 30)).save(buffer, "JPEG")
    return dict.fromkeys(names, buffer.getvalue())


def no_graphics(mesh: Mesh, heat: np.ndarray | None) -> dict[str, bytes]:
    raise LikenessError("this machine offers no OpenGL 3.2, so no picture can be drawn", "graphics", "Install Mesa")


def test_folders_are_the_files_in_them_that_can_be_read(folder: Path) -> None:
    assert [file.name for file in files_in([folder])] == ["ball.stl", "broken <b>.glb"]
    deep = files_in([folder], recursive=True)
    assert [file.name for file in deep] == ["ball.stl", "broken <b>.glb", "small.ply"]
    missing = folder / "missing.stl"
    assert files_in([missing]) == [missing]  # reading it will say so
    with pytest.raises(InvalidInput, match="--recursive"):
        files_in([folder.parent])


def test_sheets_come_in_order_with_hashes_and_pictures(folder: Path) -> None:
    files = files_in([folder], recursive=True)
    told: list[tuple[float, str]] = []
    sheets = list(check_files(files, PRINTER, jobs=2, draw=dots, progress=lambda *now: told.append(now)))
    assert [sheet.answer["file"] for sheet in sheets] == [str(file) for file in files]
    assert [sheet.answer["verdict"] for sheet in sheets] == ["pass", "unreadable", "pass"]
    for sheet, file in zip(sheets, files, strict=True):
        assert sheet.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
        assert sheet.file_bytes == file.stat().st_size
    assert set(sheets[0].pictures) == {"front", "back", "left", "right", "walls-front", "walls-back"}
    assert not sheets[1].pictures
    assert told[-1][0] == pytest.approx(1.0)
    assert "3 of 3 files" in told[-1][1]
    worker.cool_down()


def test_without_graphics_the_report_says_why(folder: Path) -> None:
    (sheet,) = check_files([folder / "ball.stl"], PRINTER, draw=no_graphics)
    assert sheet.answer["verdict"] == "pass"
    assert not sheet.pictures
    assert "offers no OpenGL" in sheet.no_pictures
    assert "offers no OpenGL" in html_page([sheet], PRINTER, NOW)


class Page(HTMLParser):
    """What a browser would load, and whether tags are closed."""

    VOID = ("meta", "img", "br", "wbr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_page_holds_everything_and_asks_for_nothing(folder: Path) -> None:
    files = files_in([folder], recursive=True)
    sheets = list(check_files(files, PRINTER, draw=dots))
    text = html_page(sheets, PRINTER, NOW)
    page = Page()
    page.feed(text)
    assert not page.open
    assert "script" not in page.tags
    assert all(target.startswith(("data:image/jpeg;base64,", "#file-")) for target in page.loads)
    assert "url(" not in text
    assert "@import" not in text
    shown = " ".join(page.text)
    for wanted in ("3 files", "Test & Co", "2025-03-04 15:16 UTC", "Likeness", "Ready to print", "Cannot be read"):
        assert wanted in shown
    for sheet in sheets:
        assert sheet.sha256 in shown
    assert "broken <b>.glb" in shown  # as text, not as a tag
    assert "b" not in page.tags or "<b>.glb" not in text
    assert len([target for target in page.loads if target.startswith("data:")]) == 12


def test_one_file_has_no_overview_and_every_check_has_a_row() -> None:
    mesh = together((ball(10), HERE, False), (ball(5), (9.0, 0.0, 0.0), False))
    report = run_checks(mesh, PRINTER)
    checked = Checked(report.counts, Verdict(report.status, report.message, ()), True, ("A note.",), report)
    text = html_page([Sheet(reported(Path("a/figure.stl"), PRINTER, checked))], PRINTER, NOW)
    assert "class=overview" not in text
    assert "<h1>figure.stl</h1>" in text
    for result in report.results:
        assert result.label in text
    assert "class=fix>resolve self intersections" in text
    assert "A note." in text


def test_the_table_has_a_row_per_file_and_no_formulas(folder: Path) -> None:
    files = files_in([folder], recursive=True)
    answers = [sheet.answer for sheet in check_files(files, PRINTER)]
    answers[0]["file"] = "=HYPERLINK(1)"
    rows = list(csv.DictReader(io.StringIO(csv_table(answers))))
    assert [row["verdict"] for row in rows] == ["pass", "unreadable", "pass"]
    assert rows[0]["file"] == "'=HYPERLINK(1)"
    assert rows[0]["triangles"] == "1280"
    assert rows[0]["walls_status"] == "pass"
    assert float(rows[0]["height_mm"]) == pytest.approx(60, abs=0.5)
    assert rows[1]["triangles"] == rows[1]["walls_status"] == ""
    assert len(set(rows[0])) == len(csv_table(answers).splitlines()[0].split(","))


def test_names_of_files_do_nothing_in_a_report(tmp_path: Path) -> None:
    names = ["=cmd()", "<script>alert(1)</script>.stl", "\n=1+1", "bad\udcff.stl", "in_a/Müller.stl"]
    broken = LikenessError("is cut off", "", "Export it again")
    sheets = [Sheet(unreadable(Path("/models") / name, PRINTER, broken)) for name in names]
    page = Page()
    page.feed(html_page(sheets, PRINTER, NOW))
    assert "script" not in page.tags
    shown = "".join(page.text)
    assert all(shown.count(name) >= 2 for name in names)  # from the folder that they have in common
    assert shown.count("/models") == 1 + len(names)
    for sheet, name in zip(sheets, names, strict=True):
        sheet.answer["file"] = name
    written = tmp_path / "out.csv"
    write_text(written, csv_table([sheet.answer for sheet in sheets]))
    with written.open(encoding="utf-8", newline="") as stream:
        cells = [row["file"] for row in csv.DictReader(stream)]
    assert cells == ["'=cmd()", names[1], "'\n=1+1", "bad\\udcff.stl", names[4]]


def test_names_of_files_do_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    answer = unreadable(Path("red\x1b[31m\nline.stl"), PRINTER, LikenessError("is cut off"))
    terminal.answer("\n".join(check_lines(answer)))
    row, reason = capsys.readouterr().out.splitlines()
    assert row.endswith(r"red\x1b[31m\nline.stl")
    assert reason.strip() == "Is cut off."


def test_reading_gets_more_time_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check.os, "getloadavg", lambda: (0.0, 0.0, 0.0), raising=False)
    assert [check._patience(jobs) for jobs in (1, 2, 99)] == [1.0, 2.0, 8.0]
    monkeypatch.setattr(check.os, "getloadavg", lambda: (12.0, 0.0, 0.0), raising=False)
    monkeypatch.setattr(check.os, "cpu_count", lambda: 4)
    assert check._patience(1) == 3.0


def test_colours_jump_at_the_limits() -> None:
    walls = np.array([0.0, 0.99, 1.0, 1.99, 2.0, 9.0, 50.0], np.float32)
    colors = heat_colors(walls, PRINTER, 10.0)
    assert colors.shape == (7, 3)
    assert colors.dtype == np.float32
    steps = np.abs(np.diff(colors, axis=0)).max(axis=1)
    assert steps[1] > 0.2  # breaks below 1 mm
    assert steps[3] > 0.4  # colour shifts below 2 mm
    assert colors[0, 0] > 2 * colors[0, 1]
    assert colors[1, 0] > 2 * colors[1, 1]
    assert (colors[-1] > 0.8).all()
    assert limits_mm(PrinterProfile("p", "P", "stl", ".stl")) == (1.0, 2.0)
    for wishes in ({"wall_mm": 3.0}, {"wall_mm": 0.5, "color_wall_mm": 0.5}, {}):
        table = stops(PrinterProfile("p", "P", "stl", ".stl", **wishes), 10.0)  # type: ignore[arg-type]
        assert [mm for mm, _ in table] == sorted(mm for mm, _ in table)
        assert len(table) % 2 == 0


def test_pictures_show_the_model_from_four_sides_and_its_walls() -> None:
    mesh = shell(30, 28)
    thin = heat_colors(np.where(mesh.positions[:, 1] < 0, 0.5, 8.0).astype(np.float32), PRINTER, 10.0)
    pictures = portraits(mesh, thin)
    images = {name: np.asarray(Image.open(io.BytesIO(data))).astype(int) for name, data in pictures.items()}
    assert set(images) == {"front", "back", "left", "right", "walls-front", "walls-back"}
    assert len({image.shape for image in images.values()}) == 1
    height, width = images["front"].shape[:2]
    centre = (slice(height // 2 - 20, height // 2 + 20), slice(width // 2 - 20, width // 2 + 20))
    for image in images.values():
        assert np.abs(image[centre].mean(axis=(0, 1)) - image[4, 4]).max() > 15  # not only paper
    front, back = (images[name][centre].mean(axis=(0, 1)) for name in ("walls-front", "walls-back"))
    assert front[0] > 2 * front[2]  # red where it is thin
    assert abs(back[0] - back[2]) < 40
    assert set(portraits(sphere(2))) == {"front", "back", "left", "right"}


def test_the_command_writes_both_reports(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, table = folder / "out.html", folder / "out.csv"
    code = cli.main(
        ["check", str(folder), "-r", "-j", "2", "--html", str(page), "--csv", str(table), "--profile", "stl"]
    )
    assert code == 2  # one cannot be read
    assert len(capsys.readouterr().out.splitlines()) >= 7
    text = page.read_text("utf-8")
    assert text.count("data:image/jpeg") == 12
    assert re.search(r"1 cannot be read", text)
    assert len(table.read_text("utf-8").splitlines()) == 4
    assert not [file.name for file in folder.iterdir() if file.name.startswith(".likeness")]


def test_quick_leaves_out_what_takes_long(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(folder / "ball.stl"), "--json", "--quick", "--profile", "stl"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    ids = {row["id"] for row in answer["checks"]}
    assert "open_edges" in ids
    assert not {"walls", "self_intersections", "inner_shells"} & ids


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--html", "missing/out.html"], "the folder does not exist"),
        (["--csv", "BALL"], "is a file that is read"),
        (["--html", "."], "there is a folder of this name"),
        (["--html", "forgotten.glb"], "is the name of a model, not of a report"),
        (["--csv", "/dev/null"], "is not an ordinary file"),
    ],
)
def test_a_report_that_cannot_be_written_is_said_before_the_work(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    ball_file = folder / "ball.stl"
    before = ball_file.read_bytes()
    option, name = arguments
    output = str(ball_file) if name == "BALL" else str(folder / name)  # a full path stays what it is
    assert cli.main(["check", str(ball_file), option, output]) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert not captured.out
    assert ball_file.read_bytes() == before


def test_the_house_profile_has_limits_for_walls() -> None:
    house = profile()
    assert (house.wall_mm, house.color_wall_mm, house.pin_mm) == (1.0, 2.0, 1.0)
