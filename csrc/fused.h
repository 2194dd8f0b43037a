/* fused.h: a run of elementwise entries swept backwards together, a block of elements at a time.
 *
 * Entry by entry, the adjoints of every temporary would be written to memory and read back; block by block they stay in the
 * first-level cache, and those that only the run reads have no memory of their own (plan.h).  Of these, the ones that are one
 * number, or values times one number, are not written at all: so it is with a * b in the sum of a * b.  One lane.
 */
#ifndef DUALAD_FUSED_H
#define DUALAD_FUSED_H

#include "plan.h"

/* Sweep the run that ends with node `last`; returns its first node. */
size_t da_fused_reverse(const da_tape *t, double *adj, const da_plan *plan, size_t last);

#endif
