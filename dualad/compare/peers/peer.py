"""What another library must offer to be compared."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from ..recorded import Recorded

__all__ = ["Call", "Peer"]

#: computes a derivative, without arguments
Call = Callable[[], Any]


class Peer(ABC):
    """One library. A subclass states the class attributes and both derivatives.

    Attributes
    ----------
    name : str
        As printed, and as `pip` knows it.
    module : str
        What is imported.
    summary : str
        How its Jacobian is made.
    most : int
        Largest :meth:`effort` that is tried.
    unit : str
        What the effort counts, in words.
    """

    name: ClassVar[str]
    module: ClassVar[str]
    summary: ClassVar[str]
    most: ClassVar[int]
    unit: ClassVar[str]

    @abstractmethod
    def jacobian(self, f: Callable[..., Any], x: np.ndarray, m: int) -> Call:
        """A call that computes the Jacobian of f: R^n -> R^m at x; its result has m n numbers, row by row."""

    @abstractmethod
    def gradient(self, f: Callable[..., Any], args: Sequence[Any], count: int) -> Call:
        """A call that computes the gradient of f(*args), a number, with respect to the first `count` arguments (floats, arrays,
        lists of them); its result has their numbers in order."""

    @abstractmethod
    def effort(self, tape: Recorded, n: int, m: int) -> float:
        """How much work a derivative is likely to be: known before the library is asked, the same on every machine."""

    def installed(self) -> bool:
        """Can it be imported?"""
        return importlib.util.find_spec(self.module) is not None

    def version(self) -> str:
        """Of the installed package; "" if it is not there."""
        try:
            return importlib.metadata.version(self.name)
        except importlib.metadata.PackageNotFoundError:
            return ""
