"""A viewport in a window of known size."""

from __future__ import annotations

import pytest

from app.viewport.viewport import Viewport, prepare_surface_format

prepare_surface_format()  # at import: before any test makes the QApplication


@pytest.fixture
def viewport(qtbot):
    widget = Viewport()
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    widget.close_graphics()
