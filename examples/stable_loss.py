"""Cross-entropy of a sigmoid, as the formula says and as it should be computed: values and derivatives in the tails.

    as written   y = 1 / (1 + exp(-b)),  J = -(t log y + (1 - t) log(1 - y))
    from logits  J = (1 - t) log(1 + exp(b)) + t log(1 + exp(-b)),  with np.logaddexp

Both are the same function, and both are differentiated exactly. Where y rounds to 0 or 1 the first has lost its
digits, or is infinite, before any derivative is taken; a derivative cannot bring them back.

Examples
--------
From the repository::

    $ python examples/stable_loss.py

>>> import dualad
>>> dualad.grad(from_logits)(800.0, 0.0)        # the slope is y - t = 1
1.0
>>> dualad.grad(from_logits)(-800.0, 1.0)       # and here -1
-1.0
>>> bool(dualad.grad(stable_sigmoid)(-700.0) == stable_sigmoid(-700.0) > 0)     # s' = s (1 - s), and 1 - s rounds to 1
True
"""

import numpy as np

import dualad


def sigmoid(b):
    """1 / (1 + exp(-b)), as the formula says: exp overflows for b below -709."""
    return 1.0 / (1.0 + np.exp(-b))


def stable_sigmoid(b):
    """The same number as exp(-log(1 + exp(-b))): nothing overflows, and both tails keep their digits."""
    return np.exp(-np.logaddexp(0.0, -b))


def as_written(b, target):
    """J = -(t log y + (1 - t) log(1 - y)) of y = sigmoid(b)."""
    y = sigmoid(b)
    return -(target * np.log(y) + (1.0 - target) * np.log(1.0 - y))


def from_logits(b, target):
    """The same loss as (1 - t) log(1 + e^b) + t log(1 + e^-b); the shorter log(1 + e^b) - t b cancels for t = 1."""
    return (1.0 - target) * np.logaddexp(0.0, b) + target * np.logaddexp(0.0, -b)


def rows(target, points=(-800.0, -40.0, -1.0, 0.0, 1.0, 20.0, 40.0, 800.0)):
    """For each b: J and dJ/db as written, and from logits."""
    with np.errstate(all="ignore"):
        return [(b, *dualad.value_and_grad(as_written)(b, target), *dualad.value_and_grad(from_logits)(b, target)) for b in points]


def main():
    print("target 0          as written                   from logits")
    print("      b          J          dJ/db          J          dJ/db")
    for b, *numbers in rows(0.0):
        print(f"{b:7.0f}" + "".join(f"  {x:12.6g}" for x in numbers))


if __name__ == "__main__":
    main()
