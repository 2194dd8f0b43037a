"""How a prediction depends on a guess

Rabbits, hunted by foxes. The tangent goes through all 800 Runge-Kutta steps and says how far 1 % more births move them.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad


def rabbits(births, h=0.05):
    rate, path = (lambda z: z * np.stack([births - 0.4 * z[1], 0.1 * z[0] - 0.6])), [np.array([12.0, 3.0])]
    for _ in range(800):
        path.append(path[-1] + h * rate(path[-1] + 0.5 * h * rate(path[-1])))
    return np.stack(path)[:, 0]

years, (path, tangent) = np.linspace(0.0, 40.0, 801), dualad.jvp(rabbits, (0.9,), (0.009,))
above, below = plt.subplots(2, 1, sharex=True)[1]
above.plot(years, path, label="rabbits")
below.plot(years, tangent, "C1", label="change over the years: the tangent")
below.plot(years[::8], (rabbits(0.909) - path)[::8], "k.", ms=3, label="a second simulation")
above.legend(loc="upper left")
below.legend(loc="upper left")
plt.show()
