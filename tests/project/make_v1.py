"""Makes data/v1.likeness, the project of version 1 that every later version must open. Run once, then never again:

python -m tests.project.make_v1
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from app.document import Document
from app.mesh.mesh import Mesh
from app.photos.photo import Photo, PhotoView
from app.project.sessions import Session
from app.project.working_copy import WorkingCopy
from tests.project.projects import TURN, all_states, change, colored_mesh, new_document, png

FILE = Path(__file__).parent / "data" / "v1.likeness"
EXPECTED = FILE.with_suffix(".json")


def states_in_figures(document: Document) -> list[dict[str, Any]]:
    """Every state of the history as CRC-32 sums."""

    def sums(state: dict[str, Any]) -> dict[str, Any]:
        return {
            name: None if value is None else zlib.crc32(value[2])
            for name, value in state.items()
            if name != "materials"
        }

    return [sums(state) for state in all_states(document)]


def main() -> None:
    document = new_document(colored_mesh(12, 8))
    for seed in range(3):
        change(document.history, document.mesh, seed, 10, ("positions", "colors", "mask")[: seed + 1])
    turned = document.mesh.positions @ TURN.T.astype(np.float32)
    document.history.replace_mesh("Turn", Mesh(turned.copy(), document.mesh.triangles, topology=document.mesh.topology))
    change(document.history, document.mesh, 4, 10)
    document.undo()
    view = PhotoView(zoom=0.5, center=(0.25, 0.75), rotation=90.0)
    document.set_photos([Photo("front.png", png(), 4, 3, None, view, "front")])
    session = Session.begin()
    copy = WorkingCopy(document, session)
    copy.begin()
    texture, thumbnail = document.history.steps[3].kept.materials[0].texture.encoded, png(2, 2)
    copy.set_thumbnail(thumbnail)
    copy.set_job({"profile": "wjp", "height_known": True})
    copy.save(FILE)
    copy.close()
    session.end()
    steps = [[step.number, step.label, step.made_at, step.vertices] for step in document.history.steps]
    expected = {"states": states_in_figures(document), "steps": steps, "project_id": document.project_id}
    expected["images"] = [zlib.crc32(image) for image in (texture, thumbnail, document.photos[0].encoded)]
    EXPECTED.write_text(json.dumps(expected, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
