"""The ADBench objectives (Srajer et al. 2018): Gaussian mixture, bundle adjustment, character LSTM.

The formulas are ADBench's own, in plain vectorised NumPy. Each has a reader of ADBench's files, a generator
of instances of any size (so nothing needs the files) and its derivative by hand.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .problem import Problem

# --- Gaussian mixture ---------------------------------------------------------------------------------------


@functools.cache
def _lower_index(d):
    """Where entry (i, j) of the strict lower triangle sits in [0, entries by column]; 0 elsewhere."""
    index = np.zeros((d, d), dtype=np.intp)
    column, row = np.triu_indices(d, 1)
    index[row, column] = 1 + np.arange(len(row))
    return index


def _lower_triangle(icf, d):
    """Strictly lower triangular factors (K, d, d) from the last d(d-1)/2 entries of each row of `icf`."""
    return np.concatenate([np.zeros((len(icf), 1)), icf[:, d:]], axis=1)[:, _lower_index(d)]


def _log_wishart_constant(d, k, gamma, excess):
    n = d + excess + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi) + sum(math.lgamma(0.5 * (n + 1 - j)) for j in range(1, d + 1))
    return k * (n * d * math.log(gamma / math.sqrt(2.0)) - log_gamma)


def gmm(alphas, means, icf, x, gamma, excess):
    """Log posterior of a Gaussian mixture under a Wishart prior.

    Parameters
    ----------
    alphas : ndarray (K,)
        Unnormalised log weights.
    means : ndarray (K, d)
    icf : ndarray (K, d + d(d-1)/2)
        Inverse covariance factors: log diagonals, then the strictly lower entries by column.
    x : ndarray (N, d)
        Points.
    gamma, excess : float, int
        Parameters of the prior: scale, and degrees of freedom beyond d + 1.
    """
    n, d = x.shape
    q = icf[:, :d]
    diagonal = np.exp(q)
    sum_q = np.sum(q, axis=1)
    centred = x - means[:, None, :]
    whitened = centred * diagonal[:, None, :] + centred @ np.swapaxes(_lower_triangle(icf, d), 1, 2)
    inner = (alphas + sum_q)[:, None] - 0.5 * np.sum(whitened**2, axis=2)
    shift = np.max(inner, axis=0)
    log_likelihood = np.sum(shift + np.log(np.sum(np.exp(inner - shift), axis=0)))
    top = np.max(alphas)
    log_weights = top + np.log(np.sum(np.exp(alphas - top)))
    prior = 0.5 * gamma**2 * (np.sum(diagonal**2) + np.sum(icf[:, d:] ** 2)) - excess * np.sum(sum_q)
    constant = -0.5 * n * d * math.log(2.0 * math.pi) - _log_wishart_constant(d, len(alphas), gamma, excess)
    return constant + log_likelihood - n * log_weights + prior


def gmm_gradient(alphas, means, icf, x, gamma, excess):
    """The gradient by hand: responsibilities, then one product of points with whitened points a component."""
    n, d = x.shape
    diagonal = np.exp(icf[:, :d])
    factor = _lower_triangle(icf, d)
    factor[:, np.arange(d), np.arange(d)] = diagonal
    centred = x - means[:, None, :]
    whitened = centred @ np.swapaxes(factor, 1, 2)
    inner = (alphas + icf[:, :d].sum(axis=1))[:, None] - 0.5 * (whitened**2).sum(axis=2)
    share = np.exp(inner - inner.max(axis=0))
    share /= share.sum(axis=0)
    weights = np.exp(alphas - alphas.max())
    total = share.sum(axis=1)
    pulled = share[:, :, None] * whitened
    outer = np.swapaxes(pulled, 1, 2) @ centred
    by_q = total[:, None] - np.einsum("kii->ki", outer) * diagonal + gamma**2 * diagonal**2 - excess
    column, row = np.triu_indices(d, 1)
    by_lower = -outer[:, row, column] + gamma**2 * icf[:, d:]
    by_mean = (pulled.sum(axis=1)[:, None, :] @ factor)[:, 0, :]
    return total - n * weights / weights.sum(), by_mean, np.concatenate([by_q, by_lower], axis=1)


def gmm_args(points, seed, d=2, k=5):
    """A mixture of `k` components in `d` dimensions with random parameters."""
    rng = np.random.default_rng(seed)
    icf = rng.normal(size=(k, d + d * (d - 1) // 2))
    return rng.normal(size=k), rng.uniform(size=(k, d)), icf, rng.normal(size=(points, d)), 1.0, 0


def read_gmm(path):
    """Arguments of :func:`gmm` from an ADBench file ``gmm_dD_KK.txt``.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    tuple
        alphas (k,), means (k, d), icf (k, d + d (d - 1) / 2), x (n, d), gamma, excess.

    Raises
    ------
    ValueError, OSError
        The file holds another number of numbers than its first line says; it cannot be read.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from dualad import problems
    >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    ...     print("2 1 1", file=file)
    ...     print("0.5  0.1 0.2  1.0 1.0 0.0  0.3 0.4  1.0 0", file=file, flush=True)
    ...     [np.shape(part) for part in problems.read_gmm(file.name)]
    [(1,), (1, 2), (1, 3), (1, 2), (), ()]
    """
    with open(path, encoding="ascii") as file:
        d, k, n = map(int, file.readline().split())
        numbers = np.array(file.read().split(), dtype=float)
    sizes = (k, k * d, k * (d + d * (d - 1) // 2), n * d, 2)
    if len(numbers) != sum(sizes):
        raise ValueError(f"{path}: {len(numbers)} numbers after the first line; d={d} K={k} n={n} needs {sum(sizes)}")
    alphas, means, icf, x, (gamma, excess) = np.split(numbers, np.cumsum(sizes[:-1]))
    return alphas, means.reshape(k, d), icf.reshape(k, -1), x.reshape(n, d), float(gamma), int(excess)


# --- Bundle adjustment --------------------------------------------------------------------------------------


def ba(cameras, points, weights, features):
    """Weighted reprojection errors, one row an observation.

    Parameters
    ----------
    cameras : ndarray (p, 11)
        The camera of each observation: rotation vector 3, centre 3, focal length, principal point 2, radial
        distortion 2.
    points : ndarray (p, 3)
    weights : ndarray (p,)
    features : ndarray (p, 2)
        Where the point was seen.

    Returns
    -------
    ndarray (p, 2)

    Notes
    -----
    Row p of the result depends on row p of the arguments only, so the Jacobian is `p` blocks of 2 x 15.
    ADBench's other residual, ``1 - w**2`` for every observation, is :func:`ba_weight_errors`.
    """
    r0, r1, r2 = cameras[:, 0], cameras[:, 1], cameras[:, 2]
    x0, x1, x2 = points[:, 0] - cameras[:, 3], points[:, 1] - cameras[:, 4], points[:, 2] - cameras[:, 5]
    square = r0 * r0 + r1 * r1 + r2 * r2
    turned = square > 0.0
    theta = np.sqrt(np.where(turned, square, 1.0))
    cosine = np.where(turned, np.cos(theta), 1.0)
    sine = np.where(turned, np.sin(theta) / theta, 1.0)
    along = np.where(turned, (r0 * x0 + r1 * x1 + r2 * x2) * (1.0 - cosine) / (theta * theta), 0.0)
    y0 = x0 * cosine + (r1 * x2 - r2 * x1) * sine + r0 * along
    y1 = x1 * cosine + (r2 * x0 - r0 * x2) * sine + r1 * along
    y2 = x2 * cosine + (r0 * x1 - r1 * x0) * sine + r2 * along
    u, v = y0 / y2, y1 / y2
    rsq = u * u + v * v
    scale = (1.0 + cameras[:, 9] * rsq + cameras[:, 10] * rsq * rsq) * cameras[:, 6]
    err0 = weights * (u * scale + cameras[:, 7] - features[:, 0])
    err1 = weights * (v * scale + cameras[:, 8] - features[:, 1])
    return np.stack([err0, err1], axis=1)


def ba_weight_errors(weights):
    """1 - w^2 for every observation."""
    return 1.0 - weights**2


def _rotation_derivative(r, x):
    """Rotated points (p, 3), the rotation matrices, and d(rotated)/dr (p, 3, 3), for rotation vectors `r`.

    With s = sin(t)/t and c = (1 - cos t)/t^2, R x = cos(t) x + s (r x x) + c r (r.x); at t = 0 the series s
    = 1, c = 1/2 hold and ADBench's branch x + r x x has the same first derivative.
    """
    t = np.sqrt((r**2).sum(axis=1))
    safe = np.where(t > 0.0, t, 1.0)
    cos, s = np.where(t > 0, np.cos(safe), 1.0), np.where(t > 0, np.sin(safe) / safe, 1.0)
    c = np.where(t > 0, (1.0 - np.cos(safe)) / safe**2, 0.0)
    ds = np.where(t > 0, (cos - s) / safe**2, 0.0)  # d s / d r_j = ds * r_j
    dc = np.where(t > 0, (s - 2.0 * c) / safe**2, 0.0)
    dot, cross = (r * x).sum(axis=1), np.cross(r, x)
    eye = np.eye(3)

    def skew(v):
        zero = np.zeros(len(v))
        rows = [[zero, -v[:, 2], v[:, 1]], [v[:, 2], zero, -v[:, 0]], [-v[:, 1], v[:, 0], zero]]
        return np.moveaxis(np.array(rows), 2, 0)

    matrix = cos[:, None, None] * eye + s[:, None, None] * skew(r) + c[:, None, None] * r[:, :, None] * r[:, None, :]
    by_length = -s[:, None] * x + ds[:, None] * cross + (dc * dot)[:, None] * r
    by_r = by_length[:, :, None] * r[:, None, :] - s[:, None, None] * skew(x)
    by_r += c[:, None, None] * (dot[:, None, None] * eye + r[:, :, None] * x[:, None, :])
    return (matrix @ x[:, :, None])[:, :, 0], matrix, by_r


def ba_blocks(cameras, points, weights, features):
    """The blocks (p, 2, 15) of the Jacobian of :func:`ba`: camera 11, point 3, weight 1."""
    rotated, matrix, by_r = _rotation_derivative(cameras[:, :3], points - cameras[:, 3:6])
    depth, flat = rotated[:, 2:], rotated[:, :2] / rotated[:, 2:]
    rsq = (flat**2).sum(axis=1, keepdims=True)
    k1, k2, focal, w = cameras[:, 9:10], cameras[:, 10:11], cameras[:, 6:7], weights[:, None]
    scale = 1.0 + k1 * rsq + k2 * rsq**2
    by_flat = scale[:, :, None] * np.eye(2) + (2.0 * (k1 + 2.0 * k2 * rsq))[:, :, None] * flat[:, :, None] * flat[:, None, :]
    flat_by_rotated = np.concatenate([np.broadcast_to(np.eye(2), (len(flat), 2, 2)), -flat[:, :, None]], axis=2)
    by_rotated = (w * focal)[:, :, None] * by_flat @ (flat_by_rotated / depth[:, :, None])
    by_point = by_rotated @ matrix
    by_radial = (w * focal)[:, :, None] * flat[:, :, None] * np.concatenate([rsq, rsq**2], axis=1)[:, None, :]
    by_weight = flat * scale * focal + cameras[:, 7:9] - features
    return np.concatenate(
        [
            by_rotated @ by_r,
            -by_point,
            (w * flat * scale)[:, :, None],
            w[:, :, None] * np.eye(2),
            by_radial,
            by_point,
            by_weight[:, :, None],
        ],
        axis=2,
    )


def gather_observations(cameras, points, weights, observations, features):
    """The arguments of :func:`ba`: the camera and the point of each observation, gathered.

    Parameters
    ----------
    cameras : ndarray (n, 11)
    points : ndarray (m, 3)
    weights : ndarray (p,)
    observations : ndarray of int (p, 2)
        Of each observation the number of its camera and of its point.
    features : ndarray (p, 2)

    Returns
    -------
    tuple of ndarray
        cameras (p, 11), points (p, 3), weights (p,), features (p, 2).

    Examples
    --------
    >>> import numpy as np
    >>> from dualad import problems
    >>> seen = np.array([[0, 0], [0, 1], [1, 1]])
    >>> args = problems.gather_observations(np.ones((2, 11)), np.ones((2, 3)), np.ones(3), seen, np.ones((3, 2)))
    >>> [part.shape for part in args]
    [(3, 11), (3, 3), (3,), (3, 2)]
    """
    return cameras[observations[:, 0]], points[observations[:, 1]], weights, features


def ba_args(observations, seed):
    """Random cameras that all look at random points about 10 away."""
    rng = np.random.default_rng(seed)
    p = observations
    columns = [rng.normal(scale=0.3, size=(p, 3)), rng.normal(scale=0.5, size=(p, 3)), rng.uniform(400.0, 600.0, (p, 1)),
               rng.normal(scale=5.0, size=(p, 2)), rng.normal(scale=0.05, size=(p, 2))]  # fmt: skip
    cameras = np.concatenate(columns, axis=1)
    points = rng.normal(size=(p, 3)) + np.array([0.0, 0.0, 10.0])
    return cameras, points, rng.uniform(0.2, 1.0, p), rng.uniform(0.0, 1000.0, (p, 2))


def read_ba(path):
    """A bundle adjustment from an ADBench file ``baI_nN_mM_pP.txt``.

    The file holds one camera, point, weight and feature, each repeated to the stated count; observation i
    joins camera i mod n and point i mod m. :func:`gather_observations` makes the arguments of :func:`ba`.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    tuple of ndarray
        cameras (n, 11), points (m, 3), weights (p,), observations (p, 2) of int, features (p, 2).

    Raises
    ------
    ValueError, OSError
        The file holds another number of numbers than its first line says; it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from dualad import problems
    >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    ...     print("2 3 6", file=file)
    ...     print("0.5 " * 17, file=file, flush=True)
    ...     [part.shape for part in problems.read_ba(file.name)]
    [(2, 11), (3, 3), (6,), (6, 2), (6, 2)]
    """
    with open(path, encoding="ascii") as file:
        n, m, p = map(int, file.readline().split())
        numbers = np.array(file.read().split(), dtype=float)
    if len(numbers) != 17:
        raise ValueError(f"{path}: {len(numbers)} numbers after the first line, not the 17 of a replicated BA instance")
    camera, point, weight, feature = np.split(numbers, (11, 14, 15))
    observations = np.stack([np.arange(p) % n, np.arange(p) % m], axis=1)
    return np.tile(camera, (n, 1)), np.tile(point, (m, 1)), np.full(p, weight[0]), observations, np.tile(feature, (p, 1))


# --- Character LSTM -----------------------------------------------------------------------------------------


def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm(main, extra, state, sequence):
    """Mean negative log likelihood of each next character under a stack of elementwise LSTM cells.

    Parameters
    ----------
    main : ndarray (2 layers, 4 bits)
        Weights and biases of the four gates, a pair of rows a layer.
    extra : ndarray (3, bits)
        Input weights, output weights, output biases.
    state : ndarray (2 layers, bits)
        Hidden and cell state, a pair of rows a layer.
    sequence : ndarray (characters, bits)

    Notes
    -----
    The normaliser is log(2 + sum(exp(y))): ADBench's sum starts at 2, and so does this one.
    """
    bits = sequence.shape[1]
    layers = len(main) // 2
    hidden = [state[2 * i] for i in range(layers)]
    cell = [state[2 * i + 1] for i in range(layers)]
    total = 0.0
    for t in range(len(sequence) - 1):
        x = sequence[t] * extra[0]
        for i in range(layers):
            gates = np.concatenate((x, hidden[i], x, hidden[i])) * main[2 * i] + main[2 * i + 1]
            forget, ingate, outgate = (
                _sigmoid(gates[:bits]),
                _sigmoid(gates[bits : 2 * bits]),
                _sigmoid(gates[2 * bits : 3 * bits]),
            )
            cell[i] = cell[i] * forget + ingate * np.tanh(gates[3 * bits :])
            hidden[i] = outgate * np.tanh(cell[i])
            x = hidden[i]
        y = x * extra[1] + extra[2]
        total = total + np.sum(sequence[t + 1] * (y - np.log(2.0 + np.sum(np.exp(y)))))
    return -total / ((len(sequence) - 1) * bits)


def lstm_gradient(main, extra, state, sequence):
    """Back-propagation through time by hand, with respect to `main` and `extra`."""
    bits, layers, steps = sequence.shape[1], len(main) // 2, len(sequence) - 1
    scale = -1.0 / (steps * bits)
    hidden, cell = [list(state[::2])], [list(state[1::2])]
    trace = []
    for t in range(steps):
        x = sequence[t] * extra[0]
        now_hidden, now_cell, rows = [], [], []
        for i in range(layers):
            fed = np.concatenate((x, hidden[-1][i], x, hidden[-1][i]))
            gates = fed * main[2 * i] + main[2 * i + 1]
            opened, change = _sigmoid(gates[: 3 * bits]), np.tanh(gates[3 * bits :])
            now_cell.append(cell[-1][i] * opened[:bits] + opened[bits : 2 * bits] * change)
            now_hidden.append(opened[2 * bits :] * np.tanh(now_cell[-1]))
            rows.append((fed, opened, change))
            x = now_hidden[-1]
        hidden.append(now_hidden)
        cell.append(now_cell)
        trace.append(rows)
    by_main, by_extra = np.zeros_like(main), np.zeros_like(extra)
    by_hidden, by_cell = np.zeros((layers, bits)), np.zeros((layers, bits))
    for t in reversed(range(steps)):
        top, gold = hidden[t + 1][-1], sequence[t + 1]
        grown = np.exp(top * extra[1] + extra[2])
        by_y = scale * (gold - np.sum(gold) * grown / (2.0 + np.sum(grown)))
        by_extra[1] += by_y * top
        by_extra[2] += by_y
        by_x = by_y * extra[1]
        for i in reversed(range(layers)):
            fed, opened, change = trace[t][i]
            forget, ingate, outgate = opened[:bits], opened[bits : 2 * bits], opened[2 * bits :]
            squashed = np.tanh(cell[t + 1][i])
            by_out = by_hidden[i] + by_x
            down = by_cell[i] + by_out * outgate * (1.0 - squashed**2)
            by_open = np.concatenate((down * cell[t][i], down * change, by_out * squashed)) * opened * (1.0 - opened)
            by_gates = np.concatenate((by_open, down * ingate * (1.0 - change**2)))
            by_main[2 * i] += by_gates * fed
            by_main[2 * i + 1] += by_gates
            by_fed = (by_gates * main[2 * i]).reshape(4, bits)
            by_cell[i], by_hidden[i], by_x = down * forget, by_fed[1] + by_fed[3], by_fed[0] + by_fed[2]
        by_extra[0] += by_x * sequence[t]
    return by_main, by_extra


def lstm_args(characters, seed, layers=2, bits=14):
    """Random parameters and state in [0, 1), as ADBench draws them, and random characters as rows of bits."""
    rng = np.random.default_rng(seed)
    sequence = rng.integers(0, 2, (characters, bits)).astype(float)
    return (
        rng.uniform(size=(2 * layers, 4 * bits)),
        rng.uniform(size=(3, bits)),
        rng.uniform(size=(2 * layers, bits)),
        sequence,
    )


def read_lstm(path):
    """Arguments of :func:`lstm` from an ADBench file ``lstm_lL_cC.txt``.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    tuple of ndarray
        main (2 l, 4 b), extra (3, b), state (2 l, b), sequence (c, b): l layers of b bits, c characters.

    Raises
    ------
    ValueError, OSError
        The file holds another number of numbers than its first line says; it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from dualad import problems
    >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    ...     print("1 2 3", file=file)
    ...     print("0.5 " * (2 * 12 + 3 * 3 + 2 * 3 + 2 * 3), file=file, flush=True)
    ...     [part.shape for part in problems.read_lstm(file.name)]
    [(2, 12), (3, 3), (2, 3), (2, 3)]
    """
    with open(path, encoding="ascii") as file:
        layers, characters, bits = map(int, file.readline().split())
        numbers = np.array(file.read().split(), dtype=float)
    shapes = ((2 * layers, 4 * bits), (3, bits), (2 * layers, bits), (characters, bits))
    sizes = [rows * columns for rows, columns in shapes]
    if len(numbers) != sum(sizes):
        wanted = f"{layers} layers of {bits} bits and {characters} characters need {sum(sizes)}"
        raise ValueError(f"{path}: {len(numbers)} numbers after the first line; {wanted}")
    parts = np.split(numbers, np.cumsum(sizes[:-1]))
    return tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))


PROBLEMS = (
    Problem(
        "gmm",
        gmm,
        gmm_args,
        "gradient",
        gmm_gradient,
        "n K d^2 for n points (K=5, d=2 unless asked)",
        (6, 1000),
        (0, 1, 2),
        None,
        frozenset({"array", "adbench"}),
    ),
    Problem(
        "ba",
        ba,
        ba_args,
        "blocks",
        ba_blocks,
        "about 60 passes over n observations",
        (3, 31843),
        (0, 1, 2),
        None,
        frozenset({"array", "adbench"}),
    ),
    Problem(
        "lstm",
        lstm,
        lstm_args,
        "gradient",
        lstm_gradient,
        "about 45 NumPy calls of 14-56 elements a character",
        (4, 64),
        (0, 1),
        None,
        frozenset({"array", "adbench", "network"}),
    ),
)
