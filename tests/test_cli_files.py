"""Files of the command: whole or not there, saved runs drawn again, interrupted runs finished."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from dualad import cli, compare
from dualad.compare import outputs, storage, unfinished

WORDS = ["compare", "scaling", "--at", "1,2,4,8", "--depth", "3", "--count-only"]
scaling_module = sys.modules["dualad.compare.scaling"]  # `compare.scaling` is the function


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_several_files_in_one_run(elsewhere, capsys):
    assert cli.main([*WORDS, "--out", "run.json", "--out", "run.csv"]) == 0
    assert capsys.readouterr().out.endswith("Written: run.json\nWritten: run.csv\n")
    assert names(elsewhere) == ["run.csv", "run.json"]
    saved = compare.load("run.json")
    assert saved == compare.scaling("n", [1, 2, 4, 8], depth=3, count_only=True)
    with open("run.csv", encoding="utf-8") as stream:
        records = list(csv.DictReader(stream))
    assert [int(record["n"]) for record in records] == [1, 2, 4, 8]
    assert [float(record["counted.reverse"]) for record in records] == [row.counted["reverse"] for row in saved.rows]


def test_counted_json_is_the_same_byte_for_byte(elsewhere):
    for number, seed in enumerate(("1", "2")):
        command = [sys.executable, "-P", "-m", "dualad.cli", *WORDS, "--out", f"{number}.json"]
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True, timeout=60)
    assert (elsewhere / "0.json").read_bytes() == (elsewhere / "1.json").read_bytes()
    assert json.loads((elsewhere / "0.json").read_text())["environment"] == {}


def test_replot_prints_a_saved_run_again(capsys):
    assert cli.main([*WORDS, "--out", "run.json"]) == 0
    first = capsys.readouterr().out.partition("\nWritten")[0]
    assert cli.main(["compare", "replot", "run.json"]) == 0
    assert capsys.readouterr().out.strip() == first.strip()
    assert cli.main(["compare", "replot", "run.json", "--out", "again.csv"]) == 0
    assert "Written: again.csv" in capsys.readouterr().out


@pytest.fixture
def stopping(monkeypatch):
    """Ctrl-C while a row is computed, after as many rows as the test says; what was computed."""
    measure, done = scaling_module.measure, []

    def stop_after(rows):
        def measured(f, x, **options):
            if len(done) == rows:
                raise KeyboardInterrupt
            done.append(x.size)
            return measure(f, x, **options)

        monkeypatch.setattr(scaling_module, "measure", measured)
        return done

    return stop_after


def test_an_interrupted_run_is_finished_by_replot(elsewhere, stopping, capsys):
    assert cli.main([*WORDS, "--out", "whole.json"]) == 0
    done = stopping(2)
    assert cli.main([*WORDS, "--out", "run.json", "--out", "run.csv"]) == 130
    err = capsys.readouterr().err
    assert err == ("dualad compare: error: interrupted; 2 finished rows are in run.json.partial: "
                   "go on with dualad compare replot run.json\n")
    assert names(elsewhere) == ["run.json.partial", "whole.json"]
    stopping(3)
    assert cli.main(["compare", "replot", "run.json"]) == 130  # again, one row later
    assert "3 finished rows" in capsys.readouterr().err
    stopping(99)
    assert cli.main(["compare", "replot", "run.json"]) == 0
    assert done == [1, 2, 4, 8]  # no row twice
    assert names(elsewhere) == ["run.csv", "run.json", "whole.json"]
    assert (elsewhere / "run.json").read_bytes() == (elsewhere / "whole.json").read_bytes()


def test_an_interrupted_run_without_files_keeps_its_rows_too(elsewhere, stopping, capsys):
    done = stopping(1)
    assert cli.main(WORDS) == 130
    assert "1 finished rows are in dualad-scaling.json.partial" in capsys.readouterr().err
    stopping(99)
    assert cli.main(["compare", "replot", "dualad-scaling.json"]) == 0
    assert "Counted: forward and reverse" in capsys.readouterr().out
    assert done == [1, 2, 4, 8]
    assert names(elsewhere) == []


def test_interrupted_before_the_first_row(elsewhere, stopping, capsys):
    stopping(0)
    assert cli.main([*WORDS, "--out", "run.json"]) == 130
    assert "before the first row" in capsys.readouterr().err
    assert names(elsewhere) == []


def test_a_half_written_last_row_is_dropped(elsewhere, stopping):
    done = stopping(2)
    assert cli.main([*WORDS, "--out", "run.json"]) == 130
    partial = elsewhere / "run.json.partial"
    partial.write_bytes(partial.read_bytes()[:-20])
    assert len(unfinished.read(partial).rows) == 1
    stopping(99)
    assert cli.main(["compare", "replot", "run.json"]) == 0
    assert done == [1, 2, 2, 4, 8]
    assert compare.load("run.json").sizes() == [1, 2, 4, 8]


def test_measured_rows_survive_too(elsewhere, stopping):
    stopping(1)
    assert cli.main(["compare", "scaling", "--at", "1,2", "--repeats", "1", "--out", "run.json"]) == 130
    kept = unfinished.read("run.json.partial").rows
    stopping(99)
    assert cli.main(["compare", "replot", "run.json"]) == 0
    saved = compare.load("run.json")
    assert [storage.encode(saved.rows[0])] == list(kept.values())
    assert isinstance(saved.rows[1].seconds["forward"], compare.Timing)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_from_a_terminal(elsewhere):
    words = ["compare", "scaling", "--at", "1:900:+1", "--depth", "200", "--out", "run.json"]
    process = subprocess.Popen([sys.executable, "-P", "-m", "dualad.cli", *words], stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                               env={**os.environ, "OMP_NUM_THREADS": "1"})
    with process:
        partial = elsewhere / "run.json.partial"
        deadline = time.monotonic() + 60
        while not (partial.exists() and partial.read_bytes().count(b"\n") >= 2) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert b"go on with dualad compare replot run.json" in err
    assert err.count(b"\n") == 1
    assert names(elsewhere) == ["run.json.partial"]


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
def test_progress_on_a_terminal_and_only_there(elsewhere):
    """The line of progress goes to a terminal's stderr, is overwritten, and is wiped at the end."""
    import pty

    command = [sys.executable, "-P", "-m", "dualad.cli", *WORDS]
    leader, follower = pty.openpty()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        out = process.stdout.read().decode()
        shown = b""
        try:
            while part := os.read(leader, 4096):
                shown += part
        except OSError:  # the other end has closed
            pass
    os.close(leader)
    lines = shown.decode().split("\r\x1b[K")
    assert [line.partition("; ")[0].partition(", ")[2] for line in lines[1:-1]] == [f"{k} rows done" for k in range(4)]
    assert lines[-2].endswith("n = 8")
    assert lines[-1] == ""
    assert "rows done" not in out


@pytest.mark.parametrize("words", [["--seed", "x"], ["--at", "0"], ["--family", "helmholtz", "--m", "2"]], ids=" ".join)
def test_bad_input_leaves_no_file(elsewhere, words):
    assert cli.main([*WORDS, *words, "--out", "run.json", "--out", "run.csv"]) == 2
    assert names(elsewhere) == []


def test_disagreement_leaves_no_file(elsewhere, monkeypatch, capsys):
    measure = scaling_module.measure

    def disagree(f, x, **options):
        if x.size == 4:
            raise compare.DisagreementError("forward and reverse disagree")
        return measure(f, x, **options)

    monkeypatch.setattr(scaling_module, "measure", disagree)
    assert cli.main([*WORDS, "--out", "run.json"]) == 1
    assert names(elsewhere) == []
    assert capsys.readouterr().err == "dualad compare: error: forward and reverse disagree\n"


def test_old_files_stay_when_a_run_fails(elsewhere, stopping):
    (elsewhere / "run.json").write_text("old")
    stopping(1)
    assert cli.main([*WORDS, "--out", "run.json"]) == 130
    assert (elsewhere / "run.json").read_text() == "old"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_without_the_right_to_write(elsewhere, capsys):
    os.chmod(elsewhere, 0o500)
    try:
        assert cli.main([*WORDS, "--out", "run.json"]) == 2
    finally:
        os.chmod(elsewhere, 0o700)
    assert "cannot write run.json: Permission denied" in capsys.readouterr().err


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")])
def test_an_unwritable_place_is_said_before_anything_runs(elsewhere, monkeypatch, capsys, stopping, error):
    def refuse(**where):
        raise error

    done = stopping(0)
    monkeypatch.setattr(outputs.tempfile, "TemporaryFile", refuse)
    assert cli.main([*WORDS, "--out", "run.json"]) == 2
    assert capsys.readouterr().err == f"dualad compare: error: cannot write run.json: {error.strerror}\n"
    assert done == []


def test_pictures_without_matplotlib_are_refused_at_once(monkeypatch, capsys, stopping):
    stopping(0)
    monkeypatch.setattr(outputs.importlib.util, "find_spec", lambda name: None)
    assert cli.main([*WORDS, "--out", "run.png"]) == 2
    assert 'pip install "dualad[plot]"' in capsys.readouterr().err


STRANGE = [
    "",
    "{}",
    "[1]",
    "no json",
    '{"format": 99}',
    '{"format": 1, "experiment": "nobody", "rows": []}',
    '{"format": 1, "experiment": "scaling"}',
    '{"format": 2, "unfinished": "scaling"}',
    '{"format": 1, "unfinished": "nobody", "settings": {}, "out": []}\n',
]


@pytest.mark.parametrize("content", STRANGE)
def test_replot_of_something_else_is_one_line(elsewhere, capsys, content):
    (elsewhere / "run.json").write_text(content)
    assert cli.main(["compare", "replot", "run.json"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_whole_or_not_at_all(elsewhere, monkeypatch):
    target = elsewhere / "a.txt"
    storage.write_atomically(target, "old")

    def fail(source, destination):
        raise OSError("disk full")

    monkeypatch.setattr(storage.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        storage.write_atomically(target, "new")
    assert target.read_text() == "old"
    assert names(elsewhere) == ["a.txt"]


# ---- with no arguments -------------------------------------------------------------------------------------------------------

def test_without_an_experiment_the_short_set_writes_a_page(elsewhere, capsys):
    assert cli.main(["compare", "--count-only"]) == 0
    assert capsys.readouterr().out.endswith("Written: dualad-compare.html\n")
    page = (elsewhere / "dualad-compare.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "What you see" in page
    assert names(elsewhere) == ["dualad-compare.html"]


def test_the_short_set_writes_elsewhere_when_told_so(elsewhere):
    assert cli.main(["compare", "--count-only", "--out", "other.json"]) == 0
    assert names(elsewhere) == ["other.json"]
    assert [part.name for part in compare.load("other.json").parts] == ["scaling"] * 3


def test_pictures(elsewhere):
    pytest.importorskip("matplotlib")
    assert cli.main([*WORDS, "--out", "run.svg", "--out", "run.png"]) == 0
    assert (elsewhere / "run.svg").read_text(encoding="utf-8").lstrip().startswith("<?xml")
    assert (elsewhere / "run.png").read_bytes().startswith(b"\x89PNG")
    assert names(elsewhere) == ["run.png", "run.svg"]
