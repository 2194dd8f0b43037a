"""The experiments there are, by name, and what the command line must know of each.

An experiment's module ends in one call::

    register("checkpoint", "time against memory: store all, sqrt(l), binomial", checkpoint,
             Argument("steps", natural, 100, "length of the chain"))

and both ``dualad compare checkpoint --steps 100`` and ``dualad compare list`` know it. The options --seed, --repeats,
--count-only are added for those of ``seed``, ``repeats``, ``count_only`` that the function takes.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["EXPERIMENTS", "Argument", "Experiment", "discover", "register"]


@dataclass(frozen=True)
class Argument:
    """One option of an experiment.

    Parameters
    ----------
    name : str
        Keyword of the experiment's function; the option is ``--name`` with hyphens.
    kind : callable
        Makes the value from the text (see :mod:`dualad.compare.options`), and raises ValueError or
        argparse.ArgumentTypeError with the line to print; `bool` makes a switch.
    default : object
    help : str
        One line; the default is added to it.
    choices : tuple of str
        The only texts allowed.
    metavar : str
        What stands for the value in the help.
    positional : bool
        Given by place, and necessary.
    """

    name: str
    kind: Callable[[str], Any] = str
    default: Any = None
    help: str = ""
    choices: tuple[str, ...] = ()
    metavar: str = ""
    positional: bool = False


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Parameters
    ----------
    name, summary : str
        Of the command; one line.
    run : callable
        ``run(**arguments, progress=...)`` returns a Result or a Report.
    arguments : tuple of Argument
    """

    name: str
    summary: str
    run: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()

    def takes(self, keyword: str) -> bool:
        """Does the function know this keyword?

        Examples
        --------
        >>> from dualad.compare.registry import EXPERIMENTS
        >>> EXPERIMENTS["scaling"].takes("repeats"), EXPERIMENTS["scaling"].takes("colour")
        (True, False)
        """
        return keyword in inspect.signature(self.run).parameters

    def default(self, keyword: str) -> Any:
        """The function's default of a keyword; None without the keyword.

        Examples
        --------
        >>> from dualad.compare.registry import EXPERIMENTS
        >>> EXPERIMENTS["scaling"].default("repeats")
        15
        """
        parameter = inspect.signature(self.run).parameters.get(keyword)
        return None if parameter is None else parameter.default


EXPERIMENTS: dict[str, Experiment] = {}


def register(name: str, summary: str, run: Callable[..., Any], *arguments: Argument) -> Experiment:
    """Make an experiment known to the command line and to `list`.

    Raises
    ------
    ValueError
        The name is taken, or the function does not know one of the arguments.
    """
    experiment = Experiment(name, summary, run, arguments)
    if name in EXPERIMENTS and EXPERIMENTS[name].run.__module__ != run.__module__:
        raise ValueError(f"there is an experiment {name!r} already")
    for argument in arguments:
        if not experiment.takes(argument.name):
            raise ValueError(f"experiment {name!r} has no parameter {argument.name!r}")
    EXPERIMENTS[name] = experiment
    return experiment


def discover() -> None:
    """Import the modules of this package, so that every experiment registers."""
    package = importlib.import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "__main__":
            importlib.import_module(f"{__package__}.{module.name}")
    for name in sorted(EXPERIMENTS):  # the order of `list`, whoever was imported first
        EXPERIMENTS[name] = EXPERIMENTS.pop(name)
