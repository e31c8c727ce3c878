"""`likeness fix`: from base meshes to files that print. `likeness operations`: what can be done on the way."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from app import terminal
from app.cli.arguments import DONE, FAILED, UNUSABLE, add_files, command, must_be_writable, positive
from app.errors import InvalidInput

SUMMARY = "Clean up, size, give the wanted triangles, write for a printer, and check."
OPERATIONS_SUMMARY = "List what `fix --do` can do, with parameters, units and ranges."
_NEAREST = "nearest"
_EXIT_CODES = """exit code: 0 written, and all pass; 1 written, but a file still fails the profile; 2 a file
cannot be read, or a step or writing cannot be done. What is written is whole and was read back.

  likeness fix base.glb -o figure.3mf --height 150
  likeness fix bases/ -o figures/ --height nearest -j 2 --json
  likeness fix thin.glb -o thick.glb --do thicken:minimum=1.2 --no-clean-up --target 0"""


def add_fix(commands: Any) -> None:
    """Add the command to what `ArgumentParser.add_subparsers` returned."""
    parser = command(commands, "fix", SUMMARY, _fix)
    add_files(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="file to write, or the folder for several"
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument(
        "--target", type=_whole, metavar="N", help="triangles, default those of the profile; 0 leaves their number"
    )
    parser.add_argument(
        "--height", type=_height, metavar="MM", help="scale to this height in mm, or to the nearest one sold: nearest"
    )
    parser.add_argument("--no-clean-up", action="store_true", help="do not begin with Clean up")
    parser.add_argument(
        "--do",
        action="append",
        default=[],
        metavar="OPERATION",
        help="do this too, before the triangles are counted, such as thicken:minimum=1.2; see likeness operations",
    )
    parser.epilog = _EXIT_CODES


def add_operations(commands: Any) -> None:
    """Add the command to what `ArgumentParser.add_subparsers` returned."""
    parser = command(commands, "operations", OPERATIONS_SUMMARY, _operations)
    parser.add_argument("--json", action="store_true", help="print a JSON list, one object per operation")


def _whole(text: str) -> int:
    with suppress(ValueError):
        value = int(text)
        if value >= 0:
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")


def _height(text: str) -> float | str:
    return text if text == _NEAREST else positive(text)


def _operations(args: argparse.Namespace) -> int:
    from app.operations import typed

    terminal.answer(json.dumps(typed.described(), indent=1) if args.json else "\n".join(typed.lines()))
    return DONE


def _fix(args: argparse.Namespace) -> int:
    from app import worker
    from app.formats.registry import Progress
    from app.operations.typed import parsed
    from app.preflight import warm
    from app.preflight.batch import files_in, one_by_one
    from app.preflight.fixing import Recipe, fix_file
    from app.preflight.profiles import profile
    from app.preflight.report import fix_lines

    wanted = profile(args.profile)
    target = wanted.target_triangles if args.target is None else args.target
    wishes = tuple(parsed(text) for text in args.do)
    recipe = Recipe(wanted, not args.no_clean_up, args.height, wishes, target)
    recipe.check()
    files = list(dict.fromkeys(files_in(args.files, recursive=args.recursive)))
    outputs = _outputs(files, args, recipe)
    worker.warm_up(warm.prepare)

    def one(file: Path, report: Progress, cancelled: Any) -> dict[str, Any]:
        return fix_file(file, outputs[file], recipe, report, cancelled)

    answers = []
    with terminal.Progress() as progress:
        for answer in one_by_one(files, one, jobs=args.jobs, progress=progress):
            answers.append(answer)
            if not args.json:
                terminal.answer("\n".join(fix_lines(answer)))
    worker.cool_down()
    if args.json:
        terminal.answer(json.dumps(answers, indent=1))
    verdicts = {answer["verdict"] for answer in answers}
    return DONE if verdicts == {"pass"} else FAILED if verdicts <= {"pass", "fail"} else UNUSABLE


def _outputs(files: list[Path], args: argparse.Namespace, recipe: Any) -> dict[Path, Path]:
    """Where each file goes. Raises InvalidInput, or WriteFailed, for any that cannot or must not be written."""
    from app.preflight.fixing import writing_profile

    single = len(files) == 1 and not args.files[0].is_dir() and not args.output.is_dir()
    if not single and not args.output.is_dir():
        raise InvalidInput("is no folder, as several files need it", args.output, "Make the folder, or choose another")
    suffix = recipe.profile.suffix
    outputs = {file: args.output if single else args.output / f"{file.stem}{suffix}" for file in files}
    taken: dict[str, Path] = {}
    for file, output in outputs.items():
        other = taken.setdefault(str(output).casefold(), file)
        if other is not file:
            raise InvalidInput(f"would be written from {other.name} and from {file.name}", output, "Rename one of them")
        writing_profile(output, recipe.profile)
        must_be_writable(output, files)
        if output.exists() and not args.force:
            raise InvalidInput("exists already", output, "Choose another name, or replace it with --force")
    return outputs
