"""Deliberately wrong rules and sweeps: one changed place each, and the tests that are to notice first.

A list of what the suite must catch, not of everything it does.  ``python tests/mutants/run.py`` applies each to a copy.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["MUTANTS", "Mutant"]


class Mutant(NamedTuple):
    """One change.

    Attributes
    ----------
    name : str
    file : str
        Path from the project's root.
    old, new : str
        Text that occurs exactly once in the file, and what takes its place.
    why : str
        What is wrong then.
    tests : tuple of str
        Arguments of pytest: the part of the suite that runs on it.
    """

    name: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]


def _of(file: str, tests: str, *rows: tuple[str, str, str, str]) -> list[Mutant]:
    return [Mutant(*row[:1], file, *row[1:], tests=tuple(f"tests/test_{name}.py" for name in tests.split())) for row in rows]


TABLE = _of(
    "csrc/ops.def", "ufuncs accuracy kinks second_order",
    ("tan-off-by-1e-6", "tan(x),            1.0 + v*v,", "tan(x),            1.000001*(1.0 + v*v),", "a partial wrong by 1e-6"),
    ("cos-sign", "cos(x),            -sin(x),", "cos(x),            sin(x),", "the sign of cos'"),
    ("divide-sign", ", -v/y),             MUL,", ", v/y),             MUL,", "the sign of d(x/y)/dy"),
    ("maximum-tie", "maximum(x, y),     select(eq(x, y), 0.5,", "maximum(x, y),     select(eq(x, y), 1.0,",
     "a tie gives the first operand everything"),
    ("log1p-operand", "log1p(x),          1.0/(1.0 + x),", "log1p(x),          1.0/(1.0 + v),", "the result for the operand"),
)

SWEEP = _of(
    "csrc/sweep.c", "laws nesting ufuncs kinks second_order",
    ("reverse-overwrites", "to[0] = (to[0] + 0.0) + p * g; \\", "to[0] = p * g + 0.0; \\", "= for +=: fan-out is lost"),
    ("reverse-wrong-operand", "        ADJOINT(cls, a, dx) \\\n        ADJOINT(cls, b, dy) \\", "        ADJOINT(cls, a, dx) \\\n"
     "        ADJOINT(cls, a, dy) \\", "the second operand's share goes to the first"),
    ("reverse-constant-operand",
     "const double x = pool[a], y = val[b]; \\\n        (void)x, (void)y; \\\n        RESULT \\\n        ADJOINT(cls, b, dy)",
     "const double x = pool[a], y = val[b]; \\\n        (void)x, (void)y; \\\n        RESULT \\\n        ADJOINT(cls, b, dx)",
     "constant - x takes the partial by the constant"),
    ("forward-drops-operand", "TERM(cls, px, tx[l]) + TERM(cls, py, ty[l])",
     "TERM(cls, px, tx[l]) + 0.0 * TERM(cls, py, ty[l])",
     "the forward sweep forgets the second operand"),
    ("chain-forgets-fan-out", "g = (adj[a] + 0.0) + p * g; \\", "g = p * g; \\", "a partial product that is used again as well"),
    ("reverse-touches-unchosen", "            if (da_touched(ct[l]) && PARTAKES_##cls(p)) \\",
     "            if (PARTAKES_##cls(p)) \\", "a branch that was not taken meets 0 times infinity"),
) + _of(
    "csrc/sweep.c", "api laws lectures_calculus lectures_matrices problems tree",
    ("forward-no-clear", "da_sweep_clear(tan + slot * k, t->of[i].b * k);", "(void)tan;",
     "tangents of inputs that have none are left from the sweep before"),
) + _of(
    "csrc/sweep.c", "memory",
    ("longer-sweep-taken-as-clean", "        da_sweep_clear(adj, slots);\n        t->clean_to = slots;",
     "        da_sweep_clear(adj, slots);\n        t->clean_to = t->clean_to < slots ? slots : t->clean_to;",
     "what a longer recording left behind the present one is taken as clear"),
    ("arrays-taken-as-clean", "t->clean_from = t->meta_used || t->calls ? slots : t->inputs;", "t->clean_from = t->inputs;",
     "adjoints that arrays left are taken as clear"),
)

ARRAYS = _of(
    "csrc/sweep_array.c", "laws structure reductions products ufuncs indexing second_order",
    ("rows-do-not-rewind", "        r->oy -= *at * r->e->sy[d];\n", "",
     "the second operand's offset runs away at the end of an axis"),
    ("push-overwrites", "(ptrdiff_t)stride, n, k, selects, !add);", "(ptrdiff_t)stride, n, k, selects, 1);",
     "the second operand's tangent replaces the first's"),
    ("gather-overwrites", "                x[l] += o[l];\n            else", "                x[l] = o[l];\n            else",
     "an element gathered twice keeps one share"),
    ("where-inverted", "const int first = e->mask[i];", "const int first = !e->mask[i];", "the mask chooses the other side"),
    ("matmul-untransposed", "multiply(out, n, 1, y, y1, y0, tmp, m, n, k);", "multiply(out, n, 1, y, y0, y1, tmp, m, n, k);",
     "dX = dC Y instead of dC Y'"),
    ("matmul-lanes-untransposed", "multiply(y, y1, y0, tmp + i * k * L, L, 1, part + i * n * L, n, k, L);",
     "multiply(y, y0, y1, tmp + i * k * L, L, 1, part + i * n * L, n, k, L);", "the forward sweep's Y, transposed"),
    ("matmul-cross-untransposed", "multiply(tan + ax, x1, x0, adj + o, n, 1, tmp, k, m, n);",
     "multiply(tan + ax, x0, x1, adj + o, n, 1, tmp, k, m, n);", "second order: the tangent of X, untransposed"),
)

LANES = _of(
    "csrc/vec_body.h", "laws structure products",
    ("lanes-first-only", "                t[l] += contribution(q, bits[l], g[l], 0);",
     "                t[l] += contribution(q, bits[0], g[0], 0);",
     "every lane takes the first's"),
)

PLAN = _of(
    "csrc/plan.c", "plan",
    ("plan-covers-anything", "    return (size_t)step == r->n;", "    return 1;",
     "a slice's share is set, the rest stays as it was"),
    ("plan-forgets-overlap", "!x || x != y || covered_y", "1",
     "two walks through one range: the second adds to what the first then sets"),
    ("plan-forgets-unused", "            touch(&s, &s.ranges[i]);\n", "            ;\n",
     "what no operation uses keeps the adjoints of the sweep before"),
    ("plan-forgets-neighbours", "r->odd <= g->high", "0", "a slice of a temporary is read in the block before it is complete"),
    ("plan-forgets-crossings", "return r->state == SET && r->set_by <= s->run.high && !covers(e, strides, first, r);", "return 0;",
     "a share to an element of a later block is lost when that block is set"),
    ("plan-forgets-readers", "r->state == SET && r->reader <= g->high", "r->state == SET",
     "what is read outside of a run is put where the run does not look"),
    ("plan-shares-blocks", "g->held_to[b] > from", "1", "two temporaries in one block"),
    ("plan-forgets-second-sum", "    write_out(s, r);\n}\n\nstatic void read_oddly", "}\n\nstatic void read_oddly",
     "the adjoint of a sum is one number, whatever else is read"),
) + _of(
    "csrc/fused.c", "plan",
    ("run-adds-to-leftovers", "to->sets = (int)((which ? plan->y : plan->x) >> node & 1);", "to->sets = 0;",
     "a block is added to what the block before left there"),
    ("run-stands-still", "to->adj.at + at * to->adj.step", "to->adj.at", "every block writes to the first"),
    ("run-forgets-second-share", "    else if (u)\n        write_after_all(u);\n", "",
     "the first share of a temporary is never written"),
    ("run-takes-any-product", "return !to->active || (!to->single && ", "return 1 || (!to->single && ",
     "a partial that is a number has no block to multiply with"),
    ("run-forgets-the-number", "u->number = to->partial.number * s->ct_number + 0.0;", ";",
     "3.0 * x in a sum passes on the sum's adjoint"),
) + _of(
    "csrc/block.c", "plan",
    ("partial-of-either-number", "(x || !d.reads_x) && (y || !d.reads_y)", "(x || y)", "x / c with c alone in place of x too"),
) + _of(
    "csrc/block.c", "laws",
    ("broadcast-overwrites", "s[i & 3] += term(p ? p[i] : number, ct[i], selects);",
     "s[i & 3] = term(p ? p[i] : number, ct[i], selects);",
     "a broadcast operand gets the last share, not the sum"),
)

SECOND = _of(
    "csrc/second.c", "second_order",
    ("second-forgets-curvature", "(dp[i] == 0.0 ? 0.0 : dp[i] * ct[i]) + 0.0;", "0.0;", "f'' is left out of the Hessian"),
)

TAPE = _of(
    "csrc/tape.h", "laws nesting ufuncs kinks problems",
    ("constant-collision", "if (have.u == bits.u)", "if (have.u == bits.u || i)",
     "constants of one hash share the first one's value"),
)

CORE = _of(
    "csrc/pyslots.h", "nesting",
    ("perturbation-confusion", "Py_TYPE(r) == da_dual_type && t->level == s->level", "Py_TYPE(r) == da_dual_type",
     "tangents of two levels are added up"),
) + _of(
    "dualad/_core_parts/var.pxi", "leaks",
    ("leak-unseen-var", "    if at.id != x.level:\n        raise_leaked(x)\n", "    if at.tape == NULL:\n        raise_leaked(x)\n",
     "a traced scalar outlives its transformation"),
) + _of(
    "csrc/pyslots.h", "leaks",
    ("leak-unseen-dual",
     "            if (DA_LEVEL_OF(s)->id != s->level) \\\n                return da_dual_slow_##name(l, r); \\\n",
     "", "a dual number outlives its transformation"),
) + _of(
    "csrc/pool.h", "leaks",
    ("leak-through-the-newest", "    if (da_newest.id == id)\n        da_newest.id = 0;\n", "",
     "a traced scalar outlives its transformation as long as no other began"),
)

RULES = _of(
    "dualad/rules/elementwise.py", "laws ufuncs nesting",
    ("unbroadcast-forgotten", "unbroadcast(guarded(parts(primals, out, i), ct, selects), shape_of(primals[i]), lanes) if need",
     "guarded(parts(primals, out, i), ct, selects) if need", "a broadcast operand's cotangent keeps the result's shape"),
    ("align-forgotten", "return t if missing <= 0 else np.reshape(t, (shape[0],) + (1,) * missing + tuple(shape[1:]))", "return t",
     "lanes meet an axis of the other operand"),
) + _of(
    "dualad/rules/elementwise.py", "kinks ufuncs nesting",
    ("unchosen-not-guarded", "        mask = mask | (plain(p) == 0.0)\n", "        pass\n",
     "what a select did not choose gets +0.0 or NaN"),
) + _of(
    "dualad/rules/reductions.py", "reductions",
    ("sum-ignores-where", "        c = np.where(where, c, -0.0)\n", "        pass\n",
     "elements that where= leaves out get a cotangent"),
    ("sum-axis-from-the-front", "return (axis - ndim if axis >= 0 else axis,)", "return (axis,)", "the lanes shift the axis"),
    ("max-tie-not-split", "1.0 / np.maximum(count, 1)", "1.0 + 0.0 * count", "each tied element gets everything"),
) + _of(
    "dualad/rules/cumulative.py", "cumulative",
    ("cumsum-not-reversed", "np.flip(np.cumsum(np.flip(ct, axis), axis=axis), axis)", "np.cumsum(ct, axis=axis)",
     "the transpose of a running sum runs the wrong way"),
) + _of(
    "dualad/rules/structure.py", "structure indexing",
    ("scatter-repeated-index", "minlength=1)[1:].max(initial=0) > 1", "minlength=1)[1:].max(initial=0) < 0",
     "an element picked twice keeps one share"),
) + _of(
    "dualad/rules/linalg.py", "linalg",
    ("solve-untransposed", "by_b = _solve_with(mt(xs[0]), ct, rank, lanes)", "by_b = _solve_with(xs[0], ct, rank, lanes)",
     "A for A'"),
    ("solve-sign", "by_a = -(by_b[..., :, None]", "by_a = (by_b[..., :, None]", "the sign of the matrix's cotangent"),
    ("cholesky-diagonal", "-1) + 0.5 * np.eye(n", "-1) + 1.0 * np.eye(n", "the diagonal is not halved"),
    ("slogdet-untransposed", "_per_matrix(ct[1]) * mt(np.linalg.inv(xs[0]))", "_per_matrix(ct[1]) * np.linalg.inv(xs[0])",
     "X^-1 for X^-T"),
) + _of(
    "dualad/rules/products.py", "products",
    ("matmul-rule-untransposed", "np.matmul(ct, np.transpose(b)))", "np.matmul(ct, b))", "dX = dC Y instead of dC Y'"),
)

SWEEPS = _of(
    "dualad/pull.py", "laws linalg tree custom nesting",
    ("pull-overwrites", "external[x.key] = g if old is None else old + g", "external[x.key] = g", "= for += outside the slots"),
    ("pull-ignores-lanes", "grads = call.primitive.vjp(ct, call.values, call.out, needs, lanes, **call.params)",
     "grads = call.primitive.vjp(ct, call.values, call.out, needs, 0, **call.params)", "a call's rule is not told of the lanes"),
) + _of(
    "dualad/custom.py", "custom",
    ("custom-jvp-one-lane", "None if t is None else t[i] for t in tangents", "None if t is None else t[0] for t in tangents",
     "every lane takes the first tangent"),
    ("custom-vjp-one-lane", "None if c is None else c[i] for c in ct", "None if c is None else c[0] for c in ct",
     "every lane takes the first cotangent"),
    ("custom-closure-unseen", "x.level_id >= level.level_id", "x.level_id > level.level_id + 4096",
     "a traced value that a custom rule closes over is not refused"),
) + _of(
    "dualad/jacobians.py", "api laws memory",
    ("chunk-rows-restart", "rows[np.arange(lo - start, hi - start), np.arange(lo - at, hi - at)] = 1.0",
     "rows[np.arange(lo - start, hi - start), np.arange(hi - lo)] = 1.0",
     "the second chunk of rows repeats the first"),
    ("chunk-columns-boundary", "lo, hi = max(start, at), min(stop, at + n)",
     "lo, hi = max(start, at), min(stop, at + n, start + 31)",
     "the last column of a full chunk is lost"),
)

MUTANTS: tuple[Mutant, ...] = (*TABLE, *SWEEP, *ARRAYS, *LANES, *PLAN, *SECOND, *TAPE, *CORE, *RULES, *SWEEPS)
