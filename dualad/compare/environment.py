"""Where a measurement was made."""

from __future__ import annotations

import os
import platform
import sys

import numpy as np

from .. import __version__

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


def describe() -> dict[str, str]:
    """Processor, versions and BLAS threads, as printed under every measurement.

    Examples
    --------
    >>> from dualad.compare.environment import describe
    >>> sorted(describe())
    ['BLAS threads', 'dualad', 'numpy', 'processor', 'python', 'system']
    """
    threads = ", ".join(f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)
    return {
        "dualad": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()}" if sys.platform != "win32" else platform.platform(),
        "processor": f"{_processor()}, {os.cpu_count()} logical processors",
        "BLAS threads": threads or "not set (the library chooses)",
    }
