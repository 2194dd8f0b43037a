"""A Jacobian is the map, seen through a magnifying glass

A grid under (x, y) -> (x + 0.4 sin y, y + 0.4 sin x), and at four places its linear map: the image of a small square.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda p: np.stack([p[0] + 0.4 * np.sin(1.8 * p[1]), p[1] + 0.4 * np.sin(1.8 * p[0])])
lines, along = np.linspace(-2.0, 2.0, 17), np.linspace(-2.0, 2.0, 200)
plt.figure(figsize=(4.9, 4.7))
for c in lines:
    plt.plot(*f(np.stack([np.full(200, c), along])), color="0.75", lw=0.8)
    plt.plot(*f(np.stack([along, np.full(200, c)])), color="0.75", lw=0.8)
square = 0.25 * np.array([[0.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0, 0.0]])
for i, at in enumerate(np.array([[-1.5, -1.5], [0.5, 0.0], [-0.75, 1.0], [1.25, 1.25]])):
    J = dualad.jacobian(f)(at)
    plt.fill(*(f(at)[:, None] + J @ square), alpha=0.75, color=f"C{i}", label=f"det J = {np.linalg.det(J):.2f}")
plt.gca().set(aspect="equal")
plt.legend(loc="lower right", framealpha=0.9, frameon=True, fontsize=9)
plt.show()
