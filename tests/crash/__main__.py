"""The long form of the proof: `python -m tests.crash --runs 500`. Figures at the end; exit code 1 if anything was lost.

kill     the program killed at moments drawn by chance, with and without its window
save     Save and commits stopped or failing at every write call (strace; apt-get install strace)
disk     disks that fill up, become read-only, lose their folder (the real ones need root, for tmpfs)
worker   worker processes killed under a living window
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests import conftest  # noqa: F401 - a screen where there is none, and a home that is not the user's
from tests.crash import disks, kill_runs, sweeps, workers

_MODES = {"kill": kill_runs.run, "save": sweeps.run, "disk": disks.run, "worker": workers.run}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=500, help="how often the program is killed (500)")
    parser.add_argument(
        "--windows", type=float, default=0.5, help="share of the kills that go through the window (0.5)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="how many programs run side by side (1)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", choices=(*_MODES, "all"), default="all")
    parser.add_argument("--folder", type=Path, help="where it happens; what went wrong stays there")
    options = parser.parse_args(arguments)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="likeness-crash-"))
    well = True
    for mode, run in _MODES.items():
        if options.mode in (mode, "all"):
            sys.stdout.write(f"\n{mode}, in {folder / mode}\n")
            sys.stdout.flush()
            well = run(folder / mode, options) and well
    sys.stdout.write("\nAll is well.\n" if well else "\nSomething is wrong; see above.\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
