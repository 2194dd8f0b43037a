"""Value and slope in one run

J = cos(sin x^2 + 3 x^2) with its tangent at x = 1. One run on a dual number gives the point and the slope, exactly.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

J = lambda x: np.cos(np.sin(x**2) + 3.0 * x**2)
x = np.linspace(0.0, 2.0, 400)
value, slope = dualad.jvp(J, (1.0,), (1.0,))
plt.plot(x, J(x), label="J")
plt.plot(x, dualad.jvp(J, (x,), (np.ones_like(x),))[1] / 10.0, lw=1.2, ls="--", label="J' / 10")
plt.axline((1.0, value), slope=slope, color="0.2", lw=1.2, label=f"tangent, slope {slope:.3f}")
plt.plot(1.0, value, "o", color="0.2")
plt.ylim(-1.5, 1.5)
plt.xlabel("x")
plt.legend(ncols=3, loc="upper left")
plt.show()
