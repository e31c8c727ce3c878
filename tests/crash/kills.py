"""Starts the program, kills it with SIGKILL at a moment drawn by chance, has what is left looked at. Again and again.

One `Home` is one user's computer: the program lives in it, is killed, starts again, recovers, is killed again. After
each death a fresh process looks at a copy of it (`recovery`), and the `Ledger` judges.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.crash.ledger import Ledger, Line, Verdict

REPOSITORY = Path(__file__).resolve().parent.parent.parent
_OVERDUE_SECONDS = 240.0
_END_SECONDS = 30.0
_RECOVERY_SECONDS = 300.0
_LARGE = 448  # segments of the ball: 100,000 vertices
_ORDINARY = (96, 128, 192)
_SMALL_HISTORY_MB = 1
_LIVES = 6  # of the program in one home
# Openings and recoveries that go through a worker process, which takes longer than all the rest of a short life.
_IN_WORKER = {"window": 0.3, "bare": 0.1}


@dataclass(frozen=True)
class Plan:
    """When to kill: `delay` seconds after the `count`-th line of the journal that is one of `after`."""

    moment: str
    after: tuple[str, ...]
    count: int
    delay: float

    @classmethod
    def drawn(cls, random: Random, *, window: bool) -> Plan:
        """A moment by chance; moments at which something is being written come often."""
        starting, stroke, many = (9.0, 0.15, 25) if window else (1.5, 0.003, 120)
        plans: tuple[tuple[int, Plan], ...] = (
            (8, cls("start", ("start",), 1, random.uniform(0, starting))),
            (10, cls("opening", ("opening", "recovering"), 1, random.uniform(0, 1.0))),
            (12, cls("first commit", ("opened",), 1, random.expovariate(30))),
            (15, cls("stroke", ("move",), random.randint(1, many), random.uniform(0, stroke))),
            (30, cls("commit", ("state",), random.randint(2, many), random.expovariate(150))),
            (18, cls("save", ("saving",), random.randint(1, 3), random.uniform(0, 0.12))),
            (7, cls("any", ("opened",), 1, random.uniform(0, 3.0))),
        )
        (plan,) = random.choices([plan for _, plan in plans], [weight for weight, _ in plans])
        return plan


@dataclass
class Death:
    """One run: how the program was killed, and what came back."""

    program: str
    plan: Plan
    phase: str
    verdict: Verdict
    litter: list[str]
    folder: Path
    vertices: int
    delays: list[float]


class Home:
    """One user's computer, with one figurine that is worked on over many lives of the program.

    program: "bare" or "window". Everything is drawn from `seed`.
    """

    def __init__(self, folder: Path, program: str, seed: int, *, large: bool = False) -> None:
        self.folder, self.program, self.seed = folder, program, seed
        self.ledger = Ledger()
        self._random = Random(seed)
        self._lives = 0
        self._segments = _LARGE if large else self._random.choice(_ORDINARY)
        self._history_mb = _SMALL_HISTORY_MB if self._random.random() < 0.25 else 256
        self._pace = self._random.choice((0.0, 2.0, 20.0))
        for name in ("home", "job"):
            (folder / name).mkdir(parents=True)

    @property
    def target(self) -> Path:
        """The user's project file."""
        return self.folder / "job" / "figurine.likeness"

    def run(self) -> Death:
        """Start the program, kill it, and look."""
        self._lives += 1
        plan = Plan.drawn(self._random, window=self.program == "window")
        self.ledger.begin_life()
        lines = self._live(plan)
        for line in lines:
            self.ledger.feed(line)
        phase = phase_of(lines, self.ledger)
        in_worker = self._random.random() < _IN_WORKER[self.program]
        found = self.look(in_worker=in_worker)
        verdict = self.ledger.judge(found)
        with (self.folder / "log.jsonl").open("a") as log:
            for entry in (*lines, {"is": "found", **found}, {"is": "judged", "phase": phase, **vars(verdict)}):
                log.write(json.dumps(entry) + "\n")
        delays, self.ledger.delays = self.ledger.delays, []
        return Death(self.program, plan, phase, verdict, found["litter"], self.folder, self._segments**2 // 2, delays)

    def look(self, *, in_worker: bool = False) -> dict[str, Any]:
        """What a fresh process recovers from a copy of this home."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        for name in ("home", "job"):
            shutil.copytree(self.folder / name, copy / name)
        command = [sys.executable, "-m", "tests.crash.recovery", "--target", str(copy / "job" / self.target.name)]
        done = subprocess.run(
            command + ["--in-worker"] * in_worker,
            cwd=REPOSITORY,
            env={**os.environ, "LIKENESS_HOME": str(copy / "home")},
            capture_output=True,
            text=True,
            timeout=_RECOVERY_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"recovery itself failed in {self.folder}:\n{done.stderr[-4000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def _live(self, plan: Plan) -> list[Line]:
        reading, writing = os.pipe()
        command = [
            *(sys.executable, "-m", f"tests.crash.{self.program}", "--journal", str(writing)),
            *("--seed", str(self.seed * 1000 + self._lives), "--target", str(self.target)),
            *["--in-process"] * (self._random.random() > _IN_WORKER[self.program]),
            *("--segments", str(self._segments), "--history-mb", str(self._history_mb), "--pace", str(self._pace)),
        ]
        environment = {**os.environ, "LIKENESS_HOME": str(self.folder / "home")}
        with (self.folder / "output.txt").open("ab") as output:
            process = subprocess.Popen(
                command, cwd=REPOSITORY, env=environment, pass_fds=[writing], stdout=output, stderr=output
            )
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as journal:
            lines = list(_until_killed(process, journal.fileno(), plan))
        if process.returncode != -signal.SIGKILL:
            tail = (self.folder / "output.txt").read_text("utf-8", "replace")[-4000:]
            raise RuntimeError(f"the program ended by itself ({process.returncode}) in {self.folder}:\n{tail}")
        return lines


def _until_killed(process: subprocess.Popen[bytes], journal: int, plan: Plan) -> Iterator[Line]:
    """Lines of the journal, to the last one; on the way the process is killed."""
    overdue = time.monotonic() + _OVERDUE_SECONDS
    at, count, rest, killed = overdue, 0, b"", False
    while True:
        wait = max(0.0, at - time.monotonic())
        if not killed and wait == 0.0:
            process.kill()
            process.wait()
            killed, at = True, time.monotonic() + _END_SECONDS  # a worker may hold the pipe until it has noticed
        if not select.select([journal], [], [], wait)[0]:
            if killed:
                return
            continue
        data = os.read(journal, 1 << 16)
        if not data:
            process.wait()
            return
        *whole, rest = (rest + data).split(b"\n")
        for text in whole:
            line = json.loads(text)
            yield line
            count += line["is"] in plan.after
            if not killed and at == overdue and count >= plan.count and line["is"] in plan.after:
                at = time.monotonic() + plan.delay


def phase_of(lines: list[Line], ledger: Ledger) -> str:
    """What the program was doing when it was killed."""
    kinds = [line["is"] for line in lines]
    if "opened" not in kinds:
        return next((kind for kind in ("recovering", "opening") if kind in kinds), "starting")
    if "safe" not in kinds and "quiet" not in kinds:
        return "first commit"
    if _last(kinds, "saving") > max(_last(kinds, "saved"), _last(kinds, "save failed")):
        return "saving"
    if ledger.safe is not None and ledger.safe < len(ledger.states) - 1:
        return "committing"
    return "stroke in hand" if _last(kinds, "move") > max(_last(kinds, "state"), _last(kinds, "quiet")) else "at rest"


def _last(kinds: list[str], kind: str) -> int:
    return len(kinds) - 1 - kinds[::-1].index(kind) if kind in kinds else -1


def series(folder: Path, program: str, seed: int, runs: int, *, large: bool = False) -> Iterator[Death]:
    """So many runs in one home after the other; a home where all was well is deleted when it has been used up."""
    done = 0
    while done < runs:
        home = Home(folder / f"{program}-{seed}-{done}", program, seed + done, large=large)
        well = True
        for _ in range(min(_LIVES, runs - done)):
            death = home.run()
            done += 1
            well = well and not death.verdict.faults
            yield death
        if well:
            shutil.rmtree(home.folder)
