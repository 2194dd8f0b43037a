"""From secants to the tangent

The difference quotient is the slope of a secant. It turns into the tangent as h falls, and never arrives.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda x: np.exp(0.6 * x) * np.sin(2.0 * x)
x, at = np.linspace(-0.2, 2.2, 300), 0.4
plt.plot(x, f(x), color="0.2")
for h, shade in ((1.2, 0.35), (0.8, 0.55), (0.4, 0.75), (0.1, 0.95)):
    slope = (f(at + h) - f(at)) / h
    plt.axline((at, f(at)), slope=slope, color=plt.cm.Blues(shade), lw=1.4, label=f"h = {h}: {slope:.3f}")
    plt.plot(at + h, f(at + h), "o", ms=5, color=plt.cm.Blues(shade))
exact = dualad.derivative(f)(at)
plt.axline((at, f(at)), slope=exact, color="C1", label=f"tangent: {exact:.3f}")
plt.ylim(-1.0, 3.2)
plt.xlabel("x")
plt.legend(title="slope", loc="upper left")
plt.show()
