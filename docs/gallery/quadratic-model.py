"""Value, slope and curvature

A function and its second-order Taylor polynomial around a point: nothing but f, its gradient and its Hessian. Solid lines are f.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda p: np.exp(-p[0]) * p[1] ** 2 + np.cos(1.5 * p[0]) + 0.3 * p[0] * p[1]
at = np.array([0.3, -0.4])
value, gradient, half_hessian = dualad.taylor(f, at, 2)
grid = np.stack(np.meshgrid(np.linspace(-1.2, 1.8, 200), np.linspace(-1.9, 1.1, 200)))
step = grid - at[:, None, None]
model = value + np.einsum("i,i...->...", gradient, step) + np.einsum("i...,ij,j...->...", step, half_hessian, step)
plt.figure(figsize=(5.4, 4.6))
plt.contourf(*grid, np.abs(model - f(grid)), [0, 0.01, 0.05, 0.2, 0.5, 1, 2, 4, 10], colors=plt.cm.Blues(np.linspace(0, 0.6, 8)))
plt.colorbar(label="difference")
levels = np.linspace(-1.0, 4.0, 11)
plt.contour(*grid, f(grid), levels, colors="0.2", linewidths=1.1)
plt.contour(*grid, model, levels, colors="C1", linewidths=1.1, linestyles="--")
plt.plot(*at, "o", color="C1")
plt.show()
