"""The command line: check, fix, export, convert, sculpt, bench. No Qt here, and nothing heavy until a command runs.

Exit codes: 0 done (check and fix: all pass), 1 a file fails its profile (after fix: although it was mended and
written; export: and nothing was written), 2 a file cannot be read, a command cannot be carried out or its answer cannot
be written; then one line on the error stream says what, where and what to do. 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import terminal
from app.cli import checking, fixing
from app.cli.arguments import DONE, FAILED, INTERRUPTED, UNUSABLE, add_profile, command, count, positive
from app.errors import InvalidInput, LikenessError

if TYPE_CHECKING:
    from app.formats.opening import Opened
    from app.mesh.mesh import Mesh
    from app.preflight.override import Override

_BENCH_TRIANGLES = 1_600_000
_SUMMARIES = {
    "check": checking.SUMMARY,
    "fix": fixing.SUMMARY,
    "operations": fixing.OPERATIONS_SUMMARY,
    "export": "Check a model, write it for a printer, and read it back.",
    "convert": "Write a mesh in another format, by the suffix of OUT.",
    "sculpt": "Apply strokes from a JSON file, as the window would.",
    "bench": "Time brushes, upload, opening, checking and export.",
}
COMMANDS = tuple(_SUMMARIES)
_EXPORT_EXIT_CODES = """exit code: 0 written; 1 it fails the profile, and nothing was written (see --override);
2 it cannot be read or written. What --override writes has a text beside it that says what fails and why."""
_EXAMPLES = """examples:
  likeness check figure.3mf                       does the house printer take it?
  likeness check *.glb --json                     the same for machines
  likeness check finished/ --html report.html -j 2
  likeness fix base.glb -o figure.3mf --height 150  clean up, size, triangles, write, check
  likeness export base.glb -o figure.3mf --height 150
  likeness convert scan.obj scan.glb
  likeness sculpt base.glb --strokes strokes.json -o sculpted.glb
"""


def main(arguments: list[str]) -> int:
    """Run a command line that begins with a command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="likeness", formatter_class=argparse.RawDescriptionHelpFormatter)
    add_commands(parser.add_subparsers(dest="command", metavar="command", required=True))
    return run(parser.parse_args(arguments))


def summary() -> str:
    """The commands and some examples, for the program's own help."""
    lines = [f"  {name:<11} {_SUMMARIES[name]}" for name in COMMANDS]
    return "\n".join(["commands (each has its own --help):", *lines, "", _EXAMPLES])


def run(args: argparse.Namespace) -> int:
    """Carry out a parsed command. Returns the exit code; errors are one line on the error stream."""
    terminal.take_any_name()
    try:
        return args.carry_out(args)
    except LikenessError as error:
        terminal.tell(f"likeness: {' '.join(str(error).split())}")
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough and wants no word about it
        return UNUSABLE


def add_commands(commands: Any) -> None:
    """Add the commands to what `ArgumentParser.add_subparsers` returned."""
    checking.add_check(commands)
    fixing.add_fix(commands)
    fixing.add_operations(commands)
    _add_export(commands)
    _add_convert(commands)
    _add_sculpt(commands)
    _add_bench(commands)


def _add_export(commands: Any) -> None:
    parser = command(commands, "export", _SUMMARIES["export"], _export)
    parser.add_argument("file", type=Path, metavar="FILE")
    add_profile(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="default: the name of FILE, here")
    _add_height(parser)
    parser.add_argument("--override", type=_reason, metavar="REASON", help="write it although it fails, and note why")
    parser.epilog = _EXPORT_EXIT_CODES


def _add_convert(commands: Any) -> None:
    parser = command(commands, "convert", _SUMMARIES["convert"], _convert)
    parser.add_argument("file", type=Path, metavar="IN")
    parser.add_argument("output", type=Path, metavar="OUT")
    _add_height(parser)


def _add_sculpt(commands: Any) -> None:
    parser = command(commands, "sculpt", _SUMMARIES["sculpt"], _sculpt)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--strokes", type=Path, required=True, metavar="STROKES.json")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    _add_height(parser)
    short_help = parser.format_help
    # Made when asked for: the list of brushes takes importing them.
    parser.format_help = lambda: f"{short_help()}\n{_stroke_help()}"


def _add_bench(commands: Any) -> None:
    parser = command(commands, "bench", _SUMMARIES["bench"], _bench)
    parser.add_argument("--triangles", type=count, default=_BENCH_TRIANGLES, metavar="N")
    parser.add_argument("--all", action="store_true", help="time every brush")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _stroke_help() -> str:
    from app.sculpt import scripted
    from app.sculpt.brush import brushes

    rows = [f"  {brush.id:<9} {brush.tooltip}" for brush in brushes().values()]
    return "\n".join([str(scripted.__doc__), "Brushes:", *rows, ""])


def _add_height(parser: Any) -> None:
    parser.add_argument("--height", type=positive, metavar="MM", help="scale to this height in mm")


def _reason(text: str) -> str:
    if text.strip():
        return text
    raise argparse.ArgumentTypeError("say why it is wanted all the same")


def _export(args: argparse.Namespace) -> int:
    from app.cli.verdict import judged
    from app.mesh.transform import scaled_to_height
    from app.preflight.export import check_request
    from app.preflight.profiles import profile

    wanted = profile(args.profile)
    output = args.output or Path(f"{args.file.stem}{wanted.suffix}")
    opened = _open(args, output)
    check_request(opened.mesh, output, wanted)
    mesh = opened.mesh if args.height is None else scaled_to_height(opened.mesh, args.height)
    known = opened.unit_known or args.height is not None
    allowed, override = judged(mesh, wanted, args.override, unit_known=known)
    if not allowed:
        return FAILED
    _write(mesh, output, wanted, None, override)
    return DONE


def _convert(args: argparse.Namespace) -> int:
    from app.preflight.export import plain_profile

    wanted = plain_profile(args.output)
    opened = _open(args, args.output)
    _write(opened.mesh, args.output, wanted, args.height)
    return DONE


@dataclass
class _Owner:
    """Whose mesh the history records."""

    mesh: Mesh | None


def _sculpt(args: argparse.Namespace) -> int:
    from app.mesh.transform import scaled_to_height
    from app.preflight.export import plain_profile
    from app.sculpt.history import History
    from app.sculpt.scripted import run_strokes

    wanted = plain_profile(args.output)
    strokes = _read_json(args.strokes)
    opened = _open(args, args.output)
    mesh = opened.mesh
    if args.height is not None:  # strokes are in mm of the finished size
        mesh = scaled_to_height(mesh, args.height)
    mesh = _paintable(mesh, strokes)
    notes: list[str] = []
    with terminal.Progress() as progress:
        # Nothing is undone here, so the history may forget all but its last step.
        run_strokes(mesh, History(_Owner(mesh), 0), strokes, progress, notes.append)
    for note in notes:
        terminal.tell(f"note: {note}")
    _write(mesh, args.output, wanted, None)
    return DONE


def _paintable(mesh: Mesh, strokes: dict[str, Any]) -> Mesh:
    """The mesh with colours on its vertices if a stroke paints and it has none."""
    from app.mesh.colors import with_vertex_colors
    from app.sculpt.brush import brushes

    painting = {brush.id for brush in brushes().values() if brush.attribute == "colors"}
    entries = strokes.get("strokes")
    used = (
        {str(entry.get("brush")) for entry in entries if isinstance(entry, dict)}
        if isinstance(entries, list)
        else set()
    )
    if mesh.colors is not None or not painting & used:
        return mesh
    terminal.tell("note: the colours were moved onto the vertices, so that they can be painted")
    return with_vertex_colors(mesh)


def _bench(args: argparse.Namespace) -> int:
    from app.bench import run_bench
    from app.bench.report import bench_lines

    with terminal.Progress() as progress:
        measured = run_bench(args.triangles, progress, every_brush=args.all)
    terminal.answer(json.dumps(measured, indent=1) if args.json else "\n".join(bench_lines(measured)))
    return DONE


def _open(args: argparse.Namespace, output: Path) -> Opened:
    """Open args.file in a worker process, with progress; and refuse to write over it."""
    from app import worker
    from app.formats import opening

    if output.exists() and args.file.exists() and output.samefile(args.file):
        raise InvalidInput("is the file that is read", output, "Choose another name for the output")
    worker.warm_up(opening.prepare)
    with terminal.Progress() as progress:
        opened = opening.open_in_worker(args.file, progress)
    for note in opened.notes:
        terminal.tell(f"note: {note}")
    if not opened.unit_known and args.height is None:
        height = float(opened.mesh.size()[2])
        terminal.tell(
            f"note: {args.file} does not say its size for certain; {height:,.1f} mm tall is assumed (see --height)"
        )
    return opened


def _write(mesh: Mesh, output: Path, wanted: Any, height_mm: float | None, override: Override | None = None) -> None:
    from app import worker
    from app.preflight.export import export_in_worker
    from app.preflight.report import export_lines

    with terminal.Progress() as progress:
        report = export_in_worker(mesh, output, wanted, progress, height_mm=height_mm, override=override)
    worker.cool_down()
    terminal.answer("\n".join(export_lines(report)))
    for warning in report.warnings:
        terminal.tell(f"note: {warning}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror or error}", path, "Check the name") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is not valid JSON: {error}", path, "Correct that place") from error
    if not isinstance(content, dict):
        raise InvalidInput("is not a JSON object", path, "See the description of stroke files")
    return content
