"""Many inputs: orders to children, counts per reader, findings made smaller."""

from __future__ import annotations

import importlib
import json
import selectors
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzzing.case import Case
from tests.fuzzing.child import make_input, seed_cases
from tests.fuzzing.findings import Findings, smaller
from tests.fuzzing.process import ChildProcess, Order, Plan

_BATCH = 200
_POLL_SECONDS, _TELL_SECONDS = 0.5, 30.0


@dataclass
class Count:
    """What became of one reader's inputs."""

    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    findings: int = 0
    slowest: float = 0.0
    slowest_number: int = -1
    peak: int = 0
    peak_number: int = -1

    def add(self, answer: dict[str, Any]) -> None:
        """Count one answer of a child."""
        self.inputs += 1
        self.accepted += answer["verdict"] == "accepted"
        self.refused += answer["verdict"] == "refused"
        self.findings += answer["verdict"] == "finding"
        if answer["seconds"] > self.slowest:
            self.slowest, self.slowest_number = answer["seconds"], answer["number"]
        if answer["peak"] > self.peak:
            self.peak, self.peak_number = answer["peak"], answer["number"]


class Campaign:
    """A run by plan. counts: by reader. `findings` holds what was found."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.counts: dict[str, Count] = {}
        self.findings = Findings(plan.findings)
        self._cases: dict[str, list[Case]] = {}
        self._only: dict[str, tuple[str, ...]] = {}
        self._children: list[ChildProcess] = []
        self._made = 0

    @property
    def made(self) -> int:
        """Inputs so far."""
        return sum(count.inputs for count in self.counts.values())

    def run(self) -> None:
        """Run all inputs, or those that fit into the plan's seconds."""
        subjects = importlib.import_module(self.plan.library).subjects
        deadline = time.monotonic() + self.plan.seconds
        chosen = {name: subject for name, subject in subjects().items() if not self.plan.only or name in self.plan.only}
        with self._folders():
            for name, subject in chosen.items():
                self._store(name, list(subject.cases()))
                self._only[name] = subject.only
            self.counts = {name: Count() for name, cases in self._cases.items() if cases}
            self._work(_orders({name: chosen[name].share for name in self.counts}, self.plan.inputs), deadline)
            for finding in self.findings.all() if self.plan.smaller else ():
                self._make_smaller(finding.examples[0])

    def read_these(self, name: str, cases: list[Case]) -> None:
        """Read these cases as they are, one after the other, with one reader."""
        self.counts[name] = Count()
        with self._folders():
            self._store(name, cases)
            child, folder = self._start(), self._root / "trial"
            for number, case in enumerate(cases):
                _emptied(folder)
                case.write(folder)
                answer = child.ask({"subject": name, "folder": str(folder), "main": case.main})
                if answer is None:
                    kind = "crash" if child.is_dead() else "hang"
                    text = self._end(child, ask=True)
                    answer = {"verdict": "finding", "kind": kind, "where": _place(text), "text": text}
                    answer |= {"seconds": 0.0, "peak": 0}
                    child = self._start()
                self.counts[name].add({**answer, "number": number})
                if answer["verdict"] == "finding":
                    self.findings.add(name, answer["kind"], answer["where"], answer["text"], case, number)

    @contextmanager
    def _folders(self) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="likeness-fuzzing-", ignore_cleanup_errors=True) as folder:
            self._root, self._seeds = Path(folder), Path(folder, "seeds")
            try:
                yield
            finally:
                for child in self._children:
                    child.end()

    def _store(self, name: str, cases: list[Case]) -> None:
        """Put a reader's whole files where the children find them; as they find them, they are used here, too."""
        for number, case in enumerate(cases):
            (self._seeds / name / str(number)).mkdir(parents=True)
            case.write(self._seeds / name / str(number))
        (self._seeds / name).mkdir(parents=True, exist_ok=True)
        (self._seeds / name / "index.json").write_text(json.dumps([case.main for case in cases]), "utf-8")
        self._cases[name] = seed_cases(self._seeds, name)

    def _start(self) -> ChildProcess:
        self._made += 1
        child = ChildProcess(self._root, self._seeds, self.plan, self._made)
        self._children.append(child)
        return child

    def _end(self, child: ChildProcess, *, ask: bool = False) -> str:
        self._children.remove(child)
        return child.end(ask=ask)

    def _work(self, orders: list[Order], deadline: float) -> None:
        orders.reverse()
        told = time.monotonic()
        while (orders or any(child.doing for child in self._children)) and time.monotonic() < deadline:
            while len(self._children) < self.plan.jobs and orders:
                self._start()
            for child in list(self._children):
                if child.doing is None and child.is_large():
                    self._end(child)
                elif child.doing is None and orders:
                    child.give(orders.pop(), self.plan.seed)
            self._listen()
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                self.plan.tell(self.made, len(self.findings))
            for child in list(self._children):
                if child.doing is not None and (child.is_dead() or child.hangs()):
                    self._lost(child, orders)

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for child in self._children:
                selector.register(child.reading, selectors.EVENT_READ, child)
            for key, _ in selector.select(_POLL_SECONDS):
                self._take(key.data)

    def _take(self, child: ChildProcess) -> None:
        for answer in child.answers():
            order = child.doing
            if order is None:
                continue
            if "ready" in answer:
                child.started.add(answer["ready"])
                continue
            if "number" not in answer:
                child.doing = None
                continue
            child.next = answer["number"] + 1
            self.counts[order.subject].add(answer)
            if answer["verdict"] == "finding":
                self._keep(order.subject, answer)

    def _lost(self, child: ChildProcess, orders: list[Order]) -> None:
        """A child that died or hangs: the input in hand is a finding, the rest of its order is given to another."""
        self._take(child)
        order = child.doing
        if order is None:
            return
        kind = "crash" if child.is_dead() else "hang"
        text = self._end(child, ask=True)
        if order.subject not in child.started:
            raise RuntimeError(f"the reader {order.subject} cannot read whole files: {text}")
        where = _place(text) if kind == "hang" else text.partition("\n")[0] + " " + _place(text)
        answer = {"number": child.next, "verdict": "finding", "kind": kind, "where": where, "text": text}
        self.counts[order.subject].add({**answer, "seconds": 0.0, "peak": 0})
        self._keep(order.subject, answer)
        done = child.next + 1 - order.first
        if done < order.count:
            orders.append(Order(order.subject, child.next + 1, order.count - done))

    def _keep(self, subject: str, answer: dict[str, Any]) -> None:
        case = self.input(subject, answer["number"])
        self.findings.add(subject, answer["kind"], answer["where"], answer["text"], case, answer["number"])

    def input(self, subject: str, number: int) -> Case:
        """An input of this run."""
        return make_input(self._cases[subject], self._only[subject], self.plan.seed, subject, number)

    def _make_smaller(self, example: Path) -> None:
        """Write a smaller input beside a finding's, tried in a child of its own. Hangs take too long for that."""
        what = json.loads((example / "case.json").read_text("utf-8"))
        if "-hang-" in example.name:
            return
        child = self._start()
        trial = self._root / "trial"

        def still(case: Case) -> bool:
            nonlocal child
            _emptied(trial)
            case.write(trial)
            answer = child.ask({"subject": what["subject"], "folder": str(trial), "main": case.main})
            if answer is None:
                text = self._end(child)
                child = self._start()
                return what["where"].startswith(text.partition("\n")[0])
            return answer.get("where") == what["where"]

        case = Case.of_folder(example / "input", what["main"])
        if still(case):
            (example / "smaller").mkdir(exist_ok=True)
            smaller(case, still).write(example / "smaller")
        self._end(child)


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _orders(shares: dict[str, int], inputs: int) -> list[Order]:
    """Batches of all readers in turn, so that a run that is cut short was fair, too."""
    total = sum(shares.values())
    orders = []
    for place, (name, share) in enumerate(shares.items()):
        wanted = max(1, round(inputs * share / total))
        sizes = [min(_BATCH, wanted - first) for first in range(0, wanted, _BATCH)]
        orders += [
            ((number + 1) / len(sizes), place, Order(name, number * _BATCH, size)) for number, size in enumerate(sizes)
        ]
    return [order for _, _, order in sorted(orders, key=lambda entry: entry[:2])]


def _place(text: str) -> str:
    """The innermost line of the program in a dump of faulthandler."""
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith('File "')]
    ours = [line for line in lines if "/app/" in line] or lines
    if not ours:
        return "somewhere"
    file, _, rest = ours[0].removeprefix('File "').partition('", line ')
    return f"{Path(file).name}:{rest.partition(' ')[0]}"
