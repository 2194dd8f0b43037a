"""The rows of the speed targets, in their order: every bench belongs to one, and every row has a bench.

A figure is (time of the derivative) / (time of the plain function: Python floats for scalar code, NumPy for array code), one
core, median over interleaved runs in one process, unless the row has a unit of its own.
"""

ROWS = {
    "scalar forward": "newton, kepler, a chain of 200 sines and exponentials, horner 60: one derivative of a loop",
    "scalar forward, while": "the same with a loop that ends when the data says so",
    "fixed cost of a call": "microseconds of one derivative of x*x on a float",
    "scalar reverse": "rosenbrock on lists of 10 to 10^4 floats, 1000 Runge-Kutta steps of Lorenz's equations, speelpenning 1000",
    "loop over x[i]": "rosenbrock over x[i] of an ndarray of 10^3 to 10^6, against the plain loop over the ndarray",
    "small arrays": "sums of 1 to 1000 elements, rosenbrock by slices, logistic regression 20 x 5, a 10-20-1 network",
    "large arrays": "Black-Scholes, logsumexp and sum(sin x exp x) of 10^6, a 256 x 784-512-10 network",
    "GMM": "ADBench's Gaussian mixture, d = 2 and 10, 1000 points",
    "BA": "ADBench's bundle adjustment, 31843 observations, blocks 2 x 15",
    "LSTM": "ADBench's character LSTM, 64 and 1024 characters",
    "Jacobian": "tanh(Ax) sin(Bx) + exp(-Ax), R^n -> R^m",
    "k-th derivative": "d^k/dx^k of a scalar function, k = 1, 4, 8",
    "hvp / gradient": "a Hessian-vector product against one gradient",
    "memory an operation": "bytes of a recorded scalar operation",
    "import over NumPy": "milliseconds of import dualad once NumPy is there",
    "installed size": "megabytes on disk",
    "growth at m = 1": "how far the slope of time / f's own time against n is from 1 (forward) and 0 (reverse)",
    "auto mode, wrong": 'cells of a grid where jacobian(mode="auto") takes a mode that is more than 10 % slower',
    "auto mode, predicted / measured": "how far the predicted time of the sweeps is off",
}
