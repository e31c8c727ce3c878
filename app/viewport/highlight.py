"""Triangles that somebody should look at: tinted over the picture, also where they lie behind or inside the model.

What does not live here: which ones (preflight, triage), and how the model itself looks (`layer`, `shading`).
"""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkCellArray
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer

from app.viewport.layer import DISABLE_SHIFT_SCALE, Points

# Rare on people and pets, and as far from skin as from cloth: linear values of sRGB (255, 0, 190).
_COLOR = (1.0, 0.0, 0.515)
_OPACITY = 0.55


class Highlight:
    """A renderer in a layer of its own above the model, with a depth of its own: nothing hides what it shows."""

    def __init__(self, points: Points, triangles: np.ndarray, below: vtkRenderer) -> None:
        """triangles: (t, 3) int32 of the points. below: the model's renderer, whose camera is shared."""
        self._triangles = np.ascontiguousarray(triangles)  # numpy_to_vtk does not keep them alive
        cells = vtkCellArray()
        cells.SetData(3, numpy_to_vtk(self._triangles.reshape(-1), deep=0))
        self._points, self._data = points, points.poly_data()
        self._data.SetPolys(cells)
        mapper = vtkPolyDataMapper()
        mapper.SetInputData(self._data)
        mapper.SetVBOShiftScaleMethod(DISABLE_SHIFT_SCALE)
        mapper.ScalarVisibilityOff()
        actor = vtkActor()
        actor.SetMapper(mapper)
        actor.UseBoundsOff()
        look = actor.GetProperty()
        look.LightingOff()
        look.SetColor(*_COLOR)
        look.SetOpacity(_OPACITY)
        self.renderer = vtkRenderer()
        self.renderer.GetCullers().RemoveAllItems()
        self.renderer.SetLayer(1)
        self.renderer.InteractiveOff()
        self.renderer.SetActiveCamera(below.GetActiveCamera())
        self.renderer.AddActor(actor)

    def close(self) -> None:
        """The points need not look after it any more."""
        self._points.forget(self._data)
