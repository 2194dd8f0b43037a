"""A figure of every kind, from formulas: what the drawings and pages are tested on."""

import math
from dataclasses import dataclass

from dualad.compare.figure import Curve, Figure, Heat, Mark, Table
from dualad.compare.result import Result

SIZES = tuple(float(2**k) for k in range(9))
EPS = 2.0**-52


def scaling(measured):
    overhead = 8.0 if measured else 0.0
    bounds = [
        Curve("forward, bounds", SIZES, tuple(1 + 1.25 * n for n in SIZES), "theory", "band", tuple(1 + n for n in SIZES),
              tuple(1 + 1.5 * n for n in SIZES)),
        Curve("reverse, bounds", SIZES, (3.5,) * 9, "theory", "band", (3.0,) * 9, (4.0,) * 9),
    ]  # fmt: skip
    costs = {"forward": ("forward", lambda n: 1 + 1.2 * n + overhead), "reverse": ("reverse", lambda n: 3.3 + overhead),
             "n jvp": ("n jvp", lambda n: (2.2 + overhead) * n), "m vjp": ("m vjp", lambda n: 3.5 + overhead),
             "differences": ("differences", lambda n: n + 1), "central": ("central", lambda n: 2 * n),
             "complex": ("complex", lambda n: 2.9 * n)}  # fmt: skip
    curves = []
    for label, (role, cost) in costs.items():
        y = tuple(cost(n) for n in SIZES)
        low, high = (tuple(0.9 * v for v in y), tuple(1.1 * v for v in y)) if measured else (None, None)
        curves.append(Curve(label, SIZES, y, role, "points", low, high))
    by = "measured" if measured else "counted"
    return Figure(f"scaling-n-{by}", f"Cost of the whole Jacobian, {by}", "inputs n", "cost / one value of f",
                  "Forward rises with n, reverse stays flat.", "Log-log plot of seven costs.", (*bounds, *curves), None,
                  (Mark("crossover n = 1.9", x=1.9),))  # fmt: skip


def plane():
    rows = SIZES[:8]
    z = tuple(tuple(math.log2((1 + 1.2 * n) / (1 + 2.3 * m)) for n in SIZES) for m in rows)
    wedge = Curve("predicted wedge", SIZES, tuple(n / 1.9 for n in SIZES), "theory", "band", tuple(n / 2 for n in SIZES),
                  tuple(n / 1.8 for n in SIZES))  # fmt: skip
    return Figure("plane", "Forward against reverse", "inputs n", "outputs m", "Blue: forward is cheaper.", "Heat map.", (wedge,),
                  Heat(SIZES, rows, z, "log2(forward/reverse)"))  # fmt: skip


def accuracy():
    steps = tuple(10.0**-k for k in [*range(1, 21), *range(25, 301, 25)])
    return Figure(
        "accuracy", "Error against the step", "step h", "relative error", "A V, and two flat lines.", "V-shaped curves.",
        (Curve("forward differences", steps, tuple(h / 2 + EPS / h if h > 1e-17 else 1.0 for h in steps), "differences"),
         Curve("central differences", steps, tuple(h * h / 6 + EPS / h if h > 1e-17 else 1.0 for h in steps), "central"),
         Curve("complex step", steps, tuple(max(h * h / 6, EPS / 2) for h in steps), "complex"),
         Curve("forward mode", (1e-300, 0.1), (EPS, EPS), "forward", "line")),
        None, (Mark("best forward step", 1.5e-8, 2.2e-8), Mark("one unit in the last place", y=EPS)))  # fmt: skip


def memory():
    depths = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0)
    return Figure("memory", "Live memory", "depth", "bytes", "The tape grows.", "Two curves.",
                  (Curve("reverse (tape)", depths, tuple(400 + 51 * d for d in depths), "reverse"),
                   Curve("forward", depths, (640.0,) * 7, "forward"),
                   Curve("17 B an operation", depths, tuple(51 * d for d in depths), "theory", "line")))  # fmt: skip


def frontier():
    kept, steps = (2.0, 4.0, 6.0, 11.0), (845.0, 374.0, 280.0, 209.0)
    return Figure("checkpoint", "Time against memory", "snapshots kept", "extra steps", "The frontier falls.", "A falling curve.",
                  (Curve("binomial", kept, steps, "binomial"), Curve("every tenth", (10.0,), (300.0,)),
                   Curve("store all", (100.0,), (1.0,), "reverse")),
                  None, (Mark("11 snapshots, 209 steps", 11.0, 209.0),))  # fmt: skip


def knee():
    chunks = tuple(float(2**k) for k in range(10))
    times = tuple(120 / k + 9 + max(0.0, k - 32) * 0.06 for k in chunks)
    curves = Curve("n = 512", chunks, times, "chunks"), Curve("n = 64", chunks[:7], tuple(t / 4 for t in times[:7]))
    return Figure("chunk", "Time against the chunk", "tangents at once", "time / one value of f", "It falls, then rises.",
                  "A knee.", curves, None, (Mark("the first-level cache is full", x=48.0),), "log", "linear")  # fmt: skip


def staircase():
    return Figure("elimination", "Multiplications", "vertices eliminated", "multiplications", "Both rise.", "Two staircases.",
                  (Curve("forward order", (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 10.0, 20.0, 30.0, 40.0), "forward", "step"),
                   Curve("best order", (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 8.0, 16.0, 24.0, 32.0), "", "step")),
                  None, (), "linear", "linear")  # fmt: skip


def single():
    return Figure("single", "One <curve> & nothing \"else\"", "n", "seconds", "One line.", "A line.",
                  (Curve("a", SIZES, (None, *SIZES[1:])),))  # fmt: skip


def diagram():
    """Places without amounts: no name, no numbers on the y axis."""
    at = {"x0": (0.0, 1.0), "x1": (0.0, 0.0), "v1 mul": (1.0, 0.5), "v2 sin": (2.0, 0.5), "v3 mul": (3.0, 0.7),
          "y0 cos": (4.0, 1.0)}  # fmt: skip
    edges = [("x0", "v1 mul"), ("x1", "v1 mul"), ("v1 mul", "v2 sin"), ("v2 sin", "v3 mul"), ("x0", "v3 mul"), ("v3 mul", "y0 cos")]
    x = tuple(place for a, b in edges for place in (at[a][0], at[b][0], at[b][0]))
    y = tuple(place for a, b in edges for place in (at[a][1], at[b][1], None))
    across, up = tuple(p for p, _ in at.values() for _ in range(2)), tuple(p for _, q in at.values() for p in (q, None))
    vertices = Curve("vertex", across, up)
    return Figure("graph", "The graph of cos(x0 sin(x0 x1))", "layer", "", "A graph.", "Six vertices.",
                  (Curve("edge", x, y, "theory", "line"), vertices), None, tuple(Mark(name, *place) for name, place in at.items()),
                  "linear", "linear")  # fmt: skip


FIGURES = (scaling(True), scaling(False), plane(), accuracy(), memory(), frontier(), knee(), staircase(), diagram(), single())


@dataclass(frozen=True)
class Cost:
    n: int
    method: str
    cost: float | None


@dataclass(frozen=True)
class SampleResult(Result, name="sample", rows=(Cost,)):
    def tables(self):
        rows = tuple((row.n, row.method, row.cost) for row in self.rows)
        return (Table("Costs", ("n", "method", "cost"), rows, "Of one gradient."),)

    def figures(self):
        return FIGURES

    def reading(self):
        return ("Forward rises with n.", "Reverse stays flat.")


def sample(title="Every kind of figure", environment=None):
    rows = (Cost(1, "reverse", 3.5), Cost(16, "forward", 20.0), Cost(4, "complex", None), Cost(8, "central", 1e-9))
    return SampleResult(title, {"weights": {"moves": 1, "adds": 1, "mults": 1, "nonlinear": 2}}, rows, ("torch: not installed",),
                        {"processor": "a pencil"} if environment is None else environment)  # fmt: skip
