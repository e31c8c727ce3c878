"""A zipped model, as printing services take it and Meshy, Polycam and Sketchfab hand it out.

Whatever format that is read may be inside, with its materials and images. Writing packs what the OBJ writer makes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from app.errors import UnreadableFile
from app.formats import obj
from app.formats.packages import open_package, safe_names
from app.formats.reading import refuse
from app.formats.registry import Format, Limits, Progress, WriteOptions, format_of, register
from app.formats.threemf import PARTS, ZIP
from app.formats.writing import writing
from app.mesh.soup import Soup

# Formats that a model in a zip file may have, the ones that bring colour along most surely first.
_MESHES = (
    ".obj", ".glb", ".gltf", ".fbx", ".usdz", ".usd", ".usda", ".usdc", ".dae", ".3mf", ".ply", ".wrl", ".stl", ".off",
)  # fmt: skip
_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tga", ".tif", ".tiff", ".gif")
_SIDECARS = (".mtl", ".bin", ".usdc", ".usda", ".usd", *_IMAGES)
_MOST_TRIED = 4
_COMPRESSION = 2  # text shrinks to a third at once; trying harder takes seconds for a few per cent
_WRITING_SHARE = 0.6


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read the one model in a zip file. Raises UnreadableFile, LimitExceeded.

    Of several the one whose format keeps colour best (OBJ, GLB, ...) and is largest; if it cannot be read, the next.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        meshes = _unpack_all(path, folder, limits)
        if not meshes:
            refuse(path, "is a zip archive without a 3D model that is read", "Unpack it and look inside")
        _gather_images(folder, {file.parent for file in meshes[:_MOST_TRIED]})
        failure: UnreadableFile | None = None
        for file in meshes[:_MOST_TRIED]:
            try:
                soup = _read_inner(file, folder, path, limits, progress)
            except UnreadableFile as error:
                failure = failure or error
                continue
            if len(meshes) > 1:
                soup.notes.append(f"Of {len(meshes)} models in the archive, {file.relative_to(folder)} was read.")
            return soup
        assert failure is not None
        raise failure


def _unpack_all(path: Path, folder: Path, limits: Limits, *, outermost: bool = True) -> list[Path]:
    """Unpack models and what they may need; returns the models, the best first.

    An archive that only holds another, as Sketchfab hands out what was uploaded, is gone into once.
    """
    with open_package(path, limits) as package:
        parts = [part for part in package.infolist() if not part.is_dir() and "__MACOSX" not in part.filename]
        of_kind = {part.filename: PurePosixPath(part.filename).suffix.lower() for part in parts}
        meshes = [part for part in parts if of_kind[part.filename] in _MESHES]
        inner = [part for part in parts if of_kind[part.filename] == ".zip" and outermost and not meshes]
        wanted = [part for part in parts if of_kind[part.filename] in _SIDECARS and part not in meshes]
        for part in (*meshes, *wanted, *inner[:1]):
            _unpack(package, part, folder, path)
    meshes.sort(key=lambda part: (_MESHES.index(of_kind[part.filename]), -part.file_size))
    if inner:
        try:
            return _unpack_all(folder / _inner_name(inner[0]), folder, limits, outermost=False)
        except UnreadableFile as error:
            raise type(error)(error.what, f"{path}, {inner[0].filename[:80]}", error.advice) from error
    return [folder / _inner_name(part) for part in meshes]


def _gather_images(folder: Path, places: set[Path]) -> None:
    """Put every image beside each model, too: archives keep them in folders that the models do not name."""
    images = [file for file in folder.rglob("*") if file.suffix.lower() in _IMAGES]
    for place in places:
        for image in images:
            beside = place / image.name
            if not beside.exists():
                try:
                    os.link(image, beside)
                except OSError:
                    shutil.copyfile(image, beside)


def _read_inner(file: Path, folder: Path, path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read an unpacked model; errors speak of the archive, not of a folder that is gone."""
    try:
        found = format_of(file)
        if found.read is None or found.id == "obj-zip":
            refuse(file, "is an archive in an archive", "Unpack it first")
        return found.read(file, limits, progress)
    except UnreadableFile as error:
        where = error.where.replace(str(file), f"{path}, {file.relative_to(folder)}").replace(f"{folder}{os.sep}", "")
        raise type(error)(error.what, where, error.advice) from error


def _inner_name(part: zipfile.ZipInfo) -> Path:
    return Path(*safe_names(part.filename))


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


register(Format("obj-zip", "Zipped model", (".zip",), read, write, _sniff))
