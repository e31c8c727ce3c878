"""One long-lived process that makes inputs and reads them. Started by `campaign`; says a line for each input.

    python -m tests.fuzzing.child ROOT SEEDS CHANNEL LIBRARY    orders on stdin, answers on the descriptor CHANNEL

Orders are JSON lines: {"subject", "seed", "first", "count"} makes inputs, {"subject", "folder", "main"} reads one that
is there. Answers are JSON lines: {"ready"} once the reader is warm; {"number", "verdict", "seconds", "peak"} for each
input and, of a finding, "kind", "where", "text"; {} at the end of an order.
A child that falls silent or dies has an input in hand: the one after its last answer.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import linecache
import os
import re
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzzing.case import Case
from tests.fuzzing.guard import PeakMemory, Sandbox, Watch, limit_memory
from tests.fuzzing.mutate import mutated
from tests.fuzzing.traces import BEGIN, END

_REPOSITORY = str(Path(__file__).resolve().parents[2])
_LEFT = re.compile("left behind: .*")
_COLLECT_EVERY = 50
_WARMING = 8  # whole files that a reader is warmed up with


def seed_cases(folder: Path, subject: str) -> list[Case]:
    """The whole files of a subject, as `campaign` stored them."""
    index = json.loads((folder / subject / "index.json").read_text("utf-8"))
    return [Case.of_folder(folder / subject / str(number), main) for number, main in enumerate(index)]


def make_input(cases: list[Case], only: tuple[str, ...], seed: int, subject: str, number: int) -> Case:
    """Input `number` of a run: the same bytes every time. Every fiftieth is a whole file, so that some are accepted."""
    rng = Random(f"{seed}/{subject}/{number}")
    case = rng.choice(cases)
    return case if number % 50 == 0 else mutated(case, rng.choice(cases), rng, only=only)


class _Child:
    def __init__(self, root: Path, seeds: Path, channel: int, library: str) -> None:
        # Everything that is no part of reading an input is imported before anything is watched.
        from tests.fuzzing import subjects

        self._library = subjects
        self._subjects = importlib.import_module(library).subjects()
        self._seeds = seeds
        self._cases: dict[str, list[Case]] = {}
        self._answers = os.fdopen(channel, "w", buffering=1)
        self._peak = PeakMemory()
        self._ready: set[str] = set()
        self.sandbox = Sandbox(root)
        self._watch = Watch(self.sandbox)

    def serve(self) -> None:
        for line in sys.stdin:
            order = json.loads(line)
            self._prepare(order["subject"])
            self._answers.write(json.dumps({"ready": order["subject"]}) + "\n")
            if "folder" in order:
                self._answer(0, self._judge(order["subject"], Case.of_folder(Path(order["folder"]), order["main"])))
                continue
            subject = self._subjects[order["subject"]]
            cases = self._cases[subject.name]
            self._peak.reset()
            self.sandbox.disturbed(may_write=True)  # what the warming up touched
            os.access(BEGIN, os.F_OK)
            for number in range(order["first"], order["first"] + order["count"]):
                case = make_input(cases, subject.only, order["seed"], subject.name, number)
                self._answer(number, self._judge(subject.name, case))
                if number % _COLLECT_EVERY == 0:
                    gc.collect()
            os.access(END, os.F_OK)
            self._answers.write("{}\n")

    def _prepare(self, name: str) -> None:
        """Compile and import what a reader needs, and hold it to the memory limit from then on."""
        if name in self._ready:
            return
        self._cases[name] = seed_cases(self._seeds, name)
        cases = self._cases[name]
        for case in cases[:: max(1, len(cases) // _WARMING)]:
            self.sandbox.clear()
            path = case.write(self.sandbox.chosen)
            try:
                self._subjects[name].read(path)
            except Exception:  # noqa: BLE001 - what is wrong with whole files is found when they come as inputs
                linecache.checkcache()
        gc.collect()
        limit_memory()
        self._ready.add(name)

    def _answer(self, number: int, outcome: dict[str, Any]) -> None:
        self._answers.write(json.dumps({"number": number, **outcome}) + "\n")

    def _judge(self, name: str, case: Case) -> dict[str, Any]:
        self.sandbox.clear()
        path = case.write(self.sandbox.chosen)
        self.sandbox.remember()
        self._peak.begin()
        begun = time.perf_counter()
        subject = self._subjects[name]
        with self._watch.armed(may_write=subject.may_write):
            outcome = self._read(subject.read, path)
        outcome |= {"seconds": time.perf_counter() - begun, "peak": self._peak.bytes()}
        gone = [
            *self._watch.escapes,
            *self.sandbox.disturbed(may_write=subject.may_write),
        ]
        if gone and outcome["verdict"] != "finding":
            where = re.sub(r"[0-9a-f]{4,}|\d+|/\S*/", "", _LEFT.sub("left behind", gone[0]))[:80]
            outcome |= {"verdict": "finding", "kind": "escape", "where": where, "text": "\n".join(gone[:20])}
        return outcome

    def _read(self, read: Callable[[Path], None], path: Path) -> dict[str, Any]:
        library = self._library
        try:
            read(path)
        except library.LikenessError as error:
            try:
                library.check_error(error)
            except (library.BrokenPromise, library.Escape) as broken:
                return _finding(broken)
            return {"verdict": "refused"}
        except Exception as error:  # noqa: BLE001 - exactly these are looked for
            return _finding(error)
        return {"verdict": "accepted"}


def _finding(error: Exception) -> dict[str, Any]:
    """What went wrong, and where: the innermost line of the program's own code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(_REPOSITORY) and "/.venv/" not in frame.filename]
    place = ours[-1] if ours else frames[-1] if frames else None
    where = f"{Path(place.filename).name}:{place.lineno} {type(error).__name__}" if place else type(error).__name__
    kind = {"BrokenPromise": "broken promise", "Escape": "escape", "MemoryError": "memory"}.get(
        type(error).__name__, "fault"
    )
    if kind == "broken promise":
        where += " " + re.sub(r"\d+", "", str(error))[:60]
    text = "".join(traceback.format_exception(error))
    return {"verdict": "finding", "kind": kind, "where": where, "text": text[-6000:]}


def main() -> None:
    """Serve orders until stdin ends."""
    root, seeds, channel, library = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    faulthandler.enable(all_threads=False)
    faulthandler.register(signal.SIGUSR1, all_threads=False)
    warnings.simplefilter("ignore")
    _Child(root, seeds, channel, library).serve()


if __name__ == "__main__":
    main()
