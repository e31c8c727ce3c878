"""A fresh process that recovers what it finds in a home, as the program does, and tells what that is: a line of JSON.

python -m tests.crash.recovery --target FILE [--in-worker]

sessions   each recovered: its state, when its steps were made, the mesh at every position of the history
files      the same for the project file and its .bak
litter     other files in the target's folder
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from app.document import Document
from app.errors import LikenessError
from app.preflight.profiles import profile
from app.project.content import ProjectContent
from app.project.opening import open_project, open_project_in_worker
from app.project.sessions import Recoverable, Session, recoverable
from app.project.working_copy import WorkingCopy
from tests.crash import moves
from tests.crash.states import identity, mesh_digest, state_of

_HISTORY_BYTES = 4 << 30
_WAIT_SECONDS = 120.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--in-worker", action="store_true")
    options = parser.parse_args(arguments)
    found = {
        "sessions": [recovered(work, options.in_worker) for work in recoverable()],
        "files": {name: opened(path) for name, path in files_of(options.target).items() if path.exists()},
        "litter": litter(options.target),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def files_of(target: Path) -> dict[str, Path]:
    """The project file and the last good one."""
    return {"project": target, "bak": target.with_name(f"{target.name}.bak")}


def litter(target: Path) -> list[str]:
    """Names in the target's folder that are neither the project, nor its .bak, nor the mark of an open file."""
    known = {path.name for path in files_of(target).values()} | {f".~lock.{target.name}#"}
    return sorted(path.name for path in target.parent.iterdir() if path.name not in known)


def recovered(work: Recoverable, in_worker: bool) -> dict[str, Any]:
    """One session, opened into a new one, looked through, and worked on."""
    facts = {"folder": work.folder.name, "strokes": work.strokes, "damaged": work.damaged}
    session = Session.begin()
    try:
        if in_worker:
            content = open_project_in_worker(
                work.working_path, session.working_path, lambda fraction, doing: None, lambda: False
            )
        else:
            content = open_project(work.working_path, session.working_path)
        return {**facts, **described(content, session)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the judge has to hear of it
        return {**facts, "error": f"{type(error).__name__}: {error}"}
    finally:
        session.end()


def opened(path: Path) -> dict[str, Any]:
    """A project file, opened beside itself."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return described(open_project(path, Path(folder) / "working.likeness"), None)
        except LikenessError as error:
            return {"error": str(error)}


def described(content: ProjectContent, session: Session | None) -> dict[str, Any]:
    """Its state, and what undo and redo lead to. With a session, its working copy is followed by one more stroke."""
    document = Document(profile(), _HISTORY_BYTES)
    document.open_project(content, None)
    copy = None
    if session is not None:
        copy = WorkingCopy(document, session)
        copy.adopt(content)
    state, history = state_of(document), document.history
    position, meshes = history.position, []
    for place in range(len(history.steps) + 1):
        document.go_to(place)
        assert document.mesh is not None
        meshes.append(mesh_digest(document.mesh))
    document.go_to(position)
    facts = {
        "state": state,
        "made": [step.made_at for step in history.steps],
        "meshes": meshes,
        "returns": identity(state_of(document)) == identity(state),
        "notes": content.notes,
    }
    if copy is not None and session is not None:
        facts["goes on"] = _goes_on(document, copy, session)
    return facts


def _goes_on(document: Document, copy: WorkingCopy, session: Session) -> bool:
    """Whether one more stroke is kept like all before it."""
    moves.stroke(document, Random(1), "inflate")
    kept = copy.flush(_WAIT_SECONDS)
    wanted = identity(state_of(document))
    copy.close()
    with tempfile.TemporaryDirectory() as folder:
        content = open_project(session.working_path, Path(folder) / "working.likeness")
    again = Document(profile(), _HISTORY_BYTES)
    again.open_project(content, None)
    return kept and identity(state_of(again)) == wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
