/* block.h: one block of an elementwise entry: where its partials are, and what they add to adjoints.
 *
 * Many rows need no loop to find a partial: it is an operand (x * y), the result (exp x), or a number (x + y, 2.0 * x with a
 * number on one side).  da_partial says which, for one row and one operand.
 */
#ifndef DUALAD_BLOCK_H
#define DUALAD_BLOCK_H

#include "vec.h"
#include <stdint.h>

/* Buffers of a block: on lines of the cache, so that no vector lies on two. */
#if defined(_MSC_VER)
#define DA_ALIGNED __declspec(align(64))
#else
#define DA_ALIGNED _Alignas(64)
#endif

enum { DA_COMPUTED, DA_IS_X, DA_IS_Y, DA_IS_V, DA_IS_NUMBER };
typedef struct {
    double number;    /* of DA_IS_NUMBER */
    da_partial_fn fn; /* of DA_COMPUTED */
    uint8_t kind, reads_x, reads_y, reads_v;
} da_partial;

/* The partial of a row by its first operand (which = 0) or its second, as ops.def states it. */
da_partial da_partial_of(int code, int which);

/* The same where an operand is one number for all elements (*x, *y; NULL: it is not): what depends on such operands only
 * is a number too. */
da_partial da_partial_with(int code, int which, const double *x, const double *y);

/* The partials of n elements: a pointer to where they are, or to p, which they are computed into; NULL where they are the number. */
static inline const double *da_block_partials(const da_partial *d, const double *x, const double *y, const double *v,
                                              double *p, size_t n)
{
    switch (d->kind) {
    case DA_IS_X: return x;
    case DA_IS_Y: return y;
    case DA_IS_V: return v;
    case DA_IS_NUMBER: return NULL;
    default: d->fn(x, y, v, p, n); return p;
    }
}

/* A block of one number. */
static inline const double *da_filled(double *to, double number, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = number;
    return to;
}

/* to[i * stride] += p[i] * ct[i] in one lane, or = (sets); p NULL means `number`.  As da_accumulate_fn of vec.h, for any stride. */
void da_contribute(double *to, ptrdiff_t stride, const double *p, double number, const double *ct, size_t n,
                   int selects, int sets);

#endif
