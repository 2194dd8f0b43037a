"""Containers of numbers: flatten to a list of leaves and back.

Tuples, lists, dicts, namedtuples and dataclasses are containers; everything else is a leaf.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

__all__ = ["flatten", "tree_map", "unflatten"]


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """Leaves of a container, and the structure that :func:`unflatten` puts them back into.

    Parameters
    ----------
    tree : tuple, list, dict, namedtuple, dataclass instance, None, or a leaf
        Nested to any depth; dict entries are taken in their own order.

    Returns
    -------
    leaves : list
    structure
        Comparable with ``==``; two trees of equal structure have corresponding leaves.

    Examples
    --------
    >>> leaves, structure = flatten({"w": (1.0, 2.0), "b": [3.0]})
    >>> leaves
    [1.0, 2.0, 3.0]
    >>> unflatten(structure, [10.0, 20.0, 30.0])
    {'w': (10.0, 20.0), 'b': [30.0]}
    """
    leaves: list[Any] = []
    return leaves, _walk(tree, leaves)


def _walk(tree: Any, leaves: list[Any]) -> Any:
    kind = type(tree)
    if kind is float or kind.__module__ == "numpy" or kind.__module__.startswith("dualad."):
        leaves.append(tree)
        return None
    if tree is None:
        return ("none",)
    if isinstance(tree, dict):
        return ("dict", kind, tuple((k, _walk(v, leaves)) for k, v in tree.items()))
    if isinstance(tree, (tuple, list)):
        if set(map(type, tree)) == {float}:  # a flat row of numbers, item by item, is most of the work on it
            leaves.extend(tree)
            parts: tuple[Any, ...] = (None,) * len(tree)
        else:
            parts = tuple(_walk(v, leaves) for v in tree)
        return ("list" if isinstance(tree, list) else "tuple", kind, parts)
    if hasattr(kind, "__dataclass_fields__"):
        fields = list(kind.__dataclass_fields__)
        return ("dataclass", kind, tuple((name, _walk(getattr(tree, name), leaves)) for name in fields))
    leaves.append(tree)
    return None


def unflatten(structure: Any, leaves: list[Any]) -> Any:
    """The container of that structure with those leaves (see :func:`flatten`).

    Examples
    --------
    >>> unflatten(flatten([0.0, (0.0,)])[1], [1.0, 2.0])
    [1.0, (2.0,)]
    """
    return _build(structure, iter(leaves))


def _build(structure: Any, leaves: Any) -> Any:
    if structure is None:
        return next(leaves)
    tag = structure[0]
    if tag == "none":
        return None
    _, kind, parts = structure
    if tag == "dict":
        return _make_mapping(kind, [(k, _build(s, leaves)) for k, s in parts])
    if tag == "dataclass":
        return _make_dataclass(kind, {name: _build(s, leaves) for name, s in parts})
    items = list(islice(leaves, len(parts))) if parts.count(None) == len(parts) else [_build(s, leaves) for s in parts]
    if hasattr(kind, "_fields"):
        return kind(*items)
    return items if kind is list else tuple(items) if kind is tuple else kind(items)


def _make_mapping(kind: type, items: list[tuple[Any, Any]]) -> Any:
    if kind is dict:
        return dict(items)
    out: Any = kind() if not hasattr(kind, "__missing__") else kind(None)
    out.update(items)
    return out


def _make_dataclass(kind: type, values: dict[str, Any]) -> Any:
    out: Any = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(out, name, value)
    return out


def tree_map(fn: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Apply `fn` to every leaf (and to those in its place in the others, of the same structure).

    Examples
    --------
    >>> tree_map(lambda x: 2 * x, {"a": 1.0, "b": (2.0,)})
    {'a': 2.0, 'b': (4.0,)}
    >>> tree_map(lambda x, y: x + y, [1.0, 2.0], [3.0, 4.0])
    [4.0, 6.0]
    """
    leaves, structure = flatten(tree)
    columns = [flatten(other)[0] for other in others]
    return unflatten(structure, [fn(*leaf) for leaf in zip(leaves, *columns, strict=True)])
