"""Pictures without a window: on machines with no display at all VTK falls back to EGL, then to OSMesa."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path

import numpy as np
from PIL import Image
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLogger, vtkObject, vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

from app.errors import LikenessError, WriteFailed
from app.mesh.mesh import Mesh
from app.viewport.camera import Camera
from app.viewport.scene import Color, Scene
from app.viewport.shading import default_shading

_SAMPLES = 4  # per pixel, against jagged edges
_LAST_RESORT = "vtkOSOpenGLRenderWindow"
_OSMESA_LIBRARIES = ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so", "osmesa.dll")


class OffscreenView:
    """A scene in an invisible window, with what is hidden while sculpting: for reports, it is a part of the model.

    Raises LikenessError where the machine offers no OpenGL 3.2 at all.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.window = _offscreen_window(size)
        renderer = vtkRenderer()
        self.window.AddRenderer(renderer)
        self.scene = Scene(self.window, renderer, whole=True)
        self.camera = Camera()

    def render(self) -> None:
        """Upload what changed and draw."""
        self.window.MakeCurrent()
        self.scene.prepare(self.camera)
        self.window.Render()

    def pixels(self) -> np.ndarray:
        """(H, W, 3) uint8 of the last `render`, first row at the top."""
        return read_pixels(self.window)

    def close(self) -> None:
        """Give the graphics memory back."""
        self.window.Finalize()


def render_image(
    mesh: Mesh,
    size: tuple[int, int] = (1200, 900),
    view: str = "front",
    shading: str | None = None,
    background: Color | None = None,
) -> np.ndarray:
    """Picture of a mesh from a standard view. Returns (H, W, 3) uint8 sRGB.

    shading: an id of `app.viewport.shading.shadings`; by default what the mesh has: texture, colours or clay.
    Raises LikenessError where the machine offers no OpenGL.
    """
    target = OffscreenView(size)
    try:
        target.scene.set_mesh(mesh)
        target.scene.set_shading(shading or default_shading(mesh))
        if background is not None:
            target.scene.set_background(background)
        target.camera = target.camera.viewed(view).framing(*mesh.bounds(), size)
        target.render()
        return target.pixels()
    finally:
        target.close()


def render_png(
    mesh: Mesh,
    path: str | os.PathLike[str],
    size: tuple[int, int] = (1200, 900),
    view: str = "front",
    shading: str | None = None,
) -> None:
    """Write a picture of a mesh; see `render_image`. Raises LikenessError, WriteFailed."""
    pixels = render_image(mesh, size, view, shading)
    target = Path(path)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        Image.fromarray(pixels).save(temporary, "PNG")
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WriteFailed(
            f"the picture cannot be written: {error.strerror or error}", target, "Choose another folder"
        ) from error


def read_pixels(window: vtkRenderWindow) -> np.ndarray:
    """(H, W, 3) uint8 of a window's last frame, first row at the top."""
    width, height = window.GetSize()
    data = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, width - 1, height - 1, 0, data, 0)
    return np.ascontiguousarray(vtk_to_numpy(data).reshape(height, width, 3)[::-1])


def _has_osmesa() -> bool:
    """VTK takes OSMesa where nothing else works, and crashes at the first frame where that is not there either."""
    for name in _OSMESA_LIBRARIES:
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return True
    return False


def _offscreen_window(size: tuple[int, int]) -> vtkRenderWindow:
    # Trying one kind of window after the other, VTK reports each that is not there; only the outcome matters.
    verbosity, warnings = vtkLogger.GetCurrentVerbosityCutoff(), vtkObject.GetGlobalWarningDisplay()
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    vtkObject.GlobalWarningDisplayOff()
    try:
        window = vtkRenderWindow()
        window.SetOffScreenRendering(1)
        window.SetMultiSamples(_SAMPLES)
        window.SetSize(*size)
        supported = window.GetClassName() != _LAST_RESORT or _has_osmesa()
    finally:
        vtkLogger.SetStderrVerbosity(verbosity)
        vtkObject.SetGlobalWarningDisplay(warnings)
    if not supported:
        raise LikenessError(
            "this machine offers no OpenGL 3.2, so no picture can be drawn",
            "graphics",
            "Install a graphics driver, or Mesa (Debian: libgl1-mesa-dri, libegl1)",
        )
    return window
