"""Functions that the tests of drawings and pages explain: the lecture's, Baydin's, Quiz 1, a network, loops."""

import numpy as np

import dualad
from dualad import math as dmath


def lecture(x):
    t = x**2  # inner
    u = dmath.sin(t) + 3 * t
    J = dmath.cos(u)
    return J


def simple(x):  # the slides' t, u1, u2, u, J
    t = x**2
    u1 = np.sin(t)
    u2 = 3 * t
    u = u1 + u2
    J = np.cos(u)
    return J


def baydin(x1, x2):
    y = dmath.log(x1) + x1 * x2 - dmath.sin(x2)
    return y


def quiz(x, z):
    y = dmath.exp(x * z) + x * z / dmath.log(x) + dmath.sin(dmath.log(x)) / (x * z)
    return y


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def network(W1, b1, W2, b2, x, y):
    a = W1 @ x + b1
    h = sigmoid(a)
    c = W2 @ h + b2
    p = sigmoid(c)
    J = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    return J


def network_point():
    r = np.random.default_rng(0)
    return r.normal(size=(4, 3)), r.normal(size=4), r.normal(size=(2, 4)), r.normal(size=2), r.normal(size=3), np.array([1.0, 0.0])


def looped(x):
    s = x * 0
    for _ in range(1000):
        s = s * 0.5 + dmath.sin(x)
    y = s * s + x
    return y


def euler(k, y0):
    y = y0
    h = 0.05
    for step in range(40):
        rate = -k * y + dmath.sin(step * h)
        y = y + h * rate
    energy = y * y
    return energy


def two_lines(x):
    for _ in range(60):
        t = dmath.sin(x)
        x = t * 0.5 + 1
    return x


def explained():
    return {
        "lecture": dualad.explain(lecture, 1.0),
        "baydin": dualad.explain(baydin, 2.0, 5.0),
        "quiz": dualad.explain(quiz, 2.0, 3.0),
        "network": dualad.explain(network, *network_point(), argnums=(0, 1, 2, 3)),
    }


def compares(x):
    y = x * 2 if x < 5 else x  # <b>&"
    return y
