"""Where glTF nodes put their meshes, against scipy's rotations and sums written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from app.errors import LimitExceeded, UnreadableFile
from app.formats.gltf import read
from app.formats.registry import Limits, no_progress
from app.mesh.soup import Soup
from tests.formats.gltf_files import CORNERS, TRIANGLES, Glb, tetrahedron

_SHIFT = {"translation": [10, 0, 0]}


def _read(path: Path, **limits: int) -> Soup:
    return read(path, Limits(**limits), no_progress)


def _volume(soup: Soup) -> float:
    a, b, c = soup.positions[soup.triangles].astype(float).transpose(1, 0, 2)
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6)


def _with_nodes(folder: Path, nodes: list[dict[str, Any]], roots: list[int] | None = None) -> Soup:
    glb = tetrahedron()
    glb.scene(*nodes)
    if roots is not None:
        glb.data["scenes"] = [{"nodes": roots}]
    return _read(glb.save(folder))


_unit = st.floats(-1, 1, allow_subnormal=False)


@given(
    quaternion=st.tuples(_unit, _unit, _unit, _unit).filter(lambda q: sum(v * v for v in q) > 0.01),
    translation=st.tuples(_unit, _unit, _unit),
    scale=st.tuples(*[st.floats(0.5, 2)] * 3),
)
def test_translation_rotation_scale(
    quaternion: tuple[float, ...],
    translation: tuple[float, ...],
    scale: tuple[float, ...],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    quaternion = tuple(np.array(quaternion) / np.linalg.norm(quaternion))
    node = {"mesh": 0, "translation": translation, "rotation": quaternion, "scale": scale}
    soup = _with_nodes(tmp_path_factory.mktemp("scene"), [node])
    expected = Rotation.from_quat(quaternion).apply(CORNERS * scale) + translation
    np.testing.assert_allclose(soup.positions, expected, atol=1e-6)


def test_a_matrix_is_stored_by_columns(tmp_path: Path) -> None:
    matrix = [0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 5, 6, 7, 1]  # a quarter turn about z, then a shift
    soup = _with_nodes(tmp_path, [{"mesh": 0, "matrix": matrix}])
    x, y, z = CORNERS.T
    np.testing.assert_array_equal(soup.positions, np.stack((5 - y, 6 + x, 7 + z), axis=1))


def test_children_follow_their_parents(tmp_path: Path) -> None:
    nodes = [{"children": [1], "scale": [2, 2, 2]}, {"children": [2], **_SHIFT}, {"mesh": 0, **_SHIFT}]
    soup = _with_nodes(tmp_path, nodes, [0])
    np.testing.assert_array_equal(soup.positions, 2 * (CORNERS + np.float32([20, 0, 0])))


def test_a_mesh_may_stand_in_several_places(tmp_path: Path) -> None:
    soup = _with_nodes(tmp_path, [{"mesh": 0}, {"mesh": 0, **_SHIFT}])
    np.testing.assert_array_equal(soup.positions, np.concatenate((CORNERS, CORNERS + np.float32([10, 0, 0]))))
    np.testing.assert_array_equal(soup.triangles, np.concatenate((TRIANGLES, TRIANGLES + 4)))


@pytest.mark.parametrize("scale", [(-1, 1, 1), (1, -2, 1), (-1, -1, -1), (-1, -1, 1)])
def test_mirrored_parts_stay_right_side_out(scale: tuple[int, int, int], tmp_path: Path) -> None:
    soup = _with_nodes(tmp_path, [{"mesh": 0, "scale": scale}])
    assert _volume(soup) == pytest.approx(abs(np.prod(scale)) / 6)


def test_only_the_default_scene_is_read(tmp_path: Path) -> None:
    glb = tetrahedron()
    glb.data["nodes"] = [{"mesh": 0}, {"mesh": 0, **_SHIFT}]
    glb.data["scenes"] = [{"nodes": [0]}, {"nodes": [1]}]
    glb.data["scene"] = 1
    assert _read(glb.save(tmp_path)).positions[:, 0].min() == 10


def test_without_scenes_all_root_nodes_are_read(tmp_path: Path) -> None:
    glb = tetrahedron()
    glb.data["nodes"] = [{"mesh": 0}, {"children": [0], **_SHIFT}, {"mesh": 0}]
    del glb.data["scenes"]
    soup = _read(glb.save(tmp_path))
    assert sorted(soup.positions[:, 0].reshape(2, 4).min(axis=1)) == [0, 10]


def test_without_nodes_all_meshes_are_read(tmp_path: Path) -> None:
    glb = tetrahedron()
    del glb.data["scenes"], glb.data["nodes"]
    np.testing.assert_array_equal(_read(glb.save(tmp_path)).positions, CORNERS)


@pytest.mark.parametrize(
    "nodes",
    [
        [{"mesh": 0, "children": [0]}],
        [{"mesh": 0, "children": [1]}, {"children": [0]}],
        [{"children": [2]}, {"children": [2]}, {"mesh": 0}],
        [{"mesh": 0, "children": [7]}],
    ],
)
def test_nodes_that_are_no_tree_are_refused(nodes: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="node"):
        _with_nodes(tmp_path, nodes)


def test_a_chain_of_nodes_deeper_than_any_stack(tmp_path: Path) -> None:
    depth = 5000
    nodes: list[dict[str, Any]] = [{"children": [k + 1], "translation": [1, 0, 0]} for k in range(depth)]
    soup = _with_nodes(tmp_path, [*nodes, {"mesh": 0}], [0])
    assert soup.positions[0].tolist() == [depth, 0, 0]


def test_too_many_nodes_are_refused(tmp_path: Path) -> None:
    glb = tetrahedron()
    glb.scene(*[{"mesh": 0}] * 20)
    with pytest.raises(LimitExceeded, match="nodes"):
        _read(glb.save(tmp_path), nodes=10)


def test_instances_without_end_are_refused_before_they_are_made(tmp_path: Path) -> None:
    glb = Glb()
    positions = np.zeros((30_000, 3), np.float32)
    positions[:, 0] = np.arange(len(positions))
    glb.mesh({"attributes": {"POSITION": glb.accessor(positions)}})
    glb.scene(*[{"mesh": 0}] * 100_000)
    with pytest.raises(LimitExceeded):
        _read(glb.save(tmp_path))


def test_gpu_instances(tmp_path: Path) -> None:
    glb = tetrahedron()
    places = np.array([[0, 0, 0], [5, 0, 0], [0, 5, 0]], np.float32)
    sizes = np.array([[1, 1, 1], [2, 2, 2], [3, 3, 3]], np.float32)
    attributes = {"TRANSLATION": glb.accessor(places), "SCALE": glb.accessor(sizes)}
    glb.scene({"mesh": 0, "extensions": {"EXT_mesh_gpu_instancing": {"attributes": attributes}}, **_SHIFT})
    expected = (CORNERS[None] * sizes[:, None] + places[:, None] + np.float32([10, 0, 0])).reshape(-1, 3)
    np.testing.assert_array_equal(_read(glb.save(tmp_path)).positions, expected)


def _skinned(folder: Path, bend: dict[str, Any], inverse_bind: np.ndarray | None) -> Soup:
    """A tetrahedron on two joints: corner 3 follows the second one alone, corner 1 half and half."""
    glb = Glb()
    joints = np.array([[0, 1, 0, 0]] * 4, np.uint8)
    weights = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [2, 0, 0, 0], [0, 1, 0, 0]], np.float32)
    attributes = {
        "POSITION": glb.accessor(CORNERS),
        "JOINTS_0": glb.accessor(joints),
        "WEIGHTS_0": glb.accessor(weights),
    }
    glb.mesh({"attributes": attributes, "indices": glb.accessor(TRIANGLES.ravel())})
    skin: dict[str, Any] = {"joints": [1, 2]}
    if inverse_bind is not None:
        skin["inverseBindMatrices"] = glb.accessor(inverse_bind.transpose(0, 2, 1).reshape(2, 16).astype(np.float32))
    glb.data["skins"] = [skin]
    # The mesh's own node is far away: a skinned mesh does not stand where its node stands.
    glb.data["nodes"] = [
        {"mesh": 0, "skin": 0, "translation": [1000, 0, 0]},
        {"children": [2], "translation": [0, 1, 0]},
        bend,
    ]
    glb.data["scenes"] = [{"nodes": [0, 1]}]
    return _read(glb.save(folder))


def _shifts(*shifts: tuple[float, float, float]) -> np.ndarray:
    matrices = np.tile(np.eye(4), (len(shifts), 1, 1))
    matrices[:, :3, 3] = shifts
    return matrices


def test_a_skin_in_its_bind_pose_leaves_positions_exact(tmp_path: Path) -> None:
    soup = _skinned(tmp_path, {"translation": [0, 2, 0]}, _shifts((0, -1, 0), (0, -3, 0)))
    np.testing.assert_array_equal(soup.positions, CORNERS)


def test_a_skin_follows_the_default_pose_of_its_joints(tmp_path: Path) -> None:
    soup = _skinned(tmp_path, {"translation": [0, 2, 4]}, _shifts((0, -1, 0), (0, -3, 0)))
    moved = CORNERS + np.float32([[0, 0, 0], [0, 0, 2], [0, 0, 0], [0, 0, 4]])
    np.testing.assert_allclose(soup.positions, moved, atol=1e-6)


def test_a_skin_without_bind_matrices_stands_at_its_joints(tmp_path: Path) -> None:
    soup = _skinned(tmp_path, {"translation": [0, 2, 0]}, None)
    moved = CORNERS + np.float32([[0, 1, 0], [0, 2, 0], [0, 1, 0], [0, 3, 0]])
    np.testing.assert_allclose(soup.positions, moved, atol=1e-6)


def test_equal_points_stay_equal_through_a_transform(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(999, 3)).astype(np.float32)
    glb = Glb()
    glb.mesh({"attributes": {"POSITION": glb.accessor(np.concatenate((points, points[::-1])))}})
    glb.scene({"mesh": 0, "rotation": Rotation.from_euler("xyz", [1, 2, 3]).as_quat().tolist(), "scale": [1, 1.1, 3]})
    positions = _read(glb.save(tmp_path)).positions
    np.testing.assert_array_equal(positions[:999], positions[999:][::-1])
