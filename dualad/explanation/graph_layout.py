"""Where the boxes and edges of a layered drawing go: a computational graph from its inputs (top) to its outputs (bottom).

    layers       longest path from the inputs; an input stands just above the first operation that reads it; where a width is
                 given, what has no room in its layer goes further down
    rows         row 2k holds the boxes of layer k, row 2k + 1 the labels of edges; edges of one node that pass a row hold one
                 place in it together: they run down as one line, from which each branches off above its own reader
    crossings    barycentres, down and up, then swaps of neighbours; the best order seen is kept
    across       each item near the mean of its neighbours, none nearer than its width allows (pool adjacent violators)
    down         rows as high as their tallest box, gaps the wider the further edges run across

Within a row an edge runs straight down at its own place; it bends only in the gaps between rows, where there is nothing else. So
no edge can touch a box that is not its own, and no label can touch anything: not by search, but by construction.

References
----------
K. Sugiyama, S. Tagawa & M. Toda, *Methods for visual understanding of hierarchical system structures*, IEEE Transactions on
Systems, Man, and Cybernetics 11(2), 1981. E. R. Gansner, E. Koutsofios, S. C. North & K.-P. Vo, *A technique for drawing directed
graphs*, IEEE Transactions on Software Engineering 19(3), 1993. E. G. Coffman & R. L. Graham, *Optimal scheduling for two-processor
systems*, Acta Informatica 1, 1972 (layers of bounded width).
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..report.labels import Box

__all__ = ["Layout", "arrange", "layers"]

#: pixels between neighbours of a row: two boxes, anything else
_BETWEEN_BOXES, _BETWEEN = 26.0, 12.0
_MARGIN = 10.0
#: an edge comes straight into its box: the room of an arrowhead
_STUB = 8.0
_SWEEPS, _PASSES = 12, 40
#: how much of the width the boxes of a layer may take, tried in turn: edges beside them need the rest
_PARTS = (1.0, 0.85, 0.7, 0.5, 0.3)

Point = tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """A finished layout.

    Parameters
    ----------
    width, height : float
    boxes : tuple of Box
        One a node.
    routes : tuple of tuple of (float, float)
        For each edge the points it passes: from the lower side of a box to the upper side of another. Every second stretch is
        straight down (the first one is); the others bend.
    labels : tuple of Box
        For each edge the place of its label.
    """

    width: float
    height: float
    boxes: tuple[Box, ...]
    routes: tuple[tuple[Point, ...], ...]
    labels: tuple[Box, ...]


def layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Layer of each node: one more than the lowest layer among its operands; a node that reads nothing goes above its first reader.

    Parameters
    ----------
    count : int
    edges : sequence of (int, int)
        From an operand to what reads it; operands have smaller numbers.

    Examples
    --------
    >>> from dualad.explanation.graph_layout import layers
    >>> layers(4, [(0, 2), (2, 3), (1, 3)])
    [0, 1, 1, 2]
    """
    found = [0] * count
    for a, b in sorted(edges, key=lambda edge: edge[1]):
        found[b] = max(found[b], found[a] + 1)
    reads = {b for _, b in edges}
    for node in range(count):
        readers = [found[b] for a, b in edges if a == node]
        if node not in reads and readers:
            found[node] = min(readers) - 1
    return found


def _narrow(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], wide: float) -> list[int]:
    """Layers whose boxes take no more than `wide` together, unless one box does: what has no room goes down, inputs go up."""
    count = len(sizes)
    up: list[list[int]] = [[] for _ in range(count)]
    down: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        up[b].append(a)
        down[a].append(b)
    below = [0] * count  # operations that have to follow: those with a long way to go come first
    for node in range(count - 1, -1, -1):
        below[node] = max((below[b] + 1 for b in down[node]), default=0)
    longest = layers(count, edges)
    used: dict[int, float] = {}
    found: dict[int, int] = {}

    def put(node: int, layer: int, step: int) -> None:
        room = sizes[node][0] + _BETWEEN_BOXES
        while layer in used and used[layer] + room > wide:
            layer += step
        used[layer] = used.get(layer, 0.0) + room
        found[node] = layer

    given = [node for node in range(count) if not up[node] and down[node]]
    for node in sorted(set(range(count)) - set(given), key=lambda i: (longest[i], -below[i], i)):
        put(node, max((found[a] + 1 for a in up[node] if a in found), default=1), 1)
    for node in sorted(given, key=lambda i: min(found[b] for b in down[i])):
        put(node, min(found[b] for b in down[node]) - 1, -1)
    kept = {layer: k for k, layer in enumerate(sorted(used))}
    return [kept[found[node]] for node in range(count)]


@dataclass
class _Rows:
    """Items in rows: nodes first (item k is node k), then the places of edges. `up` and `down` are neighbours in adjacent rows."""

    rows: list[list[int]]
    row_of: list[int]
    up: list[list[int]]
    down: list[list[int]]
    width: list[float]
    height: list[float]
    chains: list[list[int]] = field(default_factory=list)  # per edge: tail, places, head
    labelled: list[int] = field(default_factory=list)  # per edge: the place of its label
    shared: dict[tuple[int, int], int] = field(default_factory=dict)  # (tail, row): the place of all its edges that pass the row

    def add(self, row: int, width: float, height: float) -> int:
        self.rows[row].append(len(self.row_of))
        self.row_of.append(row)
        self.up.append([])
        self.down.append([])
        self.width.append(width)
        self.height.append(height)
        return len(self.row_of) - 1


def arrange(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    labels: Sequence[tuple[float, float]],
    wide: float | None = None,
) -> Layout:
    """Lay out a directed acyclic graph.

    Parameters
    ----------
    sizes : sequence of (float, float)
        Width and height of each node's box.
    edges : sequence of (int, int)
        From an operand to what reads it; operands have smaller numbers. Several edges may join the same two nodes.
    labels : sequence of (float, float)
        Width and height of each edge's label.
    wide : float, optional
        The width to keep to where boxes and edges allow it; the drawing gets longer instead.

    Returns
    -------
    Layout

    Notes
    -----
    Cost: about 40 passes over the places in all rows (nodes, and one for each row that edges of a node pass); a few times that
    where it has to be made narrower.

    Examples
    --------
    >>> from dualad.explanation.graph_layout import arrange
    >>> layout = arrange([(40, 20), (40, 20)], [(0, 1)], [(10, 12)])
    >>> layout.boxes[0].y < layout.labels[0].y < layout.boxes[1].y
    True
    """
    if any(not 0 <= a < b < len(sizes) for a, b in edges):
        raise ValueError("an edge goes from a node to one with a larger number")
    best = _placed(sizes, edges, labels, layers(len(sizes), edges))
    tried = []
    for part in _PARTS if wide is not None and best.width > wide else ():
        layer = _narrow(sizes, edges, part * wide)  # type: ignore[operator]
        if layer in tried:
            continue
        tried.append(layer)
        found = _placed(sizes, edges, labels, layer)
        if _cost(found, wide) < _cost(best, wide):  # type: ignore[arg-type]
            best = found
        if found.width <= wide:  # type: ignore[operator]
            break
    return best


def _cost(layout: Layout, wide: float) -> float:
    """The length of a drawing; what is wider than asked costs twice: its words get smaller, and there is more to look at."""
    return layout.height * max(1.0, layout.width / wide) ** 2


def _placed(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    labels: Sequence[tuple[float, float]],
    layer: Sequence[int],
) -> Layout:
    """The drawing with these layers."""
    items = _rows(sizes, edges, labels, layer)
    _order(items)
    offsets = _ports(items, len(sizes))
    x = _across(items, offsets, len(sizes))
    return _finish(items, x, offsets, len(sizes))


def _rows(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    labels: Sequence[tuple[float, float]],
    layer: Sequence[int],
) -> _Rows:
    items = _Rows([[] for _ in range(2 * max(layer, default=0) + 1)], [], [], [], [], [])
    for (w, h), depth in zip(sizes, layer, strict=True):
        items.add(2 * depth, w, h)
    for (a, b), (w, h) in zip(edges, labels, strict=True):
        last = 2 * layer[b] - 1
        passed = range(2 * layer[a] + 1, last)
        for row in passed:
            if (a, row) not in items.shared:
                items.shared[a, row] = items.add(row, 2.0, 0.0)
        chain = [a, *(items.shared[a, row] for row in passed), items.add(last, w, h), b]
        for upper, lower in pairwise(chain):
            if lower not in items.down[upper]:
                items.down[upper].append(lower)
                items.up[lower].append(upper)
        items.chains.append(chain)
        items.labelled.append(chain[-2])
    return items


# ---- order within rows -------------------------------------------------------------------------------------------------


def _crossings(items: _Rows, place: Sequence[int]) -> int:
    """How many pairs of edges cross, all gaps together."""
    total = 0
    for row in items.rows:
        seen: list[int] = []
        for item in row:
            below = sorted(place[other] for other in items.down[item])
            total += sum(len(seen) - bisect_right(seen, p) for p in below)
            for p in below:
                insort(seen, p)
    return total


def _order(items: _Rows) -> None:
    place = [0] * len(items.row_of)

    def number(row: Sequence[int]) -> None:
        for k, item in enumerate(row):
            place[item] = k

    best: list[list[int]] = []
    least = -1
    for start in (range(len(place)), _depth_first(items)):
        rank = {item: k for k, item in enumerate(start)}
        for row in items.rows:
            row.sort(key=rank.__getitem__)
            number(row)
        for sweep in range(_SWEEPS + 1):
            count = _crossings(items, place)
            if not best or count < least:
                best, least = [list(row) for row in items.rows], count
            if not count or sweep == _SWEEPS:
                break
            downward = sweep % 2 == 0
            near = items.up if downward else items.down
            for row in items.rows if downward else reversed(items.rows):
                centre = {item: sum(place[k] for k in near[item]) / len(near[item]) if near[item] else place[item] for item in row}
                row.sort(key=lambda item: (centre[item], place[item]))
                number(row)
            _swap(items, place)
    items.rows[:] = best


def _depth_first(items: _Rows) -> list[int]:
    """All items, each before what it reads, an operation's first operand with all it is made of before the second one."""
    seen: dict[int, None] = {}
    for root in reversed([item for row in items.rows for item in row if not items.down[item]]):
        todo = [root]
        while todo:
            item = todo.pop()
            if item not in seen:
                seen[item] = None
                todo += reversed(items.up[item])
    return list(seen)


def _swap(items: _Rows, place: list[int]) -> None:
    """Exchange neighbours while that saves crossings."""

    def between(u: int, v: int) -> int:  # crossings of the edges of u with those of v, u being on the left
        return sum(place[a] > place[b] for near in (items.up, items.down) for a in near[u] for b in near[v])

    for row in items.rows:
        improved = True
        while improved:
            improved = False
            for k in range(len(row) - 1):
                u, v = row[k], row[k + 1]
                if between(v, u) < between(u, v):
                    row[k], row[k + 1], place[u], place[v] = v, u, place[v], place[u]
                    improved = True


# ---- across ------------------------------------------------------------------------------------------------------------


def _ports(items: _Rows, count: int) -> dict[tuple[int, int], float]:
    """Where the edges of a box meet it: (node, neighbouring place) -> pixels right of its middle.

    Edges from and to boxes of the next layer are in the middle, those from afar beside them: a chain runs straight.
    """
    place = {item: k for row in items.rows for k, item in enumerate(row)}
    offsets = {}
    for node in range(count):
        room = items.width[node] / 2 - 14
        for side in (items.up, items.down):
            near = sorted(side[node], key=place.__getitem__)
            step = min(30.0, 2 * room / max(len(near) - 1, 1))
            half = (len(near) - 1) / 2 * step
            close = [k * step for k, other in enumerate(near) if min(side[other]) < count] or [half]
            middle = min(max(sum(close) / len(close), 2 * half - room), room)
            for k, other in enumerate(near):
                offsets[node, other] = k * step - middle
    return offsets


def _across(items: _Rows, offsets: dict[tuple[int, int], float], count: int) -> list[float]:
    """The middle of every item."""
    x = [0.0] * len(items.row_of)

    def gap(u: int, v: int) -> float:
        return (items.width[u] + items.width[v]) / 2 + (_BETWEEN_BOXES if u < count and v < count else _BETWEEN)

    for row in items.rows:
        for k, item in enumerate(row):
            x[item] = x[row[k - 1]] + gap(row[k - 1], item) if k else 0.0
        middle = (x[row[0]] + x[row[-1]]) / 2 if row else 0.0
        for item in row:
            x[item] -= middle

    def pull(item: int, other: int) -> float:  # how much an item heeds a neighbour
        if item >= count and other >= count:
            return 8.0
        label, box = max(item, other), min(item, other)
        afar = min(items.up[label], default=0) >= count and any(min(items.up[k], default=count) < count for k in items.up[box])
        return 0.1 if afar else 1.0  # a box stays with those of the layer above: were it to follow lines too, chains would slant

    for step in range(_PASSES):
        last = step >= _PASSES - 4  # the final passes look both ways, and at the ports
        for row in items.rows if step % 2 == 0 else reversed(items.rows):
            wanted, weights = [], []
            for item in row:
                near = items.up[item] + items.down[item] if last else (items.up if step % 2 == 0 else items.down)[item]
                total, weight = 0.0, 0.0
                for other in near:
                    w = pull(item, other) * (2.0 if len(near) == 1 else 1.0)
                    total += w * (x[other] + last * (offsets.get((other, item), 0.0) - offsets.get((item, other), 0.0)))
                    weight += w
                wanted.append(total / weight if weight else x[item])
                weights.append(weight or 0.1)
            apart = [0.0] * min(len(row), 1)  # a row of labels may be empty: boxes without edges, wrapped
            for u, v in pairwise(row):
                apart.append(apart[-1] + gap(u, v))
            for item, value in zip(row, _apart(wanted, weights, apart), strict=True):
                x[item] = value
    _straighten(items, x, gap)
    return x


def _straighten(items: _Rows, x: list[float], gap: Callable[[int, int], float]) -> None:
    """Places of one line stand below each other where their neighbours leave room for it."""
    sides: dict[int, tuple[int | None, int | None]] = {}
    for row in items.rows:
        for k, item in enumerate(row):
            sides[item] = row[k - 1] if k else None, row[k + 1] if k + 1 < len(row) else None
    lines: dict[int, list[int]] = {}
    for chain in items.chains:
        if len(chain) >= 4:
            branches = any(len(items.down[item]) > 1 for item in chain[1:-2])
            line = chain[1 : -2 if branches else -1]  # a branch bends to its label
            if len(line) > len(lines.get(chain[0], ())):
                lines[chain[0]] = line
    for _ in range(3):
        for line in lines.values():
            low, high = -math.inf, math.inf
            for item in line:
                left, right = sides[item]
                low = low if left is None else max(low, x[left] + gap(left, item))
                high = high if right is None else min(high, x[right] - gap(item, right))
            if low <= high:
                wanted = sorted(x[item] for item in line)[len(line) // 2]
                for item in line:
                    x[item] = min(max(wanted, low), high)


def _apart(wanted: Sequence[float], weights: Sequence[float], apart: Sequence[float]) -> list[float]:
    """Places nearest to the wanted ones (least squares) in the given order, at least apart[k] - apart[j] between places j < k."""
    blocks: list[tuple[float, float, int]] = []  # weighted sum of what the members want for the first place, weight, members
    for want, weight, before in zip(wanted, weights, apart, strict=True):
        total, heavy, members = weight * (want - before), weight, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / heavy:
            t, h, m = blocks.pop()
            total, heavy, members = total + t, heavy + h, members + m
        blocks.append((total, heavy, members))
    origins = [total / heavy for total, heavy, members in blocks for _ in range(members)]
    return [origin + before for origin, before in zip(origins, apart, strict=True)]


# ---- down --------------------------------------------------------------------------------------------------------------


def _finish(items: _Rows, x: list[float], offsets: dict[tuple[int, int], float], count: int) -> Layout:
    left = min((x[i] - items.width[i] / 2 for i in range(len(x))), default=0.0) - _MARGIN
    right = max((x[i] + items.width[i] / 2 for i in range(len(x))), default=0.0) + _MARGIN
    x = [value - left for value in x]
    top, bottom, y = [], [], _MARGIN
    for k, row in enumerate(items.rows):
        if k:
            run = max(
                (
                    abs(x[a] + offsets.get((a, b), 0.0) - x[b] - offsets.get((b, a), 0.0))
                    for a in items.rows[k - 1]
                    for b in items.down[a]
                ),
                default=0.0,
            )
            y += min(max(12.0, 8.0 + 0.25 * run), 60.0) + (_STUB if k % 2 == 0 else 0.0)
        top.append(y)
        y += max((items.height[item] for item in row), default=0.0)
        bottom.append(y)

    def box(item: int) -> Box:
        row, w, h = items.row_of[item], items.width[item], items.height[item]
        return Box(x[item] - w / 2, (top[row] + bottom[row] - h) / 2, w, h)

    boxes = tuple(map(box, range(count)))
    routes = []
    for chain in items.chains:
        tail, head = chain[0], chain[-1]
        start, end = x[tail] + offsets[tail, chain[1]], x[head] + offsets[head, chain[-2]]
        points = [(start, boxes[tail].y + boxes[tail].h), (start, bottom[items.row_of[tail]])]
        for item in chain[1:-1]:
            points += [(x[item], top[items.row_of[item]]), (x[item], bottom[items.row_of[item]])]
        routes.append((*points, (end, top[items.row_of[head]] - _STUB), (end, boxes[head].y)))
    return Layout(right - left, y + _MARGIN, boxes, tuple(routes), tuple(box(item) for item in items.labelled))
