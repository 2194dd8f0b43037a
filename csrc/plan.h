/* plan.h: which adjoints a reverse sweep may set instead of clearing first and adding.
 *
 * In reverse order, the first operation that contributes to a range of slots and covers all of it can write its
 * contribution: the range needs no clearing before and no reading then.  For the temporaries of array code that is the
 * rule, and saves about half of the sweep's traffic in memory.  A plan is made for short tapes (DA_PLAN_NODES nodes), on which
 * clearing would take a visible share of the time; ranges that are only partly covered (slices, elements) are cleared.
 */
#ifndef DUALAD_PLAN_H
#define DUALAD_PLAN_H

#include "tape.h"

#define DA_PLAN_NODES 64

/* Bit i: node i sets the adjoints of its first operand (x), of its second (y). */
typedef struct {
    uint64_t x, y;
} da_plan;

/* Make the plan of a sweep from slot `out` and clear (to -0.0) what it does not set; 1 when done, 0 when the tape is too long or
 * holds calls: nothing is written then.  Cost: nodes times the logarithm of their number. */
int da_plan_make(const da_tape *t, double *adj, size_t out, da_plan *plan);

#endif
