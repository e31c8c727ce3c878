"""Pictures on machines without a display: run in processes of their own, since this one has one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_PROGRAM = """
from app.errors import LikenessError
from app.viewport.offscreen import render_image
from tests.meshes import sphere
try:
    print("drawn", render_image(sphere(3), (200, 150)).std() > 10)
except LikenessError as error:
    print("told", error)
"""
_NO_DISPLAY = {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
_NO_GRAPHICS = {
    **_NO_DISPLAY,
    "__EGL_VENDOR_LIBRARY_FILENAMES": "/nowhere",
    "VTK_DEFAULT_OPENGL_WINDOW": "vtkOSOpenGLRenderWindow",
}


def run(environment):
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="displays are switched off by X11's variables")
def test_without_a_display():
    assert run(_NO_DISPLAY) == "drawn True\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="graphics are switched off by Mesa's variables")
def test_without_any_graphics_one_clear_error():
    told = run(_NO_GRAPHICS)
    assert told.startswith("told graphics: this machine offers no OpenGL")
    assert "Install a graphics driver" in told
