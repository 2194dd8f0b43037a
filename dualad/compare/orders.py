"""Orders of vertex elimination on a computational graph: what each costs, which is the cheapest.

Eliminating a vertex j adds, for every edge i -> j into it and every edge j -> k out of it, the product of their partials to
the edge i -> k, and removes j: |in| |out| multiplications. When only inputs and outputs are left, the edges are the
Jacobian. Finding the cheapest order is NP-complete (Naumann 2008); for small graphs it is found here. The structure that is
left does not depend on the order in which a set of vertices went, so dynamic programming over the sets needs p 2^p steps
for p vertices instead of p!.

References: A. Griewank & S. Reese, *On the calculation of Jacobian matrices by the Markowitz rule*, 1991; A. Griewank &
A. Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008, chapters 9 and 10; U. Naumann, *Optimal Jacobian accumulation is
NP-complete*, Math. Program. 112, 2008.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .graph import Graph

__all__ = ["EXHAUSTIVE", "best_order", "eliminate", "markowitz_order", "spectrum"]

#: graphs with more intermediate vertices than this are searched by Markowitz's rule only
EXHAUSTIVE = 12


def eliminate(graph: Graph, order: Sequence[str]) -> tuple[np.ndarray, int, int, int]:
    """Eliminate all intermediate vertices.

    Parameters
    ----------
    graph : Graph
    order : sequence of str
        Every intermediate vertex once.

    Returns
    -------
    jacobian : ndarray (m, n)
    multiplications, additions, fill : int

    Raises
    ------
    ValueError
        The order has other vertices, or not all.

    Examples
    --------
    >>> from dualad.compare.elimination import naumann
    >>> from dualad.compare.graph import take
    >>> from dualad.compare.orders import eliminate
    >>> graph = take(naumann, 0.5, 2.0)
    >>> eliminate(graph, ["v1", "v2", "v3"])[1], eliminate(graph, ["v2", "v1", "v3"])[1]
    (8, 7)
    """
    between = graph.names("intermediate")
    if sorted(order) != sorted(between):
        raise ValueError(f"an order has each of {', '.join(between) or 'no vertex'} once, not {', '.join(order) or 'none'}")
    into: dict[str, dict[str, float]] = {vertex.name: {} for vertex in graph.vertices}
    out: dict[str, set[str]] = {vertex.name: set() for vertex in graph.vertices}
    for (tail, head), partial in graph.edges.items():
        into[head][tail] = partial
        out[tail].add(head)
    multiplications = additions = fill = 0
    for vertex in order:
        before, after = into.pop(vertex), out.pop(vertex)
        for tail in before:
            out[tail].discard(vertex)
        for head in after:
            through = into[head].pop(vertex)
            for tail, partial in before.items():
                product = through * partial
                multiplications += 1
                if tail in into[head]:
                    additions += 1
                    into[head][tail] += product
                else:
                    fill += 1
                    into[head][tail] = product
                    out[tail].add(head)
    inputs, outputs = graph.names("input"), graph.names("output")
    jacobian = np.array([[into[y].get(x, 0.0) for x in inputs] for y in outputs]).reshape(len(outputs), len(inputs))
    return jacobian, multiplications, additions, fill


class _Structure:
    """The edges as bit sets of vertices, to ask what a vertex costs when a set of others has gone."""

    def __init__(self, graph: Graph) -> None:
        self.names = graph.names("intermediate")
        number = {name: i for i, name in enumerate([*self.names, *graph.names("input"), *graph.names("output")])}
        self.before, self.after = [0] * len(number), [0] * len(number)
        for tail, head in graph.edges:
            self.before[number[head]] |= 1 << number[tail]
            self.after[number[tail]] |= 1 << number[head]

    @staticmethod
    def _beyond(vertex: int, gone: int, edges: Sequence[int]) -> int:
        """How many vertices that have not gone are reached through those that have."""
        seen, todo = edges[vertex], edges[vertex] & gone
        while todo:
            low = todo & -todo
            todo ^= low
            new = edges[low.bit_length() - 1] & ~seen
            seen |= new
            todo |= new & gone
        return (seen & ~gone).bit_count()

    def cost(self, vertex: int, gone: int) -> int:
        """Multiplications that eliminate a vertex after the set `gone`, whatever the order in which that went."""
        return self._beyond(vertex, gone, self.before) * self._beyond(vertex, gone, self.after)


def best_order(graph: Graph) -> tuple[str, ...]:
    """An order with the fewest multiplications, by dynamic programming over all sets of vertices.

    Parameters
    ----------
    graph : Graph
        With at most 12 intermediate vertices.

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        There are more vertices.

    Notes
    -----
    Cost: p 2^p steps for p vertices.

    Examples
    --------
    >>> from dualad.compare.elimination import naumann
    >>> from dualad.compare.graph import take
    >>> from dualad.compare.orders import best_order
    >>> best_order(take(naumann, 0.5, 2.0))
    ('v2', 'v1', 'v3')
    """
    structure = _Structure(graph)
    p = _few(structure)
    least = [0] + [-1] * ((1 << p) - 1)
    last = [0] * (1 << p)
    for gone in range(1 << p):
        for vertex in range(p):
            if gone >> vertex & 1:
                continue
            then = gone | 1 << vertex
            cost = least[gone] + structure.cost(vertex, gone)
            if least[then] < 0 or cost < least[then]:
                least[then], last[then] = cost, vertex
    order, gone = [], (1 << p) - 1
    while gone:
        order.append(structure.names[last[gone]])
        gone ^= 1 << last[gone]
    return tuple(order[::-1])


def spectrum(graph: Graph) -> dict[int, int]:
    """Multiplications -> how many of the p! orders need them.

    Raises
    ------
    ValueError
        There are more than 12 intermediate vertices.

    Examples
    --------
    >>> from dualad.compare.elimination import naumann
    >>> from dualad.compare.graph import take
    >>> from dualad.compare.orders import spectrum
    >>> spectrum(take(naumann, 0.5, 2.0))
    {7: 1, 8: 1, 9: 1, 10: 3}
    """
    structure = _Structure(graph)
    p = _few(structure)
    ways: list[Counter[int]] = [Counter() for _ in range(1 << p)]
    ways[0][0] = 1
    for gone in range(1 << p):
        for vertex in range(p):
            if not gone >> vertex & 1:
                cost = structure.cost(vertex, gone)
                for so_far, count in ways[gone].items():
                    ways[gone | 1 << vertex][so_far + cost] += count
    return dict(sorted(ways[-1].items()))


def _few(structure: _Structure) -> int:
    p = len(structure.names)
    if p > EXHAUSTIVE:
        raise ValueError(f"{p} intermediate vertices are more than the {EXHAUSTIVE} whose orders can all be searched")
    return p


def markowitz_order(graph: Graph) -> tuple[str, ...]:
    """The greedy order: always a vertex that now costs the fewest multiplications (Griewank & Reese 1991).

    Examples
    --------
    >>> from dualad.compare.elimination import naumann
    >>> from dualad.compare.graph import take
    >>> from dualad.compare.orders import markowitz_order
    >>> markowitz_order(take(naumann, 0.5, 2.0))
    ('v2', 'v1', 'v3')
    """
    structure = _Structure(graph)
    left, gone, order = list(range(len(structure.names))), 0, []
    while left:
        vertex = min(left, key=lambda v: (structure.cost(v, gone), v))
        left.remove(vertex)
        gone |= 1 << vertex
        order.append(structure.names[vertex])
    return tuple(order)
