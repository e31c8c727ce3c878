"""Compile ahead of time what opening and checking a file needs, so that no time limit is spent on compiling.

numba keeps compiled kernels on disk: the first preparation on a machine takes half a minute, later ones half a second.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np

from app import __version__
from app.errors import LikenessError
from app.formats import opening
from app.formats.registry import Limits, WriteOptions, formats, no_progress
from app.mesh.build import build_mesh
from app.mesh.soup import Soup
from app.preflight.checks.running import run_checks
from app.preflight.profiles import PrinterProfile

# Has every limit, so that every measurement is made.
_CHECKING = PrinterProfile("warm", "", "stl", ".stl", wall_mm=1.0, color_wall_mm=2.0, pin_mm=1.0)


def prepare() -> None:
    """Import the readers and load the kernels; on a cold cache, read a small file of each format to compile theirs.

    For `worker.warm_up`.
    """
    opening.prepare()
    mesh = build_mesh(_tetrahedron())
    run_checks(mesh, _CHECKING)
    # Beside the kernels, so that it goes when they go.
    done = Path(os.environ["NUMBA_CACHE_DIR"]) / f"readers-{__version__}"
    if done.exists():
        return
    _read_each_format()
    with contextlib.suppress(OSError):
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()


def _read_each_format() -> None:
    with tempfile.TemporaryDirectory(prefix="likeness-") as folder:
        for file_format in formats().values():
            if file_format.read is None or file_format.write is None:
                continue
            path = Path(folder) / f"warm{file_format.suffixes[0]}"
            # A format that fails here fails again, with a message, when it is used.
            with contextlib.suppress(LikenessError):
                file_format.write(_tetrahedron(), path, WriteOptions(), no_progress)
                file_format.read(path, Limits(), no_progress)


def _tetrahedron() -> Soup:
    """With a smaller one inside, so that shells are compared."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)
    inner = corners * np.float32(0.2) + np.float32(0.1)
    positions = np.concatenate((corners, inner))
    return Soup(positions, np.concatenate((triangles, triangles + 4)), colors=positions.clip(0, 1))
