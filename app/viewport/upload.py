"""Writing changed ranges straight into VTK's vertex buffers.

VTK sends a whole array again when it is marked as modified: 14 to 17 ms for 0.8 million vertices, against 0.7 ms for
the range that a dab changed. The arrays that VTK holds are the very arrays that were changed, so when VTK does rebuild
a buffer (new context, other window) it shows the same state.
"""

from __future__ import annotations

import ctypes

import numpy as np
import OpenGL
from vtkmodules.vtkCommonCore import VTK_FLOAT, VTK_UNSIGNED_CHAR, vtkDataArray

OpenGL.ERROR_CHECKING = False  # checked once per upload, not after each call
from OpenGL.raw.GL._types import GLint  # noqa: E402
from OpenGL.raw.GL.VERSION import GL_1_0, GL_1_1, GL_1_5  # noqa: E402

# Ranges closer than this many vertices go in one call: sending 24 kB more costs less than another call.
_JOIN_VERTICES = 2048
_SOFTWARE_RENDERERS = (b"llvmpipe", b"softpipe", b"swiftshader", b"software", b"basic render")


def joined(ranges: np.ndarray) -> np.ndarray:
    """(n, 2) int64 ranges in any order, overlaps allowed, as few ascending ones."""
    ranges = ranges[np.argsort(ranges[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ranges[:, 1])
    breaks = np.flatnonzero(ranges[1:, 0] > reach[:-1] + _JOIN_VERTICES)
    starts = ranges[np.concatenate(([0], breaks + 1)), 0]
    stops = reach[np.concatenate((breaks, [len(ranges) - 1]))]
    return np.stack((starts, stops), axis=1)


def upload_ranges(window: object, array: vtkDataArray, values: np.ndarray, ranges: np.ndarray) -> bool:
    """Send rows of an array to the buffer that VTK made for it. The window's context must be current.

    array: what VTK was given; values: (N, k) float32 or uint8, the memory behind it; ranges: (n, 2) rows.
    Returns False, with nothing sent that matters, where VTK has no buffer of that size: the caller then marks the
    array as modified and VTK rebuilds it.
    """
    data_type = VTK_UNSIGNED_CHAR if values.dtype == np.uint8 else VTK_FLOAT
    # Looked up each time: a new context, a resize or another window may have given the array a new buffer.
    buffer = window.GetVBOCache().GetVBO(array, data_type)  # type: ignore[attr-defined]
    handle = buffer.GetHandle()
    buffer.FastDelete()  # GetVBO hands over a reference; kept, the buffer would outlive its mesh
    if not handle:
        return False
    row = values.strides[0]
    GL_1_1.glGetError()  # an earlier error is not ours
    GL_1_5.glBindBuffer(GL_1_5.GL_ARRAY_BUFFER, handle)
    try:
        size = GLint()
        GL_1_5.glGetBufferParameteriv(GL_1_5.GL_ARRAY_BUFFER, GL_1_5.GL_BUFFER_SIZE, ctypes.byref(size))
        if size.value != values.nbytes:
            return False
        for start, stop in joined(ranges).tolist():
            first = start * row
            GL_1_5.glBufferSubData(
                GL_1_5.GL_ARRAY_BUFFER, first, (stop - start) * row, ctypes.c_void_p(values.ctypes.data + first)
            )
    finally:
        GL_1_5.glBindBuffer(GL_1_5.GL_ARRAY_BUFFER, 0)
    return GL_1_1.glGetError() == 0


def is_software() -> bool:
    """Whether the current context draws on the processor: no graphics card, or no driver for it."""
    name = ctypes.string_at(GL_1_0.glGetString(GL_1_1.GL_RENDERER) or b"").lower()
    return any(word in name for word in _SOFTWARE_RENDERERS)


def finish() -> None:
    """Wait until the graphics card has done all that was asked of it: for honest timings."""
    GL_1_0.glFinish()
