"""Each installed peer runs one problem through its adapter and gives the derivative written by hand."""

from __future__ import annotations

import functools
import importlib.util

import harness
import peers
import pytest

from dualad import problems


@pytest.mark.parametrize("name", list(peers.PEERS))
def test_adapter(name):
    """Adapters must not rot: an installed peer must get the simplest problem right."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    problem = problems.get("newton_sqrt")
    args = problem.make(6, seed=0)
    call = peers.PEERS[name][0](problem, args)
    harness.assert_same(call(), problem.closed_form(*args), 1e-9)


def test_rebind_reaches_called_functions():
    """`np` is replaced in the function and in the functions of the problem list that it calls."""
    import numpy as np

    used = []

    class Recording:
        def __getattr__(self, name):
            used.append(name)
            return getattr(np, name)

    problem = problems.get("lstm")
    args = problem.make(3, seed=0)
    fresh = functools.partial(peers.rebind(problem.f, Recording()), *args)
    assert fresh() == problem.f(*args)
    assert {"concatenate", "tanh", "exp"} <= set(used)
