"""Run the benches and print target and measured figure for every row of the target table.

python benches/report.py                # run everything (about a minute), then print
python benches/report.py --tiny         # sizes that prove only that it runs
python benches/report.py saved.json     # print a file written by pytest --benchmark-json
python benches/report.py -k jacobian    # further arguments go to pytest
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
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
        command = [sys.executable, "-m", "pytest", str(here), "-q", f"--benchmark-json={out}", *rest]
        code = subprocess.run([*command, "-p", "no:cacheprovider"], env=env, check=False).returncode
        if not out.exists() or not out.stat().st_size:
            raise SystemExit(code or 1)
        return json.loads(out.read_text(encoding="utf-8")), code


def rows(results):
    """(row, case, measured, target, met, the rest in words) of every bench, in the order they ran."""
    for bench in results["benchmarks"]:
        info = bench["extra_info"]
        if "row" not in info:
            continue
        unit = "" if info["unit"] == "x" else " " + info["unit"]
        notes = []
        if "plain_us" in info:
            notes.append(f"plain {info['plain_us']:.4g} us")
        if "noise" in info:
            notes.append(f"plain/plain {info['noise']:.2f}")
        if "hand" in info:
            notes.append(f"by hand {info['hand']:.2f}")
        if "control_ms" in info:
            notes.append(f"control {info['control_ms']:.2f} ms")
        notes += [f"{name} {ratio:.3g}" for name, ratio in info.get("peers", {}).items()]
        yield (
            info["row"], info["case"], f"{info['ratio']:.3g}{unit}", f"<= {info['target']:g}{unit}",
            "yes" if info["ratio"] <= info["target"] else "NO", ", ".join(notes),
        )  # fmt: skip


def table(results):
    """The rows as aligned text."""
    lines = [("row", "case", "measured", "target", "met", "beside it"), *rows(results)]
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    body = []
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        body.append("  ".join([*cells, line[5]]).rstrip())
    return "\n".join([body[0], "-" * len(body[0]), *body[1:]])


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--saved", metavar="JSON", help="a file of pytest --benchmark-json to print instead of running")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes: the figures mean nothing")
    parser.add_argument("--keep-memory", action="store_true", help="measure with glibc keeping freed blocks")
    options, rest = parser.parse_known_args(argv)
    settings = ({"DUALAD_BENCH_TINY": "1"} if options.tiny else {}) | (KEEP_MEMORY if options.keep_memory else {})
    code = 0
    if options.saved:
        results = json.loads(pathlib.Path(options.saved).read_text(encoding="utf-8"))
    else:
        results, code = run(rest, settings)
    import numpy

    cpu = results.get("machine_info", {}).get("cpu", {}).get("brand_raw", platform.processor())
    print(f"Python {platform.python_version()}, NumPy {numpy.__version__}, one thread, {cpu}")
    print("measured = time of the derivative / time of the plain function, median over interleaved rounds\n")
    print(table(results))
    absent = sorted({name for b in results["benchmarks"] for name in b["extra_info"].get("absent", [])})
    if absent:
        print(f"\nPeers not installed: {', '.join(absent)}")
    return code


if __name__ == "__main__":
    sys.exit(main())
