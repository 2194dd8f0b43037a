"""A slope for every direction

The directional derivative of a smooth function is the gradient times the cosine of an angle: two circles. For |x| + 2|y| at
its kink the one-sided slopes make another shape, and no gradient explains them.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

smooth, kinked = (lambda p: p[0] ** 2 * p[1] + p[1]), (lambda p: abs(p[0]) + 2.0 * abs(p[1]))
angles = np.linspace(0.0, 2.0 * np.pi, 181)
along = lambda f, at: [dualad.one_sided(lambda t: f((at[0] + t * np.cos(a), at[1] + t * np.sin(a))), 0.0)[1] for a in angles]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.7), subplot_kw={"projection": "polar"})
for ax, f, at, name in ((axes[0], smooth, (1.0, 0.7), "x²y + y at (1, 0.7)"), (axes[1], kinked, (0.0, 0.0), "|x| + 2|y| at 0")):
    slope = np.array(along(f, at))
    ax.plot(angles, np.where(slope >= 0, slope, np.nan), color="C0", label="up")
    ax.plot(angles, np.where(slope <= 0, -slope, np.nan), color="C1", label="down")
    ax.set_title(name, loc="center")
    ax.set_yticks([1, 2])
axes[0].legend(loc="lower left", bbox_to_anchor=(-0.2, -0.12))
plt.show()
