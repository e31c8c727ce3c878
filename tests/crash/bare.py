"""The program under test without a window: document, history, strokes and working copy, as the application joins them.

    python -m tests.crash.bare --journal FD --seed N --target FILE [--segments N] [--pace MS] [--history-mb N]

Recovers what a former life left in this home, else opens the target, else a textured ball; then works until it is
killed. What does not live here: choosing the moment (`kills`), looking at what is left (`recovery`).
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from app.document import Document, Mark
from app.errors import LikenessError
from app.preflight.profiles import profile
from app.project.in_use import claim
from app.project.opening import open_project
from app.project.sessions import Session, recoverable
from app.project.working_copy import WorkingCopy
from tests.crash import moves
from tests.crash.witness import Journal, Witness

_WAIT_SECONDS = 60.0
# Out of a hundred moves: a Save, a pause until all is safe, a slow hand.
_SAVES, _PAUSES = 4, 5


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    journal, random = Journal(options.journal), Random(options.seed)
    journal.write("start")
    document = Document(profile(), options.history_mb << 20)
    work = Work(document, Witness(document, journal), journal, options.target)
    work.begin(lambda: moves.textured_ball(options.segments))
    while True:
        work.move(random)
        if options.pace:
            time.sleep(random.expovariate(1000.0 / options.pace))


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options that this program and the one with the window have in common."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--journal", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--segments", type=int, default=128)
    parser.add_argument("--pace", type=float, default=0.0, help="milliseconds between moves, on average")
    parser.add_argument("--history-mb", type=int, default=256)
    parser.add_argument("--in-process", action="store_true", help="open files without a worker process")
    return parser.parse_args(arguments)


class Work:
    """One figurine in hand, with its session, its working copy and its project file."""

    def __init__(self, document: Document, witness: Witness, journal: Journal, target: Path) -> None:
        self.document, self._witness, self._journal, self._target = document, witness, journal, target
        self._saving: threading.Thread | None = None
        self._saved: list[Mark] = []

    def begin(self, base: Callable[[], object]) -> None:
        """Recover, open the project, or begin with a base mesh."""
        left = [work for work in recoverable() if not work.damaged]
        self._session = Session.begin()
        if left:
            self._journal.write("recovering")
            self._adopt(left[0].working_path, left[0].project_path)
            for work in left:
                work.discard()
        elif self._target.exists():
            self._journal.write("opening")
            self._adopt(self._target, self._target)
        else:
            self._journal.write("opening")
            self.document.open(base(), self._target.with_suffix(".glb"), height_known=True)
            self._follow().begin()

    def _adopt(self, path: Path, project_path: Path | None) -> None:
        content = open_project(path, self._session.working_path)
        if project_path is not None:
            claim(project_path, self._session)
        self.document.open_project(content, project_path)
        self._follow().adopt(content)
        if not self._copy.flush(_WAIT_SECONDS):
            raise RuntimeError("the recovered work cannot be kept")

    def _follow(self) -> WorkingCopy:
        self._copy = WorkingCopy(self.document, self._session)
        self._witness.watch(self._copy)
        return self._copy

    def move(self, random: Random) -> None:
        """The next thing that a hand does."""
        if self._saved:
            self.document.saved(self._saved.pop(), self._target)
        chance = random.randrange(100)
        if chance < _SAVES:
            self._save()
        elif chance < _SAVES + _PAUSES:
            self._copy.flush(_WAIT_SECONDS)
        else:
            self._journal.write("move")
            moves.any_move(self.document, random)
        self._witness.look()

    def _save(self) -> None:
        """Save on a thread of its own while the hand goes on, as the window does."""
        if self._saving is not None and self._saving.is_alive():
            return
        if self.document.project_path is None:
            claim(self._target, self._session)
        mark = self.document.mark()
        self._journal.write("saving", index=self._witness.index)

        def save() -> None:
            try:
                self._copy.save(self._target)
            except LikenessError as error:
                self._journal.write("save failed", error=str(error))
            else:
                self._journal.write("saved")
                self._saved.append(mark)

        self._saving = threading.Thread(target=save, name="job")
        self._saving.start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
