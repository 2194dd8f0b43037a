"""What reverse mode holds

Bytes alive at most while a long computation is differentiated. Reverse mode holds all of the way; with four snapshots of
the binomial schedule it holds the same at any length.
"""
import matplotlib.pyplot as plt

from dualad import compare

figure = compare.memory([2**k for k in range(1, 9)], count_only=True).figures()[0]
for curve, look in zip(figure.curves, ("C1s-", "C2^-"), strict=True):
    plt.loglog(curve.x, curve.y, look, ms=5, label=curve.label)
plt.xlabel(figure.xlabel)
plt.ylabel(figure.ylabel)
plt.grid(True)
plt.legend()
plt.show()
