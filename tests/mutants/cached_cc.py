"""A compiler that remembers: an object file is compiled once for each preprocessed text.

Called as ``python cached_cc.py FOLDER cc -c ...`` in the place of ``cc -c ...``.  Mutants differ from the sources in one file;
what preprocesses to the same text is taken from FOLDER.  Optimisation is turned down to -O1: a mutant's build is not measured.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path


def main(folder: str, *command: str) -> int:
    command = tuple("-O1" if a == "-O3" else a for a in command)
    if "-c" not in command:
        return subprocess.call(command)
    at = command.index("-o")
    target = command[at + 1]
    rest = [*command[:at], *command[at + 2:]]
    text = subprocess.run(["-E" if a == "-c" else a for a in rest], check=True, stdout=subprocess.PIPE).stdout
    key = hashlib.sha256("\0".join(rest).encode() + text).hexdigest()
    kept = Path(folder, key + ".o")
    if not kept.exists():
        code = subprocess.call(command)
        if code:
            return code
        shutil.copyfile(target, kept)
    shutil.copyfile(kept, target)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
