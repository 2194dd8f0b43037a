/* block.c: partials of a block and their contributions; see block.h. */
#include "block.h"
#include "ops.h"
#include "sweep_array.h"
#include <string.h>

#include "ops_scalar.h"

/* Of string literals, so that the compiler decides.  (The x of exp counts as one that is read: that costs a block, no more.) */
#define MENTIONS(text, letter) (strchr(text, letter) != NULL)
#define IS(text, letter) (sizeof(text) == 2 && (text)[0] == (letter))
#define PARTIAL(expr) \
    { \
        d.reads_x = MENTIONS(#expr, 'x'); \
        d.reads_y = MENTIONS(#expr, 'y'); \
        d.reads_v = MENTIONS(#expr, 'v'); \
        d.kind = IS(#expr, 'x')                            ? DA_IS_X \
                 : IS(#expr, 'y')                          ? DA_IS_Y \
                 : IS(#expr, 'v')                          ? DA_IS_V \
                 : d.reads_x || d.reads_y || d.reads_v     ? DA_COMPUTED \
                                                           : DA_IS_NUMBER; \
        if (!(d.reads_x || d.reads_y || d.reads_v)) \
            d.number = (expr); \
        break; \
    }

da_partial da_partial_of(int code, int which)
{
    da_partial d = {0.0, da_vec()->partials[code][which], DA_COMPUTED, 0, 0, 0};
    const double x = 1.0, y = 1.0, v = 1.0; /* of a partial that reads none of them */
    (void)x, (void)y, (void)v;
    switch (code * 2 + which) {
#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name * 2: PARTIAL(dx)
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name * 2: PARTIAL(dx) \
    case DA_OP_##name * 2 + 1: PARTIAL(dy)
#include "ops.def"
#undef UNARY
#undef BINARY
    default: break;
    }
    return d;
}

da_partial da_partial_with(int code, int which, const double *x, const double *y)
{
    da_partial d = da_partial_of(code, which);
    const double unread = 1.0;
    if (d.kind != DA_IS_NUMBER && !d.reads_v && (x || !d.reads_x) && (y || !d.reads_y)) {
        d.fn(x ? x : &unread, y ? y : &unread, &unread, &d.number, 1);
        d.kind = DA_IS_NUMBER;
    }
    return d;
}

static inline double term(double p, double g, int selects)
{
    const double c = p * g + 0.0;
    return (!da_touched(g) || (selects && p == 0.0)) ? -0.0 : c;
}

void da_contribute(double *restrict to, ptrdiff_t stride, const double *restrict p, double number,
                   const double *restrict ct, size_t n, int selects, int sets)
{
    if (stride == 1) {
        da_vec()->accumulate(to, p, number, ct, n, selects, sets);
    } else if (stride == 0) {
        double s[4] = {-0.0, -0.0, -0.0, -0.0};
        for (size_t i = 0; i < n; i++)
            s[i & 3] += term(p ? p[i] : number, ct[i], selects);
        const double total = (s[0] + s[1]) + (s[2] + s[3]);
        to[0] = sets ? total : to[0] + total;
    } else {
        for (size_t i = 0; i < n; i++) {
            double *place = to + (ptrdiff_t)i * stride;
            const double c = term(p ? p[i] : number, ct[i], selects);
            *place = sets ? c : *place + c;
        }
    }
}
