"""Where a Taylor series stops

1/(1 + x^2) is smooth everywhere, yet its series about 0 helps only for |x| < 1: the poles at i and -i are that far away.
The ratio of the 40th coefficients shows it.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

f = lambda x: 1.0 / (1.0 + x * x)
c = dualad.taylor(f, 0.0, 40)
x = np.linspace(-1.6, 1.6, 801)
plt.axvspan(-1.0, 1.0, color="0.91", label=f"radius {abs(c[38] / c[40]) ** 0.5:.2f}")
plt.plot(x, f(x), color="0.2", lw=2.5, label="1/(1 + x²)")
for order in (4, 12, 40):
    plt.plot(x, np.polynomial.Polynomial(c[: order + 1])(x), lw=1.3, label=f"order {order}")
plt.ylim(-0.5, 1.8)
plt.xlabel("x")
plt.legend(loc="lower center", ncols=3, fontsize=9)
plt.show()
