"""Scans without a surface: point clouds and Gaussian splats. They are recognised, and answered with what to export.

What lives here: what such files are called and what a user can do. What does not: the containers that may hold them,
which ask here. Imports nothing of the other formats, so that the registry can use it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection
from typing import NoReturn

from app.errors import UnreadableFile

_SPLAT_SUFFIXES = (".splat", ".ksplat", ".spz", ".sog", ".lcc")
_CLOUD_SUFFIXES = (".las", ".laz", ".e57", ".pcd", ".pts", ".ptx", ".xyz")
_CLOUD_SIGNATURES = (b"LASF", b"ASTM-E57", b"# .PCD", b"VERSION .7\nFIELDS")
_GZIP, _SPZ = b"\x1f\x8b", b"NGSP"
# What splats have for each point and point clouds do not; the last is that of a compressed one.
_SPLAT_PROPERTIES = ("f_dc_0", "scale_0", "rot_0", "packed_rotation")
_SPLAT = "is a Gaussian splat: coloured blobs that have no surface to sculpt or print"
_SPLAT_ADVICE = "Export the capture as a mesh instead: in Polycam or Luma choose Export, Mesh, GLB"
MESH_INSTEAD = (
    "Export the scan as a mesh with texture (GLB, or OBJ with its images); points alone become a surface in MeshLab "
    "with Filters, Remeshing, Surface Reconstruction: Screened Poisson"
)


def refuse_splat(path: str | os.PathLike[str]) -> NoReturn:
    """Raise UnreadableFile for a Gaussian splat."""
    raise UnreadableFile(_SPLAT, path, _SPLAT_ADVICE)


def is_splat(properties: Collection[str]) -> bool:
    """Whether points with these properties, by their PLY names, are those of a Gaussian splat."""
    return any(name in properties for name in _SPLAT_PROPERTIES)


def refuse_points(path: str | os.PathLike[str], count: int) -> NoReturn:
    """Raise UnreadableFile for points without triangles."""
    raise UnreadableFile(f"is a point cloud of {count:,} points without triangles", path, MESH_INSTEAD)


def refuse_scan(path: str | os.PathLike[str], suffix: str, head: bytes) -> None:
    """Raise UnreadableFile if a file that no reader wants is a scan without a surface. head: its first bytes."""
    if head.startswith(_SPZ) or _unpacked(head).startswith(_SPZ) or suffix in _SPLAT_SUFFIXES:
        refuse_splat(path)
    if head.startswith(_CLOUD_SIGNATURES) or suffix in _CLOUD_SUFFIXES:
        raise UnreadableFile("is a point cloud, which has no surface", path, MESH_INSTEAD)


def _unpacked(head: bytes) -> bytes:
    """The first bytes of a gzip file."""
    if not head.startswith(_GZIP):
        return b""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, len(_SPZ))
    except zlib.error:
        return b""
