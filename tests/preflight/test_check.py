"""Verdicts: what passes, what fails and how it is said; files through the worker; hostile ones end in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import trimesh

from app.formats.registry import WriteOptions, formats, no_progress
from app.mesh.build import build_mesh
from app.preflight.check import FAIL, NOTE, PASS, check_file, read_and_judge, verdict
from app.preflight.counts import Counts, inspect
from app.preflight.profiles import PrinterProfile
from tests.meshes import cube_soup, icosphere_soup, textured_soup

PRINTER = PrinterProfile(
    id="test",
    label="Test",
    format="ply",
    suffix=".ply",
    products={"figures": (100.0, 150.0)},
    max_size_mm=(200, 200, 300),
)
GOOD = Counts(
    triangles=1_600_000,
    vertices=800_002,
    size_mm=(60.0, 50.0, 150.0),
    volume_mm3=100_000.0,
    shells=1,
    floaters=0,
    open_edges=0,
    non_manifold_edges=0,
    winding_conflicts=0,
    degenerate=0,
    duplicates=0,
    without_area=0,
    watertight=True,
    has_texture=True,
    has_vertex_colors=False,
    has_material_colors=False,
)


def test_a_finished_figure_passes_and_says_what_it_is() -> None:
    judged = verdict(GOOD, PRINTER)
    assert judged.status == PASS
    assert judged.message == "1,600,000 of 1,600,000 triangles; 60.0 × 50.0 × 150.0 mm; closed; textured"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"triangles": 19_942}, "19,942 of 1,600,000 triangles"),
        ({"triangles": 1_680_001}, "1,680,001 of 1,600,000 triangles"),
        ({"open_edges": 1, "watertight": False}, "1 open edge"),
        ({"non_manifold_edges": 12, "watertight": False}, "12 non-manifold edges"),
        ({"winding_conflicts": 3}, "3 edges between triangles that face opposite ways"),
        ({"volume_mm3": -5.0}, "inside out"),
        ({"size_mm": (60.0, 50.0, 301.0)}, "60.0 × 50.0 × 301.0 mm does not fit into 200 × 200 × 300 mm"),
        ({"size_mm": (60.0, 50.0, 152.0)}, "152.0 mm tall, sold at 100, 150 mm"),
        ({"size_mm": (6.0, 5.0, 15.0)}, "15.0 mm tall, sold at 100, 150 mm"),
        ({"triangles": 12, "open_edges": 2, "watertight": False}, "12 of 1,600,000 triangles; 2 open edges"),
    ],
)
def test_what_fails_is_the_message(change: dict, message: str) -> None:
    judged = verdict(replace(GOOD, **change), PRINTER)
    assert (judged.status, judged.message) == (FAIL, message)


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"size_mm": (60.0, 50.0, 120.0)}, "size"),  # between two heights that are sold
        ({"shells": 4, "floaters": 3}, "shells"),
        ({"has_texture": False}, "color"),
    ],
)
def test_what_is_only_worth_knowing_does_not_fail(change: dict, subject: str) -> None:
    judged = verdict(replace(GOOD, **change), PRINTER)
    assert judged.status == PASS
    assert [finding.subject for finding in judged.findings if finding.status == NOTE] == [subject]


@pytest.mark.parametrize(("triangles", "status"), [(1_520_000, PASS), (1_519_999, FAIL), (1_680_000, PASS)])
def test_the_target_has_a_tolerance(triangles: int, status: str) -> None:
    assert verdict(replace(GOOD, triangles=triangles), PRINTER).status == status


def test_a_figure_may_lie_in_the_printer() -> None:
    lying = replace(PRINTER, max_size_mm=(300.0, 200.0, 100.0), products={})
    assert verdict(replace(GOOD, size_mm=(60.0, 50.0, 290.0)), lying).status == PASS


def test_without_wishes_everything_with_triangles_passes() -> None:
    easy = PrinterProfile("e", "Easy", "stl", ".stl", target_triangles=0, watertight_required=False, color="none")
    hopeless = replace(
        GOOD, open_edges=9, non_manifold_edges=9, watertight=False, winding_conflicts=9, has_texture=False
    )
    assert verdict(hopeless, easy).status == PASS
    assert verdict(replace(GOOD, triangles=0), easy).status == FAIL


@pytest.mark.parametrize("kind", ["has_texture", "has_vertex_colors", "has_material_colors"])
@pytest.mark.parametrize("change", [{"color": "none"}, {"format": "stl"}])
def test_colour_that_is_not_printed_is_worth_knowing(kind: str, change: dict) -> None:
    judged = verdict(replace(GOOD, **{"has_texture": False, kind: True}), replace(PRINTER, **change))
    assert judged.status == PASS
    notes = [finding.text for finding in judged.findings if finding.status == NOTE]
    assert notes == ["the colour is not printed by this format"]


def test_an_uncertain_unit_is_pointed_out_where_the_size_is_wrong() -> None:
    small = replace(GOOD, size_mm=(1.0, 1.0, 2.0))
    assert "unit is uncertain" in verdict(small, PRINTER, unit_known=False).message
    assert "unit" not in verdict(GOOD, PRINTER, unit_known=False).message


KEYS = [
    "file",
    "verdict",
    "message",
    "triangles",
    "vertices",
    "size_mm",
    "shells",
    "open_edges",
    "non_manifold_edges",
    "watertight",
    "has_texture",
    "has_vertex_colors",
    "notes",
    "profile",
    "volume_ml",
    "checks",
]
COUNTED = KEYS[KEYS.index("triangles") : KEYS.index("notes")]


def write(path: Path, soup: object) -> Path:
    file_format = next(known for known in formats().values() if path.suffix in known.suffixes)
    file_format.write(soup, path, WriteOptions(), no_progress)  # type: ignore[arg-type, misc]
    return path


def test_a_file_gives_the_shape_that_others_rely_on(tmp_path: Path) -> None:
    soup = textured_soup(radius=75.0)
    path = write(tmp_path / "ball.obj", soup)
    easy = replace(PRINTER, target_triangles=960)
    answer = check_file(path, easy)
    assert list(json.loads(json.dumps(answer))) == KEYS
    checks = answer.pop("checks")
    assert answer == {
        "file": str(path),
        "verdict": "pass",
        "message": "960 of 960 triangles; 150.0 × 150.0 × 150.0 mm; closed; textured",
        "triangles": 960,
        "vertices": 482,
        "size_mm": [150.0, 150.0, 150.0],
        "shells": 1,
        "open_edges": 0,
        "non_manifold_edges": 0,
        "watertight": True,
        "has_texture": True,
        "has_vertex_colors": False,
        "notes": [],
        "profile": "test",
        "volume_ml": pytest.approx(trimesh.Trimesh(soup.positions, soup.triangles).volume / 1000, abs=0.01),
    }
    for row in checks:
        assert list(row) == [
            *("id", "label", "status", "message", "value", "limit", "unit", "point_mm", "vertices", "triangles", "fix")
        ]
        assert row["status"] == "pass", row
    assert {"triangles", "size", "open_edges", "self_intersections"} <= {row["id"] for row in checks}


def test_what_the_reader_left_out_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "ball.obj", textured_soup(radius=75.0))
    path.with_suffix(".mtl").unlink()
    notes = check_file(path, PRINTER)["notes"]
    assert notes == ["The material file ball.mtl is not beside the file; colours and textures are missing."]


@pytest.mark.parametrize("content", [b"", b"ply\nformat ascii 1.0\n", b"solid x\nfacet", b"\x00" * 200, None])
def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.ply"
    if content is not None:
        path.write_bytes(content)
    answer = check_file(path, PRINTER)
    assert list(answer) == KEYS
    assert answer["verdict"] == "unreadable"
    assert answer["file"] == str(path)
    assert answer["message"]
    assert str(path) not in answer["message"]  # the file has its own column
    assert "\n" not in answer["message"]
    assert [answer[key] for key in COUNTED] == [None] * 9
    assert (answer["notes"], answer["checks"], answer["volume_ml"]) == ([], [], None)


def test_a_header_that_promises_too_much_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "huge.stl"
    path.write_bytes(bytes(80) + (4_000_000_000).to_bytes(4, "little") + bytes(500))
    assert check_file(path, PRINTER)["verdict"] == "unreadable"


def test_time_runs_out_with_a_message_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "ball.stl", icosphere_soup(6))
    answer = check_file(path, PRINTER, seconds=1e-9)
    assert answer["verdict"] == "unreadable"
    assert answer["file"] == str(path)
    assert "Took longer" in answer["message"]


def test_a_file_larger_than_the_printer_takes_fails_only_in_its_format(tmp_path: Path) -> None:
    easy = replace(PRINTER, target_triangles=0, products={}, max_file_mb=0.0001)
    own = read_and_judge(write(tmp_path / "cube.ply", cube_soup()), easy)
    other = read_and_judge(write(tmp_path / "cube.stl", cube_soup()), easy)
    assert own.verdict.status == FAIL
    assert "at most" in own.verdict.message
    assert other.verdict.status == PASS


def test_the_mesh_in_hand_and_its_file_get_the_same_verdict(tmp_path: Path) -> None:
    soup = icosphere_soup(3, 75.0)
    path = write(tmp_path / "ball.stl", soup)
    answer = check_file(path, PRINTER)
    assert answer["message"] == verdict(inspect(build_mesh(soup)), PRINTER).message
