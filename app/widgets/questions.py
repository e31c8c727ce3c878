"""Short questions: which file, where to, what about work that no export holds; and who we are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import platformdirs
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton, QWidget

from app import __version__
from app.formats.registry import formats
from app.resources import resource
from app.settings import Settings
from app.widgets.icons import icon

_FOLDER = "files/folder"
_ICON = 64


def start_folder(settings: Settings, open_mesh: Path | None) -> Path:
    """Where to look for files: beside the open mesh, else where the last one was found, else among the documents."""
    own = resource("")
    last: str = settings.get(_FOLDER, "")
    beside = None if open_mesh is None or own in open_mesh.parents else open_mesh.parent
    for folder in (beside, Path(last) if last else None, Path(platformdirs.user_documents_dir())):
        if folder is not None and folder.is_dir():
            return folder
    return Path.home()


def ask_mesh(parent: QWidget, settings: Settings, open_mesh: Path | None = None) -> Path | None:
    """Which mesh to open. open_mesh: the present one; see `start_folder`."""
    readable = [file_format for file_format in formats().values() if file_format.read]
    every = " ".join(f"*{suffix}" for file_format in readable for suffix in file_format.suffixes)
    kinds = [f"{f.label} ({' '.join(f'*{suffix}' for suffix in f.suffixes)})" for f in readable]
    filters = ";;".join([f"Meshes ({every})", *kinds, "All files (*)"])
    name, _ = QFileDialog.getOpenFileName(parent, "Open Mesh", str(start_folder(settings, open_mesh)), filters)
    if not name:
        return None
    settings.set(_FOLDER, str(Path(name).parent))
    return Path(name)


def ask_export_path(parent: QWidget, proposed: Path) -> Path | None:
    """Where to export to; a name without a suffix gets the profile's."""
    suffix = proposed.suffix
    name, _ = QFileDialog.getSaveFileName(parent, "Export As", str(proposed), f"{suffix[1:].upper()} (*{suffix})")
    if not name:
        return None
    path = Path(name)
    return path if path.suffix else path.with_suffix(suffix)


def ask_unexported(parent: QWidget, name: str) -> Literal["export", "discard", "cancel"]:
    """What is to become of changes that no export holds."""
    box = QMessageBox(parent)
    box.setWindowTitle("Likeness")
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(f"{name} has changes that are not in any file yet.")
    box.setInformativeText("This version keeps no project files: export the model, or its changes are gone.")
    export = box.addButton("Export", QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton("Discard Changes", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(export if isinstance(export, QPushButton) else QMessageBox.StandardButton.Cancel)
    box.setEscapeButton(cancel)
    box.exec()
    if box.clickedButton() is export:
        return "export"
    return "discard" if box.clickedButton() is discard else "cancel"


def about(parent: QWidget) -> QMessageBox:
    """Version and licence."""
    box = QMessageBox(parent)
    box.setWindowTitle("About Likeness")
    box.setTextFormat(Qt.TextFormat.RichText)
    box.setIconPixmap(icon("app").pixmap(_ICON, _ICON))
    box.setText(f"<h2>Likeness {__version__}</h2>")
    box.setInformativeText(
        "<p>Refine AI base meshes of people and pets into printable colour figurines.</p>"
        "<p>Free software under the GNU General Public License, version 3 or later. It comes without any warranty.</p>"
        "<p>Built with Qt, VTK, numba, lib3mf, trimesh and PyMeshLab.</p>"
    )
    return box
