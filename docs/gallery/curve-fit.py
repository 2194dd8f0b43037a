"""A fit, and how sure it is

Gauss and Newton fit A exp(-k t) cos(w t) to 40 points by the Jacobian of the model, which also gives the band of two errors.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

model = lambda p, t: p[0] * np.exp(-p[1] * t) * np.cos(p[2] * t)
rng = np.random.default_rng(3)
t, fine = np.sort(rng.uniform(0.0, 8.0, 40)), np.linspace(0.0, 8.0, 300)
data = model(np.array([2.0, 0.3, 2.5]), t) + 0.15 * rng.standard_normal(40)
p = np.array([1.0, 0.1, 2.3])
for _ in range(12):
    J = dualad.jacobian(model)(p, t)
    p = p + np.linalg.lstsq(J, data - model(p, t))[0]
K = dualad.jacobian(model)(p, fine)
error = np.sqrt(np.diag(K @ np.linalg.inv(J.T @ J) @ K.T) * np.sum((data - model(p, t)) ** 2) / 37)
plt.fill_between(fine, model(p, fine) - 2 * error, model(p, fine) + 2 * error, alpha=0.25, lw=0)
plt.plot(fine, model(p, fine), label=f"A = {p[0]:.2f}, k = {p[1]:.2f}, w = {p[2]:.2f}")
plt.plot(t, data, "o", ms=4, color="0.2")
plt.legend()
plt.show()
