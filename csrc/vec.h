/* vec.h: partials over blocks, chosen once for the processor at hand.
 *
 * All arrays hold n doubles, do not overlap, and are the caller's; NaN and infinities go through as in ops.def.
 */
#ifndef DUALAD_VEC_H
#define DUALAD_VEC_H

#include <stddef.h>

#define DA_BLOCK 512 /* elements a block: inputs, result and partial stay in the first-level cache */

typedef void (*da_partial_fn)(const double *x, const double *y, const double *v, double *p, size_t n);
typedef void (*da_accumulate_fn)(double *to, const double *p, double number, const double *ct, size_t n, int selects,
                                 int sets);
typedef void (*da_accumulate_product_fn)(double *to, const double *p, const double *values, double number, size_t n,
                                         int sets);
typedef void (*da_lanes_fn)(double *to, ptrdiff_t to_stride, const double *p, double number, const double *from,
                            ptrdiff_t stride, size_t n, size_t k, int selects, int sets);
typedef void (*da_settle_fn)(double *to, const double *from, size_t n);

/* The kernels of one instruction set.
 *
 * partials     [code][0] is d/dx, [code][1] d/dy of a row (by its first code), into p
 * accumulate   to[i] += p[i] * ct[i], +0.0 added, where ct[i] is touched (tape.h); `selects`: and where p[i] != 0.  p NULL
 *              means `number` everywhere.  `sets`: as if to[i] were untouched before; it is not read
 * accumulate_product   the same with ct[i] = values[i] * number + 0.0
 * lanes        the same in k lanes: element i of `to` is at to[i * to_stride * k], of `from` (adjoints or tangents) at
 *              from[i * stride * k]
 * settle       to[i] = from[i] + 0.0: untouched adjoints as the zeros they are
 */
typedef struct {
    const char *name; /* "base", "avx2", "avx512" */
    const da_partial_fn (*partials)[2];
    da_accumulate_fn accumulate;
    da_accumulate_product_fn accumulate_product;
    da_lanes_fn lanes;
    da_settle_fn settle;
} da_kernels;
const da_kernels *da_vec(void);

/* Was libmvec found? */
int da_vec_has_libmvec(void);

#endif
