"""The gradient crosses level lines at right angles

Level lines of a landscape and its gradient on a grid: one reverse sweep for all 225 points at once.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad


def height(p):
    x, y = p
    return np.sin(x) * np.cos(y) + 0.15 * x * y - 0.05 * (x * x + y * y)

fine = np.stack(np.meshgrid(np.linspace(-3, 3, 150), np.linspace(-3, 3, 150)))
grid = np.stack(np.meshgrid(np.linspace(-2.8, 2.8, 15), np.linspace(-2.8, 2.8, 15)))
slope = dualad.grad(lambda p: np.sum(height(p)))(grid)     # points do not mix: a gradient for each
plt.figure(figsize=(5.4, 4.8))
plt.contourf(*fine, height(fine), 16, cmap="Blues", alpha=0.6)
plt.contour(*fine, height(fine), 16, colors="white", linewidths=0.7)
plt.quiver(*grid, *slope, color="C1", pivot="tail", width=0.005, scale=22)
plt.gca().set(aspect="equal", xlabel="x", ylabel="y")
plt.show()
