"""Gradient of a Gaussian mixture's log posterior on an ADBench file, checked against the one written by hand.

ADBench (Srajer, Kukelova and Fitzgibbon 2018) times automatic differentiation on the log posterior of a
Gaussian mixture under a Wishart prior; its files are called ``gmm_dD_KK.txt``. The objective is plain
vectorised NumPy. The gradient is taken with respect to the log weights, the means and the inverse covariance
factors together, in one reverse sweep.

The exit code is 0 if the two gradients agree, 1 if they do not, 2 if the file is missing or malformed.

Examples
--------
From the repository, with a file of ADBench's::

    $ python examples/gmm_gradient.py gmm_d2_K5.txt

and without one, on a mixture drawn at random:

>>> from dualad import problems
>>> worst_difference(problems.get("gmm").make(20, seed=0)) < 1e-10
True
"""

import argparse
import sys

import numpy as np

import dualad
from dualad import problems

GMM = problems.get("gmm")
TOLERANCE = 1e-10  # of the largest entry: sums over thousands of points, rounded in two different orders
PARTS = ("log weights", "means", "inverse covariance factors")


def gradient(args):
    """Value and gradient of the log posterior.

    Parameters
    ----------
    args : tuple
        ``alphas (K,)``, ``means (K, d)``, ``icf (K, d + d(d-1)/2)``, ``x (n, d)``, ``gamma``, ``m``.

    Returns
    -------
    value : float
    gradient : tuple of ndarray
        With the shapes of the first three arguments.

    Notes
    -----
    One evaluation and one reverse sweep.
    """
    return dualad.value_and_grad(GMM.f, argnums=GMM.argnums)(*args)


def relative_differences(got, want):
    """The largest difference of each part, relative to its largest entry (or to 1 if that is less)."""
    return [np.max(np.abs(g - w)) / max(1.0, np.max(np.abs(w))) for g, w in zip(got, want, strict=True)]


def worst_difference(args):
    """How far the gradient is from the one written by hand: 1e-13 is rounding, 1e-3 is a wrong formula."""
    return float(max(relative_differences(gradient(args)[1], GMM.closed_form(*args))))


def read(path):
    """Arguments of the objective from an ADBench file.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not an ADBench mixture: what was found, and what the format asks for.
    """
    try:
        args = problems.read_gmm(path)
    except ValueError as error:
        reason = str(error).removeprefix(f"{path}: ")
        raise ValueError(f"not an ADBench mixture (first line 'd K n', then numbers): {reason}") from error
    if min(*args[1].shape, len(args[3])) < 1:
        raise ValueError(f"an empty mixture: K, d = {args[1].shape} and n = {len(args[3])}")
    if not all(np.all(np.isfinite(part)) for part in args):
        raise ValueError("a number that is not finite")
    return args


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="an ADBench file, gmm_dD_KK.txt")
    path = parser.parse_args().path
    try:
        args = read(path)
    except OSError as error:
        print(f"{parser.prog}: {path}: {error.strerror}", file=sys.stderr)
        return 2
    except ValueError as error:
        print(f"{parser.prog}: {path}: {error}", file=sys.stderr)
        return 2

    value, by_dualad = gradient(args)
    differences = relative_differences(by_dualad, GMM.closed_form(*args))
    print(f"d={args[1].shape[1]} K={len(args[0])} n={len(args[3])}: log posterior {value:.12g}")
    for part, g, difference in zip(PARTS, by_dualad, differences, strict=True):
        norm = np.linalg.norm(g)
        print(f"{part:<27} {g.size:6d} entries, norm {norm:.9g}, by hand within {difference:.1e}")
    agrees = max(differences) <= TOLERANCE  # False for NaN too
    print("gradient check passed" if agrees else f"gradient check FAILED: more than {TOLERANCE:g} apart")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
