"""Errors go through the Jacobian

Range and angle are measured with errors; position follows. The ellipse J S J^T (two standard deviations) against 3000 draws.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

position = lambda m: m[0] * np.stack([np.cos(m[1]), np.sin(m[1])])
rng = np.random.default_rng(0)
around = np.linspace(0.0, 2.0 * np.pi, 200)
for i, angle in enumerate((0.2, 0.9, 1.5)):
    measured, spread = np.array([10.0 - 2.0 * i, angle]), np.array([0.3, 0.06])
    J = dualad.jacobian(position)(measured)
    ellipse = position(measured)[:, None] + 2.0 * J @ (spread[:, None] * np.stack([np.cos(around), np.sin(around)]))
    draws = position((measured + spread * rng.standard_normal((3000, 2))).T)
    plt.plot(*draws, ".", ms=1.5, alpha=0.25, color=f"C{i}", rasterized=True)
    plt.plot(*ellipse, color="0.2", lw=1.3)
plt.plot(0.0, 0.0, "k^")
plt.gca().set(aspect="equal", xlabel="east", ylabel="north")
plt.show()
