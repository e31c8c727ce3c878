"""Triage names each fault with its count and place, and what it names as a fix takes it away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import LimitExceeded
from app.formats.opening import Opened, open_mesh
from app.mesh.build import build_mesh
from app.mesh.mesh import Mesh
from app.mesh.soup import Material, Soup, Texture
from app.operations.appearance_hints import baked_light
from app.operations.running import apply
from app.operations.triage import DOUBT, NOTE, PROBLEM, Finding, triage
from tests.meshes import icosphere_soup, sphere
from tests.operations.checks import painted, textured
from tests.operations.defects import ball, cube, moebius, placed, together


def _found(mesh: Mesh, opened: Opened | None = None) -> dict[str, Finding]:
    findings = triage(mesh, opened)
    assert [f.severity for f in findings] == sorted((f.severity for f in findings), key=[PROBLEM, DOUBT, NOTE].index)
    for finding in findings:
        assert finding.message.endswith(".")
        assert finding.count > 0
        if len(finding.triangles):
            assert finding.triangles.max() < mesh.triangle_count
            assert (np.diff(finding.triangles) > 0).all()
        if finding.severity == PROBLEM:
            assert finding.safe
            assert finding.point is not None
    return {finding.id: finding for finding in findings}


def _problems(mesh: Mesh) -> set[str]:
    return {finding.id for finding in triage(mesh) if finding.severity == PROBLEM}


def _figure() -> Soup:
    return ball(30.0, (0, 0, 0), 3)


def _with_faults() -> dict[str, Mesh]:
    """A model for each kind of problem; the key is the id of its finding."""
    figure = _figure()
    twice = Soup(figure.positions, np.concatenate((figure.triangles, figure.triangles[:2])), unit_mm=1.0)
    flat = np.concatenate((figure.triangles, [(5, 5, 6)])).astype(np.int32)
    turned = figure.triangles.copy()
    turned[[3, 50]] = turned[[3, 50]][:, ::-1]
    return {
        "holes": build_mesh(Soup(figure.positions, figure.triangles[1:], unit_mm=1.0)),
        "non_manifold_edges": together(cube(30.0), cube(30.0, (30, 30, 0))),
        "non_manifold_vertices": together(cube(30.0), cube(30.0, (30, 30, 30))),
        "winding": build_mesh(Soup(figure.positions, turned, unit_mm=1.0)),
        "inside_out": together(placed(figure, inside_out=True)),
        "degenerate": build_mesh(Soup(figure.positions, flat, unit_mm=1.0)),
        "duplicates": build_mesh(twice),
        "inner": together(figure, ball(10.0, (5, 0, 0), 2)),
        "floaters": together(figure, ball(1.0, (40, 0, 0), 1)),
        "crossings": together(figure, ball(20.0, (25, 0, 0), 3)),
        "one_sided": moebius(),
    }


@pytest.mark.parametrize("kind", _with_faults())
def test_each_fault_is_found_shown_and_mended(kind: str) -> None:
    mesh = _with_faults()[kind]
    finding = _found(mesh)[kind]
    assert finding.fix
    assert len(finding.triangles)
    mended = apply(mesh, finding.fix, finding.values).mesh
    assert kind not in _problems(mended)


def test_counts_and_places() -> None:
    faults = _with_faults()
    assert _found(faults["non_manifold_edges"])["non_manifold_edges"].count == 1
    assert _found(faults["non_manifold_vertices"])["non_manifold_vertices"].count == 1
    assert _found(faults["winding"])["winding"].count == 2
    assert _found(faults["duplicates"])["duplicates"].count == 2
    floater = _found(faults["floaters"])["floaters"]
    assert floater.count == 1
    assert len(floater.triangles) == 80
    assert floater.point is not None
    assert np.linalg.norm(floater.point - [40, 0, 0]) < 1.1
    hole = _found(faults["holes"])["holes"]
    assert hole.message == "1 hole with 3 open edges."


def test_clean_up_mends_all_that_is_called_safe() -> None:
    for kind, mesh in _with_faults().items():
        if kind != "one_sided":  # a band that is cut open is a sheet, with thickness or not
            assert _problems(apply(mesh, "clean_up").mesh) == set(), kind


def test_nothing_wrong_with_a_sound_figure() -> None:
    mesh = sphere(4, 50.0, colored=True)
    opened = Opened(mesh, Path("figure.glb"), "glb", unit_known=True)
    assert triage(mesh, opened) == []


def test_doubts_about_size_and_axis() -> None:
    soup = icosphere_soup(3, 0.5)
    soup.positions[:, 2] *= 0.3
    mesh = build_mesh(soup)
    found = _found(mesh, Opened(mesh, Path("bust.stl"), "stl", unit_known=False, notes=["A colour was left out."]))
    assert found["up_axis"].severity == found["height"].severity == DOUBT
    assert (found["height"].fix, found["height"].values) == ("scale_to_height", {"height": 150.0})
    assert found["import"].message == "A colour was left out."
    assert "up_axis" not in _found(mesh, Opened(mesh, Path("bust.glb"), "glb", unit_known=False))


def test_colour_hints() -> None:
    assert "no_color" in _found(sphere(3, 50.0))
    found = _found(textured())
    assert found["texture_small"].message == 'The texture "ball" has only 64 × 32 pixels.'
    assert found["seams"].count > 0
    mesh = textured()
    image = Texture.from_pixels(np.full((2048, 2048, 3), 99, np.uint8), "second")
    mesh.materials = [mesh.materials[0], Material("other", texture=image)]
    assert _found(mesh)["texture_several"].count == 2
    mesh.materials = [replace(material, texture=None) for material in mesh.materials]
    assert "texture_missing" in _found(mesh)


def test_light_in_the_colour_is_told_from_a_pattern() -> None:
    mesh = sphere(4, 50.0, colored=True)
    rng = np.random.default_rng(2)
    pattern = (0.5 + 0.2 * np.sin(mesh.positions[:, :1] * 3) * np.sin(mesh.positions[:, 2:] * 2)).astype(np.float32)
    mesh.colors[:] = pattern
    assert baked_light(mesh) is None
    lit = 0.5 + 0.3 * mesh.normals[:, 2:]
    mesh.colors[:] = (pattern * lit * 2).clip(0, 1) + rng.normal(0, 0.01, pattern.shape).astype(np.float32)
    light = baked_light(mesh)
    assert light is not None
    assert light.side == "above"


def test_a_mess_is_a_finding_and_not_an_error() -> None:
    def too_many(mesh: Mesh) -> np.ndarray:
        raise LimitExceeded("the surface goes through itself in too many places")

    findings = {finding.id: finding for finding in triage(painted(3), crossings=too_many)}
    assert findings["crossings"].fix == "voxel_remesh"


def test_real_ai_files_have_the_defects_that_the_manifest_names(shared: Path) -> None:
    folder = shared / "ai_generated"
    wanted = {
        "trellis_bicycle.glb": {"non_manifold_edges": 60, "seams": 5012},
        "trellis_vine_totem.glb": {"non_manifold_edges": 55, "seams": 14534},
        "triposr_chair_vcolor.obj": {"degenerate": 8},
        "trellis_shark.glb": {},
    }
    for name, counts in wanted.items():
        opened = open_mesh(folder / name)
        found = {finding.id: finding.count for finding in triage(opened.mesh, opened)}
        assert found | counts == found, name
    assert not {finding.severity for finding in triage(opened.mesh, opened)} & {PROBLEM}
