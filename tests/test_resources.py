"""What ships with the program: the sample base mesh is what an AI service would deliver, and matcaps are lit balls."""

from __future__ import annotations

import io

import numpy as np
import pytest
import trimesh
from PIL import Image

from app.formats.opening import open_mesh
from app.mesh.colors import colors_from_texture
from app.resources import resource

SAMPLE = resource("sample/bust.glb")


@pytest.fixture(scope="module")
def stored() -> trimesh.Trimesh:
    """The sample as another library reads it, vertex by vertex."""
    scene = trimesh.load(SAMPLE, process=False)
    (geometry,) = scene.geometry.values()
    return geometry


def test_sample_is_textured_and_of_a_good_size(stored: trimesh.Trimesh) -> None:
    assert 95_000 < len(stored.faces) < 105_000
    assert SAMPLE.stat().st_size < 4_000_000
    texture = stored.visual.material.baseColorTexture
    assert texture.format == "JPEG"
    assert texture.size == (2048, 2048)
    assert stored.visual.uv.min() >= 0
    assert stored.visual.uv.max() <= 1
    width, height, depth = stored.extents
    assert height == pytest.approx(1.2, abs=1e-4)  # y up, a generator's units
    assert height > width > depth


def test_sample_has_the_flaws_of_ai_meshes(stored: trimesh.Trimesh) -> None:
    assert not stored.is_watertight
    welded = trimesh.Trimesh(stored.vertices, stored.faces, process=False)
    split = len(welded.vertices)
    welded.merge_vertices(merge_tex=True, merge_norm=True)
    assert split > 1.05 * len(welded.vertices)  # seams
    _, uses = np.unique(np.sort(welded.edges, axis=1), axis=0, return_counts=True)
    open_edges = int((uses == 1).sum())
    assert 20 < open_edges < 500  # a hole and a loose patch, not a sieve
    islands = trimesh.graph.connected_components(welded.face_adjacency, nodes=np.arange(len(welded.faces)))
    sizes = sorted(len(island) for island in islands)
    assert len(sizes) >= 6  # the bust, crumbs beside it, the patch
    assert sizes[-1] > 0.98 * len(welded.faces)
    mirrored = welded.vertices * (-1, 1, 1)
    gaps = trimesh.proximity.ProximityQuery(welded).vertex(mirrored[::50])[0]
    assert np.median(gaps) > 0.001  # not symmetric


def test_sample_opens_upright_and_shows_a_face(stored: trimesh.Trimesh) -> None:
    opened = open_mesh(SAMPLE)
    mesh = opened.mesh
    assert mesh.triangle_count == len(stored.faces)
    assert not opened.unit_known
    assert not opened.notes
    x, y, z = mesh.size()
    assert z > x > y
    colors = colors_from_texture(mesh)
    head = mesh.positions[:, 2] > np.quantile(mesh.positions[:, 2], 0.5)
    nose = np.flatnonzero(head)[mesh.positions[head, 1].argmin()]  # the front looks toward -y
    red, green, blue = colors[nose]
    assert red > green > blue
    assert red > 0.7
    crown = mesh.positions[:, 2] > mesh.bounds()[1][2] - 0.1 * z
    assert colors[crown].mean() < 0.4  # dark hair


def test_matcaps_are_lit_balls() -> None:
    paths = sorted(resource("matcaps").glob("*.png"))
    assert len(paths) >= 5
    for path in paths:
        pixels = np.asarray(Image.open(io.BytesIO(path.read_bytes())), float)
        assert pixels.shape == (512, 512, 3), path.name
        rows, columns = np.mgrid[-1:1:512j, -1:1:512j]
        inside = np.hypot(rows, columns) < 0.95
        assert np.ptp(pixels[inside].mean(axis=1)) > 60, path.name
        if path.stem != "zebra":  # lit from above
            upper, lower = pixels[inside & (rows < -0.3)].mean(), pixels[inside & (rows > 0.3)].mean()
            assert upper > lower, path.name
