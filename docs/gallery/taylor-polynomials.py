"""Taylor polynomials

sin x about 1 by polynomials of growing order. One sweep of Taylor arithmetic gives the coefficients of all of them.
"""
import matplotlib.pyplot as plt
import numpy as np

import dualad

x, at = np.linspace(-4.0, 7.0, 400), 1.0
coefficients = dualad.taylor(np.sin, at, 13)
plt.plot(x, np.sin(x), color="0.2", lw=2.5, label="sin")
for order in (1, 2, 3, 5, 9, 13):
    polynomial = np.polynomial.Polynomial(coefficients[: order + 1])
    plt.plot(x, polynomial(x - at), lw=1.4, color=plt.cm.plasma(order / 15), label=f"order {order}")
plt.plot(at, np.sin(at), "o", color="0.2")
plt.ylim(-2.0, 2.0)
plt.xlabel("x")
plt.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=9)
plt.show()
