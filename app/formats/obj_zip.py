"""A zipped model, as printing services take it and download sites give it: OBJ with its materials and images.

Other formats in a zip file are read, too. Writing packs what the OBJ writer makes.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from app.errors import UnreadableFile
from app.formats import obj
from app.formats.packages import open_package
from app.formats.reading import refuse
from app.formats.registry import Format, Limits, Progress, WriteOptions, format_of, register
from app.formats.threemf import PARTS, ZIP
from app.formats.writing import writing
from app.mesh.soup import Soup

_MESHES = (".obj", ".gltf", ".glb", ".3mf", ".ply", ".wrl", ".stl")
_SIDECARS = (".mtl", ".bin", ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tga", ".tif", ".tiff", ".gif")
_COMPRESSION = 2  # text shrinks to a third at once; trying harder takes seconds for a few per cent
_WRITING_SHARE = 0.6


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read the one model in a zip file; of several the OBJ, else the largest. Raises UnreadableFile, LimitExceeded."""
    with open_package(path, limits) as package, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        parts = [part for part in package.infolist() if not part.is_dir() and "__MACOSX" not in part.filename]
        meshes = [part for part in parts if PurePosixPath(part.filename).suffix.lower() in _MESHES]
        if not meshes:
            refuse(path, "is a zip archive without a 3D model that is read", "Unpack it and look inside")
        chosen = max(meshes, key=lambda part: (part.filename.lower().endswith(".obj"), part.file_size))
        wanted = [part for part in parts if PurePosixPath(part.filename).suffix.lower() in _SIDECARS]
        for part in [chosen, *wanted]:
            _unpack(package, part, Path(folder), path)
        file = Path(folder, _inner_name(chosen))
        soup = _read_inner(file, path, limits, progress)
    if len(meshes) > 1:
        soup.notes.append(f"Of {len(meshes)} models in the archive, {chosen.filename} was read.")
    return soup


def _read_inner(file: Path, path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read the unpacked model; errors speak of the archive, not of a folder that is gone."""
    try:
        found = format_of(file)
        if found.read is None or found.id == "obj-zip":
            refuse(file, "is an archive in an archive", "Unpack it first")
        return found.read(file, limits, progress)
    except UnreadableFile as error:
        where = error.where.replace(str(file), f"{path}, {file.name}")
        raise type(error)(error.what, where, error.advice) from error


def _inner_name(part: zipfile.ZipInfo) -> Path:
    return Path(*[name for name in part.filename.replace("\\", "/").split("/") if name not in ("", ".", "..")])


def _unpack(package: zipfile.ZipFile, part: zipfile.ZipInfo, folder: Path, path: Path) -> None:
    target = folder / _inner_name(part)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with package.open(part) as source, target.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
        where = f"{path}, part {part.filename[:80]}"
        raise UnreadableFile(f"cannot be unpacked: {error}", where, "Download or export it again") from error


def write(soup: Soup, path: Path, options: WriteOptions, progress: Progress) -> None:
    """Write OBJ, MTL and images into one zip file. Raises WriteFailed."""
    with writing(path), tempfile.TemporaryDirectory() as folder:
        inner = Path(folder, f"{path.stem}.obj")
        obj.write(soup, inner, options, lambda fraction, doing: progress(_WRITING_SHARE * fraction, doing))
        progress(_WRITING_SHARE, "Packing")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as package:
            for file in sorted(Path(folder).iterdir()):
                package.write(file, file.name)
    progress(1.0, "Written")


def _sniff(head: bytes) -> bool:
    if not head.startswith(ZIP) or any(part in head for part in PARTS):
        return False
    return b".obj" in head.lower() or b".mtl" in head.lower()


register(Format("obj-zip", "Zipped OBJ", (".zip",), read, write, _sniff))
