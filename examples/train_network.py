"""Train a one-hidden-layer network by stochastic gradient descent, the gradient by reverse mode.

The network of a first course: x -> linear -> sigmoid -> linear -> sigmoid, cross-entropy loss. One update an
example, in a fresh order every epoch; after each epoch the mean cross-entropy on the training and on the test
examples. The data are 569 real ones, described in ``data/README.md``.

Examples
--------
From the repository::

    $ python examples/train_network.py --epochs 10 --hidden 8 --lr 0.05 --seed 0

The function that is differentiated is plain NumPy, and its parameters are a dictionary; so is its gradient:

>>> import numpy as np
>>> import dualad
>>> params = initial_parameters(np.random.default_rng(0), inputs=3, hidden=2)
>>> gradient = dualad.grad(cross_entropy)(params, np.array([0.5, -1.0, 2.0]), 1.0)
>>> {name: np.shape(g) for name, g in gradient.items()}
{'alpha': (2, 3), 'a0': (2,), 'beta': (2,), 'b0': ()}
"""

import argparse
from pathlib import Path

import numpy as np

import dualad

DATA = Path(__file__).parent / "data" / "breast_cancer.csv"


def sigmoid(a):
    """1 / (1 + exp(-a)), written so that neither tail overflows."""
    return 0.5 * (1.0 + np.tanh(0.5 * a))


def logit(params, x):
    """The network up to its last sigmoid.

    Parameters
    ----------
    params : dict
        ``alpha (hidden, inputs)``, ``a0 (hidden,)``, ``beta (hidden,)``, ``b0`` a float.
    x : ndarray (inputs,) or (n, inputs)
        One example or many.

    Returns
    -------
    float or ndarray (n,)
        The log odds of class 1.
    """
    z = sigmoid(x @ params["alpha"].T + params["a0"])
    return z @ params["beta"] + params["b0"]


def cross_entropy(params, x, target):
    """The loss -(t log y + (1-t) log(1-y)) of y = sigmoid(b) for targets t.

    Parameters
    ----------
    params, x
        As in :func:`logit`.
    target : float or ndarray (n,)
        Classes, 0 or 1.

    Returns
    -------
    float or ndarray (n,)

    Notes
    -----
    Computed from the log odds b as log(1 + e^b) - t b, which does not lose digits when y rounds to 0 or 1.
    """
    b = logit(params, x)
    return np.logaddexp(0.0, b) - target * b


def initial_parameters(rng, inputs, hidden):
    """Small random weights and zero biases."""
    return {
        "alpha": rng.normal(scale=inputs**-0.5, size=(hidden, inputs)),
        "a0": np.zeros(hidden),
        "beta": rng.normal(scale=hidden**-0.5, size=hidden),
        "b0": 0.0,
    }


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


def train(params, data, lr, epochs, rng):
    """One update an example; yields the parameters at the start and after each epoch.

    Notes
    -----
    An update costs one sweep: the gradient with respect to every parameter comes out of it together.
    """
    gradient = dualad.grad(cross_entropy)
    xs, targets = data
    yield params
    for _ in range(epochs):
        for i in rng.permutation(len(xs)):
            g = gradient(params, xs[i], targets[i])
            params = {name: value - lr * g[name] for name, value in params.items()}
        yield params


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10, help="passes over the training examples (10)")
    parser.add_argument("--hidden", type=int, default=8, help="hidden units (8)")
    parser.add_argument("--lr", type=float, default=0.05, help="learning rate (0.05)")
    parser.add_argument("--seed", type=int, default=0, help="seed of split, weights and order (0)")
    options = parser.parse_args()
    for name in ("epochs", "hidden", "lr"):
        if not getattr(options, name) > 0:
            parser.error(f"--{name} is {getattr(options, name)}; it must be positive")

    rng = np.random.default_rng(options.seed)
    training, testing = load(rng)
    initial = initial_parameters(rng, training[0].shape[1], options.hidden)
    print(f"{len(training[0])} training and {len(testing[0])} test examples, {options.hidden} hidden units")
    print("epoch  train    test     (mean cross-entropy)")

    for epoch, params in enumerate(train(initial, training, options.lr, options.epochs, rng)):
        on_training, on_testing = (cross_entropy(params, *part).mean() for part in (training, testing))
        print(f"{epoch:5d}  {on_training:.5f}  {on_testing:.5f}")
    right = (logit(params, testing[0]) > 0) == (testing[1] == 1)
    print(f"test accuracy {right.mean():.3f}")


if __name__ == "__main__":
    main()
