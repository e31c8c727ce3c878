"""The stroke as a whole: signals of its end, threads, warm-up."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from app.mesh.jit import ScalingKernel, threads_from
from app.sculpt import face_sets, masking, warmup
from app.sculpt.brush import Brush, brushes
from app.sculpt.history import History
from app.sculpt.stroke import StrokeInHand
from tests.sculpting import PLACE, Owner, bits, bumpy_sphere, samples, settings_of, stroke, surface_points

_TWO_THREADS = """
import threading
import numpy as np
from app.mesh.jit import threads_from
from tests.sculpting import PLACE, bits, bumpy_sphere, samples, stroke, surface_points

results = {}

def work(number):
    mesh = bumpy_sphere(4)
    path = samples(surface_points(mesh, PLACE, 8.0, 12))
    for brush in ("inflate", "smooth", "crease") * 4:
        stroke(mesh, brush, path, radius_mm=4.0)
        mesh.refresh()
    results[number] = bits(mesh)

with threads_from(0):
    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
assert results[0] == results[1]
print("alive")
"""


def test_two_threads_may_run_parallel_kernels_at_once():
    """numba's default threading layer would abort the process, so another process is at risk here, not this one."""
    done = subprocess.run(
        [sys.executable, "-c", _TWO_THREADS], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.stdout.strip() == "alive", done.stderr


def test_after_the_warm_up_no_brush_and_no_mask_compiles_anything():
    said: list[tuple[float, str]] = []
    warmup.warm_up(lambda part, doing: said.append((part, doing)))
    assert said[0][0] == 0.0
    assert said[-1][0] == 1.0
    kernels = _all_kernels()
    before = {name: len(kernel.signatures) for name, kernel in kernels.items()}
    mesh = bumpy_sphere(4)
    path = samples(surface_points(mesh, PLACE, 6.0, 5))
    for work in (0, 1 << 40):
        with threads_from(work):
            for name in brushes():
                for invert in (False, True):
                    history, _ = stroke(mesh, name, path, radius_mm=3.0, invert=invert, front_faces_only=invert)
                    history.undo()
                    mesh.refresh()
    for change in (masking.grown, masking.shrunk, masking.blurred, masking.by_cavity, face_sets.from_shells):
        change(mesh)
    for change in (face_sets.from_materials, lambda mesh: face_sets.shows_anything(mesh, face_sets.hide_masked(mesh))):
        change(mesh)
    for resize in (face_sets.grown, face_sets.shrunk):
        resize(mesh, 0.0)
    masking.by_color(mesh, np.zeros(3), 12.0)
    masking.by_outline(mesh.positions[:, 1:].astype(np.float64), np.eye(3)[:, :2] * 10)
    after = {name: len(kernel.signatures) for name, kernel in kernels.items()}
    assert after == before


def _all_kernels() -> dict[str, object]:
    found: dict[str, object] = {}
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith(("app.sculpt", "app.tools", "app.mesh")):
            for name, value in vars(module).items():
                if isinstance(value, ScalingKernel):
                    found[f"{module_name}.{name}"] = value.serial
                    found[f"{module_name}.{name} parallel"] = value.parallel
                elif hasattr(value, "signatures"):
                    found[f"{module_name}.{name}"] = value
    assert len(found) > 20
    return found


def broken_brush() -> Brush:
    def function(mesh, region, dab):
        if dab.travel.any():
            raise ZeroDivisionError("in the middle of a stroke")
        return np.ones_like(region.delta)

    return Brush(id="broken", label="Broken", shortcut="", tooltip="", function=function)


def test_an_exception_in_a_brush_takes_the_stroke_back_to_the_bit():
    mesh = bumpy_sphere()
    history = History(Owner(mesh))
    before = bits(mesh)
    path = samples(surface_points(mesh, PLACE, 6.0, 9))
    in_hand = StrokeInHand(mesh, history, broken_brush(), settings_of(brushes()["draw"], radius_mm=3.0))
    in_hand.add(path[0])
    assert bits(mesh) != before
    with pytest.raises(ZeroDivisionError):
        in_hand.add(path[-1])
    assert bits(mesh) == before
    assert not history.recording
    assert history.steps == []
    in_hand.cancel()
    assert in_hand.finish() is False


def test_a_delta_that_is_not_a_number_never_gets_in():
    def function(mesh, region, dab):
        region.delta[:] = np.float32(0.25)
        region.delta[::2] = np.nan
        region.delta[1::4] = np.inf
        return region.delta

    mesh = bumpy_sphere()
    brush = Brush(id="wild", label="Wild", shortcut="", tooltip="", function=function)
    history = History(Owner(mesh))
    in_hand = StrokeInHand(mesh, history, brush, settings_of(brush, radius_mm=3.0))
    in_hand.add(samples(surface_points(mesh, PLACE, 0.0, 1))[0])
    assert in_hand.finish()
    assert np.isfinite(mesh.positions).all()


def test_a_brush_with_fresh_normals_gets_those_of_the_dab_before():
    seen: list[bool] = []

    def function(mesh, region, dab):
        seen.append(bool(mesh.chunks.moved.any()))
        region.delta[:] = mesh.normals[region.vertices] * 0.1
        return region.delta

    mesh = bumpy_sphere()
    path = samples(surface_points(mesh, PLACE, 6.0, 9))
    for fresh in (True, False):
        seen.clear()
        brush = Brush(id="b", label="B", shortcut="", tooltip="", function=function, fresh_normals=fresh)
        in_hand = StrokeInHand(mesh, History(Owner(mesh)), brush, settings_of(brush, radius_mm=3.0))
        for sample in path:
            in_hand.add(sample)
        in_hand.finish()
        assert any(seen) is not fresh


def test_settings_are_those_of_the_press():
    """The settings object cannot be changed, so nothing that happens in the window reaches a stroke in hand."""
    settings = brushes()["draw"].defaults()
    with pytest.raises(AttributeError):
        settings.strength = 1.0  # type: ignore[misc]


def test_a_brush_reports_what_it_changed_for_the_upload():
    mesh = bumpy_sphere()
    for name in mesh.dirty:
        mesh.take_dirty(name)
    before = mesh.positions.copy()
    stroke(mesh, "draw", samples(surface_points(mesh, PLACE, 4.0, 5)), radius_mm=2.0)
    mesh.refresh()
    ranges = mesh.take_dirty("positions")
    covered = np.zeros(mesh.vertex_count, bool)
    for start, stop in ranges:
        covered[start:stop] = True
    assert covered[(mesh.positions != before).any(axis=1)].all()
    assert not covered.all()
    assert len(mesh.take_dirty("normals")) > 0
    assert len(mesh.take_dirty("colors")) == 0
