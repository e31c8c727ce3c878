"""Drawing only what a dab changed, for machines that need long to draw the whole mesh.

The last frame stays where VTK drew it. The part of the picture that the touched chunks cover, before and after, is
cleared and drawn again with all chunks that reach into it; the rest is left as it is. The result is the picture that a
whole frame would give.
"""

from __future__ import annotations

import numpy as np
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkRenderingCore import vtkRenderer

from app.mesh.chunks import Chunks
from app.mesh.mesh import Mesh
from app.viewport.camera import Camera
from app.viewport.layer import Layer
from app.viewport.render_copy import Group

_MARGIN = 3  # pixels, for lines and rounding
_LARGEST_PART = 0.5  # of the picture; beyond that a whole frame costs hardly more

Rectangle = tuple[int, int, int, int]  # left, top, right, bottom; device pixels, y down


class Patch:
    """The renderer of the changed part, beside the one that draws everything. Draws nothing until `begin`."""

    def __init__(self, renderer: vtkRenderer) -> None:
        self.renderer = renderer
        renderer.DrawOff()

    def begin(self, main: vtkRenderer, size: tuple[int, int], area: Rectangle) -> None:
        """Show the part `area` of what the main renderer's camera sees."""
        left, top, right, bottom = area
        width, height = size
        self.renderer.SetViewport(left / width, 1 - bottom / height, right / width, 1 - top / height)
        self.renderer.SetBackground(main.GetBackground())
        camera = self.renderer.GetActiveCamera()
        camera.DeepCopy(main.GetActiveCamera())
        whole = camera.GetProjectionTransformMatrix(width / height, -1, 1)
        scale_x, scale_y = width / (right - left), height / (bottom - top)
        shift_x = (width - left - right) / (right - left)
        shift_y = (top + bottom - height) / (bottom - top)
        crop = vtkMatrix4x4()
        crop.DeepCopy((scale_x, 0, 0, shift_x, 0, scale_y, 0, shift_y, 0, 0, 1, 0, 0, 0, 0, 1))
        cropped = vtkMatrix4x4()
        vtkMatrix4x4.Multiply4x4(crop, whole, cropped)
        camera.SetExplicitProjectionTransformMatrix(cropped)
        camera.UseExplicitProjectionTransformMatrixOn()
        main.DrawOff()
        self.renderer.DrawOn()

    def end(self, main: vtkRenderer) -> None:
        """The next frame is whole again."""
        self.renderer.DrawOff()
        main.DrawOn()


class PatchArea:
    """Remembers where on the screen the chunks were, and says which part a change touches."""

    def __init__(self) -> None:
        self._boxes: tuple[np.ndarray, np.ndarray] | None = None

    def forget(self) -> None:
        """The picture is not what the boxes say: the next frame must be whole."""
        self._boxes = None

    def drawn(self, mesh: Mesh) -> None:
        """The mesh as it is now is on the screen."""
        lower, upper = _boxes(mesh)
        self._boxes = (lower.copy(), upper.copy())

    def changed(
        self, mesh: Mesh, touched: np.ndarray, camera: Camera, size: tuple[int, int]
    ) -> tuple[Rectangle, np.ndarray] | None:
        """The part to draw again and the chunks that reach into it; None where a whole frame is called for.

        touched: (C,) bool, chunks with changed vertices.
        """
        if self._boxes is None or not touched.any():
            return None
        lower, upper = _boxes(mesh)
        chunks = _using(mesh.chunks, touched, lower, upper)
        before = _outlines(self._boxes[0][chunks], self._boxes[1][chunks], camera, size)
        after = _outlines(lower, upper, camera, size)
        corners = np.concatenate((before, after[chunks]))
        if not np.isfinite(corners).all():
            return None  # something lies behind the eye
        low = np.maximum(np.floor(corners[:, 0].min(axis=0)) - _MARGIN, 0).astype(int)
        high = np.minimum(np.ceil(corners[:, 1].max(axis=0)) + _MARGIN, size).astype(int)
        extent = np.maximum(high - low, 0)
        if not extent.all() or extent.prod() > _LARGEST_PART * size[0] * size[1]:
            return None
        # A chunk without an outline, with a corner behind the eye, is drawn to be on the safe side.
        inside = ~((after[:, 0] > high).any(axis=1) | (after[:, 1] < low).any(axis=1))
        return (int(low[0]), int(low[1]), int(high[0]), int(high[1])), np.flatnonzero(inside)


def show_chunks(layer: Layer, groups: list[Group], chunks: np.ndarray) -> None:
    """Draw only the triangles of these ascending chunks."""
    for index, group in enumerate(groups):
        starts, stops = group.chunk_offsets[chunks], group.chunk_offsets[chunks + 1]
        parts = [group.triangles[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        layer.set_triangles(index, np.concatenate(parts) if parts else group.triangles[:0])


def _boxes(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    chunks = mesh.chunks
    chunks.refresh_triangle_boxes(mesh.positions, mesh.triangles)
    return chunks.triangle_lower, chunks.triangle_upper


def _using(chunks: Chunks, touched: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Chunks with triangles that may use a vertex of a touched chunk. (n,) int64."""
    using = touched.copy()
    for chunk in np.flatnonzero(touched):
        using |= ((lower <= chunks.upper[chunk]) & (upper >= chunks.lower[chunk])).all(axis=1)
    return np.flatnonzero(using & (lower[:, 0] <= upper[:, 0]))  # a chunk without triangles has no box


def _outlines(lower: np.ndarray, upper: np.ndarray, camera: Camera, size: tuple[int, int]) -> np.ndarray:
    """(n, 2, 2) float64: upper left and lower right pixel of each box; NaN where it is empty or behind the eye."""
    corners = np.stack(
        [np.where([(corner >> axis) & 1 for axis in range(3)], upper, lower) for corner in range(8)], axis=1
    )
    with np.errstate(invalid="ignore"):
        places = camera.project(corners, size)
    return np.stack((places.min(axis=1), places.max(axis=1)), axis=1)
