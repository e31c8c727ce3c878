"""Inside the program under test: writes down every finished state, what is reported as safe, and what is going on.

Lines of JSON go straight to a descriptor, one `write` each, so that SIGKILL loses none that was written. A state is
written down *before* the working copy hears of it (a higher priority at the same event): what is stored has always
been announced.
"""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any

from app.document import Document
from app.project.working_copy import CommittedState, WorkingCopy
from tests.crash.states import identity, state_of

_FIRST = 1000


class Journal:
    """One line per event: what it `is`, the seconds `t` of the monotonic clock, which all processes share."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, what: str, **values: Any) -> None:
        line = json.dumps({"is": what, "t": time.monotonic(), **values}, separators=(",", ":")) + "\n"
        os.write(self._descriptor, line.encode())


class Witness:
    """Follows one document and, from `watch` on, its working copy."""

    def __init__(self, document: Document, journal: Journal) -> None:
        self._document, self._journal = document, journal
        self._index = -1
        self._last: tuple[Any, ...] | None = None
        self._mesh = ""
        self._epoch = -1
        self._working_copy: WorkingCopy | None = None
        document.history.changed.connect(self._state, priority=_FIRST)
        document.photos_changed.connect(self._state, priority=_FIRST)
        document.opened.connect(self._open, priority=_FIRST)

    @property
    def index(self) -> int:
        """The number of the state in hand, as it was written down."""
        return self._index

    def watch(self, working_copy: WorkingCopy) -> None:
        """Write down what this working copy reports, from now on."""
        self._working_copy = working_copy
        working_copy.committed.connect(self._committed)
        working_copy.failed.connect(lambda error: self._journal.write("failed", error=str(error)))
        working_copy.recovered.connect(lambda: self._journal.write("works again"))

    def look(self) -> None:
        """On the document's thread: if nothing is pending, the state in hand is safe."""
        if self._working_copy is not None and self._in_place and not self._working_copy.pending:
            self._journal.write("quiet", index=self._index)

    @property
    def _in_place(self) -> bool:
        """Whether no other figurine is being opened: until that is done, mesh and history do not belong together."""
        return self._document.history.epoch == self._epoch

    def _open(self) -> None:
        self._epoch, self._last = self._document.history.epoch, None
        self._journal.write("opened", project=str(self._document.project_path or ""))
        self._state()

    def _state(self) -> None:
        assert threading.current_thread() is threading.main_thread()
        if not self._in_place:
            return
        state = state_of(self._document)
        if self._document.history.recording:  # a photo came in the middle of a stroke, which is not finished yet
            state["mesh"] = self._mesh
        self._mesh = state["mesh"]
        if identity(state) != self._last:
            self._last = identity(state)
            self._index += 1
            self._journal.write("state", index=self._index, **state)

    def _committed(self, state: CommittedState) -> None:
        self._journal.write("safe", number=state.step_number, count=state.steps, position=state.position)
