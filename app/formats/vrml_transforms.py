"""Where VRML97 puts things: the matrices of Transform and TextureTransform nodes. ISO/IEC 14772-1:1997, chapter 6."""

from __future__ import annotations

import math

import numpy as np

from app.formats.vrml_nodes import Node


def transform(node: Node) -> np.ndarray:
    """(4, 4): translation, centre, rotation, scale orientation, scale. 6.52."""
    center, shift = _vector(node, "center", 0.0), _vector(node, "translation", 0.0)
    turn, stretch = _rotation(node, "rotation"), _rotation(node, "scaleOrientation")
    inner = turn @ stretch @ np.diag(_vector(node, "scale", 1.0)) @ stretch.T
    matrix = np.eye(4)
    matrix[:3, :3] = inner
    matrix[:3, 3] = shift + center - inner @ center
    return matrix


def _vector(node: Node, name: str, default: float) -> np.ndarray:
    values = node.numbers(name, 3)
    return np.nan_to_num(values[0]).clip(-1e12, 1e12) if len(values) else np.full(3, default)


def _rotation(node: Node, name: str) -> np.ndarray:
    """(3, 3) from an axis and an angle. Rodrigues."""
    values = node.numbers(name, 4)
    axis, angle = (values[0, :3], float(values[0, 3])) if len(values) else (np.zeros(3), 0.0)
    length = float(np.linalg.norm(axis))
    if not (0 < length < math.inf) or not math.isfinite(angle):
        return np.eye(3)
    x, y, z = axis / length
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


def changed(uv: np.ndarray, node: Node | None) -> np.ndarray:
    """Texture coordinates after a TextureTransform: -centre, scale, rotation, centre, translation. 6.49."""
    if node is None:
        return uv
    center, shift = _pair(node, "center", 0.0), _pair(node, "translation", 0.0)
    scale = _pair(node, "scale", 1.0)
    angle = node.numbers("rotation")
    turn = float(np.nan_to_num(angle[0, 0])) if len(angle) else 0.0
    sine, cosine = math.sin(turn), math.cos(turn)
    matrix = np.diag(scale) @ np.array([[cosine, -sine], [sine, cosine]])
    return ((uv + shift + center) @ matrix.T - center).astype(np.float32)


def _pair(node: Node, name: str, default: float) -> np.ndarray:
    values = node.numbers(name, 2)
    return np.nan_to_num(values[0]).clip(-1e12, 1e12) if len(values) else np.full(2, default)
