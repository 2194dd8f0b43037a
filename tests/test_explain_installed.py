"""explain tells the caller's files from dualad's own, wherever dualad is installed."""

import os

import numpy as np
import pytest

from dualad.explanation import tracing


@pytest.fixture
def follows(monkeypatch):
    monkeypatch.setattr(tracing, "_PACKAGE", "/env/lib/python3.12/site-packages/dualad")
    tracer = object.__new__(tracing._Tracer)
    tracer.own, tracer.known = "/lectures/lecture.py", {}
    return lambda path: tracer.follows((lambda: None).__code__.replace(co_filename=path))


def test_an_installed_dualad_is_not_the_callers(follows):
    """In site-packages dualad's own files were taken for the caller's, and explain failed in every ordinary installation."""
    assert not follows("/env/lib/python3.12/site-packages/dualad/generic.py")
    assert not follows("/env/lib/python3.12/site-packages/dualad/rules/primitive.py")


def test_the_callers_modules_are_followed(follows):
    assert follows("/lectures/lecture.py")
    assert follows("/lectures/model.py")
    assert follows("/env/lib/python3.12/site-packages/mine/model.py")
    assert follows("/env/lib/python3.12/site-packages/dualad_models/model.py")


def test_numpy_and_the_standard_library_are_not(follows):
    assert not follows(np.linalg.__file__)
    assert not follows(os.__file__)
    assert not follows("<frozen importlib._bootstrap>")
