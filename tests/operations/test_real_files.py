"""Real models at 150 mm, up and down: the number, the shape, the colour, and no defect that was not there.

And all the way from a service's file to one that the printer takes, at a small target; the benchmark
`base_mesh_to_print` does the same at the real one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.formats.opening import open_mesh
from app.mesh.mesh import Mesh
from app.mesh.transform import scaled_to_height
from app.operations.running import apply
from app.preflight.counts import inspect
from tests.benchmarks.base_mesh_to_print import MORE_CLICKS, judged, printer, to_print
from tests.operations.checks import areas, assert_sound, hausdorff

COLORED = [
    "ai_generated/trellis_shark.glb",
    "ai_generated/rodin_zombie_person.glb",
    "ai_generated/hunyuan3d_room.glb",
    "ai_generated/triposr_chair_vcolor.obj",
    "scans/venus_bust_draco_webp.glb",
    "scans/skull_scan_textured.glb",
]
# Torn and non-manifold: counted before and after, nothing more.
TORN = ["ai_generated/trellis_bicycle.glb", "ai_generated/trellis_vine_totem.glb", "scans/demosthenes_lowres.obj"]


def at_150_mm(shared: Path, name: str) -> Mesh:
    return scaled_to_height(open_mesh(shared / name).mesh, 150.0)


def defects(mesh: Mesh) -> tuple[bool, bool, int, int]:
    seen = inspect(mesh)
    return seen.open_edges > 0, seen.non_manifold_edges > 0, seen.winding_conflicts, seen.shells


@pytest.mark.parametrize("name", COLORED)
def test_retarget_upward_keeps_shape_and_colour(shared: Path, name: str) -> None:
    mesh = at_150_mm(shared, name)
    count = 2 * mesh.triangle_count + 20_000
    outcome = apply(mesh, "retarget", {"triangles": count})
    assert_sound(outcome.mesh)
    assert outcome.triangles_after == count
    assert defects(outcome.mesh) == defects(mesh)
    assert hausdorff(mesh, outcome.mesh) < 0.02
    assert outcome.color_change is not None
    assert outcome.color_change.mean < 0.2


DOWN_AND_EVEN = [(operation, name) for operation in ("retarget", "decimate", "remesh") for name in COLORED]
OTHERS = [(operation, name) for operation in ("subdivide", "smooth_surface") for name in (COLORED[0], COLORED[3])]


@pytest.mark.parametrize(("operation", "name"), DOWN_AND_EVEN + OTHERS)
def test_colour_changes_by_less_than_two(shared: Path, operation: str, name: str) -> None:
    mesh = at_150_mm(shared, name)
    half = mesh.triangle_count // 4 * 2
    values = {"retarget": {"triangles": half}, "decimate": {"keep": 70.0}}.get(operation, {})
    outcome = apply(mesh, operation, values)
    assert_sound(outcome.mesh)
    if operation == "retarget":
        assert outcome.triangles_after == half
    assert defects(outcome.mesh) == defects(mesh)
    assert outcome.color_change is not None
    assert outcome.color_change.mean < 2.0


@pytest.mark.parametrize("name", TORN)
@pytest.mark.parametrize("times", [0.6, 3.0])
def test_torn_models_get_no_new_kind_of_defect(shared: Path, name: str, times: float) -> None:
    mesh = at_150_mm(shared, name)
    count = round(mesh.triangle_count * times)
    outcome = apply(mesh, "retarget", {"triangles": count})
    assert outcome.triangles_after == count
    assert_sound(outcome.mesh)
    before, after = inspect(mesh), inspect(outcome.mesh)
    if times < 1:
        assert after.non_manifold_edges <= before.non_manifold_edges
        assert after.open_edges <= before.open_edges + 1
    assert (after.winding_conflicts, after.shells) == (before.winding_conflicts, before.shells)
    assert after.degenerate == after.without_area == 0
    assert areas(outcome.mesh.positions, outcome.mesh.triangles).min() > 0


# A figure with fingers, as figures come; a chair with floaters and colours at its vertices.
@pytest.mark.parametrize("name", ["rodin_zombie_person.glb", "triposr_chair_vcolor.obj"])
def test_from_a_service_to_the_printer_in_few_clicks(shared: Path, tmp_path: Path, name: str) -> None:
    wanted = printer(300_000)
    run = to_print(shared / "ai_generated" / name, wanted, 150.0)
    clicks = [step.operation for step in run.steps]
    assert clicks[0] == "clean_up"
    assert "retarget" in clicks
    assert len(clicks) <= 2 + MORE_CLICKS
    assert run.report.status == "pass", run.report.message
    judged(run, wanted, tmp_path)
    assert run.judged is not None
    assert not run.judged.wrong
    assert run.change is not None
    assert run.change.mean < 1.0
    assert max(run.distance[0], run.distance[2]) < 0.3
