"""Inputs found by coverage: atheris drives a reader towards lines that no input has reached yet.

    python -m venv /tmp/atheris && /tmp/atheris/bin/pip install atheris==3.0.0
    python -m tests.fuzzing.atheris_run --python /tmp/atheris/bin/python --seconds 300 --reader obj --reader ply

For readers written in Python. Their compiled kernels run as plain Python meanwhile (NUMBA_DISABLE_JIT), so that their
lines count, too. Arithmetic differs a little then, so what looks suspicious, and all that atheris found worth keeping,
is read once more by the campaign's child: kernels compiled, with bounds checks, and everything watched. Atheris is no
dependency of the project: it has its own environment, which borrows the project's packages.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from tests.fuzzing.case import Case

# Reader -> the name of the file that it is given. What is beside it is never damaged here.
TARGETS = {
    "gltf": "a.gltf", "obj": "a.obj", "mtl": "a.mtl", "ply": "a.ply", "stl": "a.stl", "vrml": "a.wrl", "off": "a.off",
    "dae": "a.dae", "usd": "a.usda", "profile": "a.toml", "readback-vrml": "a.wrl",
}  # fmt: skip
_OBJ = b"mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nusemtl m\nf 1/1 2/1 3/1\nusemtl red\nf 1/1 2/1 3/1\n"
_LONGEST, _LINES = 6000, 8
_MEMORY_MB, _SECONDS_EACH = 3000, 20
_REPOSITORY = Path(__file__).resolve().parents[2]


def _beside(name: str) -> dict[str, bytes]:
    """Files that go with the one that atheris makes."""
    return {"a.obj": _OBJ} if name == "mtl" else {}


def _main_file(name: str) -> str:
    return "a.obj" if name == "mtl" else TARGETS[name]


# Inside atheris


def fuzz(name: str, corpus: Path, suspects: Path, seconds: int) -> None:
    """Run atheris in this process, until its time is over."""
    import atheris

    with atheris.instrument_imports(
        include=["app.formats", "app.mesh.soup", "app.preflight", "json.decoder", "tomllib"]
    ):
        from app.errors import LikenessError
        from app.formats.registry import Limits, formats, no_progress
        from app.preflight.profiles import read_profile
        from app.preflight.readback_vrml import read_vrml

        readers = {format_id: found.read for format_id, found in formats().items()}  # imports them all

    folder = Path(tempfile.mkdtemp(prefix="likeness-atheris-"))
    for file, content in _beside(name).items():
        (folder / file).write_bytes(content)
    made, opened = folder / TARGETS[name], folder / _main_file(name)
    format_id = "obj" if name == "mtl" else name
    others = {"profile": read_profile, "readback-vrml": read_vrml}

    def read() -> None:
        if name in others:
            others[name](opened)
        else:
            reader = readers[format_id]
            assert reader is not None
            reader(opened, Limits(), no_progress)

    def one_input(data: bytes) -> None:
        made.write_bytes(data)
        try:
            read()
        except LikenessError:
            return
        except Exception:  # noqa: BLE001 - looked at again with compiled kernels
            if name != "readback-vrml":
                (suspects / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)

    flags = [
        f"-max_len={_LONGEST}", f"-max_total_time={seconds}", f"-rss_limit_mb={_MEMORY_MB}",
        f"-timeout={_SECONDS_EACH}", f"-artifact_prefix={suspects}/", "-print_final_stats=1", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one_input)
    atheris.Fuzz()


# Around it


def run(name: str, python: str, seconds: int, corpus: Path) -> str:
    """Fuzz one reader in the other interpreter. Returns atheris's last lines. corpus: keeps what it found."""
    from tests.fuzzing.subjects import subjects

    kept, suspects = corpus / name, corpus / f"{name}-suspects"
    for folder in (kept, suspects):
        folder.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(subjects()[name].cases()):
        suffix = Path(TARGETS[name]).suffix
        for file, content in case.files.items():
            if Path(file).suffix.lower() == suffix and len(content) <= _LONGEST:
                (kept / f"seed{number}-{Path(file).name}").write_bytes(content)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(_REPOSITORY), sysconfig.get_path("purelib")]),
        "NUMBA_DISABLE_JIT": "1",
        "OMP_NUM_THREADS": "1",
    }
    inner = ["-m", "tests.fuzzing.atheris_run", "--inner", name, str(kept), str(suspects), str(seconds)]
    done = subprocess.run(
        [python, *inner], env=environment, cwd=_REPOSITORY, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).strip().splitlines()
    told = [line for line in said if line.startswith(("stat::", "Done", "Traceback", "==")) or "DONE" in line]
    return "\n".join(told[-_LINES:])


def read_again(name: str, corpus: Path, findings: Path) -> int:
    """Read all that was kept, and all suspects, as the campaign does. Returns how many kinds of findings there are."""
    from tests.fuzzing.campaign import Campaign
    from tests.fuzzing.process import Plan

    cases = []
    for path in sorted([*(corpus / name).iterdir(), *(corpus / f"{name}-suspects").iterdir()]):
        with contextlib.suppress(OSError):
            cases.append(Case(_main_file(name), {**_beside(name), TARGETS[name]: path.read_bytes()}))
    campaign = Campaign(Plan(len(cases), only=(name,), findings=findings, smaller=False))
    campaign.read_these(name, cases)
    for finding in campaign.findings.all():
        sys.stdout.write(f"{finding.count:>7} x {finding.title}   {finding.examples[0]}\n")
    return len(campaign.findings)


def main() -> int:
    """Exit code 1 where there are findings."""
    if sys.argv[1:2] == ["--inner"]:
        fuzz(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
        return 0
    parser = argparse.ArgumentParser("python -m tests.fuzzing.atheris_run")
    parser.add_argument("--python", required=True, help="interpreter of an environment that has atheris")
    parser.add_argument("--reader", action="append", choices=sorted(TARGETS), default=[])
    parser.add_argument("--seconds", type=int, default=300, help="for each reader")
    parser.add_argument("--corpus", type=Path, default=Path(tempfile.gettempdir(), "likeness-atheris-corpus"))
    parser.add_argument("--findings", type=Path, default=Path("findings"))
    given = parser.parse_args()
    found = 0
    for name in given.reader or TARGETS:
        said = run(name, given.python, given.seconds, given.corpus)
        sys.stdout.write(f"{name}\n{said}\n")
        found += read_again(name, given.corpus, given.findings)
        sys.stdout.flush()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
