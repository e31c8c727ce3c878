"""USD: text (USDA), binary (USDC) and archives (USDZ), as phones' scanners and AI services deliver them.

    files and layers           usd_layers
    where things stand         here
    one mesh                   usd_meshes, usd_materials

Everything is taken at the file's first moment; figures with a skeleton stand as they were bound to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import LimitExceeded, UnreadableFile
from app.formats.assembly import Assembly, Part, known_unit
from app.formats.points import refuse_points, refuse_splat
from app.formats.reading import finished
from app.formats.registry import Format, Limits, Progress, register
from app.formats.threemf import ZIP
from app.formats.usd_crate import SIGNATURE
from app.formats.usd_layers import LAYER_SUFFIXES, Layers, reason, unpacked
from app.formats.usd_materials import Materials
from app.formats.usd_meshes import Meshes
from app.mesh.soup import Soup

_MM_PER_METRE = 1000.0
_DEFAULT_METRES = 0.01  # https://openusd.org/release/api/group___usd_geom_linear_units__group.html
_HIDDEN_PURPOSES = ("guide", "proxy")
_TEXT = b"#usda"
_NAME_LENGTH_AT, _NAME_AT = 26, 30  # of the first file in a zip archive


def read(path: Path, limits: Limits, progress: Progress) -> Soup:
    """Read a USD file. Raises UnreadableFile, and LimitExceeded for what asks for too much."""
    from pxr import Tf, UsdUtils  # a third of a second, and rarely needed

    progress(0.0, "Reading the file")
    assembly = Assembly(path, limits)
    silence = UsdUtils.CoalescingDiagnosticDelegate()  # keeps USD from writing its warnings to the terminal
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            with path.open("rb") as stream:
                archive = stream.read(len(ZIP)) == ZIP
            root = unpacked(path, Path(folder), assembly) if archive else path
            soup = _read(Layers(root, assembly), assembly, progress)
        except Tf.ErrorException as error:
            what = f"cannot be understood: {reason(error, root)}"
            raise UnreadableFile(what, path, "Export it again from the program that made it") from error
        except (TypeError, ValueError, RuntimeError) as error:  # values of kinds that have no place in Python
            raise UnreadableFile(
                f"has a value that cannot be read: {str(error)[:120]}", path, "Export it again"
            ) from error
        except UnreadableFile as error:
            where = error.where.replace(f"{folder}/", f"{path}, ")
            raise type(error)(error.what, where, error.advice) from error
        finally:
            del silence
    return finished(soup, path, limits)


def _read(layers: Layers, assembly: Assembly, progress: Progress) -> Soup:
    from pxr import Usd

    progress(0.1, "Putting layers together")
    stage = layers.stage()
    progress(0.4, "Reading triangles")
    time = Usd.TimeCode.EarliestTime()
    scene = _Scene(assembly, Meshes(assembly, Materials(assembly, layers, time), time), time)
    for prim in scene.visible(stage):
        scene.add(prim)
    progress(0.9, "Placing parts")
    scene.refuse_others()
    soup = assembly.soup()
    root = layers.root.pseudoRoot
    soup.up = "z" if root.HasInfo("upAxis") and str(root.GetInfo("upAxis")).upper() == "Z" else "y"
    # Not through the stage: that insists on a type that some exporters do not write.
    metres = root.GetInfo("metersPerUnit") if root.HasInfo("metersPerUnit") else _DEFAULT_METRES
    soup.unit_mm = known_unit(float(metres) * _MM_PER_METRE) if isinstance(metres, int | float) else None
    return soup


class _Scene:
    """Walks the stage and gathers parts."""

    def __init__(self, assembly: Assembly, meshes: Meshes, time: Any) -> None:
        from pxr import UsdGeom

        self._assembly, self._meshes, self._time = assembly, meshes, time
        self._places = UsdGeom.XformCache(time)
        self._parts: dict[str, Part] = {}
        self._skipped: set[str] = set()
        self._points = self._surfaces = 0

    def visible(self, stage: Any) -> Iterator[Any]:
        """All prims that are shown, instances too. Raises LimitExceeded."""
        from pxr import Usd, UsdGeom

        prims, hidden = iter(Usd.PrimRange(stage.GetPseudoRoot(), Usd.TraverseInstanceProxies())), 0
        for count, prim in enumerate(prims):
            if count > self._assembly.limits.nodes:
                what = f"shows more than {self._assembly.limits.nodes:,} parts"
                raise LimitExceeded(what, self._assembly.path, "Merge its parts before exporting")
            place = UsdGeom.Imageable(prim)
            if place and (
                place.GetVisibilityAttr().Get(self._time) == UsdGeom.Tokens.invisible
                or place.GetPurposeAttr().Get() in _HIDDEN_PURPOSES
            ):
                hidden += prim.IsA(UsdGeom.Gprim) or bool(prim.GetAllChildren())
                prims.PruneChildren()
            elif prim.IsA(UsdGeom.PointInstancer):
                self._skipped.add("PointInstancer")
                prims.PruneChildren()
            else:
                yield prim
        if hidden:
            self._assembly.note(f"{hidden:,} hidden parts were left out.")

    def add(self, prim: Any) -> None:
        """Add what a prim shows."""
        from pxr import UsdGeom

        if "Splat" in str(prim.GetTypeName()):
            refuse_splat(self._assembly.path)
        if prim.IsA(UsdGeom.Points):
            self._points += len(UsdGeom.Points(prim).GetPointsAttr().Get(self._time) or ())
        if not prim.IsA(UsdGeom.Mesh):
            if prim.IsA(UsdGeom.Gprim):
                self._skipped.add(str(prim.GetTypeName()))
            return
        self._surfaces += 1
        # Instances share what they show, but each may have a material of its own from outside.
        key = str(prim.GetPrimInPrototype().GetPath() if prim.IsInstanceProxy() else prim.GetPath())
        part = self._parts.get(key) if prim.IsInstanceProxy() else None
        if part is None:
            part = self._parts[key] = self._meshes.read(UsdGeom.Mesh(prim))
        self._assembly.add(part, self._placement(prim))

    def _placement(self, prim: Any) -> np.ndarray:
        """(4, 4) for column vectors; that of a skinned mesh is where it was bound (UsdSkel: geomBindTransform)."""
        from pxr import UsdSkel

        skinned = UsdSkel.BindingAPI(prim)
        if skinned.GetJointIndicesPrimvar().HasValue() or skinned.GetGeomBindTransformAttr().HasValue():
            skeleton = skinned.GetInheritedSkeleton()
            if skeleton:
                bind = skinned.GetGeomBindTransformAttr().Get(self._time)
                bound = np.eye(4) if bind is None else np.array(bind).T
                return np.array(self._places.GetLocalToWorldTransform(skeleton.GetPrim())).T @ bound
        return np.array(self._places.GetLocalToWorldTransform(prim)).T

    def refuse_others(self) -> None:
        """Say what a stage is that has no meshes; note what else was left out."""
        if not self._surfaces and self._points:
            refuse_points(self._assembly.path, self._points)
        if self._skipped:
            kinds = ", ".join(sorted(self._skipped)[:5])
            self._assembly.note(f"Shapes of the kinds {kinds} were left out; only meshes are read.")


def _sniff(head: bytes) -> bool:
    if head.startswith(ZIP):
        length = int.from_bytes(head[_NAME_LENGTH_AT : _NAME_LENGTH_AT + 2], "little")
        name = head[_NAME_AT : _NAME_AT + length].decode("utf-8", "replace").lower()
        return name.endswith(LAYER_SUFFIXES)
    return head.startswith((_TEXT, SIGNATURE))


register(Format("usd", "USD", (".usdz", ".usd", ".usda", ".usdc"), read, sniff=_sniff))
