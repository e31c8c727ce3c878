"""Reads photos on threads beside the window. Each thread waits for a worker process or decodes bytes known to be good.

What does not live here: how a photo is read (`app.photos.load`), and what becomes of it (`photo_panel`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, Signal

from app.errors import Cancelled, LikenessError
from app.photos.load import load_display, load_photo
from app.photos.photo import Photo

# Two at a time: one photo of 100 megapixels does not hold up the others, and memory stays bounded.
_THREADS = 2
# Display copies of photos that are not shown are kept up to this, so that going back and forth is immediate.
_KEPT_BYTES = 256 << 20


class PhotoLoader(QObject):
    """Signals, all on the window's thread: loaded(id, Photo), failed(id, message)."""

    loaded = Signal(str, object)
    failed = Signal(str, str)

    def __init__(self) -> None:
        # No parent: running tasks hold this object, so that its signals exist for as long as they do.
        super().__init__()
        # Not Qt's pool: Qt deletes a QRunnable behind Python's back, and the next object at its address, a QAction say,
        # is then taken for it.
        self._pool = ThreadPoolExecutor(_THREADS, "photos")
        self._stops: dict[str, threading.Event] = {}
        self._recent: list[Photo] = []
        self._unreadable: set[str] = set()  # not to be tried again each time they are shown
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)

    def load(self, photo_id: str, source: Path | bytes, name: str) -> None:
        """Read a new photo; it arrives with this id."""

        def work(cancelled: Callable[[], bool]) -> Photo:
            photo = load_photo(source, name, cancelled)
            photo.id = photo_id
            return photo

        self._start(photo_id, work)

    def load_display(self, photo: Photo) -> None:
        """Give a photo its display copy back."""

        def work(cancelled: Callable[[], bool]) -> Photo:
            load_display(photo, cancelled)
            return photo

        if photo.id not in self._stops:
            self._start(photo.id, work)

    def keep_displays(self, shown: list[Photo], photos: Iterable[Photo]) -> None:
        """Read the display copies of what is shown; of the others forget those that were shown longest ago."""
        for photo in shown:
            if photo.display is None and photo.id not in self._unreadable:
                self.load_display(photo)
        photos = list(photos)
        before = [photo for photo in self._recent if photo in photos and photo not in shown]
        self._recent = [*shown, *before, *(photo for photo in photos if photo not in before and photo not in shown)]
        held = 0
        for photo in self._recent:
            if photo.display is not None and photo not in shown:
                held += photo.display.nbytes
                if held > _KEPT_BYTES:
                    photo.display = None

    def cancel(self, photo_id: str) -> None:
        """Forget a photo that is being read; neither signal comes for it."""
        stop = self._stops.pop(photo_id, None)
        if stop is not None:
            stop.set()

    def stop(self) -> None:
        """Cancel everything."""
        for photo_id in list(self._stops):
            self.cancel(photo_id)

    def _start(self, photo_id: str, work: Callable[[Callable[[], bool]], Photo]) -> None:
        stop = self._stops[photo_id] = threading.Event()

        def run() -> None:
            try:
                if stop.is_set():
                    return
                photo = work(stop.is_set)
            except Cancelled:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the panel must not wait for ever
                self._unreadable.add(photo_id)
                if self._done(photo_id, stop):
                    self.failed.emit(photo_id, _message(error))
            else:
                if self._done(photo_id, stop):
                    self.loaded.emit(photo_id, photo)

        self._pool.submit(run)

    def _done(self, photo_id: str, stop: threading.Event) -> bool:
        if stop.is_set():
            return False
        self._stops.pop(photo_id, None)
        return True


def _message(error: Exception) -> str:
    if isinstance(error, LikenessError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for this photo. Close other programs, then add it again."
    return f"A photo cannot be read because of a fault in Likeness ({type(error).__name__}: {error})."
