"""The examples run as scripts, at tiny sizes, and their numbers are right."""

import importlib.util
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import dualad
from dualad import problems

EXAMPLES = Path(__file__).parent.parent / "examples"
GMM = problems.get("gmm")


def run(script, *arguments):
    command = [sys.executable, str(EXAMPLES / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def imported(script):
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(script.removesuffix(".py"), EXAMPLES / script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", ["train_network.py", "stable_loss.py", "gmm_gradient.py"])
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


NETWORK = imported("train_network.py")
LAYERS = pytest.mark.parametrize("hidden", [(), (3,), (4, 3)], ids=["logistic", "one-hidden", "two-hidden"])


@LAYERS
def test_loss_falls_with_every_number_of_layers(hidden):
    done = run("train_network.py", "--hidden", *hidden, "--epochs", 8, "--lr", 0.1)
    assert (done.returncode, done.stderr) == (0, "")
    table = losses(done.stdout)
    assert np.all(table[-1, 1:] < table[0, 1:] / 2)
    assert float(re.search(r"test accuracy (\S+)", done.stdout)[1]) > 0.85


def by_loops(layers, x, target):
    """Back-propagation index by index, as the slides print it, with the sigmoid as its formula: float arithmetic alone."""
    z = [[float(v) for v in x]]
    for alpha, bias in layers[:-1]:
        a = [sum(alpha[j, i] * z[-1][i] for i in range(len(z[-1]))) + bias[j] for j in range(len(bias))]
        z.append([1 / (1 + np.exp(-aj)) for aj in a])
    beta, beta0 = layers[-1]
    y = 1 / (1 + np.exp(-(sum(b * v for b, v in zip(beta, z[-1], strict=True)) + beta0)))
    db = -(target / y + (1 - target) / (y - 1)) * y * (1 - y)
    gradient, dz = [([db * v for v in z[-1]], db)], [db * b for b in beta]
    for depth in range(len(layers) - 2, -1, -1):
        alpha, before, after = layers[depth][0], z[depth], z[depth + 1]
        da = [d * v * (1 - v) for d, v in zip(dz, after, strict=True)]
        gradient.insert(0, ([[d * v for v in before] for d in da], da))
        dz = [sum(da[j] * alpha[j, i] for j in range(len(da))) for i in range(len(before))]
    return gradient


@LAYERS
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_gradient_of_the_loss_equals_the_closed_form(hidden, target):
    rng = np.random.default_rng(len(hidden))
    layers, x = NETWORK.initial_layers(rng, 10, hidden), rng.normal(size=10)
    want = by_loops(layers, x, target)
    for got in (dualad.grad(NETWORK.cross_entropy)(layers, x, target), NETWORK.gradient_by_hand(layers, x, target)):
        assert len(got) == len(want) == len(hidden) + 1
        for pair, by_hand in zip(got, want, strict=True):
            for g, h in zip(pair, by_hand, strict=True):
                assert np.shape(g) == np.shape(h)
                np.testing.assert_allclose(g, h, rtol=1e-11)


@LAYERS
def test_training_equals_stochastic_gradient_descent_by_hand(hidden):
    """Some 800 updates: rounding of 1e-16 an update, not a different path."""
    one = ("train_network.py", "--epochs", 2, "--hidden", *hidden)
    by_dualad, by_hand = run(*one), run(*one, "--by-hand")
    assert by_dualad.stdout == by_hand.stdout  # five decimals
    finals = []
    for gradient in (None, NETWORK.gradient_by_hand):
        rng = np.random.default_rng(5)
        training, _ = NETWORK.load(rng)
        layers = NETWORK.initial_layers(rng, 10, hidden)
        *_, final = NETWORK.train(layers, training, 0.05, 2, rng, gradient)
        finals.append(final)
    for pair, want in zip(*finals, strict=True):
        for got, expected in zip(pair, want, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


def test_training_draws_its_losses(tmp_path):
    path = tmp_path / "loss.svg"
    done = run("train_network.py", "--epochs", 2, "--hidden", 2, "--plot", path)
    assert (done.returncode, done.stderr) == (0, "")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert "training" in text
    assert "mean cross-entropy" in text


REFUSED = [("--plot", "loss.doc"), ("--plot", "/no/such/folder/loss.svg"), ("--lr", "nan"), ("--seed", -1), ("--hidden", 3, -2)]


@pytest.mark.parametrize("arguments", REFUSED)
def test_training_refuses_what_it_cannot_do_before_it_starts(arguments):
    done = run("train_network.py", "--epochs", 1, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{arguments[0]} is {arguments[-1]}; it must " in done.stderr


# ---------------------------------------------------------------- stable_loss.py


def test_both_losses_agree_where_both_have_digits_and_only_one_survives_the_tails():
    stable = imported("stable_loss.py")
    for target in (0.0, 1.0):
        for b, naive, naive_slope, loss, slope in stable.rows(target):
            sign = 1 - 2 * target
            np.testing.assert_allclose(loss, max(sign * b, 0.0) + math.log1p(math.exp(-abs(b))), rtol=1e-14)
            np.testing.assert_allclose(slope, sign / (1 + math.exp(-sign * b)) if sign * b > -700 else 0.0, rtol=1e-14)
            if abs(b) <= 1:
                np.testing.assert_allclose((naive, naive_slope), (loss, slope), rtol=1e-14)
            if abs(b) == 800:
                assert np.isnan(naive_slope)


def test_stable_loss_prints_its_table():
    done = run("stable_loss.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^ +800 +inf +nan +800 +1$", done.stdout, re.MULTILINE)


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
