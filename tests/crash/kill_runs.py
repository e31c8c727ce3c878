"""Hundreds of kills, several programs side by side, and the figures at the end."""

from __future__ import annotations

import argparse
import queue
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tests.crash.kills import Death, series

_LARGE_SHARE = 12  # every so many homes hold a mesh of 100,000 vertices
_CHUNK = 12  # runs that one thread takes at a time


def run(folder: Path, options: argparse.Namespace) -> bool:
    """`runs` kills; returns whether nothing was missing."""
    windows = round(options.runs * options.windows)
    chunks: queue.Queue[tuple[str, int, int]] = queue.Queue()
    for program, count in (("window", windows), ("bare", options.runs - windows)):
        for start in range(0, count, _CHUNK):
            chunks.put((program, options.seed * 100_000 + start, min(_CHUNK, count - start)))
    results: queue.Queue[Death | BaseException | None] = queue.Queue()
    threads = [threading.Thread(target=_work, args=(folder, chunks, results)) for _ in range(options.jobs)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    deaths: list[Death] = []
    ended, errors = 0, 0
    while ended < len(threads):
        result = results.get()
        if result is None:
            ended += 1
        elif isinstance(result, Death):
            deaths.append(result)
            _say(len(deaths), result)
        else:
            errors += 1
            sys.stdout.write(f"ERROR {result}\n")
    sys.stdout.write(figures(deaths, time.monotonic() - started))
    return not errors and not any(death.verdict.faults for death in deaths)


def _work(
    folder: Path, chunks: queue.Queue[tuple[str, int, int]], results: queue.Queue[Death | BaseException | None]
) -> None:
    while True:
        try:
            program, seed, runs = chunks.get_nowait()
        except queue.Empty:
            results.put(None)
            return
        try:
            for death in series(folder, program, seed, runs, large=(seed // _CHUNK) % _LARGE_SHARE == 0):
                results.put(death)
        except Exception as error:  # noqa: BLE001 - the others go on
            results.put(error)


def _say(number: int, death: Death) -> None:
    verdict = death.verdict
    sys.stdout.write(
        f"{number:4d} {death.program:6s} {death.plan.moment:12s} {death.phase:14s} "
        f"back {verdict.index!s:5s} missing {verdict.missing} sessions {verdict.sessions}\n"
    )
    for fault in verdict.faults:
        sys.stdout.write(f"     FAULT {fault}  ({death.folder})\n")
    sys.stdout.flush()


def figures(deaths: list[Death], seconds: float) -> str:
    """What the runs came to, as text."""
    missing = Counter(death.verdict.missing for death in deaths)
    lines = [
        f"{len(deaths)} kills in {seconds / 60:.0f} min",
        f"  faults: {sum(len(death.verdict.faults) for death in deaths)}",
        f"  programs: {_counted(death.program for death in deaths)}",
        f"  killed while: {_counted(death.phase for death in deaths)}",
        f"  vertices: {_counted(death.vertices for death in deaths)}",
        f"  finished steps that were reported as safe, and are missing: {sum(death.verdict.lost for death in deaths)}",
        f"  finished steps not yet reported, and missing, by run: {dict(sorted(missing.items()))}",
        f"  more than one session came back: {sum(death.verdict.sessions > 1 for death in deaths)}",
        f"  runs after which a half-written file lay beside the project: {sum(bool(death.litter) for death in deaths)}",
    ]
    for program in sorted({death.program for death in deaths}):
        delays = [delay for death in deaths if death.program == program for delay in death.delays]
        lines.append(f"  from a step's end to the report, {program}, {_spread(delays)}")
    faults = [f"    {fault} ({death.folder})" for death in deaths for fault in death.verdict.faults]
    return "\n".join([*lines, *faults]) + "\n"


def _spread(delays: list[float]) -> str:
    if not delays:
        return "no steps"
    milliseconds = 1000 * np.array(delays)
    median, most = np.percentile(milliseconds, (50, 95))
    return f"{len(delays)} steps: median {median:.1f} ms, 95 % {most:.1f} ms, longest {milliseconds.max():.0f} ms"


def _counted(values: Iterable[object]) -> str:
    return ", ".join(f"{value} {count}" for value, count in Counter(values).most_common())
