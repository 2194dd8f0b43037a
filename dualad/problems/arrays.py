"""Problems in vectorised NumPy: elementwise sums, products with matrices, small networks, option prices."""

from __future__ import annotations

import math

import numpy as np

from dualad import numpy as dnp

from .problem import Problem, plain_numpy_module
from .scalar import SQRT2, helmholtz_args, helmholtz_gradient, rosenbrock_gradient


def rosenbrock_sliced(x):
    """Rosenbrock's valley from two slices of `x`, shape (n,)."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def sum_sin_exp(x):
    """sum(sin x * exp x), two transcendental functions an element."""
    return np.sum(np.sin(x) * np.exp(x))


def sum_sin_exp_gradient(x):
    return (np.cos(x) + np.sin(x)) * np.exp(x)


def logsumexp(x):
    """log sum exp, shifted by the maximum."""
    shift = np.max(x)
    return shift + np.log(np.sum(np.exp(x - shift)))


def softmax(x):
    """The gradient of :func:`logsumexp`."""
    weights = np.exp(x - np.max(x))
    return weights / np.sum(weights)


def helmholtz(x, b, a):
    """Helmholtz energy of a mixed fluid (Baydin et al. 2018, section 5; RT = 1), vectorised."""
    bx = np.dot(b, x)
    entropy = np.sum(x * np.log(x / (1.0 - bx)))
    ratio = np.log((1.0 + (1.0 + SQRT2) * bx) / (1.0 + (1.0 - SQRT2) * bx))
    return entropy - np.dot(x, a @ x) / (math.sqrt(8.0) * bx) * ratio


def logistic_regression(w, x, y):
    """Mean cross-entropy of labels `y` (N,) under sigmoid(x @ w); by logaddexp, so it never overflows."""
    z = x @ w
    return np.mean(np.logaddexp(0.0, z) - y * z)


def logistic_regression_gradient(w, x, y):
    return x.T @ (1.0 / (1.0 + np.exp(-(x @ w))) - y) / len(y)


def mlp(params, x, y):
    """Mean squared error of a network with one tanh layer and one output; `params` is [W1, b1, W2, b2]."""
    w1, b1, w2, b2 = params
    hidden = np.tanh(x @ w1 + b1)
    return np.mean((hidden @ w2 + b2 - y) ** 2)


def mlp_gradient(params, x, y):
    w1, b1, w2, b2 = params
    hidden = np.tanh(x @ w1 + b1)
    residual = hidden @ w2 + b2 - y
    by_out = 2.0 * residual / residual.size
    by_hidden = (by_out @ w2.T) * (1.0 - hidden**2)
    return [x.T @ by_hidden, by_hidden.sum(0), hidden.T @ by_out, by_out.sum(0)]


def mlp_softmax(params, x, onehot):
    """Mean cross-entropy of a network with one tanh layer and a softmax; `params` is [W1, b1, W2, b2]."""
    w1, b1, w2, b2 = params
    hidden = np.tanh(x @ w1 + b1)
    z = hidden @ w2 + b2
    shift = np.max(z, axis=1, keepdims=True)
    logp = z - shift - np.log(np.sum(np.exp(z - shift), axis=1, keepdims=True))
    return -np.sum(onehot * logp) / len(x)


def mlp_softmax_gradient(params, x, onehot):
    w1, b1, w2, b2 = params
    hidden = np.tanh(x @ w1 + b1)
    z = hidden @ w2 + b2
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    by_z = (p - onehot) / len(x)
    by_hidden = (by_z @ w2.T) * (1.0 - hidden**2)
    return [x.T @ by_hidden, by_hidden.sum(0), hidden.T @ by_z, by_z.sum(0)]


def network_args(n, seed, inputs=10, hidden=20, outputs=1):
    """Parameters and `n` rows of data for :func:`mlp`: [W1, b1, W2, b2], x (n, inputs), y (n, outputs)."""
    rng = np.random.default_rng(seed)
    params = [
        rng.normal(size=(inputs, hidden)) / math.sqrt(inputs),
        0.1 * rng.normal(size=hidden),
        rng.normal(size=(hidden, outputs)) / math.sqrt(hidden),
        0.1 * rng.normal(size=outputs),
    ]
    return params, rng.normal(size=(n, inputs)), rng.normal(size=(n, outputs))


def softmax_network_args(hidden, seed):
    """Parameters and data of :func:`mlp_softmax` in proportion: 256 x 784 - 512 - 10 at ``hidden = 512``."""
    classes = min(10, hidden)
    rows = max(2, hidden // 2)
    params, x, _ = network_args(rows, seed, max(3, 784 * hidden // 512), hidden, classes)
    labels = np.random.default_rng(seed + 1).integers(0, classes, rows)
    return params, x, np.eye(classes)[labels]


def black_scholes(spot, strike, years, rate, vol, m=dnp):
    """Sum of European call prices (Black and Scholes 1973); five arrays (n,); the normal cdf by erf."""
    root = vol * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * vol**2) * years) / root
    d2 = d1 - root
    cdf1 = 0.5 + 0.5 * m.erf(d1 / SQRT2)
    cdf2 = 0.5 + 0.5 * m.erf(d2 / SQRT2)
    return np.sum(spot * cdf1 - strike * np.exp(-rate * years) * cdf2)


TANH_SLOPE = math.sqrt(2.0 / math.pi)


def black_scholes_tanh(spot, strike, years, rate, vol):
    """The same with the normal cdf as 0.5 + 0.5 tanh(sqrt(2/pi) (d + 0.044715 d^3)): plain NumPy only."""
    root = vol * np.sqrt(years)
    d1 = (np.log(spot / strike) + (rate + 0.5 * vol**2) * years) / root
    d2 = d1 - root
    cdf1 = 0.5 + 0.5 * np.tanh(TANH_SLOPE * d1 * (1.0 + 0.044715 * d1 * d1))
    cdf2 = 0.5 + 0.5 * np.tanh(TANH_SLOPE * d2 * (1.0 + 0.044715 * d2 * d2))
    return np.sum(spot * cdf1 - strike * np.exp(-rate * years) * cdf2)


def _normal(d):
    return 0.5 + 0.5 * plain_numpy_module().erf(d / SQRT2), np.exp(-0.5 * d**2) / math.sqrt(2.0 * math.pi)


def _normal_tanh(d):
    t = np.tanh(TANH_SLOPE * d * (1.0 + 0.044715 * d * d))
    return 0.5 + 0.5 * t, 0.5 * (1.0 - t**2) * TANH_SLOPE * (1.0 + 3 * 0.044715 * d**2)


def _greeks(distribution):
    """Gradients of the price for any cdf and its density (delta, strike, theta, rho, vega)."""

    def gradient(spot, strike, years, rate, vol):
        root = vol * np.sqrt(years)
        d1 = (np.log(spot / strike) + (rate + 0.5 * vol**2) * years) / root
        d2 = d1 - root
        (cdf1, pdf1), (cdf2, pdf2) = distribution(d1), distribution(d2)
        discounted = strike * np.exp(-rate * years)
        by_d1, by_d2 = spot * pdf1, -discounted * pdf2
        d1_by_years = (rate + 0.5 * vol**2) / root - 0.5 * d1 / years
        d1_by_vol = vol * years / root - d1 / vol
        return (
            cdf1 + (by_d1 + by_d2) / (spot * root),
            -np.exp(-rate * years) * cdf2 - (by_d1 + by_d2) / (strike * root),
            rate * discounted * cdf2 + by_d1 * d1_by_years + by_d2 * (d1_by_years - 0.5 * vol / np.sqrt(years)),
            years * discounted * cdf2 + (by_d1 + by_d2) * years / root,
            by_d1 * d1_by_vol + by_d2 * (d1_by_vol - np.sqrt(years)),
        )

    return gradient


black_scholes_gradient = _greeks(_normal)
black_scholes_tanh_gradient = _greeks(_normal_tanh)


def option_args(n, seed):
    """spot, strike, years, rate, vol: five arrays (n,)."""
    rng = np.random.default_rng(seed)
    ranges = ((80.0, 120.0), (80.0, 120.0), (0.25, 2.0), (0.01, 0.05), (0.1, 0.4))
    return tuple(rng.uniform(low, high, n) for low, high in ranges)


def tanh_sin(x, a, b):
    """tanh(Ax) sin(Bx) + exp(-Ax), R^n -> R^m: the Jacobian family."""
    ax = a @ x
    return np.tanh(ax) * np.sin(b @ x) + np.exp(-ax)


def tanh_sin_jacobian(x, a, b):
    ax, bx = a @ x, b @ x
    t = np.tanh(ax)
    return ((1.0 - t**2) * np.sin(bx) - np.exp(-ax))[:, None] * a + (t * np.cos(bx))[:, None] * b


def tanh_sin_args(n, seed, outputs=None):
    """x (n,), A and B (m, n), scaled so that Ax and Bx are of order one; m is `outputs`, or n."""
    rng = np.random.default_rng(seed)
    m = n if outputs is None else outputs
    return rng.normal(size=n), rng.normal(size=(m, n)) / math.sqrt(n), rng.normal(size=(m, n)) / math.sqrt(n)


def _normals(n, seed):
    return (np.random.default_rng(seed).normal(size=n),)


def _regression_args(n, seed, features=5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features))
    return rng.normal(size=features), x, (rng.uniform(size=n) < 0.5).astype(float)


def _rosenbrock_args(n, seed):
    return (np.random.default_rng(seed).uniform(-1.2, 1.2, n),)


def _array(name, f, make, closed_form, cost, sizes, *tags, kind="gradient", argnums=0, namespace=None):
    return Problem(name, f, make, kind, closed_form, cost, sizes, argnums, namespace, frozenset({"array", *tags}))


PROBLEMS = (
    _array(
        "rosenbrock_sliced",
        rosenbrock_sliced,
        _rosenbrock_args,
        rosenbrock_gradient,
        "8 passes over n elements",
        (5, 1000),
    ),
    _array(
        "sum_sin_exp",
        sum_sin_exp,
        _normals,
        sum_sin_exp_gradient,
        "sin, exp, multiply, sum over n",
        (4, 1000),
    ),
    _array("logsumexp", logsumexp, _normals, softmax, "max, subtract, exp, sum over n", (4, 1000000)),
    _array(
        "helmholtz",
        helmholtz,
        helmholtz_args,
        helmholtz_gradient,
        "one n x n product, 5 passes over n",
        (4, 100),
    ),
    _array(
        "logistic_regression",
        logistic_regression,
        _regression_args,
        logistic_regression_gradient,
        "one n x 5 product, 4 passes over n",
        (6, 20),
    ),
    _array("mlp", mlp, network_args, mlp_gradient, "two products: n x 10 x 20 and n x 20 x 1", (3, 16), "network"),
    _array(
        "mlp_softmax",
        mlp_softmax,
        softmax_network_args,
        mlp_softmax_gradient,
        "two products: n/2 x 1.53 n x n and n/2 x n x 10",
        (4, 512),
        "network",
    ),
    _array(
        "black_scholes",
        black_scholes,
        option_args,
        black_scholes_gradient,
        "log, sqrt, exp, 2 erf, 18 passes over n",
        (5, 1000000),
        argnums=(0, 1, 2, 3, 4),
        namespace="numpy",
    ),
    _array(
        "black_scholes_tanh",
        black_scholes_tanh,
        option_args,
        black_scholes_tanh_gradient,
        "log, sqrt, exp, 2 tanh, 26 passes over n",
        (5, 1000000),
        argnums=(0, 1, 2, 3, 4),
    ),
    _array(
        "tanh_sin",
        tanh_sin,
        tanh_sin_args,
        tanh_sin_jacobian,
        "two n x n products, 5 passes over n",
        (4, 100),
        kind="jacobian",
    ),
)
