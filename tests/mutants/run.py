"""Apply each mutant to a copy of the project and see whether the suite notices.

    python tests/mutants/run.py                 every mutant
    python tests/mutants/run.py --only NAME     the ones named (repeatable)
    python tests/mutants/run.py --list          what there is

A mutant is killed when a test fails on it, or when the interpreter dies of it; the tests it runs first pass on an unchanged
copy, built the same way, else nothing is concluded.  Only a mutant of a compiled file is built; what it leaves unchanged is
not compiled again.  The exit status is 1 when a mutant survives.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDERS = ("dualad", "csrc", "tests", "docs", "examples", "benches")
FILES = ("setup.py", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "MANIFEST.in")
COMPILED = (".c", ".h", ".def", ".pxi", ".pyx")

sys.path.insert(0, str(HERE.parent))
from mutants import MUTANTS, Mutant  # noqa: E402


def apply(mutant: Mutant, root: Path) -> None:
    """Change the one place under `root` that the mutant names."""
    path = root / mutant.file
    text = path.read_text(encoding="utf-8")
    if (n := text.count(mutant.old)) != 1:
        raise LookupError(f"mutant {mutant.name}: its text occurs {n} times in {mutant.file}, not once: {mutant.old!r}")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def copy_project(root: Path) -> None:
    for folder in FOLDERS:
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in FILES:
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, root / name)


def build(root: Path, objects: Path) -> bool:
    """Build the extension in the copy; False when the mutant does not compile (which is no mutant)."""
    cc = os.environ.get("CC", "cc")
    env = os.environ | {"CC": f"{sys.executable} {HERE / 'cached_cc.py'} {objects} {cc}", "DUALAD_DEBUG": "", "DUALAD_SANITIZE": ""}
    done = subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=root, env=env, capture_output=True,
                          text=True)
    if done.returncode:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-4000:])
    return not done.returncode


def installed_core() -> Path:
    spec = importlib.util.find_spec("dualad._core")
    if spec is None or spec.origin is None:
        raise LookupError("dualad is not installed: its compiled core is needed for the mutants of Python files")
    return Path(spec.origin)


def suite(root: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests on the copy; the exit status of pytest and the last lines it wrote."""
    env = os.environ | {"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONFAULTHANDLER": ""}
    env.pop("DUALAD_MUTANTS", None)
    where = subprocess.run([sys.executable, "-P", "-c", "import importlib.util as u; print(u.find_spec('dualad').origin)"],
                           cwd=root, env=env, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(where).resolve().is_relative_to(root.resolve()):
        raise RuntimeError(f"the tests would import {where}, not the copy in {root}")
    done = subprocess.run([sys.executable, "-P", "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", *tests], cwd=root, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return done.returncode, done.stdout


def first_failure(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" - ")[0] if lines else (output.strip().splitlines() or ["(nothing)"])[-1]


def verdict(mutant: Mutant, objects: Path) -> tuple[bool, str]:
    """Whether the mutant is killed, and by what."""
    with tempfile.TemporaryDirectory(prefix="dualad-mutant-") as folder:
        root = Path(folder)
        prepare(root, [mutant], objects)
        code, output = suite(root, mutant.tests)
        if code == 0:
            return False, "every test passes"
        if code == 1 or code < 0:
            return True, first_failure(output) if code == 1 else f"the interpreter dies (signal {-code})"
        raise RuntimeError(f"mutant {mutant.name}: pytest ended with status {code}\n{output[-2000:]}")


def prepare(root: Path, mutants: Sequence[Mutant], objects: Path, compiled: bool = False) -> None:
    copy_project(root)
    for mutant in mutants:
        apply(mutant, root)
    if compiled or any(m.file.endswith(COMPILED) for m in mutants):
        if not build(root, objects):
            raise RuntimeError(f"{', '.join(m.name for m in mutants) or 'the unchanged copy'} does not compile")
    else:
        core = installed_core()
        shutil.copy2(core, root / "dualad" / core.name)


def unchanged(mutants: Sequence[Mutant], objects: Path) -> None:
    """The tests that are to kill must pass where there is nothing to kill."""
    for compiled in (False, True):
        tests = sorted({t for m in mutants if m.file.endswith(COMPILED) == compiled for t in m.tests})
        if not tests:
            continue
        with tempfile.TemporaryDirectory(prefix="dualad-mutant-") as folder:
            prepare(Path(folder), [], objects, compiled)
            code, output = suite(Path(folder), tests)
            if code:
                raise RuntimeError(f"the unchanged copy fails: nothing can be said of mutants\n{output[-2000:]}")


def run(mutants: Sequence[Mutant]) -> list[str]:
    """Names of the survivors."""
    survivors = []
    with tempfile.TemporaryDirectory(prefix="dualad-objects-") as folder:
        unchanged(mutants, Path(folder))
        for m in mutants:
            killed, by = verdict(m, Path(folder))
            print(f"{'killed  ' if killed else 'SURVIVED'}  {m.name:<36} {m.file:<34} {by}", flush=True)
            if not killed:
                survivors.append(m.name)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants killed")
    return survivors


def main() -> int:
    parser = argparse.ArgumentParser(description="Deliberately wrong rules and sweeps, each to be killed by the suite.")
    parser.add_argument("--only", action="append", metavar="NAME", help="run the mutant of this name (repeatable)")
    parser.add_argument("--list", action="store_true", help="name the mutants and why each is wrong")
    given = parser.parse_args()
    unknown = set(given.only or ()) - {m.name for m in MUTANTS}
    if unknown:
        parser.error(f"no mutant is named {', '.join(sorted(unknown))}; see --list")
    chosen = [m for m in MUTANTS if not given.only or m.name in given.only]
    if given.list:
        for m in chosen:
            print(f"{m.name:<36} {m.file:<34} {m.why}")
        return 0
    return 1 if run(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
