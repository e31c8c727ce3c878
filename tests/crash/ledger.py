"""Reads what a witness wrote about one home, over all the lives of the program in it, and judges what comes back.

states      every finished state, in the order in which they came; never forgotten
safe        the newest one that was reported as safe: what comes back must not be older
saves       which states the user's project file and its .bak may hold
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.crash.states import identity

Line = dict[str, Any]
Key = float | str


@dataclass
class Save:
    """One Save: the state in hand when it was asked for, and whether it was reported as done."""

    asked: int
    done: bool = False


@dataclass
class Verdict:
    """What came back. faults: what must not be, one sentence each; empty is well.

    missing: finished states that came after the one that came back. lost: those of them that were reported as safe.
    """

    faults: list[str] = field(default_factory=list)
    index: int | None = None
    missing: int = 0
    lost: int = 0
    sessions: int = 0


class Ledger:
    def __init__(self) -> None:
        self.states: list[Line] = []
        self.safe: int | None = None
        self.saves: list[Save] = []
        self.delays: list[float] = []  # seconds from a finished state to the report that it is safe
        self.faults: list[str] = []
        self._meshes: dict[Key, str] = {}  # digest of the mesh by its last done step
        self._before: dict[Key, Key] = {}
        self._key: Key = "nothing"
        self._bases = 0
        self._here = 0  # where the states of this life of the program begin
        self._unmodified: tuple[Any, ...] | None = None  # the work that was there when it was opened from a file
        self._expected: Line | None = None  # what the next life of the program begins with
        self._recovered = False  # from a session, or else from the project file

    # One life of the program

    def begin_life(self) -> None:
        """Another process starts in this home."""
        self._here = len(self.states)

    def feed(self, line: Line) -> None:
        """One line of the journal."""
        kind = line["is"]
        if kind == "opened":
            self._opened()
        elif kind == "state":
            self._state(line)
        elif kind == "safe":
            self._is_safe(self._reported(line), line["t"])
        elif kind == "quiet":
            self._is_safe(self._here + line["index"], line["t"])
        elif kind == "saving":
            self.saves.append(Save(self._here + line["index"]))
        elif kind == "saved":
            self.saves[-1].done = True
        elif kind == "save failed":
            self.saves.pop()
            self.faults.append(f"a Save failed: {line['error']}")
        elif kind == "box":
            self.faults.append(f"a message box: {line['text']}")
        elif kind == "failed":
            self.faults.append(f"the working copy could not be written: {line['error']}")

    def _opened(self) -> None:
        self._bases += 1
        self._key = f"base {self._bases}"

    def _state(self, line: Line) -> None:
        fresh = len(self.states) == self._here
        self.states.append(line)
        key = self._key_of(line)
        if key not in self._meshes:
            self._meshes[key] = line["mesh"]
            self._before[key] = self._key
        elif self._meshes[key] != line["mesh"]:
            self.faults.append(f"the mesh after step {key} is not what it was")
        self._key = key
        if fresh and self._expected is not None:
            if not _goes_on(line, self._expected):
                self.faults.append("the program recovered another state than was there")
            # What was recovered is safe in the old session; what was opened is in its file, and may never be more.
            self.safe = len(self.states) - 1 if self._recovered else None
        elif fresh:
            self._unmodified = _work(line)

    def _key_of(self, line: Line) -> Key:
        if line["last"] is not None:
            return line["last"]
        return self._before.get(line["first"], self._key) if line["first"] is not None else self._key

    def _reported(self, line: Line) -> int | None:
        """The earliest state that a report of the working copy can mean: never more than it said."""
        start = self._here if self.safe is None else max(self._here, self.safe)
        wanted = line["number"], line["count"], line["position"]
        for index in range(start, len(self.states)):
            state = self.states[index]
            if (state["number"], state["count"], state["position"]) == wanted:
                return index
        return None

    def _is_safe(self, index: int | None, at: float) -> None:
        if index is None:
            return
        first = self._here if self.safe is None else max(self._here, self.safe + 1)
        self.delays.extend(at - state["t"] for state in self.states[first : index + 1])
        self.safe = index if self.safe is None else max(self.safe, index)

    # What came back

    def judge(self, found: dict[str, Any]) -> Verdict:
        """Compare what `recovery` found with what may be there; from then on, that is what there is."""
        verdict = Verdict(faults=list(self.faults), sessions=len(found["sessions"]))
        self.faults.clear()
        best: tuple[int, Line] | None = None
        for session in found["sessions"]:
            index = self._place_of(session, verdict.faults)
            if index is not None and (best is None or index > best[0]):
                best = index, session
        in_file = self._judge_files(found["files"], verdict)
        if best is None:
            self._judge_nothing(in_file, verdict)
        else:
            self._judge_age(*best, verdict)
        self._go_on(best[0] if best else None, in_file)
        return verdict

    def _judge_age(self, index: int, session: Line, verdict: Verdict) -> None:
        last = len(self.states) - 1
        verdict.index = index
        verdict.missing = sum(identity(state) != identity(session["state"]) for state in self.states[index + 1 :])
        if self.safe is not None and index < self.safe:
            verdict.lost = self.safe - index
            verdict.faults.append(f"state {index} of {last} came back; state {self.safe} was reported as safe")

    def _judge_nothing(self, in_file: int | None, verdict: Verdict) -> None:
        """No session came back: well if there was no work yet, or if the project file holds it."""
        held = {self._unmodified} | ({_work(self.states[in_file])} if in_file is not None else set())
        here = self.states[self._here :]
        kept = max((place for place, state in enumerate(here) if _work(state) in held), default=-1)
        verdict.missing = len(here) - 1 - kept
        if self.safe is not None and not any(_work(state) in held for state in self.states[self.safe :]):
            verdict.lost = max(1, self.safe + 1 - self._here)
            verdict.faults.append(
                f"nothing came back; state {self.safe} of {len(self.states) - 1} was reported as safe"
            )

    def _place_of(self, session: Line, faults: list[str]) -> int | None:
        """The newest state that this recovered session can be; None, and a fault, if it is none."""
        if session.get("error"):
            faults.append(f"a session cannot be recovered: {session['error']}")
            return None
        index = self._find(session["state"])
        if index is None:
            faults.append(f"what came back was never there: {session['state']}")
            return None
        self._judge_steps(session, faults)
        if session["strokes"] != session["state"]["position"]:
            faults.append(f"{session['strokes']} strokes were promised, not {session['state']['position']}")
        if not session["goes on"]:
            faults.append("a stroke after the recovery is not kept")
        return index

    def _judge_steps(self, session: Line, faults: list[str]) -> None:
        made, meshes = session["made"], session["meshes"]
        for position, mesh in enumerate(meshes):
            key: Key | None = made[position - 1] if position else self._before.get(made[0]) if made else None
            if key is not None and self._meshes.get(key) != mesh:
                faults.append(f"step {position} of {len(made)} cannot be undone or redone to the bit")
        if not session["returns"]:
            faults.append("undoing and redoing everything does not lead back to the same state")

    def _find(self, state: Line, start: int = 0) -> int | None:
        wanted = identity(state)
        for index in range(len(self.states) - 1, start - 1, -1):
            if identity(self.states[index]) == wanted:
                return index
        return None

    def _judge_files(self, files: dict[str, Line], verdict: Verdict) -> int | None:
        """The project file must hold the last Save, .bak the one before, or newer ones. Returns the file's state."""
        done = [save for save in self.saves if save.done]
        places: dict[str, int | None] = {}
        for name, back in (("project", 1), ("bak", 2)):
            content, wanted = files.get(name), len(done) >= back
            floor = done[-back].asked if wanted else 0
            if content is None:
                if wanted:
                    verdict.faults.append(f"the {name} file is gone")
            elif content.get("error"):
                verdict.faults.append(f"the {name} file cannot be opened: {content['error']}")
            else:
                places[name] = self._find(content["state"], floor)
                self._judge_steps(content, verdict.faults)
                if places[name] is None:
                    verdict.faults.append(f"the {name} file holds none of the states that it may hold")
        return places.get("project")

    def _go_on(self, recovered: int | None, in_file: int | None) -> None:
        """What came back is the truth now."""
        index = in_file if recovered is None else recovered
        self._recovered = recovered is not None
        self._expected = self.safe = None
        if index is not None:
            state = dict(self.states[index], t=float("-inf"))
            self._key = self._key_of(state)
            self.states.append(state)
            self._expected = state
            if self._recovered:
                self.safe = len(self.states) - 1
            else:
                self._unmodified = _work(state)
        self.saves = [save for save in self.saves if save.done]


def _goes_on(line: Line, expected: Line) -> bool:
    """Whether this is the expected state; a limited history may have had to drop more of its oldest steps."""
    if identity(line) == identity(expected):
        return True
    kept = ("mesh", "photos", "last")
    undone = line["count"] - line["position"]
    same = all(line[key] == expected[key] for key in kept) and undone == expected["count"] - expected["position"]
    return same and 0 < line["position"] < expected["position"]


def _work(state: Line) -> tuple[Any, ...]:
    """What makes a state another one for Save: the step in hand and the photos."""
    return state["last"], state["photos"]
