/* sweep.h: the derivative sweeps over a tape, in pure C.
 *
 * A sweep walks nodes [0, nodes) and slots together.  It stops at a DA_OP_CALL, whose derivative is Python's business, and
 * is continued from where it stopped:
 *
 *     da_cursor c = da_cursor_end(t);                        reverse; da_cursor_begin for tangents
 *     while ((call = da_sweep_reverse(t, adj, k, &c)) >= 0)
 *         ... pull back call through adj[c.slot * k] ...
 *
 * Buffers hold k lanes a slot, lane-contiguous: adj[slot * k + lane].  The caller has filled adjoints with -0.0
 * (da_sweep_clear) and set the seeds.  NaN goes through; see "untouched adjoints" in tape.h.
 * Cost: one multiply and add for each active operand of each operation and lane, and the partial once for all lanes.
 */
#ifndef DUALAD_SWEEP_H
#define DUALAD_SWEEP_H

#include "tape.h"

/* How a sweep stops, where it returns no index of a call. */
enum {
    DA_SWEEP_END = -1,
    DA_SWEEP_MEMORY = -2, /* there was none for a temporary of a matrix product */
    DA_SWEEP_CALL = -3,   /* at a call, in an arithmetic that has none: nothing is of use */
    DA_SWEEP_LOST = -4    /* the arithmetic does not serve at this point: nothing is of use */
};

typedef struct {
    size_t node, slot;
} da_cursor;

static inline da_cursor da_cursor_begin(void)
{
    return (da_cursor){0, 0};
}

static inline da_cursor da_cursor_end(const da_tape *t)
{
    return (da_cursor){t->nodes, t->slots};
}

/* Matrix product in NumPy's inner-loop form, set once by the extension: args {A, B, out}, dims {1, m, k, n}, byte steps. */
typedef void (*da_matmul_fn)(char **args, const intptr_t *dims, const intptr_t *steps, void *data);
extern da_matmul_fn da_matmul;

void da_sweep_clear(double *adj, size_t n); /* n doubles to -0.0 */
void da_sweep_clear_inputs(const da_tape *t, double *tan,
                           size_t k); /* tangents of what no operation computes to -0.0 */

/* Returns the index of the call to pull back, DA_SWEEP_END or DA_SWEEP_MEMORY. */
int64_t da_sweep_reverse(const da_tape *t, double *adj, size_t k, da_cursor *c);

/* The whole reverse sweep of a tape without calls from 1 at slot `out`, in t->adj, which needs no clearing before.  Afterwards
 * the adjoints of inputs are those of the result, the others may be anything.  Returns as da_sweep_reverse.
 *
 * An adjoint that was passed on is of no use any more and becomes -0.0 again while it is at hand, so the next sweep of
 * scalar operations finds all but the inputs' cleared.  Who writes t->adj otherwise says so: da_tape_soil. */
int64_t da_sweep_gradient(da_tape *t, size_t out);

/* Tangents of every slot; returns the index of the call to push forward (c has passed it), DA_SWEEP_END or DA_SWEEP_MEMORY. */
int64_t da_sweep_forward(const da_tape *t, double *tan, size_t k, da_cursor *c);

/* Does the tape hold nothing but inputs and scalar operations?  Then da_replay computes their values again from the inputs'. */
int da_replayable(const da_tape *t);
void da_replay(da_tape *t);

/* Executed operations by opcode, calls and moves included: count[DA_OP_COUNT] is overwritten. */
void da_tape_histogram(const da_tape *t, size_t *count);

#endif
