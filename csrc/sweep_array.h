/* sweep_array.h: the sweeps of one array entry (tape.h lists the kinds).
 *
 * Lane-contiguous buffers as in sweep.h.  Return 0, or 1 when memory for a temporary ran out.
 */
#ifndef DUALAD_SWEEP_ARRAY_H
#define DUALAD_SWEEP_ARRAY_H

#include "tape.h"

/* sets: 1 where the adjoints of x are set, not added to; 2 those of y (plan.h; for one lane). */
int da_array_reverse(const da_tape *t, const da_entry *e, double *adj, size_t k, int sets);
int da_array_forward(const da_tape *t, const da_entry *e, double *tan, size_t k);

/* Of a matrix product with both operands active: dadj += what adj of the result gives with tangents in place of values. */
int da_matmul_cross(const da_entry *e, const double *tan, const double *adj, double *dadj);

/* n operand values as a contiguous block: where they are, or copied into the buffer. */
static inline const double *da_packed(const double *val, int64_t stride, size_t n, double *buffer)
{
    if (stride == 1)
        return val;
    for (size_t i = 0; i < n; i++)
        buffer[i] = val[(int64_t)i * stride];
    return buffer;
}

/* Does anything selected depend on this adjoint?  (-0.0 means no.) */
static inline int da_touched(double g)
{
    union {
        double d;
        uint64_t u;
    } bits = {g};
    return bits.u != 0x8000000000000000u;
}

#endif
