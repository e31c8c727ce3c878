"""Pictures of a mesh for reports: from four sides, and its walls in colours. Works without a display."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from app.mesh.colors import with_vertex_colors
from app.mesh.mesh import Mesh
from app.viewport.camera import Camera
from app.viewport.offscreen import OffscreenView
from app.viewport.scene import Color
from app.viewport.shading import default_shading

SIDES = ("front", "back", "left", "right")
WALL_SIDES = ("front", "back")

_PAPER: Color = (0.945, 0.94, 0.93)
_HEIGHT, _LEAST_WIDTH, _MOST_WIDTH = 820, 420, 1100
_MARGIN = 1.12
_QUALITY = 86


def portraits(mesh: Mesh, heat: np.ndarray | None = None) -> dict[str, bytes]:
    """JPEG pictures by name: "front", "back", "left", "right"; with heat also "walls-front" and "walls-back".

    heat: (V, 3) float32 sRGB. Raises LikenessError where the machine offers no OpenGL.
    """
    size = _picture_size(mesh)
    view = OffscreenView(size)
    try:
        view.scene.set_background(_PAPER)
        pictures = _seen(view, mesh, default_shading(mesh), SIDES, "")
        if heat is not None:
            pictures |= _seen(view, with_vertex_colors(mesh, heat), "color", WALL_SIDES, "walls-")
        return pictures
    finally:
        view.close()


def _seen(view: OffscreenView, mesh: Mesh, shading: str, sides: tuple[str, ...], prefix: str) -> dict[str, bytes]:
    view.scene.set_mesh(mesh)
    view.scene.set_shading(shading)
    pictures = {}
    for side in sides:
        view.camera = Camera(parallel=True).viewed(side).framing(*mesh.bounds(), view.size)
        view.render()
        buffer = io.BytesIO()
        Image.fromarray(view.pixels()).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
        pictures[prefix + side] = buffer.getvalue()
    return pictures


def _picture_size(mesh: Mesh) -> tuple[int, int]:
    """All sides in pictures of one size, as wide as the model needs."""
    x, y, z = mesh.size()
    wanted = _MARGIN * _HEIGHT * max(x, y) / z if z > 0 else _MOST_WIDTH
    return int(min(max(wanted, _LEAST_WIDTH), _MOST_WIDTH)), _HEIGHT
