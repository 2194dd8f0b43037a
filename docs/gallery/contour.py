"""The gradient stands on the contour

x1^2 + 2 x2^2 has the gradient (2, 4) at the point (1, 1), drawn here at full length. The contour line through the point (blue) runs
along (-2, 1) there: at a right angle. So it is all around: the grey gradients are drawn at a quarter of their length.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda x: x[0] ** 2 + 2.0 * x[1] ** 2
grid = np.stack(np.meshgrid(np.linspace(-3.0, 4.0, 200), np.linspace(-2.6, 5.4, 200)))
at, gradient = np.array([1.0, 1.0]), dualad.grad(f)(np.array([1.0, 1.0]))
plt.figure(figsize=(5.0, 5.6))
plt.contour(*grid, f(grid), np.arange(1.0, 70.0, 4.0), colors="0.82", linewidths=0.8)
plt.contour(*grid, f(grid), [f(at)], colors="C0")
for angle in np.arange(1.0, 8.0) * np.pi / 4.0 + np.arctan(np.sqrt(2.0)):
    point = np.sqrt(f(at)) * np.array([np.cos(angle), np.sin(angle) / np.sqrt(2.0)])
    plt.quiver(*point, *dualad.grad(f)(point) / 4.0, color="0.45", angles="xy", scale_units="xy", scale=1, width=0.005)
plt.axline(at, at + np.array([-gradient[1], gradient[0]]), color="C0", ls="--", lw=1)
plt.quiver(*at, *gradient, color="C1", angles="xy", scale_units="xy", scale=1, width=0.01)
plt.annotate("gradient (2, 4)\nat (1, 1)", at + gradient / 2.0, (10, -12), textcoords="offset points", color="C1", va="center")
plt.gca().set(aspect="equal", xlabel="x1", ylabel="x2", xlim=(-3.0, 4.0), ylim=(-2.6, 5.4))
plt.show()
