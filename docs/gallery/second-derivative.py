"""What f'' says about f

f, f' and f''. Where f'' is negative, f' falls, and f has a maximum where f' is zero; where it is positive, a minimum; where it is
zero everywhere, f' is constant and f is a straight line. x^3 - 3x has one of each (dots).
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

x = np.linspace(-2.0, 2.0, 161)
fig, axes = plt.subplots(1, 4, figsize=(9.6, 3.3), sharey=True)
panels = ((lambda x: 2.0 - x**2, "2 - x²: maximum", (0,)), (lambda x: x**2 - 2.0, "x² - 2: minimum", (0,)),
          (lambda x: 1.5 * x, "1.5 x: line", ()), (lambda x: x**3 - 3.0 * x, "x³ - 3x: both", (-1, 1)))
for ax, (f, name, flat) in zip(axes, panels, strict=True):
    ax.axhline(0.0, color="0.8", lw=0.8)
    ax.plot(flat, [f(float(t)) for t in flat], "o", color="C0")
    for derivative, style in (("f", "-"), ("f'", "--"), ("f''", ":")):
        ax.plot(x, [f(float(t)) for t in x], style, label=derivative)
        f = dualad.derivative(f)
    ax.set(title=name, xlabel="x", ylim=(-6.0, 6.0))
axes[0].legend(loc="upper left", ncols=3, handlelength=1.6, columnspacing=0.8)
plt.show()
