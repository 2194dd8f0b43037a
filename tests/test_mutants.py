"""The list of deliberately wrong rules and sweeps cannot rot; with DUALAD_MUTANTS=1 each is applied and must be killed."""

import os
from pathlib import Path

import pytest
from mutants import MUTANTS, Mutant
from mutants.run import apply, run

ROOT = Path(__file__).resolve().parent.parent


def test_there_are_enough_and_no_two_are_the_same():
    assert len(MUTANTS) >= 20
    assert len({m.name for m in MUTANTS}) == len(MUTANTS)
    assert len({(m.file, m.old, m.new) for m in MUTANTS}) == len(MUTANTS)
    places = {m.file.split("/")[0] for m in MUTANTS} | {Path(m.file).name for m in MUTANTS}
    assert places >= {"csrc", "dualad", "ops.def", "sweep.c", "sweep_array.c", "pull.py", "custom.py", "jacobians.py"}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_changes_exactly_one_place(mutant):
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1
    assert text.replace(mutant.old, mutant.new) != text
    assert mutant.tests
    for test in mutant.tests:
        assert (ROOT / test.split("::")[0]).is_file(), test


def test_a_mutant_whose_place_is_gone_is_refused(tmp_path):
    mutant = MUTANTS[0]
    path = tmp_path / mutant.file
    path.parent.mkdir(parents=True)
    for text in ("", mutant.old * 2):
        path.write_text(text)
        with pytest.raises(LookupError, match=mutant.name):
            apply(mutant, tmp_path)
        assert path.read_text() == text
    path.write_text(f"before {mutant.old} after")
    apply(mutant, tmp_path)
    assert path.read_text() == f"before {mutant.new} after"


def test_a_change_without_effect_survives(capsys):
    """A runner that called every mutant killed would prove nothing."""
    old = "    sweep.start_reverse()\n"
    harmless = Mutant("harmless", "dualad/pull.py", old, old + "\n", "nothing", ("tests/test_tree.py",))
    assert run([harmless]) == ["harmless"]
    assert "SURVIVED" in capsys.readouterr().out


@pytest.mark.skipif(os.environ.get("DUALAD_MUTANTS", "") in ("", "0"), reason="DUALAD_MUTANTS=1 runs every mutant (minutes)")
def test_every_mutant_is_killed():
    assert run(MUTANTS) == []
