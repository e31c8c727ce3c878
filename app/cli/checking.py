"""`likeness check`: are files ready for a printer? As a table, as JSON, as a page with pictures, for spreadsheets."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import terminal
from app.cli.arguments import DONE, FAILED, UNUSABLE, add_files, command, must_be_writable, positive
from app.errors import InvalidInput

if TYPE_CHECKING:
    from app.preflight.batch import Sheet
    from app.preflight.profiles import PrinterProfile

SUMMARY = "Say whether files are ready for a printer."


def add_check(commands: Any) -> None:
    """Add the command to what `ArgumentParser.add_subparsers` returned."""
    parser = command(commands, "check", SUMMARY, _check)
    add_files(parser)
    parser.add_argument("--html", type=Path, metavar="OUT", help="write a report with pictures, one file for all")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write a table for spreadsheets")
    parser.add_argument("--quick", action="store_true", help="leave out walls, self-intersections and what takes long")
    parser.add_argument(
        "--time-limit",
        type=positive,
        metavar="S",
        help="seconds to read a file, default 8 and 1 more per 10 MB, on an idle machine",
    )
    parser.epilog = "exit code: 0 all pass, 1 a file fails the profile, 2 a file cannot be read"


def _check(args: argparse.Namespace) -> int:
    from app import worker
    from app.preflight import warm
    from app.preflight.batch import check_files, files_in
    from app.preflight.profiles import profile

    wanted = profile(args.profile)
    files = files_in(args.files, recursive=args.recursive)
    _look_at_reports(args.html, args.csv, files)
    draw = None
    if args.html is not None:
        from app.viewport.portraits import portraits

        draw = portraits
    worker.warm_up(warm.prepare)
    sheets = []
    table = None if args.json else _Table()
    with terminal.Progress() as progress:
        for sheet in check_files(
            files, wanted, jobs=args.jobs, seconds=args.time_limit, quick=args.quick, draw=draw, progress=progress
        ):
            sheets.append(sheet)
            if table is not None:
                table.add(sheet.answer)
    worker.cool_down()
    answers = [sheet.answer for sheet in sheets]
    if args.json:
        terminal.answer(json.dumps(answers, indent=1))
    _write_reports(args, sheets, wanted)
    verdicts = {answer["verdict"] for answer in answers}
    return UNUSABLE if "unreadable" in verdicts else FAILED if "fail" in verdicts else DONE


def _look_at_reports(html: Path | None, csv: Path | None, files: list[Path]) -> None:
    from app.formats.registry import formats

    meshes = {suffix for known in formats().values() for suffix in known.suffixes}
    for output in filter(None, (html, csv)):
        must_be_writable(output, files)
        if output.suffix.lower() in meshes:  # a forgotten OUT would cost the file that was to be checked
            raise InvalidInput("is the name of a model, not of a report", output, "Name the report after the option")
    if html is not None and csv is not None and html.absolute() == csv.absolute():
        raise InvalidInput("cannot be both the page and the table", html, "Choose two names")


def _write_reports(args: argparse.Namespace, sheets: list[Sheet], wanted: PrinterProfile) -> None:
    from datetime import datetime

    from app.preflight.page import html_page
    from app.preflight.placing import write_text
    from app.preflight.spreadsheet import csv_table

    if args.html is not None:
        write_text(args.html, html_page(sheets, wanted, datetime.now().astimezone()))
    if args.csv is not None:
        # The mark by which Excel knows UTF-8; without it, it takes names for Windows-1252.
        write_text(args.csv, "\ufeff" + csv_table([sheet.answer for sheet in sheets]))


class _Table:
    """Rows on the output as files are done."""

    def __init__(self) -> None:
        from app.preflight import report

        self._lines = report.check_lines
        terminal.answer(report.HEADING)

    def add(self, answer: dict[str, Any]) -> None:
        terminal.answer("\n".join(self._lines(answer)))
