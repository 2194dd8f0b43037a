"""Random compositions of functions with kinks, at points where many of them meet one."""

import numpy as np

#: functions of three numbers with kinks at whole ones; on whole numbers their arithmetic is exact, so that ties stay ties
PIECES = [
    np.abs, np.sort, np.cumsum,
    lambda v: np.maximum(v, 0.0),
    lambda v: np.minimum(v, v[::-1]),
    lambda v: np.clip(v, -1.0, 1.0),
    lambda v: np.where(v > 0.0, 2.0 * v, v),
    lambda v: np.where(v >= v[::-1], v, v[::-1]),
    lambda v: np.piecewise(v, [v < 0.0, v >= 0.0], [lambda t: -t, lambda t: 3.0 * t]),
    lambda v: np.interp(v, [-1.0, 0.0, 1.0, 2.0], [1.0, 0.0, 3.0, 3.0]),
    lambda v: v - np.median(v),
    lambda v: v + np.max(v),
    lambda v: 0.5 * v + np.ptp(v),
    lambda v: v + np.partition(v, 1)[1],
    lambda v: v + np.quantile(v, [0.25, 0.5, 0.75]),
    lambda v: v - np.linalg.norm(v, 1),
    lambda v: v + np.linalg.norm(v, np.inf),
    lambda v: v[np.argmax(v)] - v,
    lambda v: v[np.argsort(-v)],
    lambda v: v if v[0] > v[1] else v + (v[1] - v[0]),
    lambda v: np.stack([max(v[0], v[1]), min(v[1], v[2]), max(v)]),
    lambda v: np.stack(sorted(v)),
    lambda v: v * np.abs(v),
    lambda v: v @ np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, -1.0]]),
]  # fmt: skip


def programs(rng, count):
    """`count` functions of three numbers, of up to four pieces each, and a point of whole numbers."""
    for _ in range(count):
        chosen = [PIECES[i] for i in rng.integers(0, len(PIECES), rng.integers(1, 5))]

        def f(y, chosen=chosen):
            for piece in chosen:
                y = piece(y)
            return np.sum(y * np.array([1.0, 0.7, 0.3]))

        yield f, rng.integers(-1, 2, 3).astype(float)
