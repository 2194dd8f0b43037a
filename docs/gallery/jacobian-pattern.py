"""What a Jacobian looks like

One step of a reaction on a ring, 40 numbers in and out. Neighbours make a band, the ring its two corners,
the mean of all a pale background.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad


def step(u):
    spread = np.roll(u, 1) - 2.0 * u + np.roll(u, -1)
    return u + 0.3 * spread + 0.2 * u * (1.0 - u) - 4.0 * np.mean(u) ** 2

u = 0.5 + 0.3 * np.sin(np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False))
J = dualad.jacobian(step)(u)
plt.figure(figsize=(5.2, 4.3))
plt.imshow(J, cmap="RdBu_r", vmin=-0.6, vmax=0.6)
plt.colorbar(label="∂ output / ∂ input")
plt.xlabel("input")
plt.ylabel("output")
plt.show()
