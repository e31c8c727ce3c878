"""Save and the commit of a stroke, disturbed at one place after the other; after each, what the files hold is compared.

The project file must hold the old state or the new one, whole; .bak one that was saved before; no other file may stay;
the next Save must work; what was reported as safe must be there after a death. `short` needs nothing but the system's
limits and is what the tests run; `long` goes through every system call with strace.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

from tests.crash.recovery import files_of, litter
from tests.crash.saves import Answer, Call, Fault, Identity, Looker, Nothing, Saver, Size, Traced

PAGE = 4096
_CALLS = ("fsync", "replace", "link", "unlink")
# What SQLite and Python write with; the thread that saves makes no other system calls that change a disk.
_SYSTEM_CALLS = ("write", "pwrite64", "fsync", "fdatasync", "ftruncate", "fallocate", "rename", "link", "unlink")
_ERRORS = ("ENOSPC", "EIO")
_MOST = 500  # calls of one kind in one Save

# The n-th fault of a kind, from 1.
Faults = Callable[[int], Fault]


class Bench:
    """One home in which Saves are disturbed. figures: (what, outcome) -> how often. faults: what must not be."""

    def __init__(self, folder: Path) -> None:
        self.home, self.target = folder / "home", folder / "job" / "figurine.likeness"
        for path in (self.home, self.target.parent):
            path.mkdir(parents=True)
        self.figures: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []
        self._looker = Looker()
        self._whole: dict[str, Identity] = {}  # what project files hold that a Save reported as done, by their bytes
        self._saver: Saver | None = None
        self._safe: Identity | None = None  # the state that was reported as safe last

    def close(self) -> None:
        """End the children."""
        self._looker.close()
        if self._saver is not None:
            self._saver.leave()

    # What is disturbed

    def save(self, what: str, fault: Fault) -> Answer:
        """One Save with a fault, and then, wherever that led to, one without."""
        saver = self._alive(what)
        if not self._whole:
            self._save_well(saver, what)
        self._safe = saver.stroke()
        answer = saver.save(fault)
        self.figures[what, answer.outcome] += 1
        self._check_files(what, answer)
        if answer.outcome == "died":
            self._saver = None
            for name in litter(self.target):  # as if found some time later
                os.utime(self.target.with_name(name), (0, 0))
        else:
            self._must(not litter(self.target), f"{what}: {litter(self.target)} stay")
        self._save_well(self._alive(what), what)
        return answer

    def commit(self, what: str, fault: Fault) -> Answer:
        """One stroke whose commit meets a fault."""
        saver, before = self._alive(what), self._safe
        state, answer = saver.disturbed_stroke(fault)
        self.figures[what, answer.outcome] += 1
        self._safe = state
        if answer.outcome == "died":
            self._saver = None
            self._alive(what, before)
        return answer

    @property
    def log_bytes(self) -> int:
        """Size of the write-ahead log of the working copy in hand."""
        return max((path.stat().st_size for path in self.home.rglob("*-wal")), default=0)

    # What must be

    def _alive(self, what: str, *also: Identity | None) -> Saver:
        """The saver; a new one recovers what the last one left: the state reported as safe, or one of `also`."""
        if self._saver is None:
            self._saver = Saver(self.home, self.target)
            if self._safe is not None:
                self._must(self._saver.began in (self._safe, *also), f"{what}: the next start recovers another state")
            self._safe = self._saver.began
        return self._saver

    def _save_well(self, saver: Saver, what: str) -> None:
        answer = saver.save()
        held = self._looker.state_in(self.target)
        self._must(answer.outcome == "done", f"after {what}: the next Save fails: {answer.message}")
        self._must(held == self._safe, f"after {what}: the next Save wrote another state")
        self._must(not litter(self.target), f"after {what}: {litter(self.target)} stay")
        assert isinstance(held, tuple)
        self._whole[_bytes_of(self.target)] = held

    def _check_files(self, what: str, answer: Answer) -> None:
        files = files_of(self.target)
        held = self._whole.get(_bytes_of(files["project"])) if files["project"].exists() else None
        if held is None:  # not the old file: then it is the new one
            held = self._looker.state_in(files["project"])
            self._must(held == self._safe, f"{what}: the project file holds neither the old nor the new state: {held}")
            self._must(answer.outcome != "failed", f"{what}: a Save that failed has changed the file")
            if isinstance(held, tuple):
                self._whole[_bytes_of(files["project"])] = held
        else:
            self._must(answer.outcome != "done", f"{what}: a Save that was reported as done did nothing")
        if files["bak"].exists():
            self._must(_bytes_of(files["bak"]) in self._whole, f"{what}: .bak is not a file that was saved")
        elif len(self._whole) > 1:
            self._must(False, f"{what}: .bak is gone")

    def _must(self, well: bool, otherwise: str) -> None:
        if not well:
            self.faults.append(otherwise)


def short(bench: Bench, pages: int = 1) -> None:
    """Faults without any tool: file size limits, `pages` pages apart, and failing calls of `os`."""
    bench.save("nothing", Nothing())
    size = bench.target.stat().st_size
    for limit in range(0, size, pages * PAGE):
        bench.save("file size limit", Size(limit))
        bench.save("file size limit, killed", Size(limit, kill=True))
    for name in _CALLS:
        _until_missed(bench.save, f"{name} fails", lambda n, name=name: Call(name, n, errno.EIO))
        _until_missed(bench.save, f"killed before {name}", lambda n, name=name: Call(name, n))
        _until_missed(bench.save, f"killed after {name}", lambda n, name=name: Call(name, n, after=True))
    for more in range(4):
        bench.commit("commit: file size limit", Size(bench.log_bytes + more * PAGE))
        bench.commit("commit: file size limit, killed", Size(bench.log_bytes + more * PAGE, kill=True))


def long(bench: Bench) -> None:
    """Every system call that writes, in Save and in a commit, with strace: killed, disk full, disk broken."""
    for act, part in ((bench.save, "save"), (bench.commit, "commit")):
        for name in _SYSTEM_CALLS:
            for error in ("", *_ERRORS):
                what = f"{part}: {name} {error or 'killed'}"
                _until_missed(act, what, lambda n, name=name, error=error: Traced(name, n, error))


def _until_missed(act: Callable[[str, Fault], Answer], what: str, faults: Faults) -> None:
    """The first, the second, the third call, until there are no more of them."""
    for number in count(1):
        if not act(what, faults(number)).hit:
            return
        if number > _MOST:
            raise RuntimeError(f"{what}: there is no end of it")


def run(folder: Path, options: Namespace) -> bool:
    """Both forms, with figures. Returns whether all was as it must be."""
    well = True
    for form in (short, long):
        bench = Bench(folder / form.__name__)
        try:
            form(bench)
        finally:
            bench.close()
            sys.stdout.write(f"{form.__name__}\n" + "".join(_table(bench.figures)))
            sys.stdout.write("".join(f"  FAULT {fault}\n" for fault in bench.faults))
            sys.stdout.flush()
        well = well and not bench.faults
    return well


def _table(figures: Counter[tuple[str, str]]) -> Iterable[str]:
    for what in dict.fromkeys(what for what, _ in figures):
        outcomes = {outcome: number for (name, outcome), number in figures.items() if name == what}
        yield f"  {what:42s} {', '.join(f'{outcome} {number}' for outcome, number in outcomes.items())}\n"


def _bytes_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str]) -> int:
    """The short form on a folder, every second page; its results as one line of JSON."""
    bench = Bench(Path(arguments[0]))
    try:
        short(bench, pages=2)
    finally:
        bench.close()
    figures: dict[str, dict[str, int]] = {}
    for (what, outcome), number in bench.figures.items():
        figures.setdefault(what, {})[outcome] = number
    sys.stdout.write(json.dumps({"figures": figures, "faults": bench.faults}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
