"""Opening USD from strangers: the stage is composed only of layers that lie in the folder that the user chose.

A USD file may name others in many ways (sublayers, references, payloads, value clips, expressions) and USD opens what
it is told to. So every layer is opened here, one by one, as a layer without a name; what it names is looked up in the
folder, opened the same way, and the name is replaced. What is elsewhere is taken out. When the stage is composed, no
name of a file is left in it. Archives (USDZ) are unpacked first, with the care that all archives get.

What lives here: files, layers, and how much a stage may hold. What does not: what its prims mean.
"""

from __future__ import annotations

import os
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.assembly import Assembly
from app.formats.packages import open_package, safe_names
from app.formats.reading import find_beside, mapped
from app.formats.usd_crate import SIGNATURE, check_crate
from app.mesh.jit import kernel

LAYER_SUFFIXES = (".usd", ".usda", ".usdc")
_MOST_LAYERS = 500
_DEEPEST_BRACKETS = 200
# Layers that one prim may be put together from; USD itself stops at 65,535 after a second of work.
_MOST_OPINIONS = 1000
_QUOTE, _HASH, _NEWLINE, _BACKSLASH = 34, 35, 10, 92
_OPEN, _CLOSE = (40, 91, 123), (41, 93, 125)


def unpacked(path: Path, folder: Path, assembly: Assembly) -> Path:
    """Unpack a USDZ archive into a folder; returns its first layer, which is the one to open (USDZ specification)."""
    with open_package(path, assembly.limits) as package:
        parts = [part for part in package.infolist() if not part.is_dir()]
        layers = [part for part in parts if PurePosixPath(part.filename).suffix.lower() in LAYER_SUFFIXES]
        if not layers:
            raise UnreadableFile("is an archive without a USD layer", path, "Export it again")
        for part in parts:
            target = folder.joinpath(*safe_names(part.filename))
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with package.open(part) as source, target.open("wb") as stream:
                    shutil.copyfileobj(source, stream, 1 << 20)
            except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
                where = f"{path}, part {part.filename[:80]}"
                raise UnreadableFile(f"cannot be unpacked: {error}", where, "Download or export it again") from error
        return folder.joinpath(*safe_names(layers[0].filename))


class Layers:
    """The layers of one file. Keeps them alive: a stage only holds on to what it uses."""

    def __init__(self, root: Path, assembly: Assembly) -> None:
        self._folder, self._assembly = root.parent.resolve(), assembly
        self._layers: dict[Path, Any] = {}
        self._files: dict[str, Path] = {}
        self._bytes = 0
        self._waiting: list[Path] = []
        self.root = self._open(root.resolve())
        while self._waiting:
            file = self._waiting.pop()
            _rename(self._layers[file], self._replacement(file))
            left = set(self._layers[file].GetCompositionAssetDependencies()) - self._files.keys() - {""}
            if left:
                raise UnreadableFile("names other files in a way that is not understood", file, "Flatten it first")

    def stage(self) -> Any:
        """The composed `Usd.Stage`. Raises LimitExceeded for one that is too much."""
        from pxr import Usd

        self._check_size()
        return Usd.Stage.Open(self.root)

    def find(self, layer: Any, name: str) -> Path | None:
        """A file that a layer names, if it lies in the folder or below it. layer: the `Sdf.Layer` with the name."""
        return self._find(self._files.get(layer.identifier, self._folder / "layer"), name)

    def _find(self, file: Path, name: str) -> Path | None:
        if name.endswith("]"):  # a file within an archive, as archive.usdz[file]
            name = name[:-1].rpartition("[")[2]
        plain = name.replace("\\", "/").replace("<UDIM>", "1001")
        if not PureWindowsPath(plain).anchor and "\0" not in plain:
            # From the layer's own folder, and not out of the root's: neither by name nor by links.
            place = Path(os.path.normpath(file.parent / plain))
            try:
                real = place.resolve(strict=True) if place.is_relative_to(self._folder) else place
                if real.is_relative_to(self._folder) and real.is_file():
                    return real
            except (OSError, RuntimeError, ValueError):
                pass
        return find_beside(self._folder / "layer", plain)

    def _open(self, file: Path) -> Any:
        from pxr import Sdf, Tf

        if file not in self._layers:
            path, limits = self._assembly.path, self._assembly.limits
            if len(self._layers) >= _MOST_LAYERS:
                raise LimitExceeded(f"is made of more than {_MOST_LAYERS:,} files", path, "Flatten it before exporting")
            with mapped(file, limits) as data:
                self._bytes += len(data)
                if self._bytes > limits.file_bytes:
                    raise LimitExceeded("names too many and too large files", path, "Reduce it first")
                if data[: len(SIGNATURE)] == SIGNATURE:
                    check_crate(file, data, limits)
                elif _depth(np.frombuffer(data, np.uint8)) > _DEEPEST_BRACKETS:
                    raise LimitExceeded("is nested too deeply", file, "Export it again")
            try:
                layer = Sdf.Layer.OpenAsAnonymous(str(file))
            except Tf.ErrorException as error:
                what = f"is no USD file, or damaged: {reason(error, file)}"
                raise UnreadableFile(what, file, "Download or export it again") from error
            if layer is None:
                raise UnreadableFile("is no USD file, or damaged", file, "Download or export it again")
            self._layers[file] = layer
            self._files[layer.identifier] = file
            self._waiting.append(file)
        return self._layers[file]

    def _replacement(self, file: Path) -> Callable[[str], str]:
        """What to write for a layer's name in a file: the nameless layer's own, or nothing."""

        def replacement(name: str) -> str:
            found = self._find(file, name)
            if found is None or found.suffix.lower() not in LAYER_SUFFIXES:
                last = PureWindowsPath(name).name[:60]
                self._assembly.note(f"The file {last}, which it names, is not in its folder; what it holds is missing.")
                return ""
            return str(self._open(found).identifier)

        return replacement

    def _check_size(self) -> None:
        """Count the composed prims one by one: references to references may make any number of them."""
        from pxr import Pcp, Sdf

        path, most = self._assembly.path, self._assembly.limits.nodes
        cache = Pcp.Cache(Pcp.LayerStackIdentifier(self.root), usd=True)
        waiting, count = [Sdf.Path.absoluteRootPath], 0
        while waiting:
            place = waiting.pop()
            index, _ = cache.ComputePrimIndex(place)
            if index.hasAnyPayloads:
                cache.RequestPayloads([place], [])
                index, _ = cache.ComputePrimIndex(place)
            if len(index.primStack) > _MOST_OPINIONS:
                raise LimitExceeded("refers to itself too often", f"{path}, {place}", "Flatten it before exporting")
            names, _ = index.ComputePrimChildNames()
            count += 1 + len(names)
            if count > most:
                raise LimitExceeded(f"has more than {most:,} parts", path, "Merge its parts before exporting")
            waiting += [place.AppendChild(name) for name in names]


def reason(error: Exception, file: Path) -> str:
    """The readable part of a USD error about a file: what stands in quotes after its place in USD's source."""
    try:
        text = str(error).strip().rpartition(" : '")[2].split("\n")[0]
        return text.replace(str(file), "").strip(" ':<>@")[:120]
    except UnicodeError:  # it quotes a part of the file that is no text
        return "a part of it is no text"


def _rename(layer: Any, replacement: Callable[[str], str]) -> None:
    """Replace the name of each other layer in a layer; those that get none are taken out. Value clips are, too."""
    from pxr import Sdf

    for index in reversed(range(len(layer.subLayerPaths))):
        name = replacement(layer.subLayerPaths[index])
        if name:
            layer.subLayerPaths[index] = name
        else:
            del layer.subLayerPaths[index]

    def renamed(item: Any) -> Any | None:
        if not item.assetPath:
            return item  # to another prim of the same layer
        name = replacement(item.assetPath)
        return type(item)(name, item.primPath, item.layerOffset) if name else None

    failures: list[Exception] = []

    def visit(place: Any) -> None:
        try:
            change(place)
        except Exception as error:  # noqa: BLE001 - USD would only print it, and go on with the name in place
            failures.append(error)

    def change(place: Any) -> None:
        if not (place.IsPrimPath() or place.IsPrimVariantSelectionPath()):
            if place.isEmpty:  # USD ends the whole process when it comes across one later
                raise ValueError("a part has no name")
            return
        spec = layer.GetObjectAtPath(place)
        if isinstance(spec, Sdf.VariantSpec) and not spec.expired:
            spec = spec.primSpec
        if spec is None or spec.expired:
            raise ValueError("a part is listed that does not exist")
        if not isinstance(spec, Sdf.PrimSpec):
            return
        for key in ("clips", "clipSets"):
            if spec.HasInfo(key):
                spec.ClearInfo(key)
        for key in ("references", "payload"):
            if spec.HasInfo(key):
                spec.SetInfo(key, _mapped_list(spec.GetInfo(key), renamed))

    layer.Traverse(Sdf.Path.absoluteRootPath, visit)
    if failures:
        raise failures[0]


def _mapped_list(edits: Any, change: Callable[[Any], Any | None]) -> Any:
    """A list of edits, such as USD keeps for references, with each item changed or left out."""
    out = type(edits)()
    kinds = ["explicitItems"] if edits.isExplicit else ["prependedItems", "appendedItems", "addedItems"]
    for kind in kinds:
        items = [change(item) for item in getattr(edits, kind)]
        if items:
            setattr(out, kind, [item for item in items if item is not None])
    return out


@kernel
def _depth(data):
    """How deeply brackets are nested in a text layer: USD's parser calls itself for each."""
    depth, deepest, i = 0, 0, 0
    while i < len(data):
        byte = data[i]
        if byte == _QUOTE:
            i += 1
            while i < len(data) and data[i] != _QUOTE and data[i] != _NEWLINE:
                i += 2 if data[i] == _BACKSLASH else 1
        elif byte in _OPEN:
            depth += 1
            deepest = max(deepest, depth)
        elif byte in _CLOSE:
            depth -= 1
        i += 1
    return deepest
