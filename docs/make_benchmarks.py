"""Write the generated part of docs/benchmarks.md, and its pictures, from the saved run docs/data/benchmarks.json.

python docs/make_benchmarks.py
"""

from __future__ import annotations

from pathlib import Path

from dualad import compare
from dualad.compare.terminal import cell
from dualad.report.svg import draw

DOCS = Path(__file__).parent
RUN = DOCS / "data" / "benchmarks.json"
MARKER = "<!-- made by docs/make_benchmarks.py -->"
MACHINE = ("processor", "system", "python", "numpy", "BLAS", "BLAS threads", "clock", "dualad", "commit", "peers", "date")


def line(cells):
    return "| " + " | ".join(cells) + " |"


def table(header, rows):
    return "\n".join([line(header), line("---" if i < 2 else "---:" for i in range(len(header))), *map(line, rows)])


def figure(value):
    return "" if value is None else cell(value)


def targets(result):
    """Every bench against its target, the derivative by hand and the other libraries beside it."""
    names = result.peers()
    header = ("row", "workload", "dualad", "target", "met", "by hand", *names)
    rows = []
    for b in result.rows:
        unit = "" if b.unit == "x" else f" {b.unit}"
        met = "" if b.met is None else "yes" if b.met else "**no**"
        rows.append((b.group, b.case, figure(b.ratio) + unit, f"{b.target:g}{unit}", met, figure(b.hand),
                     *(figure(b.peers.get(name)) for name in names)))  # fmt: skip
    return table(header, rows)


def counted(result):
    """What one recording holds."""
    header = ("row", "workload", "n", "m", "operations", "bound", "tape bytes")
    rows = [(b.group, b.case, str(b.n), str(b.m), f"{b.operations:.6g}", figure(b.bound), figure(b.tape_bytes))
            for b in result.rows if b.operations]  # fmt: skip
    return table(header, rows)


def left_out(result):
    """Which library did not run what, and why: one line a reason."""
    reasons = {}
    for b in result.rows:
        for name, why in b.left_out.items():
            reasons.setdefault((name, why.partition(" (")[0] if "another answer" not in why else why), []).append(b.case)
    return "\n".join(f"- {name}: {why}: {', '.join(cases)}." for (name, why), cases in reasons.items())


def generated(result):
    """The part of the page below the marker."""
    machine = "\n".join(f"- {name}: {result.environment[name]}" for name in MACHINE if result.environment.get(name))
    pictures = "\n\n".join(f"![{f.alt}](data/{f.name}.svg)\n\n{f.caption}" for f in result.figures()[:1])
    return "\n\n".join((
        "## Machine and versions", machine, "## Measured against target", pictures, targets(result), "## What was seen",
        "\n".join(f"- {said}" for said in result.reading()), "## Counted", counted(result), "## Other libraries that did not run",
        left_out(result),
    ))  # fmt: skip


def main():
    result = compare.from_pytest_benchmark(RUN)
    page = DOCS / "benchmarks.md"
    head = page.read_text(encoding="utf-8").partition(MARKER)[0]
    page.write_text(f"{head}{MARKER}\n\n{generated(result)}\n", encoding="utf-8")
    for one in result.figures()[:1]:
        RUN.with_name(f"{one.name}.svg").write_text(draw(one) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
