"""The program is killed at moments drawn by chance, and comes back: the short form of `python -m tests.crash`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.kill_runs import figures
from tests.crash.kills import series
from tests.crash.ledger import Ledger

# What is drawn comes from the seed; where exactly in a commit the system then kills does not.
RUNS = 5


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_finished_stroke_is_lost(seed: int, tmp_path: Path) -> None:
    deaths = list(series(tmp_path, "bare", seed, RUNS))
    assert len(deaths) == RUNS
    assert not [fault for death in deaths for fault in death.verdict.faults], figures(deaths, 0.0)


def _state(index: int, *, mesh: str, made: float | None, count: int, position: int) -> dict[str, object]:
    first = 1.0 if count else None
    kind = {"is": "state", "t": float(index), "index": index, "steps": f"steps {count}", "photos": "none"}
    return {**kind, "mesh": mesh, "number": position or None, "last": made, "first": first, "position": position} | {
        "count": count
    }


@pytest.fixture
def ledger() -> Ledger:
    """A base mesh and two strokes; the first one is reported as safe."""
    ledger = Ledger()
    ledger.begin_life()
    ledger.feed({"is": "opened", "t": 0.0})
    for index, (mesh, made) in enumerate((("base", None), ("one", 1.0), ("two", 2.0))):
        ledger.feed(_state(index, mesh=mesh, made=made, count=index, position=index))
    ledger.feed({"is": "safe", "t": 3.0, "number": 1, "count": 1, "position": 1})
    return ledger


def _found(count: int, *meshes: str, returns: bool = True) -> dict[str, object]:
    made = [1.0, 2.0][:count]
    state = _state(0, mesh=meshes[-1], made=made[-1] if made else None, count=count, position=count)
    session = {"state": state, "made": made, "meshes": list(meshes), "returns": returns}
    return {"sessions": [{**session, "strokes": count, "goes on": True}], "files": {}, "litter": []}


def test_the_judge_lets_pass_what_is_as_new_as_was_promised(ledger: Ledger) -> None:
    assert not ledger.judge(_found(1, "base", "one")).faults


def test_the_judge_counts_what_was_finished_and_not_promised(ledger: Ledger) -> None:
    assert ledger.judge(_found(1, "base", "one")).missing == 1


@pytest.mark.parametrize(
    "found",
    [
        _found(0, "base"),
        _found(1, "base", "other"),
        _found(1, "other", "one"),
        _found(1, "base", "one", returns=False),
        {"sessions": [], "files": {}, "litter": []},
        {"sessions": [{"error": "damaged"}], "files": {}, "litter": []},
        {**_found(2, "base", "one", "two"), "files": {"project": {"error": "damaged"}}},
    ],
    ids=["older", "another mesh", "another undo", "does not return", "nothing", "unreadable", "broken file"],
)
def test_the_judge_sees_a_loss(ledger: Ledger, found: dict[str, object]) -> None:
    assert ledger.judge(found).faults
