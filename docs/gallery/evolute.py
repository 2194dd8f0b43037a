"""The evolute of an ellipse

The centres of curvature, from two derivatives of a curve: the normals all touch the star.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

curve = lambda t: np.stack([2.0 * np.cos(t), np.sin(t)])
t = np.linspace(0.0, 2.0 * np.pi, 145)
velocity = lambda t: dualad.jvp(curve, (t,), (np.ones_like(t),))[1]
v, a = dualad.jvp(velocity, (t,), (np.ones_like(t),))
centre = curve(t) + np.stack([-v[1], v[0]]) * (v[0] ** 2 + v[1] ** 2) / (v[0] * a[1] - v[1] * a[0])
plt.figure(figsize=(4.6, 5.6))
plt.plot(*np.stack([curve(t), centre], axis=1), color="C0", lw=0.4)
plt.plot(*curve(t), color="0.2")
plt.plot(*centre, color="C1")
plt.gca().set(aspect="equal")
plt.axis("off")
plt.show()
