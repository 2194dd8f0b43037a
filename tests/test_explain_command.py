"""dualad explain: bad input is one line (and exit code 2 in a terminal), files are whole, tables as in Python."""

import json
import math as pmath
import subprocess
import sys

import numpy as np
import pytest

from dualad import cli, explain


def product(x, y):
    return x * y


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: explain("f", 1.0), TypeError, "takes a function and its arguments, not str; write explain"),
    (lambda: explain(product(1.0, 2.0)), TypeError, "not explain"),
    (lambda: explain(product), TypeError, "0 arguments"),
    (lambda: explain(product, 1.0), TypeError, "was given 1 argument: missing a required argument: 'y'"),
    (lambda: explain(product, 1.0, 2.0, 3.0), TypeError, "was given 3 arguments"),
    (lambda: explain(product, 1.0, float("nan")), ValueError, "y is nan"),
    (lambda: explain(product, np.array([1.0, np.inf]), 2.0), ValueError, "x is inf in places"),
    (lambda: explain(product, "1", 2.0), TypeError, "x is str"),
    (lambda: explain(product, True, 2.0), TypeError, "x is bool"),
    (lambda: explain(product, 1j, 2.0), TypeError, "x is complex"),
    (lambda: explain(product, None, 2.0), TypeError, "x holds no number"),
    (lambda: explain(product, np.array(["a"]), 2.0), TypeError, "x is ndarray"),
    (lambda: explain(lambda x: 3.0, 2.0), TypeError, "does not depend on its arguments"),
    (lambda: explain(lambda x: "s", 2.0), TypeError, "returned str"),
    (lambda: explain(lambda x: pmath.sin(x), 2.0), TypeError, "would lose the derivative"),
    (lambda: explain(product, 1.0, 2.0, argnums=5), ValueError, "argnums 5"),
    (lambda: explain(product, 1.0, 2.0, argnums=()), ValueError, "names no argument"),
    (lambda: explain(product, 1.0, 2.0).forward("q"), KeyError, "no input called 'q'; there are x, y"),
    (lambda: explain(product, 1.0, 2.0).forward({"x": [1.0]}), ValueError, "shape"),
    (lambda: explain(product, np.ones(2), 2.0).forward("x[5]"), KeyError, "no element of x"),
    (lambda: explain(product, 1.0, 2.0).forward(3.0), TypeError, "seed is the name of an input, such as 'x'"),
    (lambda: explain(product, 1.0, 2.0).rename({"x": "a b"}), ValueError, "'a b' is no name for x"),
    (lambda: explain(product, 1.0, 2.0).reverse("C"), ValueError, 'version is "A"'),
    (lambda: explain(product, 1.0, 2.0).fold("zzz"), ValueError, "fold by 'name' or 'function'"),
    (lambda: explain(product, 1.0, 2.0).gradient("zzz"), KeyError, "no value called 'zzz'; there are x, y"),
])  # fmt: skip
def test_bad_input_is_one_line(call, error, words):
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_whole_numbers_are_floats_and_constants_stay():
    assert explain(product, 2, 5).gradient() == {"x": 5.0, "y": 2.0}
    assert explain(lambda x, n: x**n, 2.0, 3, argnums=0).program.nodes[-1].formula == "x**3"


# ---- the command -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def functions(tmp_path, monkeypatch):
    """A module of functions in the current folder."""
    (tmp_path / "explained_functions.py").write_text(
        "import numpy as np\nimport math\n"
        "def simple(x):\n    t = x**2\n    J = np.cos(np.sin(t) + 3 * t)\n    return J\n"
        "def two(x1, x2):\n    y = np.log(x1) + x1 * x2 - np.sin(x2)\n    return y\n"
        "def vector(w):\n    return np.sum(w * w)\n"
        "def matrix(a, x):\n    return a @ x\n"
        "def fails(x):\n    raise ValueError('two\\nlines')\n"
        "def divides(x):\n    return 1 // 0\n"
        "def constant(x):\n    return 1.0\n"
        "def leaves(x):\n    return math.sin(x)\n"
        "def scaled(a, x):\n    return np.sum(a * x)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("explained_functions", None)


def run(capsys, *words):
    code = cli.main(["explain", *words])
    return code, *capsys.readouterr()


def test_the_table_is_that_of_python(capsys):
    code, out, err = run(capsys, "explained_functions:two", "--at", "2,5")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "two at x1 = 2, x2 = 5"
    assert "11.65207" in out
    assert "1.716338" in out
    code, out, _ = run(
        capsys, "explained_functions:two", "--at", "2,5", "--forward", "x2", "--reverse", "A", "--two-column", "--paths", "--kinks"
    )
    assert code == 0
    for words in ("forward, seed x2", "version A", "Forward", "the sum over 2 paths", "no operation is at a kink"):
        assert words in out


def test_points_of_arrays_and_negative_numbers(capsys):
    assert "w = [-1, 2, 3]" in run(capsys, "explained_functions:vector", "--at", "-1,2,3")[1]
    assert "x = [3, 4]" in run(capsys, "explained_functions:matrix", "--at", "1,2;3,4")[1]
    assert "x = -1" in run(capsys, "explained_functions:simple", "--at", "-1", "--fold", "name")[1]
    assert "a = [[1, 2], [3, 4]], x = [5, 6]" in run(capsys, "explained_functions:matrix", "--at", "[[1,2],[3,4]]; [5,6]")[1]
    assert "a = [1, 2], x = 3" in run(capsys, "explained_functions:scaled", "--at", "[1, 2], 3")[1]


def test_an_error_of_the_function_says_its_line(capsys):
    assert run(capsys, "explained_functions:divides", "--at", "1")[2].endswith("(line 17 of explained_functions.py)\n")


def test_no_kink_is_one_line(capsys):
    assert run(capsys, "explained_functions:simple", "--at", "1", "--kinks")[1] == "simple at x = 1: no operation is at a kink\n"


def test_files_are_written(capsys, tmp_path):
    files = ("--html", "j.html", "--latex", "j.tex", "--markdown", "j.md", "--json", "j.json")
    code, out, _ = run(capsys, "explained_functions:simple", "--at", "1", *files)
    assert code == 0
    assert out.count("Written: j.") == 4
    assert json.loads((tmp_path / "j.json").read_text())["name"] == "simple"
    assert r"\frac{dt}{dx} = 2x" in (tmp_path / "j.tex").read_text()
    assert "| value |" in (tmp_path / "j.md").read_text()
    page = (tmp_path / "j.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "http" not in page.replace("http://www.w3.org", "").replace("http-equiv", "")
    assert not list(tmp_path.glob(".*partial"))


BAD = [
    (),
    ("explained_functions:simple",),
    ("explained_functions:simple", "--at", "one"),
    ("explained_functions:simple", "--at", ""),
    ("explained_functions:simple", "--at", "1,,2"),
    ("explained_functions:vector", "--at", "[1,2"),
    ("explained_functions:vector", "--at", "[1,x]"),
    ("explained_functions:vector", "--at", "[[1,2],[3]]"),
    ("explained_functions:two", "--at", "2"),
    ("explained_functions:two", "--at", "2,5,7"),
    ("explained_functions:two", "--at", "2,nan"),
    ("explained_functions:two", "--at", "inf,1"),
    ("explained_functions:nothing", "--at", "1"),
    ("explained_functions", "--at", "1"),
    ("no_such_module_anywhere:f", "--at", "1"),
    ("explained_functions:fails", "--at", "1"),
    ("explained_functions:divides", "--at", "1"),
    ("explained_functions:constant", "--at", "1"),
    ("explained_functions:leaves", "--at", "1"),
    ("explained_functions:simple", "--at", "1", "--forward", "q"),
    ("explained_functions:simple", "--at", "1", "--reverse", "C"),
    ("explained_functions:simple", "--at", "1", "--fold", "q"),
    ("explained_functions:vector", "--at", "1,2", "--paths"),
    ("explained_functions:simple", "--at", "1", "--html", "no/such/folder/j.html"),
    ("explained_functions:simple", "--at", "1", "--json", "."),
    ("explained_functions:simple", "--at", "1", "--nonsense"),
]


@pytest.mark.parametrize("words", BAD, ids=" ".join)
def test_bad_input_is_one_line_and_code_2(words, capsys, tmp_path):
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("dualad explain: error: ")
    assert {path.name for path in tmp_path.iterdir()} <= {"explained_functions.py", "__pycache__"}


def test_nothing_is_written_where_one_file_cannot_be(capsys, tmp_path):
    assert run(capsys, "explained_functions:simple", "--at", "1", "--json", "good.json", "--html", "no/such/j.html")[0] == 2
    assert not (tmp_path / "good.json").exists()


def test_the_commands_are_a_table(capsys):
    assert cli.main(["nonsense"]) == 2
    assert capsys.readouterr().err == "dualad: error: no command 'nonsense'; there is: compare, explain\n"
    assert cli.main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: dualad compare")
    assert "dualad explain module:function --at" in out


def test_as_a_process(functions):
    done = subprocess.run([sys.executable, "-P", "-m", "dualad.cli", "explain", "explained_functions:simple", "--at", "1"],
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "4.560792" in done.stdout
