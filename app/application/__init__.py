"""The composition root: the one place that knows every part. Nobody holds the object made here.

    start        arguments -> worker, kernels, window -> open a file; signals of the system
    composition  makes the document, the window and the commands, and wires them
    desk         what the commands share: the document, the settings, the window to ask, tell and work in
    opening      base meshes: the question for the height, turning upright, photos that came along
    projects     project files: save, open, recover; what becomes of unsaved work
    keeping      the working copy of the figurine in hand
    exporting    one-click export
    garbage      Python's collector, on the window's thread
    modelling    steps of the history, whole-mesh steps, the printer profile

What does not live here: widgets (`app.widgets`), the state (`app.document`), the work (`formats`, `preflight`, ...).
"""

from app.application.composition import Application
from app.application.start import run_window

__all__ = ["Application", "run_window"]
