"""What dualad takes: bytes of a recorded operation, milliseconds of import, megabytes on disk."""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys

import harness
import pytest

import dualad

RECORD = """
import os, dualad
from dualad import math as m

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

def chain(x, passes):
    for _ in range(passes):
        x = m.sin(x) * x + 0.5
    return x

def held(passes):
    before = resident()
    y, pullback = dualad.vjp(lambda x: chain(x, passes), 0.5)
    used = resident() - before
    assert y == chain(0.5, passes)
    return used

small, large = {sizes}
held(10)
used = held(small)
print((held(large) - used) / (3.0 * (large - small)))
"""

IMPORT = """
import time, {first}
start = time.perf_counter()
import {second}
print((time.perf_counter() - start) * 1e3)
"""


def run(script, **settings):
    env = os.environ | settings
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True, env=env)
    return float(done.stdout)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc/self/statm")
def test_memory_per_operation(benchmark):
    """Growth of the resident set while a recording of 3 operations a pass is held, between two lengths."""
    sizes = harness.size((200000, 1200000), (20000, 200000))
    bytes_each = benchmark.pedantic(run, args=(RECORD.replace("{sizes}", repr(sizes)),), rounds=1)
    harness.absolute(benchmark, "memory an operation", f"{3 * sizes[1]} operations", bytes_each, 24.0, "B")


def test_import_time(benchmark, tmp_path):
    """`import dualad` once NumPy is there, from compiled bytecode as pip leaves it; the control imports NumPy twice."""
    cache = {"PYTHONPYCACHEPREFIX": str(tmp_path), "PYTHONDONTWRITEBYTECODE": ""}
    scripts = {name: IMPORT.format(first="numpy", second=name) for name in ("dualad", "numpy")}
    benchmark.pedantic(run, args=(scripts["dualad"],), kwargs=cache, rounds=1)  # compiles
    figures = {name: [] for name in scripts}
    for _ in range(harness.size(11, 3)):
        for name, script in scripts.items():
            figures[name].append(run(script, **cache))
    median = {name: statistics.median(times) for name, times in figures.items()}
    harness.absolute(benchmark, "import over NumPy", "median", median["dualad"], 15.0, "ms", control_ms=median["numpy"])


def test_installed_size(benchmark):
    """Bytes of the files an installation has: modules, the compiled core, stubs."""
    kinds = {".py", ".so", ".pyd", ".pyi", ".typed", ".def", ".pxd"}

    def measure():
        files = pathlib.Path(dualad.__file__).parent.rglob("*")
        return sum(f.stat().st_size for f in files if f.is_file() and f.suffix in kinds)

    megabytes = benchmark.pedantic(measure, rounds=1) / 1e6
    assert megabytes > 0.05
    harness.absolute(benchmark, "installed size", "package", megabytes, 3.0, "MB")
