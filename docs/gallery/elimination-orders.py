"""Forward and reverse are two orders of many

A Jacobian by eliminating the vertices of a graph, in every order: how many orders need how many multiplications. For the
lecture function quiz1, of two inputs and one output.
"""
import matplotlib.pyplot as plt

from dualad import compare

result = compare.elimination("quiz1")
curve = result.figures()[1].curves[0]
plt.bar(curve.x, curve.y, color="0.8", width=0.8)
for i, row in enumerate(result.rows):
    plt.axvline(row.multiplications + 0.12 * (i - 1.5), color=f"C{i}", label=f"{row.name}: {row.multiplications}")
plt.xlabel("multiplications")
plt.ylabel("orders")
plt.legend()
plt.show()
