"""Long work in stretches: all of it once, aligned, and shorter where it is slow."""

from __future__ import annotations

import pytest

from app.errors import Cancelled
from app.mesh import stretches as module
from app.mesh.stretches import stretches


@pytest.mark.parametrize("total", [0, 1, 255, 256, 4097, 1_000_000])
def test_all_of_it_once_from_multiples_of_256(total: int) -> None:
    told: list[float] = []
    parts = list(stretches(total, lambda part, doing: told.append(part), "Work", 256))
    assert [stop for _, stop in parts[:-1]] == [start for start, _ in parts[1:]]
    assert not total or (parts[0][0], parts[-1][1]) == (0, total)
    assert all(start % 256 == 0 and stop > start for start, stop in parts)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_slow_work_is_cut_short_and_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    sizes = []

    def stop(part: float, doing: str) -> None:
        if part > 0.1:
            raise Cancelled

    def work() -> None:
        for start, stop_ in stretches(100_000, stop, "Work", 256):
            sizes.append(stop_ - start)
            now[0] += 1e-4 * (stop_ - start) * len(sizes)  # ever slower

    with pytest.raises(Cancelled):
        work()
    assert sizes[-1] == 256
    assert sum(sizes) < 15_000
