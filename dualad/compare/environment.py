"""Where a measurement was made."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from .clock import now

__all__ = ["describe"]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _blas() -> str:
    """The library NumPy multiplies matrices with."""
    try:
        built: Any = np.show_config(mode="dicts")
        found = built["Build Dependencies"]["blas"]
        return f"{found.get('name', '?')} {found.get('version', '')}".strip()
    except (KeyError, TypeError, AttributeError):
        return "unknown"


def commit() -> str | None:
    """The commit of dualad, where it runs from a git checkout of its own; None from an installed package.

    Examples
    --------
    >>> from dualad.compare.environment import commit
    >>> commit() is None or len(commit()) == 40
    True
    """
    root = Path(__file__).resolve().parent.parent.parent
    folder = root / ".git"
    try:
        if not (root / "csrc" / "ops.def").is_file():
            return None
        head = (folder / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        branch = head.removeprefix("ref: ")
        if (folder / branch).is_file():
            return (folder / branch).read_text(encoding="utf-8").strip()
        packed = (folder / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {branch}")), None)
    except OSError:
        return None


def describe() -> dict[str, str | None]:
    """Processor, versions, commit, clock and BLAS threads, as printed under every measurement.

    Examples
    --------
    >>> from dualad.compare.environment import describe
    >>> sorted(describe())
    ['BLAS', 'BLAS threads', 'clock', 'commit', 'date', 'dualad', 'numpy', 'processor', 'python', 'system']
    """
    threads = ", ".join(f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)
    return {
        "dualad": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()}" if sys.platform != "win32" else platform.platform(),
        "processor": f"{_processor()}, {os.cpu_count()} logical processors",
        "BLAS": _blas(),
        "BLAS threads": threads or "not set (the library chooses)",
        "clock": f"{now.__name__}, garbage collector off",
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
