"""The parent's side of a child process: orders, answers, a watchdog, and what it said last."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzzing.case import CANARY_FOLDER

_REPOSITORY = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
# A machine that others use, too, makes any clock on the wall lie: work is measured in time of its own.
MOST_SECONDS_OF_WORK, MOST_SECONDS_OF_WAITING = 10.0, 60.0
_PREPARATION_SECONDS = 600.0
_LARGEST_CHILD = 3 << 30
_TRACE = ("strace", "-f", "-qq", "-y", "-e", "trace=%file,%network,execve,fork,vfork", "-s", "400")


@dataclass
class Plan:
    """What to run. inputs: in total. only: readers, all if empty. plain: kernels as shipped, without bounds checks.

    smaller: make the inputs of findings smaller at the end. library: module whose `subjects` names the readers.
    tell: is called now and then with the inputs so far and how many kinds of findings there are.
    """

    inputs: int = 200_000
    jobs: int = 2
    seconds: float = float("inf")
    only: tuple[str, ...] = ()
    seed: int = 1
    findings: Path = Path("findings")
    plain: bool = False
    strace: Path | None = None
    work_seconds: float = MOST_SECONDS_OF_WORK
    smaller: bool = True
    library: str = "tests.fuzzing.subjects"
    tell: Callable[[int, int], None] = lambda inputs, kinds: None


@dataclass
class Order:
    """Inputs first to first + count of a reader."""

    subject: str
    first: int
    count: int


class ChildProcess:
    """The parent's side of a child. `doing` is the order in hand, `next` the number of the input it is at."""

    def __init__(self, root: Path, seeds: Path, plan: Plan, number: int) -> None:
        self.root = root / f"child{number}"
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        reading, writing = os.pipe()
        self._errors = (self.root.parent / f"errors{number}.txt").open("w+b")
        command = [sys.executable, "-m", "tests.fuzzing.child", str(self.root), str(seeds), str(writing), plan.library]
        if plan.strace:
            plan.strace.mkdir(parents=True, exist_ok=True)
            command = [*_TRACE, "-o", str(plan.strace / f"child{number}-{time.monotonic_ns()}.txt"), *command]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors, pass_fds=[writing],
            cwd=_REPOSITORY, env=_environment(plan),
        )  # fmt: skip
        os.close(writing)
        os.set_blocking(reading, False)
        self.reading = reading
        self._work_seconds = plan.work_seconds
        self._rest = b""
        self.doing: Order | None = None
        self.next = 0
        self.started: set[str] = set()
        self._since, self._work = time.monotonic(), 0.0

    def give(self, order: Order, seed: int) -> None:
        """Hand over an order."""
        self.doing, self.next = order, order.first
        self.say({"subject": order.subject, "seed": seed, "first": order.first, "count": order.count})
        self.touch()

    def say(self, order: dict[str, Any]) -> None:
        """Send an order as it is."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def answers(self) -> Iterator[dict[str, Any]]:
        """Whole lines that have come."""
        try:
            while data := os.read(self.reading, 1 << 16):
                self._rest += data
        except BlockingIOError:
            pass
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self.touch()
            yield json.loads(line)

    def ask(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """Send an order for one input and wait for its answer; None where the child died or hung over it."""
        self.doing = Order(order["subject"], 0, 1)
        self.say(order)
        self.touch()
        while not self.is_dead() and not self.hangs():
            for answer in self.answers():
                if "ready" in answer:
                    self.started.add(answer["ready"])
                    continue
                self.doing = None
                return answer
            time.sleep(0.002)
        return None

    def touch(self) -> None:
        """It lives: the watchdog's time begins anew."""
        self._since, self._work = time.monotonic(), self._state()[1]

    def _state(self) -> tuple[str, float]:
        """Running, sleeping ... in one letter, and seconds of work so far."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        except OSError:
            return "X", 0.0
        return fields[0], (int(fields[11]) + int(fields[12])) / _TICKS

    def hangs(self) -> bool:
        """Whether the input in hand has had its time."""
        state, work = self._state()
        if state == "R":  # it would work if it were let: others have the machine
            self._since = time.monotonic()
        preparing = self.doing is not None and self.doing.subject not in self.started
        most_work = _PREPARATION_SECONDS if preparing else self._work_seconds
        most_waiting = _PREPARATION_SECONDS if preparing else MOST_SECONDS_OF_WAITING
        return work - self._work > most_work or time.monotonic() - self._since > most_waiting

    def is_dead(self) -> bool:
        return self._process.poll() is not None

    def is_large(self) -> bool:
        """Whether its memory has grown so much that a fresh one is better."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1])
        except OSError:
            return False
        return pages * os.sysconf("SC_PAGE_SIZE") > _LARGEST_CHILD

    def end(self, *, ask: bool = False) -> str:
        """Kill it, after a look at where it is if `ask`. Returns what it said last and how it ended."""
        if ask and not self.is_dead():
            self._process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
        code = self._process.poll()
        self._process.kill()
        self._process.wait()
        os.close(self.reading)
        self._errors.seek(0)
        said = self._errors.read()[-6000:].decode("utf-8", "replace")
        self._errors.close()
        if self._process.stdin:
            self._process.stdin.close()
        ending = f"ended with {signal.Signals(-code).name if code < 0 else code}" if code is not None else "killed"
        return f"{ending}\n{said}"


def _environment(plan: Plan) -> dict[str, str]:
    """Kernels with bounds checks, in a cache of their own; one thread each."""
    environment = {**os.environ, "LIKENESS_FUZZING_CANARY": str(CANARY_FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    if not plan.plain:
        cache = Path(tempfile.gettempdir(), "likeness-fuzzing-kernels")
        environment |= {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(cache)}
    return environment
