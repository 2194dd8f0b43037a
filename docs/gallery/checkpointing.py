"""Memory for time

Reverse mode through a long computation: extra runs against the states that are stored. The binomial schedule needs the
fewest possible.
"""
import matplotlib.pyplot as plt

from dualad.checkpointing import extra_steps

for steps, look in ((1000, "C3v-"), (300, "C2^-"), (100, "C0o-")):
    stored = [s for s in (1, 2, 3, 4, 6, 8, 11, 16, 24, 32, 48, 64, 99) if s < steps]
    plt.loglog(stored, [extra_steps(steps, s) / steps for s in stored], look, ms=4, label=f"{steps} steps")
plt.axhline(1.0, color="0.4", ls=":", lw=1)
plt.text(1.05, 1.12, "one more run", fontsize=9, color="0.3")
plt.xlabel("states stored")
plt.ylabel("extra runs")
plt.grid(True)
plt.legend()
plt.show()
