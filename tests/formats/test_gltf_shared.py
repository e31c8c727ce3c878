"""Every glTF file of the shared data, against the counts that other tools found."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from app.errors import LikenessError, UnreadableFile
from app.formats.opening import open_mesh
from app.mesh.mesh import Mesh

# Files that must be refused, and a word of why.
_REFUSED = {
    "AllIndicesOutOfRange.gltf": "vertex 65,535",
    "IndexOutOfRange.gltf": "vertex 255",
    "MissingBin/BoxTextured.gltf": "BoxTextured0.bin",
    "RecursiveNodes.gltf": "node 0",
    "NoScene.gltf": "no triangles",
    "SceneWithoutNodes.gltf": "no triangles",
    "badArray.gltf": "mesh 0",
    "integer-out-of-bounds.gltf": "buffer view 0",
    "invalid-buffer-index.gltf": "",
    "invalid-buffer-view-index.gltf": "buffer view",
    "invalid-primitive-indices.gltf": "accessor",
    "issue-416.gltf": "no triangles",
    "issue-492.glb": "no triangles",
}
# Files that the tools behind FILES.csv could not read.
_TRIANGLES_AND_VERTICES = {
    "badObject.gltf": (12, 8),
    "sphere.gltf": (224, 114),
    "BoxDraco.gltf": (12, 8),
    "BoxMeshopt.glb": (12, 8),
    "BoxMeshopt.gltf": (12, 8),
}


@cache
def _rows(shared: Path) -> dict[str, dict[str, str]]:
    with (shared / "FILES.csv").open(encoding="utf-8", newline="") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


def _files(shared: Path) -> list[Path]:
    return sorted(path for path in shared.rglob("*") if path.suffix in (".glb", ".gltf"))


def test_the_data_is_there(shared: Path) -> None:
    assert len(_files(shared)) >= 46


def test_triangles_and_welded_vertices_agree_with_other_tools(shared: Path) -> None:
    wrong = []
    for path in _files(shared):
        row = _rows(shared)[path.relative_to(shared).as_posix()]
        try:
            opened = open_mesh(path)
        except LikenessError as error:
            reason = next((why for name, why in _REFUSED.items() if path.as_posix().endswith(name)), None)
            if reason is None or reason not in str(error) or not isinstance(error, UnreadableFile):
                wrong.append(f"{path}: {error}")
            continue
        found = opened.file_triangles, opened.mesh.vertex_count
        known = _TRIANGLES_AND_VERTICES.get(path.name)
        if found != (known or (int(row["tris"] or -1), int(row["verts_unique"] or -1))):
            wrong.append(f"{path}: {found} instead of {known or (row['tris'], row['verts_unique'])}")
    assert wrong == []


def _open(shared: Path, name: str) -> Mesh:
    return open_mesh(shared / name).mesh


@pytest.mark.parametrize(
    ("name", "size"),  # file units x, y, z as other tools read them; metres
    [
        ("scans/cesium_man.glb", (0.312, 1.507, 1.138)),
        ("scans/fox.glb", (25.19, 79.03, 154.7)),
        ("scans/venus_bust_draco_webp.glb", (0.233, 0.4089, 0.3379)),
        ("ai_generated/rodin_zombie_person.glb", (1.829, 1.762, 0.3581)),
        ("highpoly/koala_1600k_draco.glb", (3.78, 5.366, 9.269)),
    ],
)
def test_figures_stand_upright_in_their_size(name: str, size: tuple[float, float, float], shared: Path) -> None:
    x, y, z = size
    np.testing.assert_allclose(_open(shared, name).size(), np.array([x, z, y]) * 1000, rtol=2e-3)


def test_a_figure_of_rigidly_skinned_parts_holds_together(shared: Path) -> None:
    # Tools that ignore skins show this robot 6.6 m wide, with its hands flung off; it is 3.1 m wide.
    np.testing.assert_allclose(_open(shared, "scans/robot_expressive.glb").size(), [3099, 2685, 4461], rtol=2e-3)


@pytest.mark.parametrize("name", ["ai_generated/rodin_zombie_person.glb", "scans/venus_bust_draco_webp.glb"])
def test_colour_that_naive_importers_miss(name: str, shared: Path) -> None:
    material = _open(shared, name).materials[0]
    assert material.texture is not None
    assert material.base_color == (1, 1, 1)
    assert material.texture.pixels().std() > 10
