"""What does each way of differentiating cost, as the numbers of inputs n and outputs m grow, and why?

Counted on the tape, priced by a published cost model, and measured; on built-in families and on your own function.

>>> import numpy as np
>>> from dualad import compare
>>> compare.count(lambda x: np.sin(x) * x, 2.0).gradient()
29

    work          the cost model: classes of operations, their price, the counting convention
    counting      f -> operations, from a tape
    methods       forward, reverse, differences, complex step: how each runs f, what it costs, when answers agree
    clock         interleaved medians
    measure       one point by all methods: checked, counted, timed -> a row
    families, scaling, mine      experiments: rows against n or m
    result, terminal             what an experiment returns, and how it prints
    command       `dualad compare`
"""

from .counting import count
from .methods import DisagreementError
from .mine import mine
from .result import Crossover, Report, Result, Row
from .scaling import scaling, short
from .work import Operations, Weights

__all__ = [
    "Crossover",
    "DisagreementError",
    "Operations",
    "Report",
    "Result",
    "Row",
    "Weights",
    "count",
    "mine",
    "scaling",
    "short",
]
