"""Save, commits, disks and workers under faults: the short form of `python -m tests.crash`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import disks, workers
from tests.crash.kills import REPOSITORY


@pytest.mark.timeout(900)
def test_save_stopped_or_failing_at_any_write_leaves_a_whole_file(tmp_path: Path) -> None:
    """In a process of its own, which forks: this one has threads."""
    command = [sys.executable, "-m", "tests.crash.sweeps", str(tmp_path / "sweeps")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    results = json.loads(done.stdout.splitlines()[-1])
    assert not results["faults"]
    outcomes = {what: outcome for what, outcome in results["figures"].items() if "killed" in what or "limit" in what}
    assert all("died" in outcome or "failed" in outcome for outcome in outcomes.values())


@pytest.mark.timeout(900)
def test_disks_that_fill_up_or_vanish_lose_nothing(tmp_path: Path) -> None:
    results = disks.results_of(tmp_path / "likeness-disks", real=False)
    assert not [facts["fault"] for facts in results.values() if "fault" in facts]
    if os.geteuid() == 0:
        assert "permission" in results["no_permission"]["message"]


@pytest.mark.timeout(900)
def test_a_killed_worker_leaves_the_work_in_hand(tmp_path: Path) -> None:
    results = workers.results_of(tmp_path, runs=3, seed=1, seconds=1.5)
    assert not results["faults"]
    assert sum(results["figures"].values()) == 3
