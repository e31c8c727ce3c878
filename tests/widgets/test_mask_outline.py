"""Which vertices an outline selects: what is in sight, judged by rays, or all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.raycast import cast
from app.mesh.soup import Soup
from app.viewport.camera import Camera
from app.widgets.mask_outline import Outline, selected
from tests.meshes import icosphere_soup

SIZE = (800.0, 600.0)
WHOLE = np.array([(0.0, 0.0), (800, 0), (800, 600), (0, 600)])


def arm_before_body() -> Mesh:
    """A ball, and before it, seen from the front, a flattened smaller one."""
    body, arm = icosphere_soup(5, 10.0), icosphere_soup(4, 4.0)
    positions = np.concatenate((body.positions, arm.positions * np.float32([1, 0.4, 1]) + np.float32([2, -13, 1])))
    triangles = np.concatenate((body.triangles, arm.triangles + len(body.positions))).astype(np.int32)
    return build_mesh(Soup(positions, triangles, unit_mm=1.0))


def seen_by_rays(mesh: Mesh, camera: Camera, place: np.ndarray) -> bool:
    toward = camera.toward_viewer(place)
    return cast(mesh, place + 1e-3 * toward, toward) is None


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("turned", [0.0, 25.0])
def test_what_is_behind_another_part_is_left_alone_unless_one_goes_through(parallel: bool, turned: float) -> None:
    mesh = arm_before_body()
    camera = replace(Camera(parallel=parallel), azimuth=turned, elevation=10.0).framing(*mesh.bounds(), SIZE)
    found = selected(mesh, camera, SIZE, Outline("box", WHOLE, frees=False, through=False)) == 1
    rng = np.random.default_rng(7)
    some = rng.choice(mesh.vertex_count, 1500, replace=False)
    truth = np.array([seen_by_rays(mesh, camera, mesh.positions[v].astype(float)) for v in some])
    # Within a pixel of an outline the two may differ.
    assert (found[some] == truth).mean() > 0.97
    body = np.linalg.norm(mesh.positions, axis=1) < 10.1
    behind = np.flatnonzero(body & (mesh.normals @ -camera.axes()[2] > 0.3) & ~found)
    assert len(behind) > 100  # faces the viewer, and is behind the arm
    through = selected(mesh, camera, SIZE, Outline("box", WHOLE, frees=False, through=True))
    assert through.all()


def test_what_is_hidden_hides_nothing() -> None:
    mesh = arm_before_body()
    camera = Camera(parallel=True).viewed("front").framing(*mesh.bounds(), SIZE)
    outline = Outline("lasso", WHOLE, frees=False, through=False)
    body = np.linalg.norm(mesh.positions, axis=1) < 10.1
    mesh.hidden[~body] = 1
    found = selected(mesh, camera, SIZE, outline)
    facing = mesh.normals[:, 1] < -0.05
    assert found[body & facing].all()
    assert not found[body & (mesh.normals[:, 1] > 0.05)].any()


def test_from_within_the_model_nothing_goes_wrong() -> None:
    mesh = arm_before_body()
    camera = replace(Camera(), focus=np.array([0.0, 5.0, 0.0]), distance=5.0)
    found = selected(mesh, camera, SIZE, Outline("box", WHOLE, frees=False, through=False))
    assert not found.any()  # its inside faces away
