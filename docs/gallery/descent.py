"""Gradient descent and Newton in Rosenbrock's valley

A thousand steps along the gradient crawl; Newton's method, with the Hessian, is there after seven.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda p: 100.0 * (p[1] - p[0] ** 2) ** 2 + (1.0 - p[0]) ** 2
gradient, hessian = dualad.grad(f), dualad.hessian(f)
down, newton = [np.array([-1.2, 1.0])], [np.array([-1.2, 1.0])]
for _ in range(1000):
    down.append(down[-1] - 0.0012 * gradient(down[-1]))
for _ in range(7):
    newton.append(newton[-1] - np.linalg.solve(hessian(newton[-1]), gradient(newton[-1])))
grid = np.stack(np.meshgrid(np.linspace(-1.6, 1.6, 200), np.linspace(-3.6, 2.2, 200)))
plt.contourf(*grid, np.log10(f(grid) + 1e-3), 18, cmap="Blues_r")
plt.plot(*np.array(down).T, ".", color="C4", ms=3, label="1000 gradient steps")
plt.plot(*np.array(newton).T, "o-", color="C1", lw=1.4, ms=5, label="7 Newton steps")
plt.plot(1.0, 1.0, "k*", ms=11)
plt.legend(loc="lower left")
plt.show()
