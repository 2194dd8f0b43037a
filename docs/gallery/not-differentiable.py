"""A slope in every direction, and no gradient

y^3 / (x^2 + y^2) at the origin: its slope in each direction (the distance from the centre), and what its two partial derivatives,
0 and 1, promise. Along the axes they agree; along (1, 1) the slope is half of what was promised (dots).
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda x, y: y**3 / (x**2 + y**2)
along = lambda a, b: dualad.jvp(lambda t: f(t * a, t * b), (0.5 * np.ones_like(a),), (np.ones_like(a),))[1]   # the same at every t
angles = np.linspace(0.0, 2.0 * np.pi, 361)
a, b = np.cos(angles), np.sin(angles)
partial = along(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
fig, ax = plt.subplots(figsize=(5.0, 5.4), subplot_kw={"projection": "polar"})
ax.plot([0.0, np.pi / 4.0], [0.0, 1.0], color="0.6", lw=1)
for slope, colour, name in ((along(a, b), "C0", "slope"), (partial[0] * a + partial[1] * b, "C1", "gradient . v")):
    ax.plot(angles, np.where(b >= 0.0, slope, np.nan), color=colour, label=f"{name}, up")
    ax.plot(angles, np.where(b <= 0.0, -slope, np.nan), color=colour, ls=":", label=f"{name}, down")
    ax.plot(np.pi / 4.0, slope[45], "o", color=colour)
ax.set(rticks=[0.5, 1.0], rlabel_position=-20.0)
fig.legend(loc="outside lower center", ncols=2)
plt.show()
