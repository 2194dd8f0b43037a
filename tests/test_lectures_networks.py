"""Worked examples of back-propagation: computation graphs, logistic regression, neural networks, training.

Each test carries the id of the example it proves in its name. Closed forms are evaluated in double precision
and must agree to 1e-12 relative; figures given with d digits must agree to half a unit of the last one.
Costs are counted.
"""

# ruff: noqa: N802 - the ids are written as in the list of examples

import itertools
import math

import numpy as np
import pytest

import dualad as da

forward_and_reverse = pytest.mark.parametrize("d", [da.derivative, da.grad], ids=["forward", "reverse"])
both_jacobians = pytest.mark.parametrize("jac", [da.jacfwd, da.jacrev], ids=["jacfwd", "jacrev"])


def close(got, want):
    """Same shape and equal to 1e-12 relative."""
    assert np.shape(got) == np.shape(want)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=0)


def printed(got, figure, digits):
    """Equal to a figure given with so many decimals."""
    assert abs(got - figure) <= 0.5 * 10.0**-digits


@pytest.fixture
def rng():
    return np.random.default_rng(13)


def sigmoid(a):
    """1 / (1 + exp(-a)) without overflow, and with a derivative that keeps its digits in both tails."""
    return np.exp(-np.logaddexp(0.0, -a))


def log_likelihood(target, y):
    return target * np.log(y) + (1 - target) * np.log(1 - y)


# ---------------------------------------------------------------- likelihoods


def test_L09_bernoulli_likelihood_is_cross_entropy():
    coins = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0])
    loss = lambda p: -np.sum(log_likelihood(coins, p))
    p = 0.3
    close(da.grad(loss)(p), -(np.sum(coins) / p - np.sum(1 - coins) / (1 - p)))
    assert abs(da.grad(loss)(np.mean(coins))) < 1e-13
    assert da.derivative(da.derivative(loss))(float(np.mean(coins))) > 0


def test_L09_gaussian_likelihood_is_least_squares(rng):
    xs, ys, w, s2 = rng.normal(size=(6, 3)), rng.normal(size=6), rng.normal(size=3), 0.6
    loss = lambda w: np.sum((ys - xs @ w) ** 2 / (2 * s2) + 0.5 * np.log(2 * np.pi * s2))
    close(da.grad(loss)(w), -(ys - xs @ w) @ xs / s2)


@both_jacobians
def test_L09_gradient_of_log_sum_exp_is_softmax(jac, rng):
    x = rng.normal(size=5)
    softmax = np.exp(x) / np.sum(np.exp(x))
    log_sum_exp = lambda x: np.max(x) + np.log(np.sum(np.exp(x - np.max(x))))
    close(jac(log_sum_exp)(x), softmax)
    np.testing.assert_allclose(jac(log_sum_exp)(x + 1e4), softmax, rtol=1e-11)  # x + 1e4 itself is rounded
    close(jac(lambda x: np.exp(x) / np.sum(np.exp(x)))(x), np.diag(softmax) - np.outer(softmax, softmax))


# ---------------------------------------------------------------- graphs


@both_jacobians
def test_L17_chain_rule_sums_over_paths(jac):
    h = lambda x: np.array([x[0] * x[1], np.sin(x[0]), np.exp(x[1])])
    g = lambda u: np.array([u[0] * u[1] + u[2], u[1] / u[2]])
    x = np.array([0.8, -0.4])
    u = h(x)
    du_dx = [[x[1], x[0]], [math.cos(x[0]), 0.0], [0.0, math.exp(x[1])]]
    dy_du = [[u[1], u[0], 1.0], [0.0, 1 / u[2], -u[1] / u[2] ** 2]]
    paths = [[math.fsum(dy_du[i][j] * du_dx[j][k] for j in range(3)) for k in range(2)] for i in range(2)]
    close(jac(lambda x: g(h(x)))(x), np.array(paths))


def quiz(x, z):
    return np.exp(x * z) + x * z / np.log(x) + np.sin(np.log(x)) / (x * z)


def test_L18_forward_pass_stores_its_values_once():
    runs = []

    def graph(x, z):
        runs.append(1)
        a = x * z
        b = np.log(x)
        return np.exp(a), a / b, np.sin(b) / a

    out, pullback = da.vjp(graph, 2.0, 3.0)
    a, b = 6.0, math.log(2.0)
    for got, want in zip(out, (math.exp(a), a / b, math.sin(b) / a), strict=True):
        assert got == want
    for seed in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0)):
        dx, dz = pullback(seed)
        close(dz, seed[0] * 2 * math.exp(a) + seed[1] * 2 / b - seed[2] * math.sin(b) / a / 3)
        want = (3 * math.exp(a), 3 / b - a / b**2 / 2, math.cos(b) / 2 / a - math.sin(b) / a / 2)
        close(dx, math.fsum(s * w for s, w in zip(seed, want, strict=True)))
    assert len(runs) == 1


def test_L19_quiz1():
    y, (dx, dz) = da.value_and_grad(quiz, argnums=(0, 1))(2.0, 3.0)
    printed(y, 412.1915, 4)
    printed(dx, 1208.3812, 4)
    printed(dz, 809.7075, 4)
    assert (round(dx), round(dz)) == (1208, 810)
    e, b = math.exp(6.0), math.log(2.0)
    close(dx, 3 * e + 3 / b - 3 / b**2 + math.cos(b) / 12 - math.sin(b) / 12)
    close(dz, 2 * e + 2 / b - math.sin(b) / 18)
    close(da.jvp(quiz, (2.0, 3.0), (1.0, 0.0))[1], dx)
    close(da.jvp(quiz, (2.0, 3.0), (0.0, 1.0))[1], dz)


def cosine_cost(x):
    return np.cos(np.sin(x**2) + 3 * x**2)


@forward_and_reverse
def test_L20_cosine_cost_as_printed(d):
    printed(cosine_cost(1.0), -0.764921, 6)
    printed(d(cosine_cost)(1.0), 4.560792, 6)


@forward_and_reverse
@pytest.mark.parametrize("x", [1.0, 0.3, -1.4])
def test_L20_backward_column_row_by_row(x, d):
    t = x**2
    u = math.sin(t) + 3 * t
    # Each row is the rest of the graph, differentiated at an intermediate value.
    close(d(np.cos)(u), -math.sin(u))
    close(d(lambda u1: np.cos(u1 + 3 * t))(math.sin(t)), -math.sin(u))
    close(d(lambda u2: np.cos(math.sin(t) + u2))(3 * t), -math.sin(u))
    close(d(lambda t: np.cos(np.sin(t) + 3 * t))(t), -math.sin(u) * (math.cos(t) + 3))
    close(d(cosine_cost)(x), -math.sin(u) * (math.cos(t) + 3) * 2 * x)


def test_L40_graph_and_reverse_table():
    x = 1.0
    a = x**2
    b = math.exp(a)
    c = a + b
    d, e = math.sqrt(c), math.cos(c)
    figures = (1, 2.718282, 3.718282, 1.928285, -0.838272, 1.090012)
    for got, figure in zip((a, b, c, d, e, d + e), figures, strict=True):
        printed(got, figure, 6)
    after_c = lambda c: np.sqrt(c) + np.cos(c)
    f = lambda x: after_c(x**2 + np.exp(x**2))
    close(f(x), d + e)
    fc, fb = da.grad(after_c)(c), da.grad(lambda b: after_c(a + b))(b)
    fa, fx = da.grad(lambda a: after_c(a + np.exp(a)))(a), da.grad(f)(x)
    for got, figure in zip((fc, fb, fa, fx), (0.804549, 0.804549, 2.991541, 5.983083), strict=True):
        printed(got, figure, 6)
    want = 1 / (2 * d) - math.sin(c)
    close(fc, want)
    close(fa, want * b + want)
    close(fx, (want * b + want) * 2 * x)
    close(da.derivative(f)(x), fx)


GRAPH = [  # the graph of L40 as (name, inputs, value, partials), in topological order
    ("a", ["x"], lambda x: x * x, [lambda x: 2 * x]),
    ("b", ["a"], math.exp, [math.exp]),
    ("c", ["a", "b"], lambda a, b: a + b, [lambda a, b: 1.0, lambda a, b: 1.0]),
    ("d", ["c"], math.sqrt, [lambda c: 0.5 / math.sqrt(c)]),
    ("e", ["c"], math.cos, [lambda c: -math.sin(c)]),
    ("f", ["d", "e"], lambda d, e: d + e, [lambda d, e: 1.0, lambda d, e: 1.0]),
]


@pytest.mark.parametrize("x", [1.0, -0.6, 1.7])
def test_L25_pulling_and_pushing_give_the_same_adjoints(x):
    values = {"x": x}
    for name, inputs, value, _ in GRAPH:
        values[name] = value(*(values[i] for i in inputs))
    partial = {
        (name, i): p(*(values[j] for j in inputs))
        for name, inputs, _, partials in GRAPH
        for i, p in zip(inputs, partials, strict=True)
    }
    pulled = {"f": 1.0}  # version A: each node asks its consumers
    for v in ["e", "d", "c", "b", "a", "x"]:
        pulled[v] = sum(pulled[name] * partial[name, v] for name, inputs, _, _ in GRAPH if v in inputs)
    pushed = dict.fromkeys(values, 0.0) | {"f": 1.0}  # version B: each node increments its inputs
    for name, inputs, _, _ in reversed(GRAPH):
        for i in inputs:
            pushed[i] += pushed[name] * partial[name, i]
    f = lambda x: np.sqrt(x**2 + np.exp(x**2)) + np.cos(x**2 + np.exp(x**2))
    for v in values:
        close(pulled[v], pushed[v])
    close(da.grad(f)(x), pulled["x"])


@forward_and_reverse
def test_L26_shared_nodes_are_visited_once_not_once_a_path(d):
    nodes = []

    def doubled(x):  # 2**60 paths from x to the result through 60 nodes
        for _ in range(60):
            x = x + x
            nodes.append(1)
        return x

    assert d(doubled)(1.0) == 2.0**60
    assert len(nodes) == 60

    def squared(x):
        for _ in range(10):
            x = x * x
        return x

    close(d(squared)(1.001), 1024 * 1.001**1023)


# ---------------------------------------------------------------- logistic regression and networks


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_L21_logistic_regression(target, rng):
    theta, x = rng.normal(size=4), rng.normal(size=4)
    a = float(theta @ x)
    y = 1 / (1 + math.exp(-a))
    close(da.grad(lambda y: log_likelihood(target, y))(y), target / y + (1 - target) / (y - 1))
    close(da.grad(lambda a: log_likelihood(target, sigmoid(a)))(a), target - y)
    likelihood = lambda theta, x: log_likelihood(target, 1 / (1 + np.exp(-(theta @ x))))
    d_theta, d_x = da.grad(likelihood, argnums=(0, 1))(theta, x)
    close(d_theta, (target - y) * x)
    close(d_x, (target - y) * theta)


@forward_and_reverse
def test_L22_slope_of_the_sigmoid(d):
    for b in (-3.0, -0.5, 0.0, 0.5, 3.0):
        s = 1 / (1 + math.exp(-b))
        close(d(lambda b: 1 / (1 + np.exp(-b)))(b), s * (1 - s))
        close(d(sigmoid)(b), math.exp(-b) / (math.exp(-b) + 1) ** 2)


@forward_and_reverse
def test_L22_stable_sigmoid_keeps_its_digits_in_the_tails(d):
    for b in (40.0, 300.0):
        close(d(sigmoid)(b), math.exp(-b) / (math.exp(-b) + 1) ** 2)
        close(d(sigmoid)(-b), math.exp(-b) / (math.exp(-b) + 1) ** 2)
    assert d(sigmoid)(800.0) == d(sigmoid)(-800.0) == 0


def one_hidden(params, x):
    z = sigmoid(params["alpha"] @ x + params["a0"])
    return sigmoid(params["beta"] @ z + params["b0"])


def one_hidden_gradient(params, x, target):
    """Back-propagation by hand: the gradient of the cross-entropy (the negative log-likelihood)."""
    z = 1 / (1 + np.exp(-(params["alpha"] @ x + params["a0"])))
    y = 1 / (1 + np.exp(-(params["beta"] @ z + params["b0"])))
    db = y - target
    da_ = db * params["beta"] * z * (1 - z)
    return {"alpha": np.outer(da_, x), "a0": da_, "beta": db * z, "b0": db}


def one_hidden_parameters(rng, inputs, hidden):
    return {
        "alpha": rng.normal(size=(hidden, inputs)),
        "a0": rng.normal(size=hidden),
        "beta": rng.normal(size=hidden),
        "b0": 0.3,
    }


def cross_entropy(params, x, target):
    return -log_likelihood(target, one_hidden(params, x))


def test_L22_one_hidden_layer_block_by_block(rng):
    params, x, target = one_hidden_parameters(rng, 4, 3), rng.normal(size=4), 1.0
    by_params, by_x = da.grad(cross_entropy, argnums=(0, 1))(params, x, target)
    want = one_hidden_gradient(params, x, target)
    assert by_params.keys() == want.keys()
    for name in want:
        close(by_params[name], want[name])
    close(by_x, want["a0"] @ params["alpha"])


def test_L23_two_hidden_layers(rng):
    m, d1, d2 = 5, 4, 3
    x, target = rng.normal(size=m), 0.0
    alpha1, b1 = rng.normal(size=(m, d1)), rng.normal(size=d1)
    alpha2, b2 = rng.normal(size=(d1, d2)), rng.normal(size=d2)
    beta, beta0 = rng.normal(size=d2), -0.2

    def loss(alpha1, b1, alpha2, b2, beta, beta0):
        z1 = sigmoid(alpha1.T @ x + b1)
        z2 = sigmoid(alpha2.T @ z1 + b2)
        return -log_likelihood(target, sigmoid(beta @ z2 + beta0))

    got = da.grad(loss, argnums=tuple(range(6)))(alpha1, b1, alpha2, b2, beta, beta0)
    z1 = 1 / (1 + np.exp(-(alpha1.T @ x + b1)))
    z2 = 1 / (1 + np.exp(-(alpha2.T @ z1 + b2)))
    y = 1 / (1 + np.exp(-(beta @ z2 + beta0)))
    d_out = y - target
    d_a2 = d_out * beta * z2 * (1 - z2)
    d_a1 = (alpha2 @ d_a2) * z1 * (1 - z1)
    want = (np.outer(x, d_a1), d_a1, np.outer(z1, d_a2), d_a2, d_out * z2, d_out)
    assert [np.shape(g) for g in got] == [(m, d1), (d1,), (d1, d2), (d2,), (d2,), ()]
    for g, w in zip(got, want, strict=True):
        close(g, w)


def descend(gradient, params, data, rate, epochs):
    """Stochastic gradient descent, one example at a time; the mean cross-entropy after each epoch."""
    history = []
    for _ in range(epochs):
        for x, target in data:
            g = gradient(params, x, target)
            params = {name: params[name] - rate * g[name] for name in params}
        history.append(np.mean([cross_entropy(params, x, target) for x, target in data]))
    return params, history


def two_clouds(rng):
    targets = np.arange(20) % 2
    return [(rng.normal(size=2) + 3 * t - 1.5, float(t)) for t in targets]


def test_L24_stochastic_gradient_descent(rng):
    params, data = one_hidden_parameters(rng, 2, 3), two_clouds(rng)
    trained, history = descend(da.grad(cross_entropy), params, data, 0.5, 5)
    by_hand, history_by_hand = descend(one_hidden_gradient, params, data, 0.5, 5)
    for name in params:
        np.testing.assert_allclose(trained[name], by_hand[name], rtol=1e-11)  # 100 updates of rounding
    np.testing.assert_allclose(history, history_by_hand, rtol=1e-11)
    assert history[-1] < history[0] / 2
    assert all(b < a for a, b in itertools.pairwise(history))


def test_L41_backward_runs_the_function_once_whatever_the_number_of_inputs(rng):
    runs = []

    def f(x):
        runs.append(1)
        return np.sum(np.sin(x) * x)

    for n in (3, 300):
        x = rng.normal(size=n)
        runs.clear()
        gradient = da.grad(f)(x)
        assert len(runs) == 1
        close(gradient, np.cos(x) * x + np.sin(x))
        by_directions = [da.jvp(f, (x,), (e,))[1] for e in np.eye(n)]
        assert len(runs) == 1 + n  # forward, one direction at a time
        close(np.array(by_directions), gradient)


def test_L42_deep_composition_over_a_container_of_parameters(rng):
    widths = [3, 5, 4, 2]
    theta = [(rng.normal(size=(m, n)), rng.normal(size=m)) for n, m in itertools.pairwise(widths)]
    x, y = rng.normal(size=3), rng.normal(size=2)

    def loss(theta):
        f = x
        for a, b in theta:
            f = np.tanh(a @ f + b)
        return np.sum((y - f) ** 2)

    got = da.grad(loss)(theta)
    layers = [x]
    for a, b in theta:
        layers.append(np.tanh(a @ layers[-1] + b))
    delta = -2 * (y - layers[-1])
    want, layerwise = [], list(zip(theta, layers, layers[1:], strict=False))
    for (a, _), before, after in reversed(layerwise):
        delta = delta * (1 - after**2)
        want.insert(0, (np.outer(delta, before), delta))
        delta = a.T @ delta
    assert isinstance(got, list)
    assert [type(layer) for layer in got] == [tuple] * 3
    for (ga, gb), (wa, wb) in zip(got, want, strict=True):
        close(ga, wa)
        close(gb, wb)


def test_E1_the_printed_objective_is_to_be_ascended(rng):
    params, data = one_hidden_parameters(rng, 2, 3), two_clouds(rng)
    as_printed = da.grad(lambda params, x, target: log_likelihood(target, one_hidden(params, x)))
    with_minus = da.grad(cross_entropy)
    x, target = data[0]
    for name in params:
        close(as_printed(params, x, target)[name], -with_minus(params, x, target)[name])
    before = np.mean([cross_entropy(params, x, target) for x, target in data])
    _, worse = descend(as_printed, params, data, 0.05, 3)  # descending the log-likelihood unlearns
    _, better = descend(with_minus, params, data, 0.05, 3)
    assert worse[-1] > worse[0] > before > better[0] > better[-1]
