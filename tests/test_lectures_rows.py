"""Every worked example has its test: ids L01 ... L44 and errata E1 ... E7, none missing, none invented."""

import re
from pathlib import Path


def test_every_worked_example_and_erratum_has_a_test():
    found = set()
    for path in Path(__file__).parent.glob("test_lectures_*.py"):
        found |= set(re.findall(r"^def test_(L\d\d|E\d)_", path.read_text(encoding="utf-8"), re.MULTILINE))
    assert found == {f"L{i:02d}" for i in range(1, 45)} | {f"E{i}" for i in range(1, 8)}
