"""What does each way of differentiating cost, as the numbers of inputs n and outputs m grow, and why?

Counted on the tape, priced by a published cost model, and measured; on built-in families and on your own function.

>>> import numpy as np
>>> from dualad import compare
>>> compare.count(lambda x: np.sin(x) * x, 2.0).gradient()
29

    work          the cost model: classes of operations, their price, the counting convention
    counting      f -> operations, from a tape
    methods       forward, reverse, differences, complex step: how each runs f, what it costs, when answers agree
    clock         interleaved medians with a band
    measure       one point by all methods: checked, counted, timed -> a row
    families, scaling, plane, mine      experiments: rows against n, m or both
    registry      the experiments by name; the command line is made from it
    result        what an experiment returns: rows, and the ways out of them (storage: JSON, whole files)
    figure        tables and figures as data; terminal, notebook print them
    command       `dualad compare`
    peers         other libraries on the same source; pytest_runs: saved runs of the benches
"""

from ..cost import Operations, Weights
from . import registry
from .clock import Timing
from .counting import count
from .figure import Curve, Figure, Heat, Mark, Table
from .methods import DisagreementError
from .plane import PlaneResult, plane
from .pytest_runs import BenchmarkResult, from_pytest_benchmark
from .registry import EXPERIMENTS
from .result import Report, Result, load
from .row import Crossover, Row
from .scaling import scaling, short
from .scaling_result import Fit, MineResult, ScalingResult

__all__ = [
    "EXPERIMENTS",
    "BenchmarkResult",
    "Crossover",
    "Curve",
    "DisagreementError",
    "Figure",
    "Fit",
    "Heat",
    "Mark",
    "MineResult",
    "Operations",
    "PlaneResult",
    "Report",
    "Result",
    "Row",
    "ScalingResult",
    "Table",
    "Timing",
    "Weights",
    "count",
    "from_pytest_benchmark",
    "load",
    "mine",
    "plane",
    "scaling",
    "short",
]

registry.discover()
#: functions where modules have the same names; `mine` takes a function here and a name on the command line
globals().update({experiment.name: experiment.run for experiment in EXPERIMENTS.values() if experiment.name != "mine"})
from .mine import mine  # noqa: E402
