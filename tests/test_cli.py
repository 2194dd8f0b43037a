"""The command `dualad`: exit codes, one-line errors, output that is the same everywhere when it only counts."""

import os
import subprocess
import sys

import pytest

import dualad
from dualad import cli
from dualad.compare import options
from dualad.compare.environment import THREADS

SMALL = ("compare", "scaling", "--at", "1:8:x2", "--m", "2", "--depth", "3")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Every test in a folder of its own: files appear in the current one."""
    monkeypatch.chdir(tmp_path)


def run(*arguments, module="dualad.cli", **environment):
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *arguments],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
        check=False,
        timeout=120,
    )


def test_version_and_usage():
    assert run("--version").stdout.decode().strip() == f"dualad {dualad.__version__}"
    assert run().stdout.startswith(b"usage: dualad compare")


def test_list_names_experiments_families_and_methods():
    text = run("compare", "list").stdout.decode()
    for word in ("scaling", "mine", "chain", "helmholtz", "rosenbrock", "speelpenning", "forward", "reverse", "complex"):
        assert word in text


def test_count_only_is_the_same_byte_for_byte():
    first = run(*SMALL, "--count-only", PYTHONHASHSEED="1", OMP_NUM_THREADS="2")
    again = run(*SMALL[1:], "--count-only", module="dualad.compare", PYTHONHASHSEED="2")
    assert first.returncode == again.returncode == 0
    assert first.stdout == again.stdout
    assert first.stderr == again.stderr == b""
    for word in (b"Measured", b"processor", b"numpy", b" us"):
        assert word not in first.stdout


def test_counted_table_as_by_hand():
    """n = 2, m = 1, depth 0: 2 sines, 1 sum, then a product and a cosine: 5 operations of 4; one tangent of sine and cosine
    adds 5 each, of the sum 4, of the product 6."""
    text = run("compare", "scaling", "--at", "2", "--depth", "0", "--count-only").stdout.decode()
    row = next(line for line in text.splitlines() if line.split()[:2] == ["2", "1"])
    value, tangent, adjoint = 20, 20 + 3 * 5 + 4 + 6, 20 + 3 * 9 + 8 + 12
    expected = [value, tangent / value, adjoint / value, 1 + 2 * (tangent / value - 1), adjoint / value]
    assert [float(cell) for cell in row.split()[2:7]] == pytest.approx(expected, abs=0.005)


def test_the_short_set_counts_three_experiments_and_says_where_the_crossover_lies():
    out = run("compare", "--count-only").stdout.decode()
    assert out.count("What you see:") == 3
    assert out.count("Counted: forward and reverse cost the same at") == 3


def test_a_measurement_prints_the_machine():
    done = run("compare", "scaling", "--at", "1,4", "--depth", "2", "--repeats", "1")
    assert done.returncode == 0
    text = done.stdout.decode()
    assert "Measured: " in text
    assert f"dualad: {dualad.__version__}" in text
    assert "OPENBLAS_NUM_THREADS=" in text or "OMP_NUM_THREADS=" in text or "not set" in text


@pytest.mark.skipif(sys.platform == "win32", reason="the process is replaced on POSIX only")
@pytest.mark.parametrize("module", ["dualad.cli", "dualad.compare"])
def test_blas_is_pinned_to_one_thread_and_a_setting_is_kept(module, monkeypatch):
    words = ["scaling", "--at", "1", "--depth", "1", "--repeats", "1"]
    arguments = ["compare", *words] if module == "dualad.cli" else words
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    pinned = ", ".join(f"{name}=1" for name in THREADS)
    assert f"BLAS threads: {pinned}\n" in run(*arguments, module=module).stdout.decode()
    kept = run(*arguments, module=module, OMP_NUM_THREADS="2").stdout.decode()
    assert "BLAS threads: OMP_NUM_THREADS=2\n" in kept


@pytest.mark.parametrize("how", [{"PYTHONIOENCODING": "ascii"}, {}])
def test_ascii_where_bars_cannot_be_printed(how):
    done = run(*SMALL, "--count-only", *([] if how else ["--ascii"]), **how)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert not run(*SMALL, "--count-only").stdout.isascii()


BAD = [
    ("nonsense",),
    ("compare", "nonsense"),
    ("compare", "scaling", "--vary", "k"),
    ("compare", "scaling", "--at", "1:x"),
    ("compare", "scaling", "--at", "8:1:x2"),
    ("compare", "scaling", "--at", "1:64:x1"),
    ("compare", "scaling", "--at", "0,1"),
    ("compare", "scaling", "--at", "4,2"),
    ("compare", "scaling", "--at", ""),
    ("compare", "scaling", "--at", "1:1000000:+1"),
    ("compare", "scaling", "--m", "0"),
    ("compare", "scaling", "--m", "-1"),
    ("compare", "scaling", "--m", "many"),
    ("compare", "scaling", "--n", "3"),
    ("compare", "scaling", "--family", "nobody"),
    ("compare", "scaling", "--family", "helmholtz", "--m", "2"),
    ("compare", "scaling", "--family", "rosenbrock", "--at", "1,2"),
    ("compare", "scaling", "--family", "lorenz", "--at", "1:8:x2"),
    ("compare", "scaling", "--at", "1000000000000"),
    ("compare", "scaling", "--family", "helmholtz", "--at", "1000000"),
    ("compare", "scaling", "--out", "no/such/folder/run.json"),
    ("compare", "scaling", "--out", "run.txt"),
    ("compare", "scaling", "--out", ".json"),
    ("compare", "scaling", "--out", "."),
    ("compare", "replot"),
    ("compare", "replot", "no-such-file.json"),
    ("compare", "scaling", "--seed", "x"),
    ("compare", "scaling", "--repeats", "0"),
    ("compare", "scaling", "--without", "magic"),
    ("compare", "mine"),
    ("compare", "mine", "math"),
    ("compare", "mine", "no_such_module_anywhere:f"),
    ("compare", "mine", "math:no_such_function"),
    ("compare", "mine", "math:pi"),
    ("compare", "mine", "math:sin", "--at", "2"),
    ("compare", "mine", "numpy:sin", "--x", "1,a"),
    ("compare", "mine", "numpy:sin", "--x", "1", "--at", "2"),
    ("compare", "mine", "numpy.fft:fft", "--at", "2"),
    ("compare", "list", "more"),
]


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input_is_one_line_and_code_2(arguments, capsys):
    assert cli.main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("dualad")
    assert ": error: " in err


def test_bad_input_in_a_process_of_its_own():
    done = run("compare", "scaling", "--at", "zero")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    done = run("scaling", "--family", "nobody", module="dualad.compare")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


@pytest.fixture
def functions(tmp_path, monkeypatch):
    """A module of functions in the current directory."""
    (tmp_path / "own_functions.py").write_text(
        "import numpy as np\n"
        "import dualad\n"
        "def good(x):\n    return np.sum(np.sin(x) * x)\n"
        "def pair(x):\n    return np.array([x[0] * x[1], x[0]])\n"
        "def scalar(x):\n    return x * x\n"
        "def fails(x):\n    raise ValueError('two\\nlines')\n"
        "@dualad.custom_jvp\ndef wrong(x):\n    return np.sin(x)\n"
        "@wrong.defjvp\ndef _(p, t):\n    return np.sin(p[0]), 2.0 * t[0]\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_mine_finds_functions_in_the_current_directory(functions):
    done = run("compare", "mine", "own_functions:good", "--at", "1:8:x2", "--count-only")
    assert done.returncode == 0, done.stderr
    assert "good: called on arrays of n numbers" in done.stdout.decode()
    done = run("compare", "mine", "own_functions:pair", "--x", "1.5,2", "--count-only")
    assert done.returncode == 0, done.stderr
    assert "the first m of its 2 outputs" in done.stdout.decode()
    done = run("compare", "mine", "own_functions:scalar", "--x", "1.5", "--count-only")
    assert done.returncode == 0, done.stderr


def test_a_negative_point(functions):
    done = run("compare", "mine", "own_functions:pair", "--x", "-1.5,2", "--count-only")
    assert done.returncode == 0, done.stderr


def test_disagreement_is_code_1_and_prints_nothing_else(functions):
    done = run("compare", "mine", "own_functions:wrong", "--at", "1,2")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"disagree" in done.stderr


def test_a_failing_function_is_bad_input_on_one_line(functions):
    done = run("compare", "mine", "own_functions:fails", "--at", "1,2")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert b"ValueError: two lines" in done.stderr


def test_sizes_are_parsed():
    assert options.sizes("1:256:x2") == (1, 2, 4, 8, 16, 32, 64, 128, 256)
    assert options.sizes("1:10:x3") == (1, 3, 9)
    assert options.sizes("5:15:+5") == (5, 10, 15)
    assert options.sizes("3,7") == (3, 7)


def test_output_survives_a_closed_pipe():
    command_line = [sys.executable, "-P", "-m", "dualad.cli", "compare", "list"]
    with subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 0
