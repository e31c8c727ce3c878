"""Feed damaged files to every reader, and say what became of them.

    python -m tests.fuzzing --inputs 200000 --jobs 2
    python -m tests.fuzzing --reader gltf --reader 3mf --seconds 600 --seed 7
    python -m tests.fuzzing --strace traces --inputs 3000      each file and socket touched, by the system's account
    python -m tests.fuzzing --again findings/gltf-fault-...    one kept input once more

Each input has 10 s of work, and the memory that the program allows the opening of a small file. A reader accepts it,
and then what it returns must keep its promises, or refuses it with a LikenessError. Anything else is a finding: its
input is kept in the folder of findings, with a smaller one that still shows it, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path

from tests.fuzzing.campaign import Campaign
from tests.fuzzing.case import CANARY_FOLDER
from tests.fuzzing.process import Plan
from tests.fuzzing.traces import outside


def table(campaign: Campaign) -> str:
    """One line per reader, and a line for all."""
    head = (
        f"{'reader':<16}{'inputs':>9}{'accepted':>10}{'refused':>9}{'slowest':>10}{'peak memory':>13}{'findings':>10}"
    )
    lines = [head]
    for name, count in campaign.counts.items():
        slowest, peak = f"{count.slowest:.2f} s", f"{count.peak / (1 << 20):.0f} MB"
        lines.append(
            f"{name:<16}{count.inputs:>9,}{count.accepted:>10,}{count.refused:>9,}{slowest:>10}{peak:>13}"
            f"{count.findings:>10,}   slowest {count.slowest_number}, largest {count.peak_number}"
        )
    totals = [
        sum(getattr(count, key) for count in campaign.counts.values()) for key in ("inputs", "accepted", "refused")
    ]
    slowest = max((count.slowest for count in campaign.counts.values()), default=0.0)
    peak = max((count.peak for count in campaign.counts.values()), default=0)
    found = sum(count.findings for count in campaign.counts.values())
    lines.append(
        f"{'all':<16}{totals[0]:>9,}{totals[1]:>10,}{totals[2]:>9,}{f'{slowest:.2f} s':>10}"
        f"{f'{peak / (1 << 20):.0f} MB':>13}{found:>10,}"
    )
    return "\n".join(lines)


def _plan() -> tuple[Plan, Path | None]:
    parser = argparse.ArgumentParser(
        "python -m tests.fuzzing", description=__doc__.partition("\n")[0] if __doc__ else ""
    )
    parser.add_argument("--inputs", type=int, default=200_000, help="how many in total")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--reader", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="other seeds make other inputs")
    parser.add_argument("--findings", type=Path, default=Path("findings"), metavar="FOLDER")
    parser.add_argument("--plain", action="store_true", help="compiled kernels as shipped, without bounds checks")
    parser.add_argument("--strace", type=Path, metavar="FOLDER", help="run under strace, keep what it says there")
    parser.add_argument("--again", type=Path, metavar="FINDING", help="read the input of one finding")
    given = parser.parse_args()
    plan = Plan(
        given.inputs,
        given.jobs,
        given.seconds,
        tuple(given.reader),
        given.seed,
        given.findings,
        given.plain,
        given.strace,
    )
    return plan, given.again


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _again(folder: Path) -> int:
    from tests.fuzzing.subjects import subjects

    what = json.loads((folder / "case.json").read_text("utf-8"))
    smaller = folder / "smaller"
    subjects()[what["subject"]].read((smaller if smaller.is_dir() else folder / "input") / what["main"])
    return 0


def main() -> int:
    """Exit code 1 where there are findings."""
    plan, again = _plan()
    if again is not None:
        return _again(again)
    plan.tell = lambda inputs, kinds: _say(f"{inputs:,} of {plan.inputs:,} inputs, {kinds} kinds of findings")
    campaign = Campaign(plan)
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the children end with it, and the table is written
    try:
        campaign.run()
    except KeyboardInterrupt:
        sys.stdout.write("stopped\n")
    sys.stdout.write(f"{table(campaign)}\n{time.monotonic() - begun:.0f} s, seed {plan.seed}\n")
    for finding in campaign.findings.all():
        sys.stdout.write(f"{finding.count:>7} x {finding.title}   {finding.examples[0]}\n")
    gone = outside(plan.strace, [CANARY_FOLDER]) if plan.strace else []
    for line in gone:
        sys.stdout.write(f"strace: {line}\n")
    return 1 if len(campaign.findings) or gone else 0


if __name__ == "__main__":
    sys.exit(main())
