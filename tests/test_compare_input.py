"""Functions that cannot be compared: each is refused in one line that says what to change, and nothing is timed."""

import subprocess
import sys

import numpy as np
import pytest

from dualad import cli, compare, custom_jvp
from dualad.compare import measure, probe

MODULE = """
import random
import sys
import warnings
import numpy as np
import dualad

CALLS = []

def strings(x):
    return ["a", "b"]

def one_string(x):
    return "text"

def floats_in_a_list(x):
    return [x[0], x[1]]

def nothing(x):
    return None

def empty(x):
    return x[:0]

def integers(x):
    return 3

def imaginary(x):
    return 1j * x

def noisy(x):
    return np.sum(x) * random.random()

def flips(x, state=[0]):
    state[0] += 1
    return np.sum(x) * (1 + state[0] % 2)

def prints(x):
    CALLS.append(1)
    print("energy", float(dualad.value(np.sum(x))))
    return np.sum(x * x)

def complains(x):
    print("careful", file=sys.stderr)
    return np.sum(x)

def warns(x):
    warnings.warn("careful")
    return np.sum(x * x)

def raises(x):
    raise RuntimeError("two\\nlines")

def exits(x):
    sys.exit(3)

def raises_later(x):
    if isinstance(x, np.ndarray):
        return np.sum(x)
    raise RuntimeError("traced")

def in_place(x):
    x *= 2.0
    return np.sum(x)

def root_at_zero(x):
    return np.sum(np.sqrt(x))

def log_at_zero(x):
    return np.sum(np.log(x))

def nan_slope(x):
    return np.sum(np.sqrt(x) * np.sqrt(x))

def kink(x):
    return np.sum(np.abs(x))

def hungry(x):
    return np.sum(np.zeros(2**58))

def detached(x):
    return np.sum(np.array([float(dualad.value(v)) ** 2 for v in x]))

def floats(x):
    return np.array([float(v) for v in x])
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_bad_functions.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("own_bad_functions", None)


@pytest.mark.parametrize(
    ("name", "point", "words"),
    [
        ("strings", "1,2", "not a list"),
        ("one_string", "1,2", "must return a float or an array of floats, not <U4"),
        ("floats_in_a_list", "1,2", "np.stack makes an array"),
        ("nothing", "1,2", "not None: does it end in a return?"),
        ("empty", "1,2", "maps 2 numbers to 0"),
        ("integers", "1,2", "not int64"),
        ("imaginary", "1,2", "not complex128"),
        ("noisy", "1,2", "is it random?"),
        ("flips", "1,2", "is it random?"),
        ("prints", "1,2", "f prints ('energy 3.0')"),
        ("complains", "1,2", "f prints ('careful')"),
        ("raises", "1,2", "RuntimeError: two lines"),
        ("exits", "1,2", "SystemExit: 3"),
        ("raises_later", "1,2", "RuntimeError: traced"),
        ("in_place", "1,2", "f changes its argument"),
        ("root_at_zero", "1,0", "f is not differentiable here: entry (0, 1) of its Jacobian is inf"),
        ("log_at_zero", "1,0", "f is -inf at this point"),
        ("nan_slope", "1,0", "f is not differentiable here"),
        ("kink", "1,0", "the slopes to the left and to the right of entry 1 of x are -1 and 1"),
        ("hungry", "1,2", "emory"),
        ("floats", "1,2", "TypeError"),
    ],
)
def test_a_bad_function_is_one_line_and_code_2(own, capsys, monkeypatch, name, point, words):
    monkeypatch.setattr(measure, "interleaved", lambda *args: pytest.fail("timed a bad function"))
    assert cli.main(["compare", "mine", f"own_bad_functions:{name}", "--x", point, "--out", "run.json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert words in err
    assert not list(own.glob("run*"))


def test_numpy_warnings_do_not_join_the_line(own):
    command = [sys.executable, "-P", "-m", "dualad.cli", "compare", "mine", "own_bad_functions:root_at_zero", "--x", "1,0"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.filterwarnings("ignore:careful")
def test_a_function_that_warns_is_taken(own, capsys):
    assert cli.main(["compare", "mine", "own_bad_functions:warns", "--x", "1,2", "--count-only"]) == 0
    assert "Counted" in capsys.readouterr().out


def test_a_function_that_prints_is_run_once(own, capsys):
    assert cli.main(["compare", "mine", "own_bad_functions:prints", "--x", "1,2"]) == 2
    assert len(sys.modules["own_bad_functions"].CALLS) == 1
    assert "energy" not in capsys.readouterr().out


def test_a_detached_function_disagrees(own, capsys):
    """Tangents cut off inside f: forward says 0, differences do not. That is a disagreement, not bad input."""
    assert cli.main(["compare", "mine", "own_bad_functions:detached", "--x", "1,2"]) == 1
    assert "disagree" in capsys.readouterr().err


def test_too_many_sizes_are_said_to_be_too_many(capsys):
    assert cli.main(["compare", "scaling", "--at", "1:100000000:+1"]) == 2
    assert "at most 1000 sizes, not '1:100000000:+1'" in capsys.readouterr().err


@pytest.mark.parametrize("f", [lambda x: 3.0, lambda x: x])
def test_a_function_without_operations_has_nothing_to_compare(f):
    words = " ".join(compare.mine(f, np.ones(2), count_only=True).parts[0].reading())
    assert "no operation that has a price" in words
    assert "nan" not in words


def test_points_that_are_none(own, capsys):
    for words in (["--x", "1,,2"], ["--x", ""], ["--x", "nan"], ["--at", "1:"], ["--at", "1:2:"], ["--at", "1:4:3"],
                  ["--at", "a"], ["--at", "1.5"], ["--at", "1e3"], ["--at", "-1"]):  # fmt: skip
        assert cli.main(["compare", "mine", "numpy:sum", *words]) == 2, words
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1), words


def test_more_than_memory_is_said_before_it_is_asked_for(capsys):
    """Sizes are checked before the points are made: nothing tries to allocate."""
    for words in ("--at 100000000", "--family helmholtz --at 1000000", "--vary m --n 1000000 --at 1000",
                  "--family dense --m 100000 --at 1000"):  # fmt: skip
        assert cli.main(["compare", "scaling", *words.split()]) == 2
        assert "choose smaller sizes" in capsys.readouterr().err
    assert cli.main(["compare", "mine", "numpy:sum", "--at", "1000000000000000"]) == 2
    assert "choose smaller sizes" in capsys.readouterr().err


def test_memory_that_is_not_there_is_one_line(monkeypatch, capsys):
    def hungry(*args, **options):
        raise MemoryError("Unable to allocate 8. EiB")

    monkeypatch.setattr("dualad.compare.command.EXPERIMENTS", {**compare.EXPERIMENTS, "scaling": compare.registry.Experiment(
        "scaling", "", hungry)})
    assert cli.main(["compare", "scaling"]) == 2
    assert capsys.readouterr().err == "dualad compare: error: not enough memory: Unable to allocate 8. EiB\n"


def test_answer_gives_what_f_gives():
    x = np.arange(3.0)
    assert probe.answer(np.sin, x).tolist() == np.sin(x).tolist()
    assert probe.answer(lambda t: t * t, 3.0) == 9.0
    wobbly = iter([1.0, 1.0 + 1e-15])
    assert probe.answer(lambda t: next(wobbly), 3.0) == 1.0  # a last bit may differ: threads add in any order


def test_a_kink_between_wrong_slopes_is_still_a_disagreement():
    """A wrong rule where f is smooth is never excused as a kink."""

    @custom_jvp
    def wrong(x):
        return np.sin(x)

    @wrong.defjvp
    def _(primals, tangents):
        return np.sin(primals[0]), 2.0 * np.cos(primals[0]) * tangents[0]

    with pytest.raises(compare.DisagreementError):
        compare.mine(lambda x: np.sum(wrong(x)), np.array([1.0, 2.0]))


def test_expensive_methods_are_priced_not_run(monkeypatch):
    """The limit is a count, so that --count-only decides the same on every machine; the cheaper mode always runs."""
    monkeypatch.setattr(measure, "MOST_OPERATIONS", 5000)
    rows = compare.scaling("n", [1, 64], depth=4, count_only=True).rows
    assert rows[0].left_out == {}
    assert set(rows[1].left_out) >= {"forward", "n jvp", "differences", "central", "complex"}
    assert "reverse" not in rows[1].left_out
    assert set(rows[1].counted) == set(rows[0].counted)
