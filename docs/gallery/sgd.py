"""A classifier learns from 398 tumours

Stochastic gradient descent, one step an example: mean cross-entropy after every epoch, on the 398 examples that are trained on
(solid) and on 171 others (dashed). The deeper the network, the longer it takes to leave its start.
"""
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import dualad

example = runpy.run_path(str(Path(__file__).parents[2] / "examples" / "train_network.py"))
loss, rng = example["cross_entropy"], np.random.default_rng(0)
parts = example["load"](rng)
for hidden, colour, name in (([], "C0", "no hidden layer"), ([8], "C1", "8 hidden units"), ([8, 4], "C2", "8 and 4 hidden units")):
    epochs = example["train"](example["initial_layers"](rng, 10, hidden), parts[0], 0.05, 15, rng, dualad.grad(loss))
    history = [[loss(now, *part).mean() for part in parts] for now in epochs]
    for curve, style in zip(np.transpose(history), ("-", "--"), strict=True):
        plt.plot(curve, style, color=colour, label=name if style == "-" else None)
plt.gca().set(xlabel="epoch", ylabel="mean cross-entropy", ylim=(0.0, None))
plt.legend()
plt.show()
