"""What a project file holds, as Python objects. How it is stored is told in `store`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from app.mesh.mesh import Mesh
from app.photos.photo import Photo
from app.sculpt.history import Step


@dataclass(eq=False)
class Stored:
    """Where things are in the database, so that a working copy can go on with it.

    meshes, arrays: object by id. photos: (photo id, blob id) in their order.
    """

    meshes: dict[int, Mesh] = field(default_factory=dict)
    arrays: dict[int, np.ndarray] = field(default_factory=dict)


@dataclass(eq=False)
class ProjectContent:
    """A whole project.

    steps: oldest first, `position` of them done. job: the settings that belong to it, JSON values. thumbnail: PNG.
    version: user_version of the file before it was brought up to date. unsaved: holds work that its file does not.
    project_path: the file it belongs to; only a working copy says so, a file's word would not be trusted.
    notes: what was mended, one sentence each, for the user.
    """

    mesh: Mesh
    steps: list[Step]
    position: int
    photos: list[Photo]
    job: dict[str, Any]
    thumbnail: bytes | None
    project_id: str
    version: int
    unsaved: bool = False
    project_path: Path | None = None
    notes: list[str] = field(default_factory=list)
    stored: Stored = field(default_factory=Stored, repr=False)
