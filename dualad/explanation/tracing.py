"""Run a function once on a tape, and remember where each operation was written and what its result was called.

The function runs under a line tracer (`sys.settrace`) that follows the caller's own frames only: at each line it notes how long
the tape has become, so that the operations in between belong to the line before, and it looks which local variables now hold
traced values. Nothing of the library, of NumPy or of the standard library is traced, and the tracer that was there before
(a debugger's, a coverage tool's) is put back, also after an exception.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from .._core import Level
from ..generic import GenericVar, checked_output
from ..tree import flatten, unflatten

__all__ = ["Place", "Recording", "function_around", "origin", "record", "statement", "written_near"]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FOREIGN = tuple(
    os.path.join(folder, "")
    for folder in {os.path.dirname(np.__file__), sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
)
#: containers with more entries than this are not searched for traced values
_ENTRIES = 64
_CALL = "__call__"


@dataclass(frozen=True)
class Place:
    """Where an operation was written: a statement of a run of a function."""

    file: str = ""
    line: int = 0
    function: str = ""
    call: int = 0
    depth: int = 0
    #: function -> run of the outermost function below f that this happened in (0: in f itself)
    outer: int = 0


@dataclass
class Recording:
    """What a run left.

    Attributes
    ----------
    level : Level
        Closed; its calls are the tape.
    inputs : list of GenericVar
    input_names : list of str
    leaves : list
        What f returned, flattened.
    output_names : list of str
        Names by their place in the container that f returned ("" for the only one, "[0]", "['loss']").
    places : list of Place
        One for each call on the tape.
    names : dict of int to (int, str, str)
        Key of a value -> depth of the frame, name of the variable, name of the function.
    constants : list of (str, ndarray or float)
        Plain arrays that local variables hold, and plain floats that were passed to a function.
    """

    level: Level
    inputs: list[Any]
    input_names: list[str]
    leaves: list[Any] = field(default_factory=list)
    output_names: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    names: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    constants: list[tuple[str, Any]] = field(default_factory=list)


class _Frame:
    """A frame of the caller that is running."""

    __slots__ = ("call", "depth", "file", "function", "line", "outer")

    def __init__(self, frame: FrameType, call: int, depth: int, outer: int, function: str) -> None:
        self.file, self.line = frame.f_code.co_filename, frame.f_lineno
        self.function, self.call, self.depth, self.outer = function, call, depth, outer


class _Tracer:
    """The trace function; its stack holds the caller's frames that are running."""

    def __init__(self, recording: Recording, own: CodeType | None) -> None:
        self.recording, self.level = recording, recording.level
        self.own = own.co_filename if own else None
        self.stack: list[_Frame] = []
        self.calls = -1
        self.known: dict[tuple[str, Any], bool] = {}
        self.seen: set[CodeType] = set()
        self.owners: dict[str, str] = {}

    def follows(self, code: CodeType, module: Any = None, written: str | None = None) -> bool:
        """Is this code the caller's? Its module's name and file tell it of code that dataclasses or namedtuple made."""
        file = code.co_filename
        found = self.known.get((file, module))
        if found is None:
            path = os.path.abspath((file == "<string>" and written) or file)
            own = (os.path.join(_PACKAGE, ""), os.path.join(os.path.dirname(np.__file__), ""))  # site-packages may hold them
            library = path.startswith(_FOREIGN) and "site-packages" not in path
            foreign = path.startswith(own) or library or file.startswith("<frozen") or str(module).startswith("namedtuple_")
            found = self.known[file, module] = not foreign or (file == self.own and not path.startswith(own[1]))
        return found

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        names = frame.f_globals
        if event != "call" or not self.follows(frame.f_code, names.get("__name__"), names.get("__file__")):
            return None
        self.settle()
        self.calls += 1
        above = self.stack[-1] if self.stack else None
        depth = above.depth + 1 if above else 0
        inner = (
            frame.f_code.co_name.startswith("<") and frame.f_code.co_name != "<lambda>"
        )  # a comprehension is part of its function
        function = above.function if inner and above else frame.f_code.co_name
        call = above.call if inner and above else self.calls
        outer = 0 if depth == 0 or (inner and above and not above.outer) else (above.outer if above and above.outer else call)
        self.stack.append(_Frame(frame, call, depth, outer, function))
        self.look(frame)
        self.look_around(frame, self.stack[-1])
        for name, value in frame.f_locals.items():  # a float that was passed: constants of the function's own code are no names
            if type(value) is float and len(self.recording.constants) < _ENTRIES:
                self.recording.constants.append((name, value))
        return self.local

    def local(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "exception":
            return self.local
        self.settle()
        self.look(frame)
        if event == "line":
            self.stack[-1].line = frame.f_lineno
        elif event == "return":
            self.stack.pop()
        return self.local

    def settle(self) -> None:
        """What was recorded since the last look belongs to the line that is left."""
        places, tape = self.recording.places, self.level.calls
        if len(places) < len(tape):
            top = self.stack[-1] if self.stack else None
            place = Place(top.file, top.line, top.function, top.call, top.depth, top.outer) if top else Place()
            places.extend([place] * (len(tape) - len(places)))

    def look(self, frame: FrameType) -> None:
        """Note which variables hold what."""
        top = self.stack[-1]
        for name, value in frame.f_locals.items():
            if not name.startswith("."):
                self.note(value, name, top, 0)

    def look_around(self, frame: FrameType, top: _Frame) -> None:
        """Note the arrays that the code of a function names and its module holds, and those of `self`."""
        if frame.f_code in self.seen:
            return
        self.seen.add(frame.f_code)
        held = {name: frame.f_globals.get(name) for name in frame.f_code.co_names if name not in frame.f_locals}
        owner = frame.f_locals.get("self")
        for name, value in getattr(owner, "__dict__", {}).items():
            held[f"self.{name}"] = value
        for name, value in held.items():
            if type(value) in (np.ndarray, list, tuple, dict):
                self.note(value, name, top, 0)

    def note(self, value: Any, name: str, top: _Frame, nested: int) -> None:
        kind = type(value)
        if kind is GenericVar:
            if value.level_id == self.level.level_id:
                old = self.recording.names.get(value.key)
                if old is None or top.depth < old[0]:
                    self.recording.names[value.key] = (top.depth, name, top.function)
        elif kind is np.ndarray and value.dtype.kind in "fiub":
            constants = self.recording.constants
            if len(constants) < _ENTRIES and not any(value is known for _, known in constants):
                if self.owners.setdefault(name, top.function) != top.function:  # another function's array has that name
                    name = f"{top.function}.{name}"
                if top.function.isidentifier() or "." not in name or name.startswith("self."):
                    constants.append((name, value))
        elif kind in (list, tuple) and len(value) <= _ENTRIES and nested < 2:
            for i, entry in enumerate(value):
                self.note(entry, f"{name}[{i}]", top, nested + 1)
        elif kind is dict and len(value) <= _ENTRIES and nested < 2:
            for key, entry in value.items():
                self.note(entry, f"{name}[{key!r}]", top, nested + 1)


def record(
    f: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], argnums: Sequence[int], names: Sequence[str]
) -> Recording:
    """Run f on traced arguments.

    Parameters
    ----------
    f : callable
    args, kwargs
        Checked: the arguments in `argnums` are floats, arrays of floats, or containers of them.
    argnums : sequence of int
        Which of `args` are traced.
    names : sequence of str
        One for each of `args`.

    Returns
    -------
    Recording
    """
    level = Level(True, 0, False)
    inputs: list[Any] = []
    input_names: list[str] = []
    given = list(args)
    with level:
        for i in argnums:
            leaves, structure = flatten(args[i])
            traced = [GenericVar(level, np.array(x) if isinstance(x, np.ndarray) else float(x)) for x in leaves]
            given[i] = unflatten(structure, list(traced))
            inputs += traced
            input_names += paths_of(args[i], names[i])
        recording = Recording(level, inputs, input_names)
        tracer = _Tracer(recording, _code(f))
        before = sys.gettrace()
        sys.settrace(tracer)
        try:
            with np.errstate(all="ignore"):  # the table says which value is not finite
                out = f(*given, **kwargs)
        finally:
            sys.settrace(before)
        tracer.settle()
        leaves = flatten(out)[0]
        recording.leaves = [checked_output(leaf) for leaf in leaves]
        tracer.settle()
        recording.output_names = paths_of(out, "")
    for x, name in zip(inputs, input_names, strict=True):
        recording.names[x.key] = (-1, name, "")
    return recording


def _code(f: Any) -> CodeType | None:
    """The code object behind a callable."""
    f = inspect.unwrap(f) if callable(f) else f
    for candidate in (f, getattr(f, "func", None), getattr(f, "fun", None), getattr(type(f), _CALL, None)):
        code = getattr(candidate, "__code__", None)
        if isinstance(code, CodeType):
            return code
    return None


def paths_of(tree: Any, name: str) -> list[str]:
    """A name for each leaf of a container, in the order of :func:`dualad.tree.flatten`: w, b[0], p['w'], p.w."""
    kind = type(tree)
    if tree is None:
        return []
    if isinstance(tree, dict):
        return [path for key, value in tree.items() for path in paths_of(value, f"{name}[{key!r}]")]
    if hasattr(kind, "_fields"):
        return [path for key, value in zip(kind._fields, tree, strict=True) for path in paths_of(value, f"{name}.{key}")]
    if isinstance(tree, (tuple, list)):
        return [path for i, value in enumerate(tree) for path in paths_of(value, f"{name}[{i}]")]
    if hasattr(kind, "__dataclass_fields__"):
        return [path for key in kind.__dataclass_fields__ for path in paths_of(getattr(tree, key), f"{name}.{key}")]
    return [name]


def origin(f: Any) -> tuple[str, str, int]:
    """File, text and first line of a function; ("", "", 0) where it has no source (a C function, typed into an interpreter)."""
    code = _code(f)
    if code is None:
        return "", "", 0
    try:
        lines, first = inspect.getsourcelines(code)
    except (OSError, TypeError, IndexError, SyntaxError):
        return "", "", 0
    return code.co_filename, inspect.cleandoc("x\n" + "".join(lines))[2:] if lines else "", first


def function_around(file: str, line: int) -> tuple[tuple[int, str], ...]:
    """The lines of the innermost function around a line, numbered and without their common indentation; () without a source."""
    first, text = statement(file, line)
    if not text:
        return ()
    around = [span for span in _STATEMENTS[file][3] if span[0] <= line <= span[1]]
    first, last = max(around, default=(first, _STATEMENTS[file][1].get(line, (line, line))[1]))
    lines = inspect.cleandoc("x\n" + "".join(_STATEMENTS[file][0][first - 1 : last]))[2:].splitlines()
    return tuple(enumerate(lines, first))


def written_near(file: str, line: int) -> list[ast.expr]:
    """What the caller wrote on a line, or on the lines of a statement of a few lines that it belongs to, from the outside in."""
    statement(file, line)  # reads the file
    known = _STATEMENTS.get(file)
    if known is None:
        return []
    first, last = known[1].get(line, (line, line))
    if last - first > _LINES:
        first = last = line
    return [tree for tree in known[2] if tree.lineno <= last and (tree.end_lineno or tree.lineno) >= first]


#: statements of more lines than this are looked at line by line
_LINES = 10

#: file -> its lines, the simple statement around each, what is written in it, and the lines of its functions
_STATEMENTS: dict[str, tuple[list[str], dict[int, tuple[int, int]], list[ast.expr], list[tuple[int, int]]]] = {}


def statement(file: str, line: int) -> tuple[int, str]:
    """First line and text of the simple statement that a line belongs to; (line, "") without a source."""
    try:
        lines = linecache.getlines(file)
    except (IndexError, OSError, UnicodeDecodeError):  # tools that keep their own sources may have forgotten this one
        return line, ""
    if not lines or not 0 < line <= len(lines):
        return line, ""
    known = _STATEMENTS.get(file)
    if known is None or known[0] is not lines:
        known = _STATEMENTS[file] = (lines, *_spans("".join(lines)))
    first, last = known[1].get(line, (line, line))
    text = " ".join(part.strip() for part in lines[first - 1 : last])
    return first, text if len(text) <= 160 else f"{text[:157]}..."


def _spans(text: str) -> tuple[dict[int, tuple[int, int]], list[ast.expr], list[tuple[int, int]]]:
    """Line -> (first, last) of the innermost simple statement around it; comparisons, signs and names; lines of functions."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}, [], []
    found: dict[int, tuple[int, int]] = {}
    for node in ast.walk(tree):  # outer statements come first
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found[line] = (node.lineno, node.end_lineno or node.lineno)
    nodes = list(ast.walk(tree))
    kinds = (ast.Compare, ast.BinOp, ast.UnaryOp, ast.Name, ast.Attribute)
    written: list[ast.expr] = [n for n in nodes if isinstance(n, kinds)]
    functions = [n for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    starts = [min([n.lineno, *(d.lineno for d in n.decorator_list)]) for n in functions]
    return found, written, [(start, n.end_lineno or n.lineno) for start, n in zip(starts, functions, strict=True)]
