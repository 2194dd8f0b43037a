"""A computation as a graph

J = cos(sin x^2 + 3 x^2) at x = 1: every named value of the source with its number, every edge with its
partial derivative. dualad lays it out and draws it.
"""
import dualad
from dualad import math


def f(x):
    t = x**2
    u1 = math.sin(t)
    u2 = 3.0 * t
    u = u1 + u2
    J = math.cos(u)
    return J


dualad.explain(f, 1.0).graph().save("graph.svg")
