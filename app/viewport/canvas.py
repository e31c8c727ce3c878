"""The OpenGL widget: pyvistaqt's interactor, composed, with its keys, styles, timers and own renders switched off.

A frame is drawn when one was asked for and not otherwise. Asking makes Qt repaint the widget; Qt merges such wishes
into one repaint, makes the context current and calls VTK, whose RenderEvent arrives here. A repaint that nobody asked
for (an overlay moved, a window uncovered it) shows the last frame again without drawing the mesh.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QImage, QSurfaceFormat
from PySide6.QtWidgets import QWidget

os.environ.setdefault("QT_API", "pyside6")  # which Qt binding pyvistaqt takes

from pyvistaqt import QtInteractor

from app.viewport.upload import finish, is_software

_SAMPLES = 4  # per pixel, against jagged edges
# So many whole frames after a change are timed to their end on the graphics card, then each that follows a slow one.
_PROBED_FRAMES = 2
_SLOW_MS = 70.0


def prepare_surface_format() -> None:
    """What OpenGL needs to know before the QApplication and the first window exist.

    Also asks Qt for every movement of the pointer, not one per frame.
    """
    surface = QSurfaceFormat()
    surface.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    surface.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    surface.setVersion(3, 2)
    surface.setSwapBehavior(QSurfaceFormat.SwapBehavior.DoubleBuffer)
    surface.setAlphaBufferSize(8)
    surface.setDepthBufferSize(8)
    surface.setStencilBufferSize(0)
    QSurfaceFormat.setDefaultFormat(surface)
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)


class Canvas:
    """Owns the interactor, which stays in the window it was first shown in: its OpenGL context belongs to that.

    prepare: called with the context current just before VTK draws a frame; says whether that draws the whole mesh.
    finished: called just after, with the ms it took.
    """

    def __init__(self, parent: QWidget, prepare: Callable[[], bool], finished: Callable[[float], None]) -> None:
        self.widget = QtInteractor(parent, auto_update=False, multi_samples=_SAMPLES)
        self.widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.widget.setAcceptDrops(False)
        window: Any = self.widget.ren_win
        self.window = window
        self.renderer: Any = self.widget.renderer
        self._prepare, self._finished = prepare, finished
        self._wanted, self._probes = True, _PROBED_FRAMES
        self._whole_ms = 0.0
        self._known = False
        interactor = window.GetInteractor()
        interactor.SetInteractorStyle(None)
        interactor.RemoveObservers("KeyPressEvent")
        interactor.EnableRenderOff()
        interactor.AddObserver("RenderEvent", self._paint)

    def request(self) -> None:
        """Draw a frame soon."""
        self._wanted = True
        self.widget.update()

    def probe(self) -> None:
        """Time the next frames to their end: what is drawn has changed."""
        self._probes, self._whole_ms = _PROBED_FRAMES, 0.0

    @property
    def slow(self) -> bool:
        """Whether the last timed frame with the whole mesh took longer than a moving picture allows."""
        return self._whole_ms > _SLOW_MS

    def image(self) -> np.ndarray:
        """Draw now. Returns (H, W, 3) uint8 in device pixels, without what lies over the picture."""
        self._wanted = True
        return self.last_image()

    def last_image(self) -> np.ndarray:
        """As `image`, but of the frame that is shown: nothing is drawn unless a frame is due."""
        grabbed = self.widget.grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(grabbed.constBits(), np.uint8).reshape(grabbed.height(), grabbed.bytesPerLine())
        return rows[:, : 3 * grabbed.width()].reshape(grabbed.height(), grabbed.width(), 3).copy()

    def close(self) -> None:
        """Free what OpenGL holds. The canvas is dead afterwards."""
        self.widget.close()
        # pyvistaqt keeps a wrapper of the context's surface. Python never learns that the surface is gone, and would
        # take the next Qt object at its address for it: wrong attributes at best, a crash at worst.
        self.widget._forget_context()

    def _know_machine(self) -> None:
        self._known = True
        if is_software():
            # Without a graphics card four samples make a frame take three times as long and 250 MB more.
            self.window.SetMultiSamples(0)

    def _paint(self, *_: object) -> None:
        if not self._wanted:
            return
        self._wanted = False
        if not self._known:
            self._know_machine()
        start = time.perf_counter()
        whole = self._prepare()
        self.window.Render()
        if whole and (self._probes > 0 or self.slow):
            self._probes = max(0, self._probes - 1)
            finish()
            self._whole_ms = (time.perf_counter() - start) * 1e3
        self._finished((time.perf_counter() - start) * 1e3)
