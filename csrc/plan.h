/* plan.h: how a reverse sweep for one result goes about its adjoints; made for short tapes, before the sweep.
 *
 * First writes.  In reverse order, the first operation that contributes to a range of slots and covers all of it can set it: the
 * range needs no clearing before and no reading then.  Ranges that are only partly covered (slices, elements) are cleared.
 *
 * Runs.  Consecutive elementwise entries of one length are swept together, block by block (fused.h).  What only the run itself
 * reads then needs adjoints for one block at a time (`local`), and the adjoints of what is summed are one number (`uniform`).
 * For the temporaries of array code that is the rule: their adjoints never go through memory.
 *
 * Clearing takes a visible share of the time on tapes of few nodes with many slots only: those have a plan.
 */
#ifndef DUALAD_PLAN_H
#define DUALAD_PLAN_H

#include "tape.h"

#define DA_PLAN_NODES 64
#define DA_PLAN_SLOTS 1024   /* on fewer, clearing all is quicker than planning */
#define DA_PLAN_BLOCKS 16    /* blocks of adjoints a run may hold at a time */
#define DA_PLAN_NOWHERE 0xFF

/* Bit i of a mask, and item i of an array, belong to node i. */
typedef struct {
    uint64_t x, y;    /* it sets the adjoints of its first operand, of its second */
    uint64_t run;     /* it is swept in a run */
    uint64_t first;   /* it is the lowest node of its run */
    uint64_t uniform; /* a sum: it leaves the adjoint at the first slot of what it summed, for a run to read there;
                         of a run: its adjoints are that one number */
    uint8_t local[DA_PLAN_NODES]; /* the block that holds its adjoints, or DA_PLAN_NOWHERE: in adj */
    uint8_t x_from[DA_PLAN_NODES], y_from[DA_PLAN_NODES]; /* of a run: the node that made the operand */
} da_plan;

/* Make the plan of a sweep from slot `out` and clear (to -0.0) what it does not set; 1 when done, 0 when the tape has too many
 * nodes, too few slots, or calls: nothing is written then.  Cost: nodes times the logarithm of their number. */
int da_plan_make(const da_tape *t, double *adj, size_t out, da_plan *plan);

#endif
