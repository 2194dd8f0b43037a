"""Run the benches and print target and measured figure for every row of the target table.

python benches/report.py                    # run everything (some minutes), then print
python benches/report.py --tiny             # sizes that prove only that it runs
python benches/report.py saved.json         # print a file written by pytest --benchmark-json, or by --save
python benches/report.py --save small.json  # keep what is printed, without the samples of pytest-benchmark
python benches/report.py --out page.html    # tables and pictures (.html, .csv, .png, .svg)
python benches/report.py -k jacobian        # further arguments go to pytest
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "4294967296"}


def run(rest, settings):
    """The JSON of one run of pytest over this folder."""
    here = pathlib.Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "bench.json")
        env = dict(os.environ, **settings)
        command = [sys.executable, "-P", "-m", "pytest", str(here), "-q", "--benchmark-disable-gc", f"--benchmark-json={out}"]
        code = subprocess.run([*command, *rest, "-p", "no:cacheprovider"], env=env, check=False).returncode
        if not out.exists() or not out.stat().st_size:
            raise SystemExit(code or 1)
        return json.loads(out.read_text(encoding="utf-8")), code


def rounded(value):
    """Figures to four digits: what a run has to say."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def small(results):
    """A run without samples, ids and what else is not about derivatives."""
    kept = {key: results[key] for key in ("datetime", "commit_info", "version") if key in results}
    machine = {key: results["machine_info"][key] for key in ("python_version", "dualad") if key in results["machine_info"]}
    benches = [{"name": b["name"], "fullname": b["fullname"], "extra_info": rounded(b["extra_info"])}
               for b in results["benchmarks"] if "row" in b["extra_info"]]  # fmt: skip
    return {**kept, "machine_info": machine, "benchmarks": benches}


def dumps(results):
    """A line a bench, so that two runs can be compared by eye."""
    head = {key: value for key, value in results.items() if key != "benchmarks"}
    lines = ",\n".join(json.dumps(bench) for bench in results["benchmarks"])
    return json.dumps(head, indent=1)[:-2] + f',\n "benchmarks": [\n{lines}\n]}}\n'


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saved", metavar="JSON", help="a file of pytest --benchmark-json to print instead of running")
    parser.add_argument("--save", metavar="JSON", help="write the figures to a file")
    parser.add_argument("--out", metavar="FILE", action="append", default=[], help="tables and pictures: .html, .csv, .png, .svg")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes: the figures mean nothing")
    parser.add_argument("--keep-memory", action="store_true", help="measure with glibc keeping freed blocks")
    options, rest = parser.parse_known_args(argv)
    if options.saved is None and rest and rest[0].endswith(".json"):
        options.saved = rest.pop(0)
    settings = ({"DUALAD_BENCH_TINY": "1"} if options.tiny else {}) | (KEEP_MEMORY if options.keep_memory else {})

    from dualad import compare
    from dualad.compare.named import BadInputError
    from dualad.compare.outputs import check_targets, write_all

    code = 0
    try:
        paths = check_targets(options.out)
        if options.saved:
            result = compare.from_pytest_benchmark(options.saved)
        else:
            results, code = run(rest, settings)
            result = compare.from_pytest_benchmark(results)
            if options.save:
                pathlib.Path(options.save).write_text(dumps(small(results)), encoding="utf-8")
        write_all(result, paths)
    except (BadInputError, OSError, ValueError) as error:
        print(f"report.py: error: {error}", file=sys.stderr)
        return 2
    print(result)
    return code


if __name__ == "__main__":
    sys.exit(main())
