"""Which mode, at every n and m

Blue: forward mode is cheaper. Red: reverse mode. Counted operations of the whole Jacobian of a chain; the dashes are n = 2m.
"""
import matplotlib.pyplot as plt
import numpy as np

from dualad import compare

sizes = [1, 2, 4, 8, 16, 32, 64, 128]
heat = compare.plane(sizes, count_only=True).figures()[0].heat
ratio = np.array(heat.z, dtype=float)
plt.figure(figsize=(5.8, 4.6))
plt.pcolormesh(heat.x, heat.y, ratio, cmap="RdBu_r", vmin=-np.abs(ratio).max(), vmax=np.abs(ratio).max(), shading="nearest")
plt.colorbar(label=heat.label)
plt.plot([2, 128], [1, 64], "k--", lw=1)
plt.xscale("log", base=2)
plt.yscale("log", base=2)
plt.xlabel("inputs n")
plt.ylabel("outputs m")
plt.show()
