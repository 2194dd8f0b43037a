"""Block kernels of every instruction set this processor has: the same partials, to the last digits."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from dualad import _core

PROGRAM = """
import json
import numpy as np
import dualad as da
from dualad import _core

x = np.linspace(0.05, 0.95, 517)
out = {}
for ufunc, code in _core.ufunc_codes().items():
    with np.errstate(all="ignore"):
        if ufunc.nin == 1:
            out[ufunc.__name__] = da.grad(lambda t: np.sum(ufunc(t) * 1.5))(x).tolist()
        else:
            first, second = da.grad(lambda t: np.sum(ufunc(t, x[::-1]) * 1.5)), da.grad(lambda t: np.sum(ufunc(x, t)))
            out[ufunc.__name__] = [*first(x), *second(x)]
print(json.dumps({"vector": _core.build_info()["vector"], "gradients": out}))
"""


def gradients(vector):
    """Gradients of every ufunc by a process that uses no more than this instruction set."""
    env = {**os.environ, "DUALAD_VECTOR": vector}
    done = subprocess.run([sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, env=env, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("vector", ["base", "avx2"])
def test_instruction_sets_agree(vector):
    if _core.build_info()["vector"] == "base":
        pytest.skip("this processor (or build) has the base kernels only")
    here, there = gradients(""), gradients(vector)
    assert there["vector"] == vector
    assert len(here["gradients"]) == len(there["gradients"]) > 50
    for name, want in here["gradients"].items():
        np.testing.assert_allclose(there["gradients"][name], want, rtol=2e-15, atol=1e-300, err_msg=name)
