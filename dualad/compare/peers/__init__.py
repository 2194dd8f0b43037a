"""Other libraries on the same function, where they are installed: autograd, JAX, torch, num-dual, CasADi.

A peer is given the *same source*: the function with NumPy's namespace, wherever its code reaches it, bound to the peer's own
(:mod:`rebinding`), so nothing is written twice. What a peer needs once (tracing, compiling) is done before the clock starts.
Its answer is compared with dualad's before it is timed; what it cannot do is said with the reason, what is not installed is
named, and a peer is never a requirement: ``pip install "dualad[peers]"``.

    peer        what a peer is, which there are, their answers checked
    adapters    one class a library: Jacobian of f: R^n -> R^m, gradient of a function of several arguments
    rebinding   f with its NumPy replaced
    namespaces  NumPy's names where a library has others
"""

from .adapters import PEERS
from .choice import absent, checked_gradient, checked_jacobian, selected, versions
from .peer import Peer
from .rebinding import rebind

__all__ = ["PEERS", "Peer", "absent", "checked_gradient", "checked_jacobian", "rebind", "selected", "versions"]
