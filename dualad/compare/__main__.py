"""`python -m dualad.compare`: the same as `dualad compare`."""

import sys

from .command import main, pin_threads

if __name__ == "__main__":
    pin_threads()
    sys.exit(main(sys.argv[1:]))
