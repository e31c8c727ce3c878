"""Short questions: which file, where to, what about unsaved work, what about a file in use; and who we are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import platformdirs
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app import __version__
from app.formats.registry import formats
from app.project.in_use import FileInUse
from app.project.saving import BACKUP_SUFFIX, SUFFIX
from app.resources import resource
from app.settings import Settings
from app.widgets.icons import icon
from app.widgets.moments import moment

_FOLDER = "files/folder"
_PROJECTS = f"Likeness projects (*{SUFFIX})"
_ICON = 64


def start_folder(settings: Settings, present: Path | None) -> Path:
    """Where to look for files: beside the present one, else where the last one was found, else among the documents."""
    own = resource("")
    last: str = settings.get(_FOLDER, "")
    beside = None if present is None or own in present.parents else present.parent
    for folder in (beside, Path(last) if last else None, Path(platformdirs.user_documents_dir())):
        if folder is not None and folder.is_dir():
            return folder
    return Path.home()


def ask_open(parent: QWidget, settings: Settings, beside: Path | None = None) -> Path | None:
    """Which project or mesh to open. beside: the present file; see `start_folder`."""
    meshes = _mesh_kinds()
    every = " ".join((f"*{SUFFIX}", *(kind for _, kinds in meshes for kind in kinds)))
    backups = f"Projects before the last Save (*{BACKUP_SUFFIX})"
    filters = [f"Projects and meshes ({every})", _PROJECTS, backups, *_filters(meshes)]
    return _ask_existing(parent, settings, "Open", filters, beside)


def ask_mesh(parent: QWidget, settings: Settings, beside: Path | None = None) -> Path | None:
    """Which base mesh to begin with."""
    return _ask_existing(parent, settings, "New from Base Mesh", _filters(_mesh_kinds()), beside)


def ask_project_path(parent: QWidget, settings: Settings, title: str, proposed: Path) -> Path | None:
    """Where to save a project; None when the user cancels. Has asked before a file is replaced."""
    path = _ask_new(parent, title, proposed, _PROJECTS, only=True)
    if path is not None:
        settings.set(_FOLDER, str(path.parent))
    return path


def ask_export_path(parent: QWidget, proposed: Path) -> Path | None:
    """Where to export to; a name without a suffix gets the profile's. Has asked before a file is replaced."""
    kind = f"{proposed.suffix[1:].upper()} (*{proposed.suffix})"
    return _ask_new(parent, "Export As", proposed, kind, only=False)


def ask_folder(parent: QWidget, title: str, start: Path) -> Path | None:
    """Which folder."""
    name = QFileDialog.getExistingDirectory(parent, title, str(start))
    return Path(name) if name else None


def _mesh_kinds() -> list[tuple[str, list[str]]]:
    readable = [file_format for file_format in formats().values() if file_format.read]
    return [(f.label, [f"*{suffix}" for suffix in f.suffixes]) for f in readable]


def _filters(kinds: list[tuple[str, list[str]]]) -> list[str]:
    every = " ".join(pattern for _, patterns in kinds for pattern in patterns)
    return [f"Meshes ({every})", *(f"{label} ({' '.join(patterns)})" for label, patterns in kinds), "All files (*)"]


def _ask_existing(
    parent: QWidget, settings: Settings, title: str, filters: list[str], beside: Path | None
) -> Path | None:
    name, _ = QFileDialog.getOpenFileName(parent, title, str(start_folder(settings, beside)), ";;".join(filters))
    if not name:
        return None
    settings.set(_FOLDER, str(Path(name).parent))
    return Path(name)


def _ask_new(parent: QWidget, title: str, proposed: Path, kind: str, *, only: bool) -> Path | None:
    """Where to write; the name gets the proposal's suffix if it has none, or (`only`) another one."""
    suffix = proposed.suffix
    while True:
        name, _ = QFileDialog.getSaveFileName(parent, title, str(proposed), kind)
        if not name:
            return None
        path = Path(name)
        if path.suffix.lower() == suffix or (path.suffix and not only):
            return path
        # The dialog has asked about the name as it was typed; with the suffix it may be another file.
        path = path.with_name(path.name + suffix)
        if not path.exists() or _may_replace(parent, path):
            return path
        proposed = path


def _may_replace(parent: QWidget, path: Path) -> bool:
    box = _question(parent, f"{path.name} is there already. Replace it?", f"In {path.parent}")
    replace = box.addButton("Replace", QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    return box.clickedButton() is replace


def ask_unsaved(parent: QWidget, name: str) -> Literal["save", "discard", "cancel"]:
    """What is to become of work that no project file holds."""
    box = _question(parent, f"Save the changes to {name}?", "Without saving, they are gone for good.")
    save = box.addButton("Save", QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton("Don't Save", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(save)
    box.setEscapeButton(cancel)
    box.exec()
    if box.clickedButton() is save:
        return "save"
    return "discard" if box.clickedButton() is discard else "cancel"


def ask_in_use(parent: QWidget, path: Path, error: FileInUse, *, saving: bool) -> Literal["other", "take over", "no"]:
    """What to do about a file that another window has open.

    "other" is a copy of it when opening, another name when saving. Taking over is offered only where the other window
    cannot be asked: it is on another computer, which may have crashed.
    """
    since = moment(error.since, time.time())
    where = "in another window on this computer" if error.this_machine else f"on the computer {error.host}"
    what = "Saving there would overwrite each other's work." if saving else "It can be looked at and changed as a copy."
    told = f"{error.user or 'Someone'} has had it open {where} since {since}. {what}"
    if not error.this_machine:
        told += f"\n\nTake it over only if you know that Likeness no longer runs on {error.host}."
    box = _question(parent, f"{path.name} is in use.", told)
    other = box.addButton("Save As…" if saving else "Open a Copy", QMessageBox.ButtonRole.AcceptRole)
    take = None if error.this_machine else box.addButton("Take Over", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(other)
    box.setEscapeButton(cancel)
    box.exec()
    if box.clickedButton() is other:
        return "other"
    return "take over" if take is not None and box.clickedButton() is take else "no"


def may_discard_recoverable(parent: QWidget, name: str) -> bool:
    """Whether work that a window left behind may be deleted."""
    box = _question(parent, f"Discard the unsaved work on {name}?", "It cannot be brought back after that.")
    discard = box.addButton("Discard", QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)
    box.exec()
    return box.clickedButton() is discard


def _question(parent: QWidget, text: str, more: str) -> QMessageBox:
    box = QMessageBox(parent)
    box.setWindowTitle("Likeness")
    box.setIcon(QMessageBox.Icon.Question)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.setInformativeText(more)
    return box


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
