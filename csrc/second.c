/* second.c: see second.h. */
#include "second.h"
#include "block.h"
#include "mathfn.h"
#include "sweep.h"
#include "sweep_array.h"
#include <complex.h>
#include <math.h>
#include <string.h>

typedef double complex dual;

#define SCALE 0x1p-332
#define UNSCALE 0x1p+332

static inline dual make(double re, double im)
{
    dual z;
    __real__ z = re;
    __imag__ z = im;
    return z;
}

/* Every row as a function of duals: dual_sin(x), dual_multiply(x, y) ... */
#define UNARY(name, value, dx, cls, domain)                                                                            \
    static inline dual dual_##name(dual z)                                                                             \
    {                                                                                                                  \
        const double x = creal(z), v = da_value(DA_OP_##name, x, 0.0);                                                 \
        double px, py;                                                                                                 \
        da_partials(DA_OP_##name, x, 0.0, v, &px, &py);                                                                \
        return make(v, cimag(z) == 0.0 ? 0.0 : px *cimag(z));                                                          \
    }
#define BINARY(name, value, dx, dy, cls, domain)                                                                       \
    static inline dual dual_##name(dual z, dual w)                                                                     \
    {                                                                                                                  \
        const double x = creal(z), y = creal(w), v = da_value(DA_OP_##name, x, y);                                     \
        double px, py;                                                                                                 \
        da_partials(DA_OP_##name, x, y, v, &px, &py);                                                                  \
        return make(v, (cimag(z) == 0.0 ? 0.0 : px *cimag(z)) + (cimag(w) == 0.0 ? 0.0 : py *cimag(w)));               \
    }
#include "ops.def"
#undef UNARY
#undef BINARY

#define nan NAN
#define select(c, a, b) ((c) ? (a) : (b))
#define lt(a, b) (creal(a) < creal(b))
#define le(a, b) (creal(a) <= creal(b))
#define eq(a, b) (creal(a) == creal(b))
#define absolute(x) dual_absolute(x)
#define copysign(x, y) dual_copysign(x, y)
#define cos(x) dual_cos(x)
#define cosh(x) dual_cosh(x)
#define digamma(x) dual_digamma(x)
#define exp(x) dual_exp(x)
#define gaussian(x) dual_gaussian(x)
#define hypot(x, y) dual_hypot(x, y)
#define log(x) dual_log(x)
#define polygamma(x, y) dual_polygamma(x, y)
#define power(x, y) dual_power(x, y)
#define rint(x) dual_rint(x)
#define sech2(x) dual_sech2(x)
#define sign(x) dual_sign(x)
#define sin(x) dual_sin(x)
#define sincd(x, y) dual_sincd(x, y)
#define sinh(x) dual_sinh(x)
#define softweight(x, y) dual_softweight(x, y)
#define softweight2(x, y) dual_softweight2(x, y)
#define sqrt(x) dual_sqrt(x)
#define tanh(x) dual_tanh(x)

/* Without this, complex products check for infinities and call a library function; quotients stay scaled. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("cx-fortran-rules")
#endif

typedef struct {
    const double *x, *y, *v, *tx, *ty, *tv;
} block;

typedef int (*second_fn)(const block *b, const double *p, double *dp, size_t n);

/* Are all of n numbers zero or within 2^-128 .. 2^128?  Between such values and tangents nothing of a partial's dual arithmetic
 * underflows, and no imaginary part is felt in a real one. */
static int moderate(const double *a, size_t n)
{
    int others = 0;
    for (size_t i = 0; i < n; i++) {
        const double m = fabs(a[i]);
        others |= !(m >= 0x1p-128 && m <= 0x1p+128) & (m != 0.0);
    }
    return !others;
}

/* Is the real part not the partial?  Then an imaginary part was felt: in a quotient by zero. */
static inline int differs(double re, double p)
{
    return !(fabs(re - p) <= 0x1p-40 * fabs(p) + 0x1p-600) || !isfinite(p);
}

/* Directional derivatives of the partials p over a block; 1 where they do not come out. */
#define SECOND(fn, expr) \
    static int fn(const block *b, const double *p, double *dp, size_t n) \
    { \
        int lost = 0; \
        for (size_t i = 0; i < n; i++) { \
            const double tx = b->tx[i], ty = b->ty[i], tv = b->tv[i]; \
            const dual x = make(b->x[i], tx * SCALE), y = make(b->y[i], ty * SCALE), v = make(b->v[i], tv * SCALE); \
            (void)x, (void)y, (void)v; \
            if (tx == 0.0 && ty == 0.0 && tv == 0.0) { \
                dp[i] = 0.0; \
                continue; \
            } \
            const dual z = expr; \
            dp[i] = cimag(z) * UNSCALE; \
            lost |= differs(creal(z), p[i]); \
        } \
        return lost; \
    }
#define UNARY(name, value, dx, cls, domain) SECOND(name##_px, dx)
#define BINARY(name, value, dx, dy, cls, domain) SECOND(name##_px, dx) SECOND(name##_py, dy)
#include "ops.def"
#undef UNARY
#undef BINARY

static const second_fn kernels[DA_OP_COUNT][2] = {
#define UNARY(name, value, dx, cls, domain) [DA_OP_##name] = {name##_px, NULL},
#define BINARY(name, value, dx, dy, cls, domain) [DA_OP_##name] = {name##_px, name##_py},
#include "ops.def"
#undef UNARY
#undef BINARY
};

/* What a scalar code stands for: its row's first code, and which operands are constants. */
static int row_of(int code, int *x_active, int *y_active)
{
    *x_active = *y_active = 1;
    switch (code) {
#define UNARY(name, value, dx, cls, domain)                                                                            \
    case DA_OP_##name: *y_active = 0; return DA_OP_##name;
#define BINARY(name, value, dx, dy, cls, domain)                                                                       \
    case DA_OP_##name: return DA_OP_##name;                                                                            \
    case DA_OP_##name + 1: *y_active = 0; return DA_OP_##name;                                                         \
    case DA_OP_##name + 2: *x_active = 0; return DA_OP_##name;
#include "ops.def"
#undef UNARY
#undef BINARY
    default: return 0;
    }
}

/* One operand's share of a block: adjoints and their tangents, at a stride. */
static void share(double *adj, double *dadj, int64_t stride, const double *p, const double *dp, const double *ct,
                  const double *dct, size_t n, int chooses)
{
    for (size_t i = 0; i < n; i++) {
        const size_t at = (size_t)((int64_t)i * stride);
        if ((!da_touched(ct[i]) && dct[i] == 0.0) || (chooses && p[i] == 0.0))
            continue;
        adj[at] += p[i] * ct[i] + 0.0;
        dadj[at] += (dct[i] == 0.0 ? 0.0 : p[i] * dct[i]) + (dp[i] == 0.0 ? 0.0 : dp[i] * ct[i]) + 0.0;
    }
}

static const double ZEROS[DA_BLOCK];

/* Partials of a block by one operand and their directional derivatives; *p and *dp point to where they are, the buffers of that name
 * or elsewhere.  1 where they do not come out. */
static int partials_of(const da_partial *d, int code, int which, const block *b, const double **p, double *p_buffer,
                       const double **dp, double *dp_buffer, size_t n)
{
    *p = da_block_partials(d, b->x, b->y, b->v, p_buffer, n);
    switch (d->kind) {
    case DA_IS_X: *dp = b->tx; return 0;
    case DA_IS_Y: *dp = b->ty; return 0;
    case DA_IS_V: *dp = b->tv; return 0;
    case DA_IS_NUMBER:
        *p = da_filled(p_buffer, d->number, n);
        *dp = ZEROS;
        return 0;
    default:
        *dp = dp_buffer;
        return (d->reads_x && !(moderate(b->x, n) && moderate(b->tx, n))) ||
               (d->reads_y && !(moderate(b->y, n) && moderate(b->ty, n))) ||
               (d->reads_v && !(moderate(b->v, n) && moderate(b->tv, n))) || kernels[code][which](b, *p, dp_buffer, n);
    }
}

static int scalar(const da_tape *t, size_t i, size_t slot, const double *tan, double *adj, double *dadj)
{
    const da_operands of = t->of[i];
    int active[2], lost = 0;
    const int code = row_of(t->op[i], &active[0], &active[1]);
    const int unary = kernels[code][1] == NULL;
    const double *x = da_operand_values(t, active[0], of.a), *y = da_operand_values(t, active[1], of.b);
    const block one = {
        x, unary ? x : y, t->val + slot, active[0] ? tan + of.a : ZEROS, active[1] ? tan + of.b : ZEROS, tan + slot};
    if (!da_touched(adj[slot]) && dadj[slot] == 0.0)
        return 0;
    for (int which = 0; which < 2; which++) {
        const da_partial d = da_partial_of(code, which);
        const uint32_t to = which ? of.b : of.a;
        double p_buffer, dp_buffer;
        const double *p, *dp;
        if (!active[which])
            continue;
        lost |= partials_of(&d, code, which, &one, &p, &p_buffer, &dp, &dp_buffer, 1);
        share(adj + to, dadj + to, 1, p, dp, adj + slot, dadj + slot, 1, da_selects(code));
    }
    return lost;
}

static int elementwise(const da_tape *t, const da_entry *e, const double *tan, double *adj, double *dadj)
{
    const int last = e->nd - 1, binary = e->kind == DA_MAP2, chooses = da_selects(e->code_lo);
    const int64_t length = e->nd ? e->shape[last] : 1, sx = e->nd ? e->sx[last] : 0,
                  sy = e->nd && binary ? e->sy[last] : 0;
    double bx[DA_BLOCK], by[DA_BLOCK], btx[DA_BLOCK], bty[DA_BLOCK], p_buffer[DA_BLOCK], dp_buffer[DA_BLOCK];
    int64_t at[64] = {0}, ox = 0, oy = 0;
    const da_partial dx = da_partial_of(e->code_lo, 0), dy = da_partial_of(e->code_lo, 1);
    const double *p, *dp;
    size_t o = e->out;
    int lost = 0;
    if (e->n == 0)
        return 0;
    for (;;) {
        for (int64_t begin = 0; begin < length; begin += DA_BLOCK) {
            const size_t n = length - begin < DA_BLOCK ? (size_t)(length - begin) : DA_BLOCK;
            const size_t ax = (size_t)((int64_t)e->x + ox + begin * sx), ay = (size_t)((int64_t)e->y + oy + begin * sy);
            block b;
            b.x = da_packed(da_operand_values(t, e->x_active, ax), sx, n, bx);
            b.y = binary ? da_packed(da_operand_values(t, e->y_active, ay), sy, n, by) : b.x;
            b.tx = e->x_active ? da_packed(tan + ax, sx, n, btx) : ZEROS;
            b.ty = binary && e->y_active ? da_packed(tan + ay, sy, n, bty) : ZEROS;
            b.v = t->val + o;
            b.tv = tan + o;
            if (e->x_active) {
                lost |= partials_of(&dx, e->code_lo, 0, &b, &p, p_buffer, &dp, dp_buffer, n);
                share(adj + ax, dadj + ax, sx, p, dp, adj + o, dadj + o, n, chooses);
            }
            if (e->y_active) {
                lost |= partials_of(&dy, e->code_lo, 1, &b, &p, p_buffer, &dp, dp_buffer, n);
                share(adj + ay, dadj + ay, sy, p, dp, adj + o, dadj + o, n, chooses);
            }
            o += n;
        }
        int d = last - 1;
        for (; d >= 0; d--) {
            ox += e->sx[d];
            oy += binary ? e->sy[d] : 0;
            if (++at[d] < e->shape[d])
                break;
            ox -= at[d] * e->sx[d];
            oy -= binary ? at[d] * e->sy[d] : 0;
            at[d] = 0;
        }
        if (d < 0)
            return lost;
    }
}

/* 0, DA_SWEEP_MEMORY or DA_SWEEP_LOST. */
static int array(const da_tape *t, const da_entry *e, const double *tan, double *adj, double *dadj)
{
    if (e->kind == DA_MAP1 || e->kind == DA_MAP2)
        return elementwise(t, e, tan, adj, dadj) ? DA_SWEEP_LOST : 0;
    /* The rest is linear in each operand: the same sweep for the tangents of adjoints ... */
    if (da_array_reverse(t, e, adj, 1, 0) || da_array_reverse(t, e, dadj, 1, 0))
        return DA_SWEEP_MEMORY;
    /* ... and for a product of two operands, one's tangent in the place of its value. */
    return e->kind == DA_MATMUL && e->x_active && e->y_active && da_matmul_cross(e, tan, adj, dadj) ? DA_SWEEP_MEMORY
                                                                                                    : 0;
}

int64_t da_sweep_second(const da_tape *t, const double *tan, double *adj, double *dadj)
{
    size_t slot = t->slots;
    for (size_t i = t->nodes; i-- > 0;) {
        switch (t->op[i]) {
        case DA_OP_INPUT: slot -= t->of[i].b; break;
        case DA_OP_CALL: return DA_SWEEP_CALL;
        case DA_OP_ARRAY: {
            const da_entry *e = da_tape_entry_at(t, t->of[i].a);
            slot = e->first;
            const int failed = array(t, e, tan, adj, dadj);
            if (failed)
                return failed;
            break;
        }
        default:
            if (scalar(t, i, --slot, tan, adj, dadj))
                return DA_SWEEP_LOST;
        }
    }
    return DA_SWEEP_END;
}
