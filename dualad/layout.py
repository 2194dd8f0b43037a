"""In which order are the axes of a Jacobian? Three conventions, and the permutations between them.

Texts on matrix calculus disagree, and each is right by its own definition of the shape of dy/dx:

    numerator     shape(y) + reversed(shape(x))    a gradient is a row, dy/dX of a scalar y has the shape of X^T
    stacked       shape(y) + shape(x)              what dualad, NumPy users and JAX return
    denominator   shape(x) + shape(y)              a gradient has the shape of x, the chain rule runs right to left

All three hold the same numbers; going from one to another is a pure permutation of axes (:func:`convert`).

>>> from dualad import layout
>>> [layout.shape((2, 3), (4, 5), name) for name in layout.CONVENTIONS]
[(2, 3, 5, 4), (2, 3, 4, 5), (4, 5, 2, 3)]
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from . import jacobians
from .constants import value

__all__ = ["CONVENTIONS", "Chain", "View", "axes", "chain", "convert", "jacobian", "shape", "show"]

#: name -> the order of the axes, in words
CONVENTIONS = {
    "numerator": "shape(y) + reversed(shape(x))",
    "stacked": "shape(y) + shape(x)",
    "denominator": "shape(x) + shape(y)",
}

Shape = tuple[int, ...]
#: the letters of the nine-cell table
LETTERS = {"y": ((), ("m",), ("m", "l")), "x": ((), ("n",), ("n", "k"))}
HEADER = ("layout", "order of the axes", "here", "chain rule", "of a scalar z")


def _check(convention: object) -> str:
    if convention not in CONVENTIONS:
        raise ValueError(f"no layout {convention!r}; there are {', '.join(CONVENTIONS)}")
    return str(convention)


def _order(y: Sequence[Any], x: Sequence[Any], convention: str) -> tuple[Any, ...]:
    """Axes (or sizes, or letters) of dy/dx from those of y and of x: the definition of the three conventions."""
    if convention == "denominator":
        return (*x, *y)
    return (*y, *(reversed(x) if convention == "numerator" else x))


def shape(y_shape: Sequence[int], x_shape: Sequence[int], convention: str = "stacked") -> Shape:
    """Shape of dy/dx.

    Parameters
    ----------
    y_shape, x_shape : tuple of int
        ``()`` for scalars.
    convention : {"numerator", "stacked", "denominator"}

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        There is no such layout.

    Examples
    --------
    >>> from dualad import layout
    >>> layout.shape((3,), (4,), "numerator"), layout.shape((3,), (4,), "denominator")
    ((3, 4), (4, 3))
    """
    return _order(_as_shape(y_shape, "y_shape"), _as_shape(x_shape, "x_shape"), _check(convention))


def axes(y_ndim: int, x_ndim: int, from_: str, to: str) -> Shape:
    """The permutation that :func:`convert` applies, as ``numpy.transpose`` takes it.

    Parameters
    ----------
    y_ndim, x_ndim : int
        Numbers of axes of y and of x.
    from_, to : {"numerator", "stacked", "denominator"}

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        There is no such layout.

    Examples
    --------
    >>> from dualad import layout
    >>> layout.axes(1, 2, "stacked", "numerator")
    (0, 2, 1)
    """
    y, x = range(y_ndim), range(y_ndim, y_ndim + x_ndim)
    have, want = _order(y, x, _check(from_)), _order(y, x, _check(to))
    return tuple(have.index(axis) for axis in want)


def convert(jacobian: Any, from_: str, to: str, *, x_ndim: int | None = None, y_ndim: int | None = None,
            x_shape: Sequence[int] | None = None, y_shape: Sequence[int] | None = None) -> Any:
    """A Jacobian in another layout: a permutation of its axes, no number changes.

    Parameters
    ----------
    jacobian : array
        dy/dx in the layout `from_`.
    from_, to : {"numerator", "stacked", "denominator"}
    x_ndim, y_ndim : int, optional
        How many of the axes belong to x, or to y.  One of them is enough, none where there are fewer than two axes.
    x_shape, y_shape : tuple of int, optional
        The same by the shapes, which are then checked.

    Returns
    -------
    array
        A view where NumPy can make one.

    Raises
    ------
    ValueError
        The numbers of axes do not add up, or the layout of a matrix depends on what is not said.
    TypeError
        A container of Jacobians: convert each.

    Notes
    -----
    Cost: no number is copied where a view will do.

    Examples
    --------
    >>> import numpy as np, dualad
    >>> from dualad import layout
    >>> w = np.arange(6.0).reshape(2, 3)
    >>> j = dualad.jacobian(lambda x: w @ x)(np.ones(3))
    >>> layout.convert(j, "stacked", "denominator", x_ndim=1)
    array([[0., 3.],
           [1., 4.],
           [2., 5.]])
    """
    if isinstance(jacobian, tuple | dict) or (isinstance(jacobian, list) and any(np.ndim(part) > 1 for part in jacobian)):
        raise TypeError(f"convert takes one Jacobian, not a {type(jacobian).__name__} of them: convert each with its own x_ndim")
    array = jacobian if hasattr(jacobian, "ndim") else np.asarray(jacobian)
    if isinstance(array, np.ndarray) and array.dtype.kind not in "fiubc" and array.dtype != object:
        raise TypeError(f"convert takes a Jacobian, an array of numbers, not a {type(jacobian).__name__}")
    y_ndim, x_ndim = _split(array.ndim, x_ndim, y_ndim, x_shape, y_shape)
    _check(from_), _check(to)
    if x_shape is not None or y_shape is not None:
        sizes = np.array(array.shape, int)[list(axes(y_ndim, x_ndim, from_, "stacked"))].tolist()
        for name, given, have in (("y", y_shape, sizes[:y_ndim]), ("x", x_shape, sizes[y_ndim:])):
            if given is not None and tuple(given) != tuple(have):
                raise ValueError(f"a Jacobian of shape {tuple(array.shape)} in {from_} layout has {name} of shape {tuple(have)}, "
                                 f"not {tuple(given)}")
    if array.ndim > 1:
        return np.transpose(array, axes(y_ndim, x_ndim, from_, to))
    return jacobian if isinstance(jacobian, float) else array


def _split(ndim: int, x_ndim: int | None, y_ndim: int | None, x_shape: Sequence[int] | None,
           y_shape: Sequence[int] | None) -> tuple[int, int]:
    """Numbers of axes of y and x, from what was said about them."""
    x_ndim = len(_as_shape(x_shape, "x_shape")) if x_shape is not None else x_ndim
    y_ndim = len(_as_shape(y_shape, "y_shape")) if y_shape is not None else y_ndim
    if x_ndim is None and y_ndim is None:
        if ndim < 2:
            return ndim, 0
        raise ValueError(f"a Jacobian with {ndim} axes: say how many belong to x, as in convert(J, from_, to, x_ndim=1)")
    for name, given in (("x_ndim", x_ndim), ("y_ndim", y_ndim)):
        if given is not None and (isinstance(given, bool) or not isinstance(given, int | np.integer) or given < 0):
            raise ValueError(f"{name} is {given!r}: write a number of axes, 0 for a scalar")
    y = ndim - x_ndim if y_ndim is None else y_ndim  # type: ignore[operator]  # one of the two is known
    x = ndim - y if x_ndim is None else x_ndim
    if y < 0 or x < 0 or x + y != ndim:
        raise ValueError(f"a Jacobian with {ndim} axes cannot have {max(y, 0)} of y and {max(x, 0)} of x")
    return y, x


def _as_shape(given: Any, name: str) -> Shape:
    if isinstance(given, int | np.integer):
        raise ValueError(f"{name} is {given}: a shape is a tuple, ({given},) for a vector")
    return tuple(given)


def jacobian(f: Callable[..., Any], argnums: int = 0, layout: str = "numerator") -> Callable[..., Any]:
    """Jacobian of f in a layout of your choice.

    Parameters
    ----------
    f : callable
        Returns a float or an array.
    argnums : int
        The argument to differentiate with respect to.
    layout : {"numerator", "stacked", "denominator"}

    Returns
    -------
    callable
        With the arguments of f.

    Raises
    ------
    ValueError
        There is no such layout.
    TypeError
        When called: f returns a container, or the argument has no derivative.

    Notes
    -----
    Cost: that of :func:`dualad.jacobian`; the layout is a permutation of axes.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad import layout
    >>> w = np.arange(6.0).reshape(2, 3)
    >>> layout.jacobian(lambda x: w @ x, layout="denominator")(np.ones(3)).shape
    (3, 2)
    """
    _check(layout)
    if not isinstance(argnums, int):
        raise TypeError(f"argnums is {argnums!r}: a layout belongs to one Jacobian, so name one argument")

    def in_layout(*args: Any, **kwargs: Any) -> Any:
        if -len(args) <= argnums < len(args):
            _shape_of(args[argnums], "x is")
        return convert(jacobians.jacobian(f, argnums)(*args, **kwargs), "stacked", layout, x_ndim=np.ndim(args[argnums]))

    return in_layout


# ---- the nine cells ------------------------------------------------------------------------------------------------------------

def _written(y: Sequence[Any], x: Sequence[Any], convention: str) -> tuple[Any, ...]:
    """Shape of dy/dx as it is written on paper: vectors are rows or columns, a number is (1,)."""
    if len(y) + len(x) == 1:
        size = (*y, *x)[0]
        row = bool(x) != (convention == "denominator")  # a gradient is a row, in denominator layout a column
        return (1, size) if row else (size, 1)
    return _order(y, x, convention) or (1,)


def _text(sizes: Sequence[Any]) -> str:
    return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(map(str, sizes))})"


def _strip(y: Sequence[Any], x: Sequence[Any], convention: str) -> str:
    """The chain rule of a scalar z(y(x)), in shapes."""
    outer, inner = _written((), y, convention), _written(y, x, convention)
    left, right = (inner, outer) if convention == "denominator" else (outer, inner)
    return f"{_text(left)}.{_text(right)}={_text(_written((), x, convention))}".replace(", ", ",")


@dataclass(frozen=True, repr=False)
class View:
    """The shapes of one problem in the three layouts; prints the nine-cell table with its cell marked.

    Parameters
    ----------
    y_shape, x_shape : tuple of int
    layout : str
        The convention that the table is drawn in.
    """

    y_shape: Shape
    x_shape: Shape
    layout: str = "stacked"

    @property
    def cell(self) -> tuple[int, int] | None:
        """Row and column in the table: the numbers of axes of y and x; None outside of it."""
        at = len(self.y_shape), len(self.x_shape)
        return at if max(at) < 3 else None

    @property
    def shapes(self) -> dict[str, Shape]:
        """Shape of the Jacobian in each convention."""
        return {name: shape(self.y_shape, self.x_shape, name) for name in CONVENTIONS}

    @property
    def strips(self) -> dict[str, str]:
        """For each convention the chain rule of a scalar z(y(x)) in shapes, vectors written as rows or columns."""
        return {name: _strip(self.y_shape, self.x_shape, name) for name in CONVENTIONS}

    def cells(self) -> list[list[str]]:
        """The nine shapes, in letters, by rows."""
        return [[_text(_written(y, x, self.layout)) for x in LETTERS["x"]] for y in LETTERS["y"]]

    def _heads(self) -> tuple[list[str], list[str]]:
        return ["y " + _symbols(y) for y in LETTERS["y"]], ["x " + _symbols(x) for x in LETTERS["x"]]

    def _sentence(self) -> str:
        sizes = {letter: size for name, given in (("y", self.y_shape), ("x", self.x_shape)) if len(given) < 3
                 for letter, size in zip(LETTERS[name][len(given)], given, strict=True)}
        known = ": " + ", ".join(f"{letter} = {size}" for letter, size in sizes.items()) if sizes and self.cell else ""
        outside = "" if self.cell else "; more than two axes are outside of the table, the three orders hold all the same"
        return f"y has shape {self.y_shape}, x has shape {self.x_shape}{known}{outside}"

    def _rows(self) -> list[list[str]]:
        product = {name: "dy/dx.dz/dy=dz/dx" if name == "denominator" else "dz/dy.dy/dx=dz/dx" for name in CONVENTIONS}
        return [[name, words, str(self.shapes[name]), product[name], self.strips[name]] for name, words in CONVENTIONS.items()]

    def __str__(self) -> str:
        rows, columns = self._heads()
        marked = [[f"[{text}]" if (i, j) == self.cell else f" {text} " for j, text in enumerate(line)]
                  for i, line in enumerate(self.cells())]
        table = [["dy/dx", *(f" {head}" for head in columns)], *([head, *line] for head, line in zip(rows, marked, strict=True))]
        lower = [list(HEADER), *self._rows()]
        return "\n".join([self._sentence(), "", *_aligned(table), f"({self.layout} layout; vectors as rows or columns)", "",
                          *_aligned(lower)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows, columns = self._heads()
        lit = ' style="background:#fff3b0;color:#111;font-weight:bold;outline:2px solid #8a6d00"'
        body = "".join(
            f'<tr><th scope="row">{escape(head)}</th>' + "".join(
                f"<td{lit if (i, j) == self.cell else ''}>{escape(text)}</td>" for j, text in enumerate(line)) + "</tr>"
            for i, (head, line) in enumerate(zip(rows, self.cells(), strict=True)))
        head = "".join(f'<th scope="col">{escape(text)}</th>' for text in ("dy/dx", *columns))
        lower = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in self._rows())
        names = "".join(f'<th scope="col">{text}</th>' for text in HEADER)
        tables = ((f"{self.layout} layout", head, body), ("the three layouts", names, lower))
        return f"<section><p>{escape(self._sentence())}</p>" + "".join(
            f"<table><caption>{caption}</caption><thead><tr>{top}</tr></thead><tbody>{rest}</tbody></table>"
            for caption, top, rest in tables) + "</section>"


def _symbols(letters: Sequence[str]) -> str:
    return f"({', '.join(letters)})"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def show(f: Callable[..., Any], *args: Any, argnums: int = 0, layout: str = "stacked") -> View:
    """Which shape has the derivative of my function? The nine-cell table with its cell marked, the three layouts, the chain.

    Parameters
    ----------
    f : callable
        Returns a float or an array.
    *args
        Its arguments: the point.
    argnums : int
        The argument that plays x.
    layout : {"numerator", "stacked", "denominator"}
        The convention of the nine-cell table.

    Returns
    -------
    View
        Prints as text, and as HTML tables in a notebook.

    Raises
    ------
    ValueError
        There is no such layout.
    TypeError
        The point is missing.

    Notes
    -----
    Cost: one evaluation of f; no derivative is taken.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad import layout
    >>> layout.show(lambda x: np.ones((3, 4)) @ x, np.ones(4), layout="numerator")
    y has shape (3,), x has shape (4,): m = 3, n = 4
    <BLANKLINE>
    dy/dx      x ()      x (n)        x (n, k)
    y ()       (1,)      (1, n)       (k, n)
    y (m)      (m, 1)   [(m, n)]      (m, k, n)
    y (m, l)   (m, l)    (m, l, n)    (m, l, k, n)
    (numerator layout; vectors as rows or columns)
    <BLANKLINE>
    layout       order of the axes              here    chain rule         of a scalar z
    numerator    shape(y) + reversed(shape(x))  (3, 4)  dz/dy.dy/dx=dz/dx  (1,3).(3,4)=(1,4)
    stacked      shape(y) + shape(x)            (3, 4)  dz/dy.dy/dx=dz/dx  (1,3).(3,4)=(1,4)
    denominator  shape(x) + shape(y)            (4, 3)  dy/dx.dz/dy=dz/dx  (4,3).(3,1)=(4,1)
    """
    _check(layout)
    if not callable(f):
        raise TypeError(f"show takes a function and its arguments, show(f, x); the first argument is a {type(f).__name__}")
    if not args:
        raise TypeError("show needs the point as well: show(f, x)")
    if not isinstance(argnums, int) or not -len(args) <= argnums < len(args):
        raise ValueError(f"argnums is {argnums!r}, but there are {len(args)} arguments: write a number from 0 to {len(args) - 1}")
    return View(_shape_of(f(*args), "f returns"), _shape_of(args[argnums], "x is"), layout)


def _shape_of(given: Any, what: str) -> Shape:
    array = value(given)
    if isinstance(array, list):  # its Jacobian would be a list, one for each entry
        raise TypeError(f"{what} a list: a layout is a matter of one number or array, so write np.array(...) or np.stack(...)")
    if isinstance(array, dict | tuple) or not np.issubdtype(np.asarray(array).dtype, np.number):
        raise TypeError(f"{what} a {type(given).__name__}: a layout is a matter of one number or array, so pick one")
    return tuple(np.shape(array))


# ---- chains --------------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, repr=False)
class Chain:
    """Jacobians of a composition, one a function, and their product in any layout; prints the shapes.

    Parameters
    ----------
    jacobians : tuple of array
        In stacked layout, in the order in which the functions are applied.
    shapes : tuple of tuple of int
        Of x, of every intermediate result, of y.
    """

    jacobians: tuple[Any, ...]
    shapes: tuple[Shape, ...]

    def product(self, layout: str = "stacked") -> Any:
        """dy/dx by the chain rule, in one of the three layouts."""
        steps = zip(self.jacobians[1:], self.shapes[1:-1], strict=True)
        whole = functools.reduce(lambda inner, step: np.tensordot(step[0], inner, axes=len(step[1])), steps, self.jacobians[0])
        return convert(whole, "stacked", layout, x_shape=self.shapes[0], y_shape=self.shapes[-1])

    def in_shapes(self, layout: str = "stacked") -> str:
        """The chain rule in shapes, ``(m,k).(k,n)=(m,n)``; in denominator layout the factors stand the other way round."""
        _check(layout)
        factors = [_text(_written(y, x, layout)) for x, y in zip(self.shapes, self.shapes[1:], strict=False)]
        if layout != "denominator":
            factors.reverse()
        return f"{'.'.join(factors)}={_text(_written(self.shapes[-1], self.shapes[0], layout))}".replace(", ", ",")

    def __str__(self) -> str:
        return "\n".join(_aligned([[name, self.in_shapes(name)] for name in CONVENTIONS]))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(f'<tr><th scope="row">{name}</th><td>{escape(self.in_shapes(name))}</td></tr>' for name in CONVENTIONS)
        return f"<table><caption>the chain rule in shapes</caption><tbody>{rows}</tbody></table>"


def chain(functions: Sequence[Callable[[Any], Any]], x: Any) -> Chain:
    """The Jacobians of a composition at a point, and the chain rule in shapes.

    Parameters
    ----------
    functions : sequence of callable
        Applied in this order: ``[h, g]`` is g(h(x)).
    x : float or array

    Returns
    -------
    Chain

    Raises
    ------
    TypeError
        `functions` is no list of functions, or x has no derivative.

    Notes
    -----
    Cost: one Jacobian a function.

    Examples
    --------
    >>> import numpy as np
    >>> from dualad import layout
    >>> a, b = np.ones((3, 4)), np.ones((2, 3))
    >>> layout.chain([lambda x: a @ x, lambda u: np.sin(b @ u)], np.ones(4))
    numerator    (2,3).(3,4)=(2,4)
    stacked      (2,3).(3,4)=(2,4)
    denominator  (4,3).(3,2)=(4,2)
    """
    if not isinstance(functions, Sequence) or not functions or not all(map(callable, functions)):
        raise TypeError("chain takes the functions as a list in the order of their use: chain([h, g], x) is g(h(x))")
    point, factors, shapes = x, [], [_shape_of(x, "x is")]
    for f in functions:
        factors.append(jacobians.jacobian(f)(point))
        point = f(point)
        shapes.append(_shape_of(point, "a function of the chain returns"))
    return Chain(tuple(factors), tuple(shapes))
