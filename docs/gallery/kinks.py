"""What happens at a kink

max(x, 0), |x| and max(x, x^2) with the derivative that dualad returns at each kink (dots), and the slopes on either side (rings).
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

relu, maximum = (lambda x: np.maximum(x, 0.0)), (lambda x: np.maximum(x, x * x))
x = np.linspace(-1.2, 1.7, 581)
fig, axes = plt.subplots(2, 3, figsize=(7.6, 4.2), sharex=True, sharey="row", height_ratios=(1, 1.2))
panels = ((relu, "max(x, 0)", (0,)), (np.abs, "|x|", (0,)), (maximum, "max(x, x²)", (0, 1)))
for (above, below), (f, name, points) in zip(axes.T, panels, strict=True):
    slopes = np.array([dualad.derivative(f)(float(t)) for t in x])
    slopes[np.isin(np.round(x, 9), points)] = np.nan       # no line across the jump
    above.plot(x, f(x), color="0.2")
    above.set_title(name)
    below.plot(x, slopes, color="C0")
    for kink in map(float, points):
        below.plot([kink] * 2, dualad.one_sided(f, kink), "o", mfc="white", color="C0")
        below.plot(kink, dualad.derivative(f)(kink), "o", color="C1")
fig.supylabel("derivative            value")
plt.show()
