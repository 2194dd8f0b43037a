"""Newton's method paints

Newton's method on z^3 = 1, as two real equations: the colour says which root a start reaches, the shade how fast. The Jacobians of
all 90,000 points come from two pushforwards.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda x, y: (x**3 - 3.0 * x * y**2 - 1.0, 3.0 * x**2 * y - y**3)
x, y = np.meshgrid(np.linspace(-1.5, 1.5, 300), np.linspace(-1.5, 1.5, 300))
one, zero, steps = np.ones_like(x), np.zeros_like(x), np.zeros_like(x)
for _ in range(24):
    (u, v), (ux, vx) = dualad.jvp(f, (x, y), (one, zero))
    _, (uy, vy) = dualad.jvp(f, (x, y), (zero, one))
    det = ux * vy - uy * vx + 1e-300
    x, y, steps = x - (u * vy - v * uy) / det, y - (v * ux - u * vx) / det, steps + (u * u + v * v > 1e-6)
root = np.rint(np.arctan2(y, x) / (2.0 * np.pi / 3.0)).astype(int) % 3
colour = np.array([[0.90, 0.62, 0.0], [0.0, 0.45, 0.70], [0.0, 0.62, 0.45]])[root]
plt.figure(figsize=(4.6, 4.6))
plt.imshow(colour * (0.45 + 0.65 * np.exp(-steps / 8.0))[..., None], extent=(-1.5, 1.5, -1.5, 1.5), origin="lower")
plt.axis("off")
plt.show()
