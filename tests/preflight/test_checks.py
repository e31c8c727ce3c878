"""Every check on a mesh that has just that wrong with it: status, number, place and fix."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image, ImageCms

from app import worker
from app.errors import Cancelled
from app.formats.registry import WriteOptions, formats, no_progress
from app.mesh.build import build_mesh, to_soup
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup, Texture
from app.preflight import gamut
from app.preflight.checks.check import CHEAP, DEAR, CheckResult, declared
from app.preflight.checks.general import estimated_bytes
from app.preflight.checks.running import PreflightReport, run_checks, run_checks_in_worker
from app.preflight.counts import inspect
from app.preflight.profiles import PrinterProfile
from app.preflight.verdict import verdict
from tests.mesh.test_thickness import fine
from tests.meshes import cube_soup, grid, icosphere_soup, sphere, textured_soup
from tests.preflight.test_shells import BESIDE, HERE, ball, together

FIXES = {
    *("weld", "remove_floaters", "remove_inner_shells", "close_holes", "orient", "resolve_self_intersections"),
    *("make_manifold", "retarget", "scale_to_height", "thicken"),
}
PRINTER = PrinterProfile(
    id="test",
    label="Test",
    format="3mf",
    suffix=".3mf",
    target_triangles=0,
    wall_mm=1.0,
    color_wall_mm=2.0,
    pin_mm=1.0,
    density_g_ml=1.2,
)


def checked(mesh: Mesh, **wishes: object) -> PreflightReport:
    return run_checks(mesh, replace(PRINTER, **wishes))  # type: ignore[arg-type]


def found(mesh: Mesh, check_id: str, **wishes: object) -> CheckResult:
    result = checked(mesh, **wishes).result(check_id)
    assert result is not None
    return result


def box(size: tuple[float, float, float], edge: float = 0.6) -> Mesh:
    return fine(trimesh.creation.box(size), edge)


def test_ids_are_unique_and_labels_are_there() -> None:
    checks = declared()
    assert len({check.id for check in checks}) == len(checks) >= 20
    assert all(check.label for check in checks)


def test_a_sound_figure_passes_everything() -> None:
    report = checked(sphere(4, 10.0, colored=True), target_triangles=5120, products={"balls": (20.0,)})
    assert [(result.id, result.status) for result in report.results if result.status != "pass"] == []
    assert report.status == "pass"
    assert report.message == "5,120 of 5,120 triangles; 20.0 × 20.0 × 20.0 mm; closed; vertex colours"
    assert report.walls is not None
    assert report.walls.shape == (2562,)
    assert all(result.label and result.message for result in report.results)


def open_ball() -> Mesh:
    soup = icosphere_soup(3, 10.0)
    top = soup.positions[soup.triangles].mean(axis=1)[:, 2] > 9.0
    return build_mesh(Soup(soup.positions, soup.triangles[~top]))


def turned_ball() -> Mesh:
    soup = icosphere_soup(3, 10.0)
    soup.triangles[5] = soup.triangles[5][::-1]
    return build_mesh(soup)


def tied() -> Mesh:
    return together((cube_soup(8.0), HERE, False), (cube_soup(8.0), (8.0, 8.0, 8.0), False))


def with_sliver() -> Mesh:
    soup = icosphere_soup(3, 10.0)
    return build_mesh(Soup(soup.positions, np.concatenate((soup.triangles, [[0, 0, 1]])).astype(np.int32)))


def twice() -> Mesh:
    soup = icosphere_soup(3, 10.0)
    return build_mesh(Soup(soup.positions, np.concatenate((soup.triangles, soup.triangles[:2]))))


def finned() -> Mesh:
    soup = icosphere_soup(3, 10.0)
    points = np.concatenate((soup.positions, [[0, 0, 30]])).astype(np.float32)
    edge = soup.triangles[0, :2]
    return build_mesh(Soup(points, np.concatenate((soup.triangles, [[*edge, len(points) - 1]])).astype(np.int32)))


def overlapping() -> Mesh:
    return together((ball(10), HERE, False), (ball(5), (9.0, 0.3, 0.2), False))


@pytest.mark.parametrize(
    ("make", "check_id", "status", "value", "fix"),
    [
        (open_ball, "open_edges", "fail", None, "close_holes"),
        (finned, "non_manifold_edges", "fail", 1, "make_manifold"),
        (turned_ball, "winding", "fail", 3, "orient"),
        (tied, "bow_ties", "warn", 1, "make_manifold"),
        (with_sliver, "degenerate", "warn", 1, "weld"),
        (twice, "duplicates", "warn", 2, "make_manifold"),
        (
            lambda: together((ball(10), HERE, False), (ball(1, 0), BESIDE, False)),
            "shells",
            "warn",
            2,
            "remove_floaters",
        ),
        (
            lambda: together((ball(10), HERE, False), (ball(4), HERE, False)),
            "inner_shells",
            "warn",
            1,
            "remove_inner_shells",
        ),
        (lambda: together((ball(10), HERE, False), (ball(9), BESIDE, True)), "flipped_shells", "fail", 1, "orient"),
        (overlapping, "self_intersections", "warn", None, "resolve_self_intersections"),
        (lambda: box((12, 12, 0.7)), "walls", "fail", 0.7, "thicken"),
        (lambda: box((12, 12, 1.5)), "color_walls", "warn", 1.5, "thicken"),
        (lambda: box((12, 0.8, 0.8), 0.3), "pins", "warn", 0.8, "thicken"),
        (
            lambda: together((ball(10, 4), HERE, False), (ball(9.95, 4), HERE, False)),
            "double_skins",
            "warn",
            None,
            "remove_inner_shells",
        ),
    ],
)
def test_what_is_wrong_is_found_with_its_place_and_its_fix(
    make: object, check_id: str, status: str, value: float | None, fix: str
) -> None:
    mesh = make()  # type: ignore[operator]
    report = checked(mesh)
    result = report.result(check_id)
    assert result is not None
    assert (result.status, result.fix) == (status, fix)
    assert fix in FIXES
    if value is not None:
        assert result.value == pytest.approx(value, rel=0.03)
    assert result.where is not None
    assert len(result.where.vertices) or len(result.where.triangles)
    # The place to fly to is on what was found.
    shown = mesh.positions[result.where.vertices]
    if not len(shown):
        shown = mesh.positions[mesh.triangles[result.where.triangles]].mean(axis=1)
    assert np.linalg.norm(shown - result.where.point_mm, axis=1).min() < 1e-4
    if status == "fail":
        assert report.status == "fail"
        assert result.message in report.message


def test_only_what_a_profile_requires_fails() -> None:
    assert found(open_ball(), "open_edges", watertight_required=False).status == "warn"
    assert found(overlapping(), "self_intersections", self_intersections="fail").status == "fail"
    assert checked(overlapping(), self_intersections="ignore").result("self_intersections") is None
    silent = checked(sphere(2), wall_mm=0.0, color_wall_mm=0.0, pin_mm=0.0)
    assert [silent.result(name) for name in ("walls", "color_walls", "pins")] == [None] * 3


def test_target_and_height_name_their_fix() -> None:
    report = checked(sphere(3), target_triangles=1_600_000, products={"pets": (100.0,)})
    triangles, size = report.result("triangles"), report.result("size")
    assert triangles is not None
    assert size is not None
    assert (triangles.status, triangles.value, triangles.limit, triangles.fix) == ("fail", 1280, 1_600_000, "retarget")
    assert (size.status, size.limit, size.fix) == ("fail", 100.0, "scale_to_height")
    assert report.message == "1,280 of 1,600,000 triangles; 20.0 mm tall, sold at 100 mm"


def test_a_void_is_told_with_its_volume() -> None:
    hollow = together((ball(10, 4), HERE, False), (ball(6, 4), HERE, True))
    assert "closed hollow of 0.90 ml" in found(hollow, "inner_shells").message


def test_walls_of_a_hollow_are_walls_and_a_buried_body_makes_none() -> None:
    assert found(together((ball(10, 4), HERE, False), (ball(9.5, 4), HERE, True)), "walls").status == "fail"
    # Its far side faces as the far side of a thin wall would.
    buried = together((ball(10, 4), HERE, False), (cube_soup(0.5), (0.0, 0.0, 9.2), False))
    assert found(buried, "inner_shells").status == "warn"
    assert found(buried, "walls").status == "pass"


def test_a_spot_of_less_than_a_square_millimetre_is_no_wall() -> None:
    small = box((0.9, 0.9, 0.4), 0.3)
    assert found(small, "walls").status == "fail"  # all of it is thin
    tip = together((ball(10, 4), HERE, False), (cube_soup(0.3), BESIDE, False))
    assert found(tip, "walls").status == "pass"


@pytest.mark.parametrize(
    ("height", "known", "judged"), [(20.0, True, True), (0.02, False, False), (2000.0, False, False)]
)
def test_walls_are_not_judged_at_a_size_that_nobody_meant(height: float, known: bool, judged: bool) -> None:
    mesh = sphere(3, height / 2)
    report = run_checks(mesh, PRINTER, unit_known=known)
    for name in ("walls", "color_walls", "pins", "double_skins"):
        result = report.result(name)
        assert result is not None
        assert ("not judged" not in result.message) == judged
        assert result.fix == ("" if judged else "scale_to_height")


def test_resin_is_volume_times_density() -> None:
    result = found(build_mesh(cube_soup(20.0)), "material")
    assert (result.value, result.unit) == (pytest.approx(8.0), "ml")
    assert result.message == "8.0 ml, about 10 g, without supports"
    assert found(grid(4), "material").value is None


@pytest.mark.parametrize("kind", ["plain", "colored", "textured"])
@pytest.mark.parametrize("format_id", ["stl", "ply", "gltf", "3mf", "obj", "obj-zip", "vrml"])
def test_the_estimate_of_the_file_is_near_what_is_written(tmp_path: Path, format_id: str, kind: str) -> None:
    if kind == "textured":
        mesh = build_mesh(textured_soup(192, 96, 75.0))
    else:
        mesh = sphere(5, 75.0)
        if kind == "colored":
            colors = np.random.default_rng(1).random((mesh.vertex_count, 3)).astype(np.float32)
            mesh = Mesh(mesh.positions, mesh.triangles, colors=colors.round(1))
    color = "vertex" if format_id == "ply" else "texture"
    file_format = formats()[format_id]
    assert file_format.write is not None
    path = tmp_path / f"file{file_format.suffixes[0]}"
    file_format.write(to_soup(mesh), path, WriteOptions(color=color), no_progress)
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    profile = replace(PRINTER, format=format_id, suffix=path.suffix, color=color)
    assert estimated_bytes(mesh, profile) == pytest.approx(size, rel=0.6)


def test_a_file_too_large_fails_and_an_estimate_warns() -> None:
    mesh = sphere(3)
    profile = replace(PRINTER, max_file_mb=0.001)
    known = run_checks(mesh, profile, file_bytes=5000).result("file_size")
    guessed = run_checks(mesh, profile).result("file_size")
    assert known is not None
    assert guessed is not None
    assert (known.status, guessed.status) == ("fail", "warn")
    assert "about" in guessed.message


def two_textures(size: int = 64) -> Mesh:
    soup = textured_soup()
    first = soup.materials[0]
    other = Texture.from_pixels(np.full((size, size, 3), 200, np.uint8), "other")
    half = (np.arange(len(soup.triangles)) % 2).astype(np.int16)
    return build_mesh(replace(soup, triangle_material=half, materials=[first, Material("other", texture=other)]))


def test_textures_are_told_with_what_the_export_does_to_them() -> None:
    mesh = two_textures(128)
    report = checked(mesh, single_texture=True, texture_limit=100, texture_format="jpeg")
    size, form, count = (report.result(name) for name in ("texture_size", "texture_format", "texture_count"))
    assert size is not None
    assert form is not None
    assert count is not None
    assert (size.status, size.value, size.limit) == ("warn", 128, 100)
    assert "makes it JPEG" in form.message
    assert (count.status, count.value, count.limit) == ("warn", 2, 1)
    easy = checked(mesh)
    assert [easy.result(name).status for name in ("texture_size", "texture_count")] == ["pass", "pass"]  # type: ignore[union-attr]
    assert checked(sphere(2)).result("texture_size") is None


def icc_profile(path: Path, reach: float) -> Path:
    """An RGB printer whose primaries lie at `reach` of the way from grey to those of sRGB."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    white = np.array((0.9642, 1.0, 0.8249))  # D50, where ICC profiles meet
    (count,) = struct.unpack_from(">I", content, 128)
    for entry in range(count):
        name, offset, _ = struct.unpack_from(">4sII", content, 132 + 12 * entry)
        if name in (b"rXYZ", b"gXYZ", b"bXYZ"):
            primary = np.array(struct.unpack_from(">3i", content, offset + 8)) / 65536
            moved = reach * primary + (1 - reach) * white / 3
            struct.pack_into(">3i", content, offset + 8, *(round(value * 65536) for value in moved))
    path.write_bytes(content)
    return path


def test_colours_beyond_a_printer_shift_and_those_within_do_not(tmp_path: Path) -> None:
    weak, full = icc_profile(tmp_path / "weak.icc", 0.5), icc_profile(tmp_path / "full.icc", 1.0)
    colors = np.array(
        [(255, 255, 255), (128, 128, 128), (0, 0, 0), (150, 120, 110), (255, 0, 0), (0, 0, 255)], np.uint8
    )
    shift = gamut.shifts(colors, weak)
    assert (shift[:4] < 4).all()
    assert (shift[4:] > 20).all()
    assert gamut.shifts(colors, full).max() < 3
    assert gamut.shifts(np.empty((0, 3), np.uint8), weak).shape == (0,)


def test_a_shift_is_the_distance_to_what_the_printer_can_reach(tmp_path: Path) -> None:
    # By hand: the printed colour is what the printer's own numbers, clipped to 0 to 255, mean in sRGB's terms.
    weak = icc_profile(tmp_path / "weak.icc", 0.5)
    pixel = Image.new("RGB", (1, 1), (220, 40, 40))
    clipped = ImageCms.profileToProfile(pixel, ImageCms.createProfile("sRGB"), str(weak), 1, "RGB")
    assert clipped is not None
    assert 255 in clipped.getpixel((0, 0)) or 0 in clipped.getpixel((0, 0))  # type: ignore[operator]
    assert gamut.shifts(np.array([(220, 40, 40)], np.uint8), weak)[0] > 10


def test_gamut_is_a_share_of_the_surface(tmp_path: Path) -> None:
    weak = icc_profile(tmp_path / "weak.icc", 0.5)
    mesh = sphere(4, 10.0, colored=True)
    assert mesh.colors is not None
    assert found(mesh, "gamut", icc_profile=str(weak)).status == "pass"
    mesh.colors[mesh.positions[:, 2] > 5] = (1.0, 0.0, 0.0)  # a cap: a quarter of a sphere's surface
    result = found(mesh, "gamut", icc_profile=str(weak))
    assert (result.status, result.unit) == ("warn", "%")
    assert result.value == pytest.approx(25, abs=2)
    assert result.where is not None
    assert (mesh.positions[mesh.triangles[result.where.triangles]][:, :, 2].max(axis=1) > 5).all()
    assert checked(mesh).result("gamut") is None  # no ICC profile, nothing to say


def test_textures_are_sampled_for_gamut(tmp_path: Path) -> None:
    soup = textured_soup()
    red = Texture.from_pixels(np.full((8, 8, 3), (255, 0, 0), np.uint8))
    mesh = build_mesh(replace(soup, materials=[Material("red", texture=red)]))
    assert found(mesh, "gamut", icc_profile=str(icc_profile(tmp_path / "weak.icc", 0.5))).value == 100


@pytest.mark.parametrize("content", [b"", b"no profile", None])
def test_what_is_no_icc_profile_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "broken.icc"
    if content is not None:
        path.write_bytes(content)
    result = found(sphere(2, colored=True), "gamut", icc_profile=str(path))
    assert result.status == "warn"
    assert "broken.icc" in result.message


def test_cheap_ones_alone_measure_nothing() -> None:
    report = run_checks(sphere(3), PRINTER, only=CHEAP)
    assert report.walls is None
    assert {result.cost for result in report.results} == {CHEAP}
    assert report.message == verdict(inspect(sphere(3)), PRINTER).message


def test_what_there_is_no_time_for_is_said_and_has_not_passed() -> None:
    report = run_checks(sphere(3), PRINTER, seconds=-1.0)
    for result in report.results:
        assert ("no time left" in result.message) == (result.cost == DEAR), result.id
        could_fail = result.id in ("walls", "flipped_shells")
        assert result.status == (
            "fail" if could_fail else "warn" if result.cost == DEAR or result.id == "color" else "pass"
        )
    assert report.status == "fail"
    assert "Walls that hold: not checked" in report.message
    easy = replace(PRINTER, wall_mm=0.0, watertight_required=False)
    assert run_checks(sphere(3), easy, seconds=-1.0).status == "pass"


def test_progress_runs_from_nothing_to_all_and_cancels() -> None:
    told: list[float] = []
    run_checks(sphere(3), PRINTER, lambda part, doing: told.append(part))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)

    def stop(part: float, doing: str) -> None:
        if part > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_checks(sphere(3), PRINTER, stop)


def test_a_worker_finds_the_same() -> None:
    mesh = overlapping()
    mesh.scratch["held"] = open  # what must not travel
    try:
        here, there = run_checks(mesh, PRINTER), run_checks_in_worker(mesh, PRINTER)
    finally:
        worker.cool_down()
    assert there.message == here.message
    assert [(r.id, r.status, r.message, r.value) for r in there.results] == [
        (r.id, r.status, r.message, r.value) for r in here.results
    ]
    assert there.walls is not None
    assert here.walls is not None
    assert there.walls.tobytes() == here.walls.tobytes()


def test_a_mesh_without_triangles_is_judged_too() -> None:
    empty = build_mesh(Soup(np.empty((0, 3), np.float32), np.empty((0, 3), np.int32)))
    report = checked(empty)
    assert report.status == "fail"
    assert report.message == "0 triangles"


def test_a_ball_inside_out_is_wrong_all_over() -> None:
    soup = icosphere_soup(3, 10.0)
    result = found(build_mesh(replace(soup, triangles=soup.triangles[:, ::-1].copy())), "winding")
    assert (result.status, result.value, result.limit, result.fix) == ("fail", 1280, 0, "orient")
    assert result.where is not None
    assert len(result.where.triangles) == 1280


def test_triangles_that_are_no_surface_are_not_taken_for_a_closed_one() -> None:
    points = np.array([(0, 0, 0), (50, 0, 0), (0, 0, 100)], np.float32)
    lines = build_mesh(Soup(points, np.array([(0, 1, 1), (0, 0, 2)], np.int32)))
    report = checked(lines)
    assert report.status == "fail"
    assert "no surface" in report.message
    assert found(lines, "shells").message == "no part"
    assert checked(lines, watertight_required=False).status == "pass"


def test_one_triangle_is_judged_by_every_check() -> None:
    points = np.array([(0, 0, 0), (50, 0, 0), (0, 0, 100)], np.float32)
    for triangles in ([(0, 1, 2)], [(0, 1, 2), (0, 2, 1)]):
        report = checked(build_mesh(Soup(points, np.array(triangles, np.int32))))
        wrong = {result.id for result in report.results if result.status != "pass"}
        assert wrong == (
            {"open_edges", "color"} if len(triangles) == 1 else {"duplicates", "self_intersections", "color"}
        )
        assert all(result.value is None or np.isfinite(result.value) for result in report.results)
