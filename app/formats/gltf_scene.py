"""The glTF scene: which meshes stand where. Node transforms, instances, skins in their default pose.

A skinned mesh ignores its own node (glTF 2.0, 3.7.3.1): its vertices follow the joints' default transforms. Where all
joints agree (the file's pose is the bind pose) the common transform is used as it is, so seams stay exactly closed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.errors import LimitExceeded
from app.formats.gltf_accessors import read_accessor
from app.formats.gltf_document import Document, Item
from app.formats.gltf_primitives import Piece

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
_SAME_POSE = 1e-4
_SKIN_BLOCK = 1 << 18


@dataclass(frozen=True, eq=False)
class Placement:
    """A mesh at a place. matrix: (4, 4) float64; joint_matrices: (j, 4, 4) float64, of a skinned mesh instead."""

    mesh: int
    matrix: np.ndarray
    joint_matrices: np.ndarray | None


def read_placements(document: Document) -> list[Placement]:
    """All meshes of the default scene, or of all root nodes where the file names no scene, in file order.

    Raises UnreadableFile for a node below itself, LimitExceeded for too many nodes.
    """
    nodes = [document.part("nodes", index) for index in range(_checked_count(document))]
    if not nodes:
        return [Placement(mesh, np.eye(4), None) for mesh in range(document.count("meshes"))]
    worlds = _world_matrices(nodes)
    placements: list[Placement] = []
    skins: dict[int, np.ndarray] = {}
    for index in _visited(nodes, _roots(document, nodes)):
        node, mesh = nodes[index], nodes[index].index("mesh")
        if mesh is None:
            continue
        skin = node.index("skin")
        if skin is not None and skin not in skins:
            skins[skin] = _joint_matrices(document, document.part("skins", skin), worlds)
        for matrix in _instances(document, node, worlds[index]):
            placements.append(Placement(mesh, matrix, None if skin is None else skins[skin]))
            if len(placements) > document.limits.nodes:
                raise LimitExceeded(f"has more than {document.limits.nodes:,} instances", node.where, "Reduce it first")
    return placements


def _checked_count(document: Document) -> int:
    count, most = document.count("nodes"), document.limits.nodes
    if count > most:
        raise LimitExceeded(f"has {count:,} nodes; at most {most:,} are read", "nodes", "Merge its parts first")
    return count


def _roots(document: Document, nodes: list[Item]) -> list[int]:
    if document.count("scenes"):
        return document.part("scenes", document.root.integer("scene", 0)).indices("nodes")
    return _top_nodes(nodes)


def _top_nodes(nodes: list[Item]) -> list[int]:
    children = {child for node in nodes for child in node.indices("children")}
    return [index for index in range(len(nodes)) if index not in children]


def _visited(nodes: list[Item], roots: list[int]) -> list[int]:
    """Nodes below the roots, parents first, each once."""
    order: list[int] = []
    seen: set[int] = set()
    waiting = list(reversed(roots))
    while waiting:
        index = waiting.pop()
        if index >= len(nodes):
            raise nodes[0].fail(f"or a scene names node {index}, but there are only {len(nodes)}")
        if index in seen:
            raise nodes[index].fail("is reached twice: it lies below itself or below two others")
        seen.add(index)
        order.append(index)
        waiting.extend(reversed(nodes[index].indices("children")))
    return order


def _world_matrices(nodes: list[Item]) -> np.ndarray:
    """(n, 4, 4) float64, for all nodes, whether in the scene or not: joints may lie outside."""
    worlds = _composed(
        np.array([node.numbers("translation", (0.0, 0.0, 0.0)) for node in nodes]),
        np.array([node.numbers("rotation", (0.0, 0.0, 0.0, 1.0)) for node in nodes]),
        np.array([node.numbers("scale", (1.0, 1.0, 1.0)) for node in nodes]),
    )
    for index, node in enumerate(nodes):
        if "matrix" in node:
            worlds[index] = np.array(node.numbers("matrix", _IDENTITY)).reshape(4, 4).T
    for index in _visited(nodes, _top_nodes(nodes)):
        children = nodes[index].indices("children")
        if children:
            worlds[children] = worlds[index] @ worlds[children]
    return worlds


def _composed(translations: np.ndarray, rotations: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """(n, 4, 4) float64 of (n, 3), (n, 4) quaternions x y z w, (n, 3)."""
    lengths = np.linalg.norm(rotations, axis=1, keepdims=True)
    x, y, z, w = np.where(lengths > 0, rotations / np.where(lengths > 0, lengths, 1), (0.0, 0.0, 0.0, 1.0)).T
    matrices = np.zeros((len(translations), 4, 4))
    matrices[:, 0, :3] = np.stack((1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)), axis=1)
    matrices[:, 1, :3] = np.stack((2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)), axis=1)
    matrices[:, 2, :3] = np.stack((2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)), axis=1)
    matrices[:, :3, :3] *= scales[:, None, :]
    matrices[:, :3, 3] = translations
    matrices[:, 3, 3] = 1
    return matrices


def _instances(document: Document, node: Item, world: np.ndarray) -> list[np.ndarray]:
    """Where a node's mesh stands: once, or as often as EXT_mesh_gpu_instancing says."""
    instancing = node.extension("EXT_mesh_gpu_instancing")
    names = None if instancing is None else instancing.item("attributes")
    if names is None:
        return [world]
    parts, defaults = [], {"TRANSLATION": (0.0, 0.0, 0.0), "ROTATION": (0.0, 0.0, 0.0, 1.0), "SCALE": (1.0, 1.0, 1.0)}
    for name, default in defaults.items():
        index = names.index(name)
        if index is None:
            parts.append(np.array([default]))
        else:
            parts.append(read_accessor(document, index, (len(default),), document.limits.nodes).floats().astype(float))
    count = max(map(len, parts))
    if any(len(part) not in (1, count) for part in parts):
        raise node.fail("has instances with different numbers of places, rotations and scales")
    return list(world @ _composed(*(np.broadcast_to(part, (count, part.shape[1])) for part in parts)))


def _joint_matrices(document: Document, skin: Item, worlds: np.ndarray) -> np.ndarray:
    """(j, 4, 4) float64: joint in the world times inverse bind matrix."""
    joints = skin.indices("joints")
    if not joints or max(joints) >= len(worlds):
        raise skin.fail("has no joints, or names nodes that do not exist")
    document.charge(worlds[0].nbytes * len(joints), skin.where)
    inverse_bind = skin.index("inverseBindMatrices")
    if inverse_bind is None:
        return worlds[joints]
    matrices = read_accessor(document, inverse_bind, (16,), document.limits.nodes).floats().astype(np.float64)
    if len(matrices) < len(joints):
        raise skin.fail("has fewer bind matrices than joints")
    return worlds[joints] @ matrices[: len(joints)].reshape(-1, 4, 4).transpose(0, 2, 1)


def placed(piece: Piece, placement: Placement) -> tuple[np.ndarray, bool]:
    """A piece's positions in the scene, (n, 3) float32, and whether the placement mirrors it."""
    matrix = placement.matrix
    if placement.joint_matrices is not None and piece.joints is not None and piece.weights is not None:
        joint_matrices = placement.joint_matrices
        matrix = joint_matrices[0]
        if not np.allclose(joint_matrices, matrix, rtol=0, atol=_SAME_POSE * max(1e-30, float(np.abs(matrix).max()))):
            return _skinned(piece, joint_matrices), bool(np.linalg.det(matrix[:3, :3]) < 0)
    if np.array_equal(matrix, np.eye(4)):
        return piece.positions, False
    return _transformed(piece.positions, matrix), bool(np.linalg.det(matrix[:3, :3]) < 0)


def _transformed(positions: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    # Term by term and not by a matrix product, whose rounding depends on the row: equal points must stay equal.
    x, y, z = positions.T.astype(np.float64)
    out = np.empty(positions.shape, np.float32)
    for k in range(3):
        out[:, k] = matrix[k, 0] * x + matrix[k, 1] * y + matrix[k, 2] * z + matrix[k, 3]
    return out


def _skinned(piece: Piece, joint_matrices: np.ndarray) -> np.ndarray:
    assert piece.joints is not None
    assert piece.weights is not None
    joints = np.minimum(piece.joints, len(joint_matrices) - 1)
    out = np.empty(piece.positions.shape, np.float32)
    for start in range(0, len(out), _SKIN_BLOCK):
        rows = slice(start, start + _SKIN_BLOCK)
        weights = piece.weights[rows].astype(np.float64)
        total = weights.sum(axis=1)
        weights[total <= 0] = np.eye(1, weights.shape[1])
        weights /= np.where(total > 0, total, 1)[:, None]
        blended = np.zeros((len(weights), 3, 4))
        for k in range(weights.shape[1]):
            blended += weights[:, k, None, None] * joint_matrices[joints[rows, k], :3]
        x, y, z = piece.positions[rows].T.astype(np.float64)
        for k in range(3):
            out[rows, k] = blended[:, k, 0] * x + blended[:, k, 1] * y + blended[:, k, 2] * z + blended[:, k, 3]
    return out
