"""The examples run as scripts, at tiny sizes, and their numbers are right."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dualad import problems

EXAMPLES = Path(__file__).parent.parent / "examples"
GMM = problems.get("gmm")


def run(script, *arguments):
    command = [sys.executable, str(EXAMPLES / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("script", ["train_network.py", "gmm_gradient.py"])
def test_the_docstrings_of_the_examples_hold(script):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "doctest", "-v", str(EXAMPLES / script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^[1-9]\d* passed", done.stdout, re.MULTILINE)


# ---------------------------------------------------------------- train_network.py


def losses(output):
    """Rows (epoch, train, test) of the table."""
    return np.array(re.findall(r"^ +(\d+) +(\d+\.\d+) +(\d+\.\d+)$", output, re.MULTILINE), dtype=float)


def test_training_lowers_the_cross_entropy_on_both_parts():
    done = run("train_network.py", "--epochs", 3, "--hidden", 3, "--lr", 0.05, "--seed", 1)
    assert (done.returncode, done.stderr) == (0, "")
    table = losses(done.stdout)
    np.testing.assert_array_equal(table[:, 0], [0, 1, 2, 3])
    assert np.all(np.diff(table[:, 1]) < 0)
    assert np.all(table[1:, 1:] < table[0, 1:] / 2)
    assert float(re.search(r"test accuracy (\S+)", done.stdout)[1]) > 0.85
    assert done.stdout.startswith("398 training and 171 test examples, 3 hidden units\n")


def test_training_is_reproducible_and_follows_its_options():
    one = ("train_network.py", "--epochs", 1, "--hidden", 2)
    assert run(*one, "--seed", 5).stdout == run(*one, "--seed", 5).stdout
    assert run(*one, "--seed", 5).stdout != run(*one, "--seed", 6).stdout
    slow, fast = (losses(run(*one, "--lr", lr).stdout) for lr in (0.001, 0.05))
    np.testing.assert_array_equal(slow[0], fast[0])
    assert slow[1, 1] > fast[1, 1]


@pytest.mark.parametrize("option", ["--epochs", "--hidden", "--lr"])
def test_training_refuses_options_that_are_not_positive(option):
    done = run("train_network.py", option, 0)
    assert done.returncode == 2
    assert "must be positive" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_data_are_what_their_readme_says():
    table = np.loadtxt(EXAMPLES / "data" / "breast_cancer.csv", delimiter=",", skiprows=1)
    assert table.shape == (569, 11)
    assert np.bincount(table[:, -1].astype(int)).tolist() == [357, 212]
    # Ranges published with the data set: radius 6.981-28.11, area 143.5-2501.
    assert (table[:, 0].min(), table[:, 0].max()) == (6.981, 28.11)
    assert (table[:, 3].min(), table[:, 3].max()) == (143.5, 2501.0)


# ---------------------------------------------------------------- gmm_gradient.py


def write_gmm(path, alphas, means, icf, x, gamma, m):
    """An ADBench mixture file; repr keeps every bit."""
    (k, d), n = means.shape, len(x)
    rows = [[d, k, n], *alphas[:, None].tolist(), *means.tolist(), *icf.tolist(), *x.tolist(), [gamma, m]]
    path.write_text("\n".join(" ".join(map(repr, row)) for row in rows))
    return path


@pytest.fixture
def mixture(tmp_path):
    rng = np.random.default_rng(3)
    d, k, n = 3, 4, 30
    icf = rng.normal(size=(k, d + d * (d - 1) // 2))
    args = rng.normal(size=k), rng.normal(size=(k, d)), icf, rng.normal(size=(n, d)), 1.5, 2
    return write_gmm(tmp_path / "gmm_d3_K4.txt", *args), args


def test_gmm_gradient_agrees_with_the_hand_written_one(mixture):
    path, args = mixture
    done = run("gmm_gradient.py", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("d=3 K=4 n=30: log posterior ")
    assert done.stdout.endswith("gradient check passed\n")
    value = float(re.search(r"log posterior (\S+)", done.stdout)[1])
    np.testing.assert_allclose(value, GMM.plain(*args), rtol=1e-11)  # twelve digits are printed
    norms = [float(norm) for norm in re.findall(r"norm ([^,]+),", done.stdout)]
    want = [np.linalg.norm(g) for g in GMM.closed_form(*args)]
    np.testing.assert_allclose(norms, want, rtol=1e-8)  # nine digits are printed
    differences = [float(x) for x in re.findall(r"within (\S+)", done.stdout)]
    assert len(differences) == 3
    assert max(differences) < 1e-12


def test_gmm_gradient_is_that_of_the_objective(mixture):
    """Central differences of the value: the two gradients could otherwise share a mistake."""
    _, args = mixture
    rng = np.random.default_rng(4)
    direction = [rng.normal(size=a.shape) for a in args[:3]]

    def along(t):
        return GMM.plain(*(a + t * v for a, v in zip(args[:3], direction, strict=True)), *args[3:])

    h = 1e-5
    slope = sum(np.vdot(g, v) for g, v in zip(GMM.closed_form(*args), direction, strict=True))
    np.testing.assert_allclose((along(h) - along(-h)) / (2 * h), slope, rtol=1e-7)


def malformed(name, text):
    """`text`, a mixture file, spoilt in the way called `name`."""
    lines = text.splitlines()
    return {
        "empty": "",
        "not numbers at all": "hello world\n",
        "two numbers in the first line": "\n".join(["3 4", *lines[1:]]),
        "cut short": "\n".join(lines[:-2]),
        "one number too many": text + " 1.0",
        "a word among the numbers": text.replace(lines[2].split()[0], "minus-one", 1),
        "a number that is not finite": text.replace(lines[2].split()[0], "nan", 1),
        "no components": "3 0 1\n1.0 2.0 3.0\n1.5 2\n",
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "empty",
        "not numbers at all",
        "two numbers in the first line",
        "cut short",
        "one number too many",
        "a word among the numbers",
        "a number that is not finite",
        "no components",
    ],
)
def test_gmm_gradient_says_in_one_line_that_a_file_is_malformed(name, mixture):
    path, _ = mixture
    path.write_text(malformed(name, path.read_text()))
    done = run("gmm_gradient.py", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"gmm_gradient.py: {path}: ")
    assert done.stderr.count("\n") == 1


def test_gmm_gradient_says_in_one_line_that_a_file_is_missing(tmp_path):
    done = run("gmm_gradient.py", tmp_path / "absent.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"gmm_gradient.py: {tmp_path / 'absent.txt'}: No such file or directory\n"
