"""One thread for every numerical library, set before NumPy loads; the benches' own modules on the path."""

import os
import sys

import pytest

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

sys.path.insert(0, os.path.dirname(__file__))


def pytest_configure(config):
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("the benches need pytest-benchmark: pip install pytest-benchmark")


def pytest_benchmark_update_machine_info(config, machine_info):
    """The JSON says where it was measured: processor, versions, commit, threads; other libraries that took part."""
    import harness

    from dualad.compare import peers
    from dualad.compare.environment import describe

    machine_info["dualad"] = describe() | {"clock": "process_time, garbage collector off",
                                           "peers": peers.versions(harness.wanted_peers()) or "none"}

