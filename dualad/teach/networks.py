"""Exercises with graphs and networks: likelihoods, traces forwards and backwards, logistic regression, layers, costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import grad, jacobian
from .exercise import Exercise, Mistake, by, choice, number, shape

__all__ = ["EXERCISES"]

GRAPHS = "computation graphs"
NETWORKS = "networks"
COST = "cost"


def _sigmoid(b: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-b))


def _cross_entropy(theta: Any, x: Any, y: Any) -> Any:
    p = _sigmoid(theta @ x)
    return -(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))


def _one_hidden(alpha: Any, beta: Any, x: Any) -> Any:
    """One hidden layer of sigmoids, one sigmoid on top, cross-entropy for the label 1."""
    return -np.log(_sigmoid(beta @ _sigmoid(alpha @ x)))


def _step(theta: Any, x: Any, y: Any, rate: Any) -> Any:
    return theta - rate * grad(lambda theta: _cross_entropy(theta, x, y))(theta)


def _paths(diamonds: int) -> tuple[int, int]:
    """Ways through a chain of diamonds, and the edges of its graph."""
    ways = 1
    for _ in range(diamonds):
        ways *= 2
    return ways, 4 * diamonds


LAYER = {"alpha": np.array([[0.5, -0.3], [0.8, 0.2]]), "beta": np.array([1.5, -0.7]), "x": np.array([1.0, 2.0])}
LOGISTIC = {"theta": np.array([0.4, -0.6, 0.3]), "x": np.array([1.0, 2.0, -0.5]), "y": 1.0}

EXERCISES = (
    Exercise("softmax", ("L09",), "likelihoods", "f = log(e^x1 + ... + e^xn). Its gradient has a name.",
             {"x": np.array([0.2, 1.0, -0.5])}, {"gradient": by(lambda x: np.log(np.sum(np.exp(x))), "x", "df/dx")}),
    Exercise("bernoulli", ("L09",), "likelihoods", "Of n tries k succeed. L = -(k log p + (n - k) log(1 - p)).",
             {"p": 0.4, "k": 7.0, "n": 10.0}, {
        "dp": by(lambda p, k, n: -(k * np.log(p) + (n - k) * np.log(1.0 - p)), "p", "dL/dp"),
        "best": number("the p with dL/dp = 0", lambda p, k, n: k / n, Mistake("sign", lambda p, k, n: 1.0 - k / n, "of failure"))},
        lambda rng: {"p": rng.uniform(0.2, 0.8), "k": rng.uniform(2.0, 5.0), "n": rng.uniform(6.0, 9.0)}),
    Exercise("gaussian", ("L09",), "likelihoods",
        "L = 1/2 sum_i (y_i - m)^2, the negative log-likelihood of a Gaussian with mean m.",
             {"m": 0.5, "y": np.array([1.0, 2.5, 0.3])}, {"dm": by(lambda m, y: 0.5 * np.sum((y - m) ** 2), "m", "dL/dm")}),
    Exercise("two-paths", ("L17",), GRAPHS, "y = u1 u2 with u1 = x^2 and u2 = sin x. Write dy/dx as a sum over the two paths.",
        {"x": 1.2}, {
        "path1": number("(dy/du1)(du1/dx)", lambda x: float(jacobian(lambda x: x**2)(x) * np.sin(x)),
                        Mistake("chain factor", lambda x: 2.0 * x, "this is du1/dx: times dy/du1"),
                        Mistake("chain factor", lambda x: np.sin(x), "this is dy/du1: times du1/dx")),
        "path2": number("(dy/du2)(du2/dx)", lambda x: float(x**2 * jacobian(np.sin)(x)),
                        Mistake("chain factor", lambda x: np.cos(x), "this is du2/dx: times dy/du2"),
                        Mistake("chain factor", lambda x: x**2, "this is dy/du2: times du2/dx")),
        "total": by(lambda x: x**2 * np.sin(x), "x", "dy/dx")}, lambda rng: {"x": rng.uniform(0.5, 1.5)}),
    Exercise("forward-trace", ("L18", "L20"), GRAPHS,
        "J = cos u, u = u1 + u2, u1 = sin t, u2 = 3t, t = x^2. Fill in the forward pass.", {"x": 1.0}, {
        "u1": number("u1", lambda x: float(np.sin(x**2))), "u": number("u", lambda x: float(np.sin(x**2) + 3.0 * x**2)),
        "J": number("J", lambda x: float(np.cos(np.sin(x**2) + 3.0 * x**2)))}),
    Exercise("backward-trace", ("L20", "L25"), GRAPHS,
        "J = cos u, u = u1 + u2, u1 = sin t, u2 = 3t, t = x^2. Fill in the backward pass.",
             {"x": 1.1}, {
                 "dJdu": number("dJ/du", lambda x: float(grad(np.cos)(np.sin(x**2) + 3.0 * x**2)),
                                Mistake("not differentiated", lambda x: float(np.cos(np.sin(x**2) + 3.0 * x**2)), "this is J")),
                 "dJdt": number("dJ/dt", lambda x: float(grad(lambda t: np.cos(np.sin(t) + 3.0 * t))(x**2)),
                                Mistake("missed path", lambda x: float(3.0 * grad(np.cos)(np.sin(x**2) + 3.0 * x**2)),
                                        "t is used twice: the way over u1 is missing (= instead of +=)"),
                                Mistake("missed path", lambda x: float(np.cos(x**2) * grad(np.cos)(np.sin(x**2) + 3.0 * x**2)),
                                        "t is used twice: the way over u2 is missing (= instead of +=)")),
                 "dJdx": by(lambda x: np.cos(np.sin(x**2) + 3.0 * x**2), "x", "dJ/dx")}),
    Exercise("two-increments", ("L25", "L40"), GRAPHS,
        "f = sqrt(c) + cos(c), c = a + b, b = e^a. Version B of the backward pass adds to df/da "
             "twice. By how much?", {"a": 0.9}, {
                 "first": number("from b = e^a", lambda a: float(np.exp(a) * grad(lambda c: np.sqrt(c) + np.cos(c))(a + np.exp(a))),
                                 Mistake("chain factor", lambda a: float(grad(lambda c: np.sqrt(c) + np.cos(c))(a + np.exp(a))),
                                         "this is the contribution from c = a + b")),
                 "second": number("from c = a + b", lambda a: float(grad(lambda c: np.sqrt(c) + np.cos(c))(a + np.exp(a)))),
                 "total": by(lambda a: np.sqrt(a + np.exp(a)) + np.cos(a + np.exp(a)), "a", "df/da")}),
    Exercise("count-paths", ("L26",), COST, "Ten diamonds in a row: each has two ways of two edges from top to bottom. Compare "
             "the sum over all paths with one backward sweep.", {}, {
                 "paths": number("number of paths", lambda: _paths(10)[0],
                                 Mistake("factor", lambda: 20, "the choices multiply, they do not add")),
                 "edges": number("edges that a sweep visits", lambda: _paths(10)[1])}),
    Exercise("cross-entropy-output", ("L21", "E1"), NETWORKS, "J = -(t log y + (1 - t) log(1 - y)) with the label t.",
             {"y": 0.8, "t": 0.3}, {
        "dy": by(lambda y, t: -(t * np.log(y) + (1.0 - t) * np.log(1.0 - y)), "y", "dJ/dy")},
        lambda rng: {"y": rng.uniform(0.2, 0.8), "t": rng.uniform(0.1, 0.9)}),
    Exercise("logistic-regression", ("L21", "E1"), NETWORKS, "J = -(y log p + (1 - y) log(1 - p)) with p = sigmoid(theta . x).",
        LOGISTIC, {
        "dtheta": by(_cross_entropy, "theta", "dJ/dtheta"), "dx": by(_cross_entropy, "x", "dJ/dx")},
        lambda rng: {"theta": rng.normal(size=3), "x": rng.normal(size=3), "y": rng.uniform(0.1, 0.9)}),
    Exercise("sigmoid", ("L22",), NETWORKS, "s = 1 / (1 + e^(-b)).", {"b": 0.6}, {
        "db": by(_sigmoid, "b", "ds/db", mistakes=(
            Mistake("sign", lambda b: _sigmoid(b) * (1.0 + _sigmoid(b)), "s' = s - s^2: check the sign"),))}),
    Exercise("one-hidden-layer", ("L22",), NETWORKS, "J = -log y, y = sigmoid(beta . z), z = sigmoid(alpha x).", LAYER, {
        "dbeta": by(_one_hidden, "beta", "dJ/dbeta"), "dalpha": by(_one_hidden, "alpha", "dJ/dalpha")}),
    Exercise("layer-shapes", ("L23",), NETWORKS,
        "z1 = sigmoid(alpha1^T x + b1), z2 = sigmoid(alpha2^T z1 + b2), y = sigmoid(beta . z2 + beta0), "
             "with 4 inputs, 3 units in the first layer and 2 in the second. Gradients have the shapes of their parameters.", {}, {
                 "dalpha1": shape("shape of dJ/dalpha1", lambda: (4, 3)), "dbeta": shape("shape of dJ/dbeta", lambda: (2,)),
                 "parameters": number("number of parameters", lambda: 4 * 3 + 3 + 3 * 2 + 2 + 2 + 1,
                                      Mistake("dropped term", lambda: 20, "the biases are parameters too"))}),
    Exercise("sgd-step", ("L24", "E1"), NETWORKS,
        "One step of gradient descent on J = -(y log p + (1 - y) log(1 - p)), p = sigmoid(theta . x).",
             {**LOGISTIC, "rate": 0.5}, {
                 "theta": number("theta after the step", _step,
                                 Mistake("sign", lambda theta, x, y, rate: 2.0 * theta - _step(theta, x, y, rate),
                                     "descent goes against it"),
                                 Mistake("factor", lambda theta, x, y, rate: _step(theta, x, y, 1.0), "the rate is left out"),
                                 Mistake("dropped term", lambda theta, x, y, rate: _step(theta, x, y, rate) - theta,
                                     "this is the step only"))}),
    Exercise("sweeps", ("L41",), COST, "f has 1000 inputs and 1 output, g has 2 inputs and 300 outputs. How many sweeps does a "
             "whole derivative take, one input or one output a sweep?", {}, {
                 "f_forward": number("f, forward", lambda: 1000), "f_reverse": number("f, reverse", lambda: 1),
                 "g": choice("the cheaper mode for g is", "forward", reverse="300 sweeps against 2")}),
    Exercise("deep-chain", ("L42",), NETWORKS, "y = tanh(a3 tanh(a2 tanh(a1 x))).", {"a1": 0.8, "a2": 1.3, "a3": 0.6, "x": 0.7}, {
        "da1": by(lambda a1, a2, a3, x: np.tanh(a3 * np.tanh(a2 * np.tanh(a1 * x))), "a1", "dy/da1"),
        "da3": by(lambda a1, a2, a3, x: np.tanh(a3 * np.tanh(a2 * np.tanh(a1 * x))), "a3", "dy/da3")}),
)  # fmt: skip
