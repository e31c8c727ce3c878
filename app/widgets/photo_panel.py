"""The customer's photos beside the model: thumbnails, one photo or up to four at once, and what to do with them.

    "+", Ctrl-P, drop, paste -> a place in the strip at once, reading in the background
      -> photos_changed, or a line in the panel that says why not

What does not live here: one photo's drawing and mouse (`photo_view`), how several share the room (`photo_wall`), the
thumbnails (`photo_strip`), the buttons (`photo_controls`), reading (`photo_loader`), what can be dropped and pasted
(`photo_mime`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.photos.load import PHOTO_SUFFIXES, is_photo
from app.photos.photo import Photo, PhotoView
from app.widgets import photo_mime, theme
from app.widgets.icons import icon
from app.widgets.message_bar import MessageBar
from app.widgets.photo_controls import PhotoControls
from app.widgets.photo_empty import EmptyPage
from app.widgets.photo_loader import PhotoLoader
from app.widgets.photo_strip import THUMBNAIL, PhotoStrip
from app.widgets.photo_view import PhotoCanvas
from app.widgets.photo_wall import MOST, PhotoWall

_MOST_ERRORS = 3
PASTED = "Pasted photo"


class PhotoPanel(QWidget):
    """Signals:

    photos_changed(): `photos()` or the view of one of them is another than before.
    color_picked(r, g, b): sRGB 0 to 1, as it is in the photo's file.
    """

    photos_changed = Signal()
    color_picked = Signal(float, float, float)

    def __init__(self, start_folder: Callable[[], Path] = Path.home, parent: QWidget | None = None) -> None:
        """start_folder: where the user's first look for photos starts; later ones start where the last were found."""
        super().__init__(parent)
        self.setAcceptDrops(True)
        self.setAccessibleName("Photos")
        self._photos: dict[str, Photo] = {}
        self._awaited = ""  # the first of the photos being added, to be shown when it is there
        self._errors: list[str] = []
        self._start_folder = start_folder
        self._folder: Path | None = None
        self._loader = PhotoLoader()
        self._loader.loaded.connect(self._take)
        self._loader.failed.connect(self._refuse)
        self.strip = PhotoStrip()
        self.wall = PhotoWall()
        self.messages = MessageBar()
        self.controls = PhotoControls(self)
        self._pages = QStackedWidget()
        self._arrange()
        self._connect()
        self._update()

    def _arrange(self) -> None:
        self.add_button = QToolButton()
        self.add_button.setIcon(icon("plus"))
        self.add_button.setIconSize(QSize(20, 20))
        self.add_button.setFixedSize(THUMBNAIL // 2 + 4, THUMBNAIL)
        self.add_button.setToolTip("Add Photos (Ctrl+P)\nJPEG, PNG, WebP, TIFF, HEIC; dropping and pasting work too")
        self.add_button.setAccessibleName("Add Photos")
        self._top = QWidget()
        row = QHBoxLayout(self._top)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(2)
        row.addWidget(self.strip)
        row.addWidget(self.add_button)
        row.addStretch(1)
        self._pages.addWidget(EmptyPage(self.choose_files))
        self._pages.addWidget(self.wall)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._top)
        column.addWidget(self.messages)
        column.addWidget(self._pages, 1)
        column.addWidget(self.controls)

    def _connect(self) -> None:
        self.add_button.clicked.connect(self.choose_files)
        self.strip.chosen.connect(self._update)
        self.strip.reordered.connect(self._reordered)
        self.strip.remove_requested.connect(self.remove)
        self.strip.menu_requested.connect(self._show_menu)
        self.controls.view_edited.connect(lambda view: self.canvas.set_view(view))
        for canvas in self.wall.canvases:
            canvas.view_changed.connect(partial(self._view_changed, canvas))
            canvas.activated.connect(partial(self._activate, canvas))
            canvas.color_picked.connect(self.color_picked)
            canvas.menu_requested.connect(self._show_menu)
        theme.events.changed.connect(self.update)

    # The list of photos

    def photos(self) -> list[Photo]:
        """All photos that could be read, from left to right."""
        return [self._photos[photo_id] for photo_id in self.strip.ids() if photo_id in self._photos]

    def set_photos(self, photos: Sequence[Photo]) -> None:
        """Have these photos, in this order, in place of the present ones and of those being read; tells no one."""
        if list(photos) == self.photos():  # a Photo equals only itself
            return
        selected, current = self.strip.selected_ids(), self.strip.current_id()
        self.messages.clear()  # its Undo would put a photo back beside another figurine
        for photo_id in self.strip.ids():
            self._loader.cancel(photo_id)
            self.strip.remove(photo_id)
        known, self._photos = self._photos, {photo.id: photo for photo in photos}
        for row, photo in enumerate(photos):
            self.strip.add(photo.id, photo.name, photo.thumbnail, row)
            if photo.thumbnail is None:
                self._loader.load_display(photo)
        new = [photo.id for photo in photos if photo.id not in known]
        stay = [photo_id for photo_id in selected if photo_id in self._photos]
        self.strip.choose(stay or new[:1] or list(self._photos)[:1], current if current in stay else None)

    @property
    def busy(self) -> bool:
        """Whether photos are being read."""
        return any(photo_id not in self._photos for photo_id in self.strip.ids())

    def add(self, paths: Iterable[Path]) -> None:
        """Read photos and put them behind the others; those of a folder in the order of their names."""
        for path in paths:
            try:
                inside = sorted(file for file in path.iterdir() if is_photo(file)) if path.is_dir() else [path]
            except OSError as error:
                self.show_error(f"{path.name}: the folder cannot be read: {error.strerror}.")
                continue
            for file in inside:
                self._add(file, file.name)

    def add_data(self, encoded: bytes, name: str) -> None:
        """Read a photo from the bytes of an image file."""
        self._add(encoded, name)

    def _add(self, source: Path | bytes, name: str) -> None:
        photo_id = uuid.uuid4().hex
        if not self.busy and len(self.strip.selected_ids()) <= 1:
            self._awaited = photo_id
        self.strip.add(photo_id, f"Reading {name}…", None)
        self.wall.canvases[0].set_note(f"Reading {name}…")
        self._loader.load(photo_id, source, name)
        self._update()

    def choose_files(self) -> None:
        """Ask for photo files."""
        kinds = f"Photos ({' '.join(f'*{suffix}' for suffix in PHOTO_SUFFIXES)});;All files (*)"
        folder = self._folder or self._start_folder()
        names, _ = QFileDialog.getOpenFileNames(self.window(), "Add Photos", str(folder), kinds)
        if names:
            self._folder = Path(names[0]).parent
            self.add(Path(name) for name in names)

    def paste(self) -> bool:
        """Add the image or the files on the clipboard; whether there was anything to add."""
        added = self._add_all(photo_mime.contents(QGuiApplication.clipboard().mimeData()))
        if not added:
            self.messages.note("There is no image on the clipboard. Copy a photo, then paste it.")
        return added

    def _add_all(self, found: list[Path] | bytes) -> bool:
        if isinstance(found, bytes):
            self.add_data(found, PASTED)
        else:
            self.add(found)
        return bool(found)

    def remove(self, photo_id: str) -> None:
        """Take a photo out, with a chance to put it back."""
        photo = self._photos.pop(photo_id, None)
        self._loader.cancel(photo_id)
        shown, ids = self.strip.selected_ids(), self.strip.ids()
        row = self.strip.remove(photo_id)
        if row < 0:
            return
        left = [other for other in shown if other != photo_id] or ids[row + 1 : row + 2] or ids[row - 1 : row][:1]
        self.strip.choose(left)
        if photo is not None:
            self.messages.note(f"Removed {photo.name}.", "Undo", lambda: self._put_back(photo, row))
            self.photos_changed.emit()

    def remove_current(self) -> None:
        """Take the active photo out."""
        current = self.strip.current_id()
        if current is not None:
            self.remove(current)

    def _put_back(self, photo: Photo, row: int) -> None:
        self._photos[photo.id] = photo
        self.strip.add(photo.id, photo.name, photo.thumbnail, min(row, self.strip.count()))
        self.strip.choose([photo.id])
        self.photos_changed.emit()

    def _take(self, photo_id: str, photo: Photo) -> None:
        is_new = photo_id not in self._photos
        if is_new and photo_id not in self.strip.ids():
            return
        self._photos[photo_id] = photo
        self.strip.set_thumbnail(photo_id, photo.name, photo.thumbnail)
        if photo_id == self._awaited or not any(chosen in self._photos for chosen in self.strip.selected_ids()):
            self.strip.choose([photo_id])
        self.wall.refresh(photo)
        self._update()
        if is_new:
            self.photos_changed.emit()

    def _refuse(self, photo_id: str, message: str) -> None:
        if photo_id not in self._photos:
            self.strip.remove(photo_id)
        self.show_error(message)
        self._update()

    def show_error(self, error: object) -> None:
        """Say in the panel's own line what went wrong; several errors stand below each other."""
        if not self.messages.text:
            self._errors.clear()
        self._errors.append(str(error))
        more = len(self._errors) - _MOST_ERRORS
        lines = self._errors[:_MOST_ERRORS] + ([f"And {more} more."] if more > 0 else [])
        self.messages.warn("\n".join(lines))

    def _reordered(self) -> None:
        self._update()
        self.photos_changed.emit()

    # What is shown

    @property
    def canvas(self) -> PhotoCanvas:
        """Where the active photo is."""
        current = self._photos.get(self.strip.current_id() or "")
        return self.wall.canvas_of(current) or self.wall.canvases[0]

    def in_front(self) -> tuple[list[str], str | None]:
        """Ids of the photos that are chosen to be shown, and of the active one."""
        return self.strip.selected_ids(), self.strip.current_id()

    def put_in_front(self, photo_ids: list[str], active: str | None) -> None:
        """Show these photos, as far as they are there."""
        there = [photo_id for photo_id in photo_ids if photo_id in self._photos]
        if there:
            self.strip.choose(there, active if active in there else None)

    def toggle_several(self) -> None:
        """From one photo to up to four, beginning with the active one where that leaves four; and back."""
        ids, current = self.strip.ids(), self.strip.current_id()
        if current is None:
            return
        if len(self.strip.selected_ids()) > 1:
            self.strip.choose([current], current)
        else:
            first = max(0, min(ids.index(current), len(ids) - MOST))
            self.strip.choose(ids[first : first + MOST], current)

    def step(self, by: int) -> None:
        """Show the next or previous photo alone."""
        ids, current = self.strip.ids(), self.strip.current_id()
        if current in ids:
            self.strip.choose([ids[min(max(ids.index(current) + by, 0), len(ids) - 1)]])

    def update_picking(self) -> None:
        """Follow the eyedropper's button."""
        for canvas in self.wall.canvases:
            canvas.set_picking(self.controls.actions_by_id["pick-color"].isChecked())

    def update_adjust(self) -> None:
        """Follow the button that shows the sliders."""
        self.controls.show_sliders(self.controls.actions_by_id["adjust"].isChecked())

    def _update(self) -> None:
        current = self.strip.current_id()
        selected = [photo_id for photo_id in self.strip.selected_ids() if photo_id in self._photos]
        if len(selected) > MOST:
            around = selected.index(current) if current in selected else 0
            first = min(around, len(selected) - MOST)
            selected = selected[first : first + MOST]
        shown = [self._photos[photo_id] for photo_id in selected]
        active = self._photos.get(current or "")
        self.wall.show_photos(shown, active if active in shown else (shown[0] if shown else None))
        self._loader.keep_displays(shown, self._photos.values())
        self._pages.setCurrentIndex(1 if self.strip.count() else 0)
        self._top.setVisible(self.strip.count() > 0)
        self.controls.setVisible(self.strip.count() > 0)
        self.controls.actions_by_id["several"].setChecked(len(shown) > 1)
        self.controls.actions_by_id["several"].setEnabled(len(self._photos) > 1)
        self._show_view()

    def _show_view(self) -> None:
        photo = self.canvas.photo
        self.controls.show_view(photo.view if photo else PhotoView(), photo is not None)

    def _view_changed(self, canvas: PhotoCanvas) -> None:
        if canvas is self.canvas:
            self._show_view()
        self.photos_changed.emit()

    def _activate(self, canvas: PhotoCanvas) -> None:
        if canvas.photo is not None and canvas.photo.id != self.strip.current_id():
            self.strip.choose(self.strip.selected_ids(), canvas.photo.id)

    def _show_menu(self, position: QPoint) -> None:
        if self.canvas.photo is not None:
            self.controls.menu.popup(position)

    # Keys, drops and the clipboard

    def event(self, event: QEvent) -> bool:
        # A key that means something here is not a key of the window while the panel has the focus.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._meaning(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        meaning = self._meaning(event)
        if meaning is None:
            event.ignore()
        else:
            meaning()

    def _meaning(self, event: QKeyEvent) -> Callable[[], object] | None:
        picking = self.controls.actions_by_id["pick-color"]
        if event.key() == Qt.Key.Key_Escape:
            return picking.trigger if picking.isChecked() else None
        if event.matches(QKeySequence.StandardKey.Paste):
            return self.paste
        keys = event.keyCombination()
        plain = keys.keyboardModifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if keys.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):  # Plus needs Shift on many keyboards
            return self.controls.actions_by_id["zoom-in"].trigger
        key = Qt.Key.Key_Return if keys.key() == Qt.Key.Key_Enter else keys.key()
        action = self.controls.action_for(QKeySequence(int(plain.value) | int(key)))
        return action.trigger if action is not None and action.isEnabled() and self.canvas.photo else None

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if photo_mime.is_welcome(event.mimeData()):
            event.acceptProposedAction()
            self._mark_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._mark_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._mark_drop(False)
        if self._add_all(photo_mime.contents(event.mimeData())):
            event.acceptProposedAction()

    def _mark_drop(self, on: bool) -> None:
        color = theme.theme().focus
        self._pages.setStyleSheet(f"QStackedWidget {{ border: 2px solid {color}; }}" if on else "")
