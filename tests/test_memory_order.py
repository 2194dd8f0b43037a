"""NumPy lays a result out as its operands lie and sums in memory order: the last bits of a sum depend on the layout before it.

So the primal of a sum after a structural function has NumPy's bits only if the traced result lies as NumPy's would.
"""

import numpy as np
import pytest
from array_laws import same_bits

import dualad as da

X = np.random.default_rng(0).normal(size=(50, 37))
Y = np.random.default_rng(1).normal(size=(37, 50))
LAYOUTS = {
    "C order": X,
    "Fortran order": np.asfortranarray(X),
    "reversed": X[:, ::-1],
    "transposed": Y.T,
    "strided": np.tile(X, 2)[:, ::2],
}

OPERATIONS = {
    "nothing": lambda x: x,
    "T": lambda x: x.T,
    "x.copy": lambda x: x.T.copy(),
    "copy": lambda x: np.copy(x.T),
    "roll": lambda x: np.roll(x.T, 1, 0),
    "where": lambda x: np.where(x.T > 0.0, x.T, 0.0),
    "where of two layouts": lambda x: np.where(x.T > 0.0, x.T, Y),
    "where broadcasts": lambda x: np.where(x.T > 0.0, x.T, x[:, 0]),
    "flip": lambda x: x[::-1],
    "rows": lambda x: x.T[[1, 2, 3]],
    "mask": lambda x: x.T[x.T > 0.0],
    "concatenate": lambda x: np.concatenate([x.T, x.T]),
    "concatenate columns": lambda x: np.concatenate([x.T, x.T], axis=1),
    "concatenate with a constant": lambda x: np.concatenate([x.T, X.T]),
    "stack": lambda x: np.stack([x.T, x.T]),
    "vstack": lambda x: np.vstack([x.T, x.T]),
    "block": lambda x: np.block([[x.T, x.T]]),
    "tile": lambda x: np.tile(x.T, 2),
    "repeat": lambda x: np.repeat(x.T, 2, 0),
    "pad": lambda x: np.pad(x.T, 1),
    "tril": lambda x: np.tril(x.T),
    "broadcast_to": lambda x: np.broadcast_to(x, (3, 50, 37)),
    "reshape": lambda x: x.T.reshape(50, 37),
    "reshape F": lambda x: np.reshape(x.T, (50, 37), order="F"),
    "ravel": lambda x: x.T.ravel(),
    "ravel K": lambda x: np.ravel(x.T, "K"),
    "take": lambda x: np.take(x.T, [3, 1, 2], axis=1),
    "take_along_axis": lambda x: np.take_along_axis(x.T, np.argsort(x.T, 0), 0),
    "sort": lambda x: np.sort(x.T, axis=0),
    "sort along the other axis": lambda x: np.sort(x.T, axis=1),
    "partition": lambda x: np.partition(x.T, 5, axis=0),
    "insert": lambda x: np.insert(x.T, 1, 0.5, axis=0),
    "delete": lambda x: np.delete(x.T, 1, axis=0),
    "diagonal": lambda x: np.diagonal(x.T),
    "meshgrid": lambda x: np.meshgrid(x[0], x[1])[0],
    "linspace": lambda x: np.linspace(x[0], x[1], 50),
    "choose": lambda x: np.choose((x.T > 0.0).astype(int), [x.T, x.T * 2.0]),
    "select": lambda x: np.select([x.T > 0.0], [x.T], 0.0),
    "astype": lambda x: x.T.astype(np.float32),
    "windows": lambda x: np.lib.stride_tricks.sliding_window_view(x, (3, 3)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", OPERATIONS)
def test_a_sum_after_it_has_numpys_bits(case, layout):
    x = LAYOUTS[layout]
    for f in (lambda x: np.sum(OPERATIONS[case](x)), lambda x: np.sum(OPERATIONS[case](x), axis=0)):
        want = f(x)
        same_bits(da.jvp(f, (x,), (x,))[0], want)
        same_bits(da.vjp(f, x)[0], want)
