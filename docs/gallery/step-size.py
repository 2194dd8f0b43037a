"""No good step size

Relative error of a derivative of exp(x) / (sin^3 x + cos^3 x) against the step. Differences lose digits on both sides of
their best step; the complex step and dualad do not.
"""
import matplotlib.pyplot as plt

from dualad import compare

figure = compare.accuracy("trapp", at=range(1, 21)).figures()[0]
looks = {"differences": "C2^-", "central": "C3D-", "complex": "C4v:", "forward": "C0o-", "reverse": "C1s-"}
for curve in figure.curves:
    if curve.role in looks:
        plt.loglog(curve.x, curve.y, looks[curve.role], ms=4, lw=1.2, label=curve.label)
plt.xlabel("step h")
plt.ylabel("relative error")
plt.grid(True)
plt.legend(loc="center left", fontsize=9)
plt.show()
