/* vec_body.h: the partials of every row over a block of elements; included by vec_base.c and vec_avx2.c.
 *
 * Needs DA_VEC_KERNELS, the name of the da_kernels to define, and DA_VEC_NAME, what it calls itself.  For each row it generates
 *     static void multiply_px(xs, ys, vs, p, n)      p[i] = d/dx at (xs[i], ys[i], vs[i])
 * as plain loops that the compiler vectorises.  The names below have a vector version in glibc's libmvec: the simd
 * attribute makes the compiler call `_ZGV..._da_vm_sin`, which vmath.c defines by what it found at run time.
 */
#include "ops.h"
#include "vec.h"
#include <stdint.h>
#include <string.h>

#if defined(DA_VEC_SIMD)
#define DA_SIMD __attribute__((const, simd("notinbranch")))
DA_SIMD double da_vm_sin(double);
DA_SIMD double da_vm_cos(double);
DA_SIMD double da_vm_tan(double);
DA_SIMD double da_vm_exp(double);
DA_SIMD double da_vm_log(double);
DA_SIMD double da_vm_sinh(double);
DA_SIMD double da_vm_cosh(double);
DA_SIMD double da_vm_tanh(double);
#endif

#include "ops_scalar.h"

#if defined(DA_VEC_SIMD)
#define sin(x) da_vm_sin(x)
#define cos(x) da_vm_cos(x)
#define tan(x) da_vm_tan(x)
#define exp(x) da_vm_exp(x)
#define log(x) da_vm_log(x)
#define sinh(x) da_vm_sinh(x)
#define cosh(x) da_vm_cosh(x)
#define tanh(x) da_vm_tanh(x)

static inline double vec_sech2(double x)
{
    double e = exp(-2.0 * fabs(x)), d = 1.0 + e;
    return 4.0 * e / (d * d);
}

static inline double vec_gaussian(double x)
{
    double h = x * x, e = exp(-h), l = fma(x, x, -h);
    return e - e * (h < 800.0 ? l : 0.0);
}
#undef sech2
#undef gaussian
#define sech2(x) vec_sech2(x)
#define gaussian(x) vec_gaussian(x)
#endif

typedef uint64_t __attribute__((may_alias)) bits_of_double;
#define UNTOUCHED 0x8000000000000000u

/* The contribution of one element. */
static inline double contribution(double p, uint64_t touched, double g, int selects)
{
    const double c = p * g + 0.0;
    return (touched == UNTOUCHED) | (selects & (p == 0.0)) ? -0.0 : c;
}

/* Constant `selects`, `sets` and `one` (p[0] serves all elements) make a loop each of it. */
static inline __attribute__((always_inline)) void accumulate_as(double *restrict to, const double *restrict p,
                                                                const double *restrict ct, size_t n, int selects,
                                                                int sets, int one)
{
    const bits_of_double *bits = (const bits_of_double *)(const void *)ct;
    const double number = p[0];
    for (size_t i = 0; i < n; i++) {
        const double c = contribution(one ? number : p[i], bits[i], ct[i], selects);
        to[i] = sets ? c : to[i] + c;
    }
}

static void accumulate_number(double *restrict to, double number, const double *restrict ct, size_t n, int sets)
{
    if (number == 1.0) { /* adding an untouched -0.0 changes nothing */
        if (sets)
            memcpy(to, ct, n * sizeof *to);
        else
            for (size_t i = 0; i < n; i++)
                to[i] += ct[i];
    } else if (sets) {
        accumulate_as(to, &number, ct, n, 0, 1, 1);
    } else {
        accumulate_as(to, &number, ct, n, 0, 0, 1);
    }
}

static void accumulate(double *restrict to, const double *restrict p, double number, const double *restrict ct,
                       size_t n, int selects, int sets)
{
    if (!p && selects && number == 0.0) {
        for (size_t i = 0; sets && i < n; i++)
            to[i] = -0.0;
    } else if (!p) {
        accumulate_number(to, number, ct, n, sets);
    } else if (selects) {
        if (sets)
            accumulate_as(to, p, ct, n, 1, 1, 0);
        else
            accumulate_as(to, p, ct, n, 1, 0, 0);
    } else if (sets) {
        accumulate_as(to, p, ct, n, 0, 1, 0);
    } else {
        accumulate_as(to, p, ct, n, 0, 0, 0);
    }
}

static void accumulate_product(double *restrict to, const double *restrict p, const double *restrict values,
                               double number, size_t n, int sets)
{
    if (sets)
        for (size_t i = 0; i < n; i++)
            to[i] = p[i] * (values[i] * number + 0.0) + 0.0;
    else
        for (size_t i = 0; i < n; i++)
            to[i] += p[i] * (values[i] * number + 0.0) + 0.0;
}

static void settle(double *restrict to, const double *restrict from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = from[i] + 0.0;
}

static void lanes(double *to, ptrdiff_t to_stride, const double *p, double number, const double *from, ptrdiff_t stride,
                  size_t n, size_t k, int selects, int sets)
{
    for (size_t i = 0; i < n; i++) {
        double *restrict t = to + (ptrdiff_t)i * to_stride * (ptrdiff_t)k;
        const double *restrict g = from + (ptrdiff_t)i * stride * (ptrdiff_t)k;
        const bits_of_double *bits = (const bits_of_double *)(const void *)g;
        const double q = p ? p[i] : number;
        if (selects && q == 0.0) {
            for (size_t l = 0; sets && l < k; l++)
                t[l] = -0.0;
        } else if (sets) {
            for (size_t l = 0; l < k; l++)
                t[l] = contribution(q, bits[l], g[l], 0);
        } else {
            for (size_t l = 0; l < k; l++)
                t[l] += contribution(q, bits[l], g[l], 0);
        }
    }
}

#define PARTIAL(fn, expr) \
    static void fn(const double *restrict xs, const double *restrict ys, const double *restrict vs, \
                   double *restrict p, size_t n) \
    { \
        for (size_t i = 0; i < n; i++) { \
            const double x = xs[i], y = ys[i], v = vs[i]; \
            (void)x, (void)y, (void)v; \
            p[i] = expr; \
        } \
    }
#define UNARY(name, value, dx, cls, domain) PARTIAL(name##_px, dx)
#define BINARY(name, value, dx, dy, cls, domain) PARTIAL(name##_px, dx) PARTIAL(name##_py, dy)
#include "ops.def"
#undef UNARY
#undef BINARY

static const da_partial_fn partials[DA_OP_COUNT][2] = {
#define UNARY(name, value, dx, cls, domain) [DA_OP_##name] = {name##_px, NULL},
#define BINARY(name, value, dx, dy, cls, domain) [DA_OP_##name] = {name##_px, name##_py},
#include "ops.def"
#undef UNARY
#undef BINARY
};

const da_kernels DA_VEC_KERNELS = {DA_VEC_NAME, partials, accumulate, accumulate_product, lanes, settle};
