"""The two lasting warnings about the work itself: it is not being kept safe, and it could not be saved.

What does not live here: how a warning looks (`warning_bar`), what is known (`safety`), what is done (`commands`).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.errors import LikenessError
from app.widgets import verbs
from app.widgets.warning_bar import Remedy, WarningBar

if TYPE_CHECKING:
    from app.widgets.main_window import MainWindow

_MEGABYTE, _GIGABYTE = 1 << 20, 1 << 30


class SafetyBars(QWidget):
    """Follows the window's `safety`. Each warning goes away by itself when what it warns of is over."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window, self._safety = window, window.safety
        saving = window.commands.saving
        save_as = Remedy(
            "Save As…", "Write the work into a project file on another disk", lambda: verbs.save_as(window)
        )
        self.keeping = WarningBar(
            "keepingWarning",
            (
                Remedy("Try Again", "Try at once; Likeness also tries again by itself", saving.keep_again),
                Remedy(
                    "Keep Safe Elsewhere…",
                    "Go on with the working copy in a folder on another disk",
                    lambda: verbs.keep_elsewhere(window),
                ),
                save_as,
            ),
            closable=False,
        )
        self.saving = WarningBar(
            "savingWarning",
            (Remedy("Try Again", "Save into the same file once more", saving.save), save_as),
            closable=True,
        )
        self.saving.close_button.clicked.connect(lambda: self._safety.save_failed(None))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.keeping)
        column.addWidget(self.saving)
        self._safety.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        error = self._safety.kept_failure
        if error is not None:
            self.keeping.warn("Your strokes are not being kept safe. You can go on working.", describe(error))
        elif not self.keeping.isHidden():
            self.keeping.hide()
            self._window.show_message("Your strokes are kept safe again")
        error = self._safety.save_failure
        if error is not None:
            self.saving.warn("The project was not saved. What was in the file before is still there.", describe(error))
        else:
            self.saving.hide()


def describe(error: LikenessError) -> str:
    """What is wrong, how much room there is, what to do, and where it is."""
    what = error.what[:1].upper() + error.what[1:].rstrip(".")
    free = free_space(Path(error.where)) if error.where else ""
    parts = (f"{what} ({free})" if free else what, error.advice.rstrip("."))
    return " ".join((*(f"{part}." for part in parts if part), error.where)).strip()


def free_space(path: Path) -> str:
    """For example "312 MB free"; empty where the disk does not say."""
    for folder in path.parents:
        try:
            free = shutil.disk_usage(folder).free
        except OSError:
            continue
        return f"{free / _GIGABYTE:,.1f} GB free" if free >= _GIGABYTE else f"{free // _MEGABYTE:,} MB free"
    return ""
