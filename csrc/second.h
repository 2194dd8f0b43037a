/* second.h: the reverse sweep in dual arithmetic: Hessian-vector products of a recording.
 *
 * With tangents tan of every slot (da_sweep_forward) and adjoints adj, the tangents of the adjoints follow backwards:
 *     adj[a]  += p * adj[v]
 *     dadj[a] += p * dadj[v] + dp * adj[v]            dp = the directional derivative of the partial p
 * The partials' text in ops.def is compiled a third time, over complex numbers whose imaginary part is a tangent times
 * 2^-332: C's complex arithmetic is then dual arithmetic, since the product of two imaginary parts falls far below the
 * rounding of the real one.  That holds for values and tangents between 2^-128 and 2^128 (or 0); elsewhere the sweep is lost.
 *
 * One direction at a time.  All buffers hold one double a slot; the caller has filled adj and dadj with -0.0
 * (da_sweep_clear) and set the seeds.  Cost: about four operations of a gradient sweep for each of its own.
 */
#ifndef DUALAD_SECOND_H
#define DUALAD_SECOND_H

#include "tape.h"

/* Returns DA_SWEEP_END, _MEMORY, _CALL, or _LOST where a partial is infinite or changes too fast for this arithmetic (a divisor at
 * or next to 0). */
int64_t da_sweep_second(const da_tape *t, const double *tan, double *adj, double *dadj);

#endif
