"""What all readers share: opening a file within limits, finding files beside it, and the last look at a soup.

No format's grammar lives here.
"""

from __future__ import annotations

import mmap
from collections.abc import Hashable
from pathlib import Path, PureWindowsPath
from typing import NoReturn

import numpy as np

from app.errors import LimitExceeded, UnreadableFile, readable
from app.formats.images import read_texture_or_note
from app.formats.registry import Limits
from app.mesh.soup import Soup, Texture

_AGAIN = "Download or export it again"
# Beyond this, in metres and made millimetres, the area of a triangle or its square is no longer a float32.
_LARGEST_COORDINATE = 1e12
_LONGEST_NAME, _SHOWN = 4096, 80
# Names that are looked for in vain in one file: each costs a look through the folder, and a file can hold a million.
_MOST_MISSING = 200
# All images of a file together may have as many pixels as two of the largest.
_MOST_LARGEST_IMAGES = 2


def refuse(path: Path, what: str, advice: str = _AGAIN) -> NoReturn:
    """Raise UnreadableFile for a file."""
    raise UnreadableFile(what, path, advice)


def mapped(path: Path, limits: Limits) -> mmap.mmap:
    """A file's bytes without reading them all. Raises UnreadableFile, LimitExceeded."""
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            what = f"has {size / 2**30:.1f} GiB, more than the {limits.file_bytes / 2**30:.1f} GiB that are read"
            raise LimitExceeded(what, path, "Reduce the mesh before opening it")
        if not size:
            refuse(path, "is empty")
        with path.open("rb") as stream:
            return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        what = f"cannot be opened: {error.strerror or error}"
        raise UnreadableFile(what, path, "Check the name and your rights to it") from error


def check_counts(path: Path, limits: Limits, vertices: int, triangles: int) -> None:
    """Raise LimitExceeded where a file asks for more than an honest one would. Call before allocating."""
    for count, limit, noun in ((vertices, limits.vertices, "vertices"), (triangles, limits.triangles, "triangles")):
        if count > limit:
            raise LimitExceeded(
                f"asks for {count:,} {noun}, more than the {limit:,} that are read",
                path,
                "Reduce the mesh elsewhere first",
            )


def find_beside(path: Path, name: str) -> Path | None:
    """A file that `path` names, if it lies in the same folder or below it; None otherwise.

    Names come from strangers: absolute names, `..` and links that lead out of the folder are not followed. A name with
    folders that do not exist here, as from another computer, is looked for by its last part.
    """
    if len(name) > _LONGEST_NAME or "\0" in name:
        return None
    folder, named = path.parent.resolve(), PureWindowsPath(name.strip().strip('"'))
    parts = [part for part in named.parts if part not in ("", ".", named.anchor)]
    # Joined on Windows, a part such as "C:x" would replace the folder: not even looked at.
    if not parts or any(PureWindowsPath(part).anchor or PureWindowsPath(part).drive for part in parts):
        return None
    plain = not named.anchor and ".." not in parts
    for candidate in ([folder.joinpath(*parts)] if plain else []) + [folder / parts[-1]]:
        found = _inside(folder, candidate)
        if found is not None:
            return found
    try:  # a name in other letters, as Windows does not tell them apart
        entries = [entry for entry in folder.iterdir() if entry.name.casefold() == parts[-1].casefold()]
    except OSError:
        return None
    return _inside(folder, entries[0]) if entries else None


def _inside(folder: Path, candidate: Path) -> Path | None:
    try:
        real = candidate.resolve(strict=True)
        return real if real.is_file() and real.is_relative_to(folder) else None
    except (OSError, RuntimeError, ValueError):  # no such file, too long a name, a loop of links
        return None


def finished(soup: Soup, path: Path, limits: Limits) -> Soup:
    """The last look at what a reader made: no broken numbers, no triangle without a place, at least one triangle.

    Triangles with a vertex that is not a number are left out with a note. Raises UnreadableFile, LimitExceeded.
    """
    check_counts(path, limits, len(soup.positions), len(soup.triangles))
    if not len(soup.triangles):
        refuse(path, "holds no triangles", "Export the model as a mesh with faces")
    with np.errstate(invalid="ignore"):
        good = (np.abs(soup.positions) <= _LARGEST_COORDINATE).all(axis=1)
    if not good.all():
        keep = good[soup.triangles].all(axis=1)
        if not keep.any():
            refuse(path, "has no triangle whose corners are all numbers")
        dropped = len(keep) - int(keep.sum())
        soup.positions = np.where(good[:, None], soup.positions, np.float32(0))
        if dropped:
            soup.notes.append(f"{dropped:,} triangles with a corner that is not a number were left out.")
            select_triangles(soup, keep)
    return soup


def select_triangles(soup: Soup, keep: np.ndarray) -> None:
    """Keep only some triangles, in place. keep: (T,) bool."""
    soup.triangles = soup.triangles[keep]
    if soup.corner_uv is not None:
        soup.corner_uv = soup.corner_uv[keep]
    if soup.triangle_material is not None:
        soup.triangle_material = soup.triangle_material[keep]


def to_float32(values: np.ndarray) -> np.ndarray:
    """float32 of any numbers; too large ones become infinite without a warning, to be left out later."""
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(np.float32)


def colors_0_to_1(colors: np.ndarray) -> np.ndarray:
    """(N, 3) float32 colours in 0 to 1, from 0 to 1 or, as some programs write them, from 0 to 255."""
    colors = np.nan_to_num(to_float32(colors), nan=1.0, posinf=1.0, neginf=0.0)
    largest = float(colors.max(initial=0.0))
    if largest > 1.5:
        colors = colors / np.float32(255.0 if largest <= 255.0 else largest)
    return colors.clip(0.0, 1.0)


class Images:
    """The images beside or inside a file, each read once, by whatever names it is called."""

    def __init__(self, limits: Limits, notes: list[str]) -> None:
        self._limits, self._notes = limits, notes
        self._named: dict[str, Texture | None] = {}
        self._read: dict[Hashable, Texture | None] = {}
        self._missing = self._pixels = 0

    def beside(self, name: str, *files: Path) -> Texture | None:
        """The image of this name beside the first of these files that has it; None and a note without an intact one.

        Raises LimitExceeded for an image that is too large, or for too many of them.
        """
        if name not in self._named:
            self._named[name] = self._look(name, files)
        return self._named[name]

    def _look(self, name: str, files: tuple[Path, ...]) -> Texture | None:
        if self._missing >= _MOST_MISSING:
            return None
        image = next((found for file in files if (found := find_beside(file, name))), None)
        if image is None:
            self._missing += 1
            last = readable(PureWindowsPath(name).name, _SHOWN)
            self._notes.append(f"The texture {last} is not beside the file; the plain colour is used.")
            return None
        return self.at(image)

    def at(self, image: Path) -> Texture | None:
        """The image in a file that `find_beside` or the like has found. Raises LimitExceeded, as `beside` does."""
        if image.stat().st_size > self._limits.encoded_texture_bytes:
            raise LimitExceeded("is too large a texture", image, "Save it again as a smaller PNG or JPEG")
        return self._read[image] if image in self._read else self.embedded(image, image.read_bytes(), image.name)

    def embedded(self, key: Hashable, encoded: bytes, name: str) -> Texture | None:
        """An image inside the file. key: what tells it from others. Raises LimitExceeded, as `beside` does."""
        if key not in self._read:
            texture = self._read[key] = read_texture_or_note(encoded, name, self._limits, self._notes)
            self._pixels += texture.width * texture.height if texture is not None else 0
            if self._pixels > _MOST_LARGEST_IMAGES * self._limits.texture_pixels:
                raise LimitExceeded("is one of too many large textures", name, "Reduce their size first")
        return self._read[key]
