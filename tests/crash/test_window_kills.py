"""The program is killed while its window is sculpted in, and comes back: the short form of `python -m tests.crash`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash.kill_runs import figures
from tests.crash.kills import series

RUNS = 4


@pytest.mark.timeout(900)
def test_no_finished_stroke_is_lost_in_the_window(tmp_path: Path) -> None:
    deaths = list(series(tmp_path, "window", 4, RUNS))
    assert len(deaths) == RUNS
    assert not [fault for death in deaths for fault in death.verdict.faults], figures(deaths, 0.0)
