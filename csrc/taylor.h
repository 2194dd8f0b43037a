/* taylor.h: a recording in Taylor arithmetic: the coefficients of every slot along a curve through the inputs.
 *
 * A slot's value becomes a polynomial c[0] + c[1] t + ... + c[order] t^order, lane-contiguous as in sweep.h:
 * c[slot * (order + 1) + k].  c[0] is the recorded value, bit for bit.  For a function v = phi(x, y) of the table the rest
 * follows from v' = (dphi/dx) x' + (dphi/dy) y' (Griewank & Walther 2008, section 13.2):
 *     k v[k] = sum over j = 1..k of j (x[j] p[k-j] + y[j] q[k-j])
 * where p and q are the series of the partials, whose text in ops.def is evaluated in the same arithmetic, one coefficient
 * of all its parts after the other: p may need v itself (exp), or a function whose partial needs v again (sin, cos).
 *
 * Cost: O(order^2) an operation; sinc, digamma and polygamma, each derivative of which is a new function, O(order^3).
 */
#ifndef DUALAD_TAYLOR_H
#define DUALAD_TAYLOR_H

#include "tape.h"

/* A partial's text in postfix: operands, arithmetic, functions by code, and a select as a jump over the side not chosen. */
enum {
    DA_WORD_END,
    DA_WORD_X,
    DA_WORD_Y,
    DA_WORD_V,
    DA_WORD_CONSTANT,  /* number */
    DA_WORD_NEGATE,
    DA_WORD_ADD,
    DA_WORD_SUBTRACT,
    DA_WORD_MULTIPLY,
    DA_WORD_DIVIDE,
    DA_WORD_FUNCTION1, /* code */
    DA_WORD_FUNCTION2,
    DA_WORD_LESS,      /* compare two numbers, then jump by `code` words when it is false */
    DA_WORD_LESS_EQUAL,
    DA_WORD_EQUAL,
    DA_WORD_JUMP
};
typedef struct {
    int word, code;
    double number;
} da_word;

/* The partials of every row by its first code; y's are NULL for unary rows. */
typedef struct {
    const da_word *x[DA_OP_COUNT], *y[DA_OP_COUNT];
} da_series_rules;

/* Coefficients of every slot; those of the inputs are set (c[1] and up; c[0] is taken from the tape).
 * Returns DA_SWEEP_END, DA_SWEEP_MEMORY, or DA_SWEEP_CALL (what follows the call is not computed). */
int64_t da_sweep_taylor(const da_tape *t, double *c, size_t order, const da_series_rules *rules);

#endif
