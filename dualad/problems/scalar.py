"""Problems on Python floats: loops, branches and lists, one operation at a time.

Every function takes the module of its elementary functions as ``m``: `dualad.math` by default, Python's
`math` for the plain run. The recurrences are chosen so that the derivative neither vanishes nor explodes
over the usual length: a wrong rule then shows in the result and a finite difference can see it.
"""

from __future__ import annotations

import math

import numpy as np

from dualad import math as dmath

from .problem import Problem

SQRT2 = math.sqrt(2.0)


def newton_sqrt(a, steps, m=dmath):
    """Square root by `steps` Newton iterations."""
    x = a
    for _ in range(steps):
        x = 0.5 * (x + a / x)
    return x


def newton_sqrt_while(a, m=dmath):
    """Square root by Newton iterations until the step is below 1e-10: how many depends on `a`."""
    x = a
    step = 1.0
    while abs(step) > 1e-10:
        step = 0.5 * (x - a / x)
        x = x - step
    return x


def newton_sqrt_derivative(a, steps=None):
    """1 / (2 sqrt a): the iteration has converged."""
    return 0.5 / math.sqrt(a)


def kepler(mean, ecc, steps, m=dmath):
    """Eccentric anomaly E with E - ecc sin E = mean, by `steps` Newton iterations."""
    e = mean
    for _ in range(steps):
        e = e - (e - ecc * m.sin(e) - mean) / (1.0 - ecc * m.cos(e))
    return e


def kepler_while(mean, ecc, m=dmath):
    """Eccentric anomaly, Newton iterations until the step is below 1e-10."""
    e = mean
    step = 1.0
    while abs(step) > 1e-10:
        step = (e - ecc * m.sin(e) - mean) / (1.0 - ecc * m.cos(e))
        e = e - step
    return e


def kepler_derivative(mean, ecc, steps=None):
    """dE/dmean = 1 / (1 - ecc cos E), by the implicit function theorem."""
    return 1.0 / (1.0 - ecc * math.cos(kepler_while(mean, ecc, m=math)))


def horner(x, coeffs, m=dmath):
    """The polynomial with `coeffs` (highest first) at `x`, by Horner's rule."""
    y = coeffs[0]
    for c in coeffs[1:]:
        y = y * x + c
    return y


def horner_derivative(x, coeffs):
    degree = len(coeffs) - 1
    return math.fsum((degree - i) * c * x ** (degree - i - 1) for i, c in enumerate(coeffs[:-1]))


def sin_exp_chain(x, passes, m=dmath):
    """`passes` times x -> sin(exp(x) - 1), then sin(exp(x)): 3 passes + 2 operations in one chain."""
    for _ in range(passes):
        x = m.sin(m.exp(x) - 1.0)
    return m.sin(m.exp(x))


def sin_exp_chain_derivative(x, passes):
    product = 1.0
    for _ in range(passes):
        grown = math.exp(x)
        product *= math.cos(grown - 1.0) * grown
        x = math.sin(grown - 1.0)
    return product * math.cos(math.exp(x)) * math.exp(x)


def logistic_map(x, rate, steps, m=dmath):
    """`steps` times x -> rate x (1 - x). At rate 3 the fixed point has multiplier -1: no decay, no chaos."""
    for _ in range(steps):
        x = rate * x * (1.0 - x)
    return x


def logistic_map_derivative(x, rate, steps):
    product = 1.0
    for _ in range(steps):
        product *= rate * (1.0 - 2.0 * x)
        x = rate * x * (1.0 - x)
    return product


def rosenbrock(x, m=dmath):
    """Rosenbrock's valley in n dimensions, a loop over a list of floats or over ``x[i]`` of an array."""
    total = 0.0
    for i in range(len(x) - 1):
        total = total + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def rosenbrock_gradient(x, m=None):
    values = np.asarray(x, dtype=float)
    rise = values[1:] - values[:-1] ** 2
    gradient = np.zeros(len(values))
    gradient[:-1] += -400.0 * values[:-1] * rise - 2.0 * (1.0 - values[:-1])
    gradient[1:] += 200.0 * rise
    return list(gradient) if isinstance(x, list) else gradient


def speelpenning(x, m=dmath):
    """The product of all entries, Speelpenning's (1980) example of a cheap gradient."""
    product = 1.0
    for factor in x:
        product = product * factor
    return product


def speelpenning_gradient(x):
    """Products of all the others, as prefix times suffix products (no division: a zero entry is fine)."""
    values = np.asarray(x, dtype=float)
    before = np.concatenate([[1.0], np.cumprod(values[:-1])])
    after = np.concatenate([np.cumprod(values[:0:-1])[::-1], [1.0]])
    return list(before * after)


def lorenz_rk4(start, steps, m=dmath):
    """x after `steps` Runge-Kutta steps of 0.001 of Lorenz's equations from [x, y, z, sigma, rho, beta]."""
    x, y, z, sigma, rho, beta = start
    h = 0.001
    for _ in range(steps):
        ax, ay, az = sigma * (y - x), x * (rho - z) - y, x * y - beta * z
        u, v, w = x + 0.5 * h * ax, y + 0.5 * h * ay, z + 0.5 * h * az
        bx, by, bz = sigma * (v - u), u * (rho - w) - v, u * v - beta * w
        u, v, w = x + 0.5 * h * bx, y + 0.5 * h * by, z + 0.5 * h * bz
        cx, cy, cz = sigma * (v - u), u * (rho - w) - v, u * v - beta * w
        u, v, w = x + h * cx, y + h * cy, z + h * cz
        dx, dy, dz = sigma * (v - u), u * (rho - w) - v, u * v - beta * w
        x = x + h / 6.0 * (ax + 2.0 * bx + 2.0 * cx + dx)
        y = y + h / 6.0 * (ay + 2.0 * by + 2.0 * cy + dy)
        z = z + h / 6.0 * (az + 2.0 * bz + 2.0 * cz + dz)
    return x


def lorenz_rk4_gradient(start, steps):
    """The variational equations S' = F_x S + F_p by the same scheme: the exact discrete derivative."""
    state = np.array(start[:3], dtype=float)
    sigma, rho, beta = start[3:]
    h = 0.001
    tangents = np.hstack([np.eye(3), np.zeros((3, 3))])

    def slope(s, ds):
        x, y, z = s
        f = np.array([sigma * (y - x), x * (rho - z) - y, x * y - beta * z])
        by_state = np.array([[-sigma, sigma, 0.0], [rho - z, -1.0, -x], [y, x, -beta]])
        df = by_state @ ds
        df[0, 3] += y - x
        df[1, 4] += x
        df[2, 5] -= z
        return f, df

    for _ in range(steps):
        a, da = slope(state, tangents)
        b, db = slope(state + 0.5 * h * a, tangents + 0.5 * h * da)
        c, dc = slope(state + 0.5 * h * b, tangents + 0.5 * h * db)
        d, dd = slope(state + h * c, tangents + h * dc)
        state = state + h / 6.0 * (a + 2.0 * b + 2.0 * c + d)
        tangents = tangents + h / 6.0 * (da + 2.0 * db + 2.0 * dc + dd)
    return list(tangents[0])


def helmholtz_loop(x, b, a, m=dmath):
    """Helmholtz energy of a mixed fluid (Baydin et al. 2018, section 5; RT = 1), loops over lists."""
    n = len(x)
    bx = 0.0
    entropy = 0.0
    quadratic = 0.0
    for i in range(n):
        bx = bx + b[i] * x[i]
    for i in range(n):
        entropy = entropy + x[i] * m.log(x[i] / (1.0 - bx))
        row = 0.0
        for j in range(n):
            row = row + a[i][j] * x[j]
        quadratic = quadratic + x[i] * row
    ratio = m.log((1.0 + (1.0 + SQRT2) * bx) / (1.0 + (1.0 - SQRT2) * bx))
    return entropy - quadratic / (math.sqrt(8.0) * bx) * ratio


def helmholtz_gradient(x, b, a):
    is_list = isinstance(x, list)
    x, b, a = np.asarray(x), np.asarray(b), np.asarray(a)
    bx, quadratic, root8 = b @ x, x @ a @ x, math.sqrt(8.0)
    ratio = math.log((1.0 + (1.0 + SQRT2) * bx) / (1.0 + (1.0 - SQRT2) * bx))
    ratio_by_bx = (1.0 + SQRT2) / (1.0 + (1.0 + SQRT2) * bx) - (1.0 - SQRT2) / (1.0 + (1.0 - SQRT2) * bx)
    entropy = np.log(x / (1.0 - bx)) + 1.0 + np.sum(x) * b / (1.0 - bx)
    attraction = (a + a.T) @ x * ratio / bx - quadratic * b * ratio / bx**2 + quadratic * b * ratio_by_bx / bx
    gradient = entropy - attraction / root8
    return list(gradient) if is_list else gradient


def helmholtz_args(n, seed):
    """Mole fractions that sum to 0.5, co-volumes, a symmetric interaction matrix; arrays."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.5, 1.5, n)
    x *= 0.5 / x.sum()
    b = rng.uniform(0.2, 0.8, n)
    a = rng.uniform(0.1, 1.0, (n, n))
    return x, b, 0.5 * (a + a.T)


def _helmholtz_lists(n, seed):
    return tuple(part.tolist() for part in helmholtz_args(n, seed))


def _uniform(low, high):
    def make(n, seed):
        return float(np.random.default_rng(seed).uniform(low, high)), n

    return make


def _floats(low, high):
    def make(n, seed):
        return (np.random.default_rng(seed).uniform(low, high, n).tolist(),)

    return make


def _kepler_args(n, seed):
    return float(np.random.default_rng(seed).uniform(0.5, 2.5)), 0.6, n


def _horner_args(n, seed):
    rng = np.random.default_rng(seed)
    return float(rng.uniform(0.9, 0.99)), rng.uniform(-1.0, 1.0, n + 1).tolist()


def _logistic_map_args(n, seed):
    return float(np.random.default_rng(seed).uniform(0.2, 0.4)), 3.0, n


def _lorenz_args(n, seed):
    rng = np.random.default_rng(seed)
    return [*rng.uniform(0.8, 1.2, 3).tolist(), 10.0, 28.0, 8.0 / 3.0], n


def _rosenbrock_array(n, seed):
    return (np.random.default_rng(seed).uniform(-1.2, 1.2, n),)


def _scalar(name, f, make, closed_form, cost, sizes, *tags, kind="derivative"):
    return Problem(name, f, make, kind, closed_form, cost, sizes, 0, "math", frozenset({"scalar", *tags}))


PROBLEMS = (
    _scalar("newton_sqrt", newton_sqrt, _uniform(1.5, 4.0), newton_sqrt_derivative, "3 n operations", (6, 20)),
    _scalar(
        "newton_sqrt_while",
        newton_sqrt_while,
        lambda n, seed: _uniform(1.5, 4.0)(n, seed)[:1],
        newton_sqrt_derivative,
        "4 operations a pass, about 6 passes",
        (1, 1),
        "while",
    ),
    _scalar("kepler", kepler, _kepler_args, kepler_derivative, "9 n operations", (7, 10)),
    _scalar(
        "kepler_while",
        kepler_while,
        lambda n, seed: _kepler_args(n, seed)[:2],
        kepler_derivative,
        "9 operations a pass, about 5 passes",
        (1, 1),
        "while",
    ),
    _scalar("horner", horner, _horner_args, horner_derivative, "2 n operations, degree n", (5, 60)),
    _scalar(
        "sin_exp_chain",
        sin_exp_chain,
        lambda n, seed: (-_uniform(0.3, 0.6)(n, seed)[0], n),
        sin_exp_chain_derivative,
        "3 n + 2 operations",
        (4, 66),
    ),
    _scalar("logistic_map", logistic_map, _logistic_map_args, logistic_map_derivative, "3 n operations", (6, 100)),
    _scalar(
        "rosenbrock",
        rosenbrock,
        _floats(-1.2, 1.2),
        rosenbrock_gradient,
        "8 (n - 1) operations",
        (5, 1000),
        "loop",
        kind="gradient",
    ),
    Problem(
        "rosenbrock_indexed",
        rosenbrock,
        _rosenbrock_array,
        "gradient",
        rosenbrock_gradient,
        "8 (n - 1) operations on x[i] of an array",
        (5, 10000),
        0,
        "math",
        frozenset({"array", "loop"}),
    ),
    _scalar(
        "speelpenning",
        speelpenning,
        _floats(0.9, 1.1),
        speelpenning_gradient,
        "n multiplications",
        (5, 1000),
        "loop",
        kind="gradient",
    ),
    _scalar(
        "lorenz_rk4",
        lorenz_rk4,
        _lorenz_args,
        lorenz_rk4_gradient,
        "73 n operations",
        (20, 1000),
        "ode",
        kind="gradient",
    ),
    _scalar(
        "helmholtz_loop",
        helmholtz_loop,
        _helmholtz_lists,
        helmholtz_gradient,
        "2 n^2 + 9 n + 10 operations",
        (4, 16),
        "loop",
        kind="gradient",
    ),
)
