"""Train a classifier by stochastic gradient descent on real data, the gradient by reverse mode.

    x -> [linear -> sigmoid] ... -> linear -> sigmoid -> cross-entropy

With no hidden layer this is logistic regression, with one and with two it is the network of a first course. One
update an example, in a fresh order every epoch; before the first epoch and after each the mean cross-entropy on the
training and on the test examples. The data are 569 real ones, described in ``data/README.md``.

Examples
--------
From the repository::

    $ python examples/train_network.py --hidden               # logistic regression
    $ python examples/train_network.py --hidden 8             # one hidden layer of eight units (the default)
    $ python examples/train_network.py --hidden 8 4           # two hidden layers
    $ python examples/train_network.py --by-hand              # the same numbers from back-propagation written out
    $ python examples/train_network.py --plot loss.svg        # both curves as a picture

The function that is differentiated is plain NumPy, and its parameters are a list of layers; so is its gradient:

>>> import numpy as np
>>> import dualad
>>> layers = initial_layers(np.random.default_rng(0), inputs=3, hidden=[2])
>>> gradient = dualad.grad(cross_entropy)(layers, np.array([0.5, -1.0, 2.0]), 1.0)
>>> [(np.shape(weights), np.shape(bias)) for weights, bias in gradient]
[((2, 3), (2,)), ((2,), ())]
"""

import argparse
import itertools
from pathlib import Path

import numpy as np

import dualad

DATA = Path(__file__).parent / "data" / "breast_cancer.csv"


def sigmoid(a):
    """1 / (1 + exp(-a)), written so that neither tail overflows."""
    return 0.5 * (1.0 + np.tanh(0.5 * a))


def logit(layers, x):
    """The network up to its last sigmoid.

    Parameters
    ----------
    layers : list of (weights, bias)
        Hidden layers ``(units, inputs), (units,)`` and the last, ``(inputs,)`` and a float.
    x : ndarray (inputs,) or (n, inputs)
        One example or many.

    Returns
    -------
    float or ndarray (n,)
        The log odds of class 1.
    """
    z = x
    for alpha, bias in layers[:-1]:
        z = sigmoid(z @ alpha.T + bias)
    beta, beta0 = layers[-1]
    return z @ beta + beta0


def cross_entropy(layers, x, target):
    """The loss -(t log y + (1-t) log(1-y)) of y = sigmoid(b) for targets t.

    Parameters
    ----------
    layers, x
        As in :func:`logit`.
    target : float or ndarray (n,)
        Classes, 0 or 1.

    Returns
    -------
    float or ndarray (n,)

    Notes
    -----
    Computed from the log odds b as (1-t) log(1 + e^b) + t log(1 + e^-b), which does not lose digits when y rounds to
    0 or 1 (``stable_loss.py`` shows what the formula above does there).
    """
    b = logit(layers, x)
    return (1.0 - target) * np.logaddexp(0.0, b) + target * np.logaddexp(0.0, -b)


def gradient_by_hand(layers, x, target):
    """Back-propagation written out: the gradient of :func:`cross_entropy` for one example, in plain NumPy.

    Parameters
    ----------
    layers, x, target
        As in :func:`cross_entropy`, for one example.

    Returns
    -------
    list of (weights, bias)

    Examples
    --------
    >>> import numpy as np
    >>> import dualad
    >>> layers, x = initial_layers(np.random.default_rng(0), 3, [4, 2]), np.array([0.5, -1.0, 2.0])
    >>> by_hand, by_dualad = gradient_by_hand(layers, x, 1.0), dualad.grad(cross_entropy)(layers, x, 1.0)
    >>> all(np.allclose(g, h, rtol=1e-12) for gs, hs in zip(by_hand, by_dualad) for g, h in zip(gs, hs))
    True
    """
    z = [x]
    for alpha, bias in layers[:-1]:
        z.append(sigmoid(alpha @ z[-1] + bias))
    beta, beta0 = layers[-1]
    db = sigmoid(beta @ z[-1] + beta0) - target
    gradient, dz = [(db * z[-1], db)], db * beta
    for (alpha, _), before, after in reversed(list(zip(layers[:-1], z[:-1], z[1:], strict=True))):
        da = dz * after * (1.0 - after)
        gradient.insert(0, (np.outer(da, before), da))
        dz = da @ alpha
    return gradient


def initial_layers(rng, inputs, hidden):
    """Small random weights and zero biases."""
    widths = [inputs, *hidden]
    layers = [(rng.normal(scale=n**-0.5, size=(m, n)), np.zeros(m)) for n, m in itertools.pairwise(widths)]
    return [*layers, (rng.normal(scale=widths[-1] ** -0.5, size=widths[-1]), 0.0)]


def load(rng, path=DATA):
    """Training and test examples: a random 70 to 30 split, standardised by the training part.

    Returns
    -------
    tuple
        ``(x, target)`` for training, ``(x, target)`` for testing.
    """
    table = rng.permutation(np.loadtxt(path, delimiter=",", skiprows=1))
    x, target = table[:, :-1], table[:, -1]
    cut = round(0.7 * len(table))
    x = (x - x[:cut].mean(axis=0)) / x[:cut].std(axis=0)
    return (x[:cut], target[:cut]), (x[cut:], target[cut:])


def train(layers, data, lr, epochs, rng, gradient=None):
    """One update an example; yields the layers at the start and after each epoch.

    Notes
    -----
    An update costs one sweep: the gradient with respect to every parameter comes out of it together.
    """
    gradient = gradient or dualad.grad(cross_entropy)
    xs, targets = data
    yield layers
    for _ in range(epochs):
        for i in rng.permutation(len(xs)):
            steps = gradient(layers, xs[i], targets[i])
            layers = [(w - lr * dw, b - lr * db) for (w, b), (dw, db) in zip(layers, steps, strict=True)]
        yield layers


def draw(history, title, path):
    """Both curves of the mean cross-entropy as an SVG file."""
    from dualad.compare.figure import Curve, Figure
    from dualad.report import draw as svg

    epochs = tuple(float(epoch) for epoch in range(len(history)))
    on_training, on_testing = zip(*history, strict=True)
    curves = (Curve("training", epochs, on_training, "reverse"), Curve("test", epochs, on_testing, "forward"))
    words = f"The mean cross-entropy on the training examples goes from {on_training[0]:.3f} to {on_training[-1]:.3f}."
    figure = Figure("loss", title, "epoch", "mean cross-entropy", words, words, curves, None, (), "linear", "linear")
    path.write_text(svg(figure), encoding="utf-8")


def options():
    """What was asked for on the command line, checked before anything is computed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training examples (10)")
    parser.add_argument("--hidden", type=int, nargs="*", default=[8], help="units of each hidden layer, none: logistic (8)")
    parser.add_argument("--lr", type=float, default=0.05, help="learning rate (0.05)")
    parser.add_argument("--seed", type=int, default=0, help="seed of split, weights and order (0)")
    parser.add_argument("--by-hand", action="store_true", help="take the gradient written out in NumPy instead of dualad's")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw both curves")
    chosen = parser.parse_args()
    for name, value in (("epochs", chosen.epochs), ("lr", chosen.lr), *(("hidden", units) for units in chosen.hidden)):
        if not 0 < value < float("inf"):
            parser.error(f"--{name} is {value}; it must be positive")
    if chosen.seed < 0:
        parser.error(f"--seed is {chosen.seed}; it must be 0 or more")
    if chosen.plot and (chosen.plot.suffix != ".svg" or not chosen.plot.parent.is_dir()):
        parser.error(f"--plot is {chosen.plot}; it must end in .svg, in a folder that exists")
    return chosen


def main():
    chosen = options()
    rng = np.random.default_rng(chosen.seed)
    training, testing = load(rng)
    initial = initial_layers(rng, training[0].shape[1], chosen.hidden)
    shape = f"{' and '.join(map(str, chosen.hidden))} hidden units" if chosen.hidden else "no hidden layer: logistic regression"
    print(f"{len(training[0])} training and {len(testing[0])} test examples, {shape}")
    print("epoch  train    test     (mean cross-entropy)")

    history = []
    gradient = gradient_by_hand if chosen.by_hand else None
    for epoch, layers in enumerate(train(initial, training, chosen.lr, chosen.epochs, rng, gradient)):
        history.append(tuple(float(cross_entropy(layers, *part).mean()) for part in (training, testing)))
        print(f"{epoch:5d}  {history[-1][0]:.5f}  {history[-1][1]:.5f}")
    right = (logit(layers, testing[0]) > 0) == (testing[1] == 1)
    print(f"test accuracy {right.mean():.3f}")
    if chosen.plot:
        draw(history, f"Stochastic gradient descent, {shape}", chosen.plot)


if __name__ == "__main__":
    main()
