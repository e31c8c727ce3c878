"""Makes data/v2.likeness, the project of version 2 that every later version must open. Run once, then never again:

python -m tests.project.make_v2
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.project.make_v1 import states_in_figures
from tests.project.projects import change, colored_mesh, new_document, saved

FILE = Path(__file__).parent / "data" / "v2.likeness"
EXPECTED = FILE.with_suffix(".json")


def main() -> None:
    document = new_document(colored_mesh(12, 8))
    history = document.history
    change(history, document.mesh, 0, 10, ("face_sets",))
    change(history, document.mesh, 1, 10, ("hidden", "positions", "colors"))
    change(history, document.mesh, 2, 10, ("face_sets", "mask"))
    document.undo()
    saved(document, FILE)
    steps = [[step.number, step.label, step.made_at, step.vertices] for step in history.steps]
    EXPECTED.write_text(json.dumps({"states": states_in_figures(document), "steps": steps}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
