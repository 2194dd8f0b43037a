"""A network learns two moons

Two tanh layers and a cross-entropy, 400 steps of gradient descent. The gradient of all 337 parameters is one reverse sweep a step.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

rng, a = np.random.default_rng(1), np.linspace(0.0, np.pi, 100)
moons = np.concatenate([[np.cos(a), np.sin(a)], [1.0 - np.cos(a), 0.5 - np.sin(a)]], 1).T + 0.15 * rng.standard_normal((200, 2))
t = np.repeat([0.0, 1.0], 100)
shapes = [(2, 16), (16,), (16, 16), (16,), (16,), ()]
parameters = [rng.standard_normal(shape) * 0.5 for shape in shapes[:-1]] + [0.0]
score = lambda p, x: np.tanh(np.tanh(x @ p[0] + p[1]) @ p[2] + p[3]) @ p[4] + p[5]
loss = lambda p: np.mean(np.logaddexp(0.0, score(p, moons)) - t * score(p, moons))
for _ in range(400):
    parameters = [p - 0.5 * g for p, g in zip(parameters, dualad.grad(loss)(parameters), strict=True)]
x, y = np.meshgrid(np.linspace(-1.6, 2.6, 150), np.linspace(-1.2, 1.7, 120))
sure = 1.0 / (1.0 + np.exp(-score(parameters, np.stack([x, y], -1))))
plt.contourf(x, y, sure, np.linspace(0, 1, 11), cmap="RdBu", alpha=0.5)
plt.scatter(*moons.T, c=t, cmap="RdBu", edgecolors="white", s=30, lw=0.8)
plt.gca().set(aspect="equal", title=f"cross-entropy {loss(parameters):.3f}")
plt.show()
