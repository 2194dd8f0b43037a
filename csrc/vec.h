/* vec.h: partials over blocks, chosen once for the processor at hand.
 *
 * All arrays hold n doubles, do not overlap, and are the caller's; NaN and infinities go through as in ops.def.
 */
#ifndef DUALAD_VEC_H
#define DUALAD_VEC_H

#include <stddef.h>

#define DA_BLOCK 256 /* elements a block: inputs, result and partial stay in the first-level cache */

typedef void (*da_partial_fn)(const double *x, const double *y, const double *v, double *p, size_t n);

/* which: 0 for d/dx, 1 for d/dy.  code: the row's first code. */
da_partial_fn da_partial_kernel(int code, int which);

/* to[i] += p[i] * ct[i], +0.0 added, where ct[i] is touched (tape.h); `selects`: and where p[i] != 0.  p NULL means ones.
 * `sets`: as if to[i] were untouched before; it is not read. */
typedef void (*da_accumulate_fn)(double *to, const double *p, const double *ct, size_t n, int selects, int sets);
da_accumulate_fn da_accumulate_kernel(void);

/* The same in k lanes: element i of `to` is at to[i * to_stride * k], of `from` (adjoints or tangents) at from[i * stride * k]. */
typedef void (*da_lanes_fn)(double *to, ptrdiff_t to_stride, const double *p, const double *from, ptrdiff_t stride,
                            size_t n, size_t k, int selects, int sets);
da_lanes_fn da_lanes_kernel(void);

/* Name of the instruction set in use ("base", "avx2", "avx512") and whether libmvec was found. */
const char *da_vec_name(void);
int da_vec_has_libmvec(void);

#endif
