"""Forward pays for inputs, reverse for outputs

Counted operations of a whole Jacobian, in units of one value of f: with 4 outputs and more and more inputs.
"""
import matplotlib.pyplot as plt

from dualad import compare

result = compare.scaling("n", [2**k for k in range(11)], m=4, count_only=True)
for name, look in (("forward", "C0o-"), ("reverse", "C1s-"), ("central", "C3D--")):
    cost = [row.counted[name] / row.value.value() for row in result.rows]
    plt.loglog([row.n for row in result.rows], cost, look, ms=5, label=name)
cross = result.crossover()
plt.axvline(cross.at, color="0.4", ls=":", lw=1)
plt.text(cross.at * 1.1, 600, f"equal at n = {cross.at:.1f}", fontsize=9)
plt.xlabel("inputs n")
plt.ylabel("cost / one value of f")
plt.grid(True)
plt.legend()
plt.show()
