/* mathfn.h: the functions that ops.def names and libm does not have.
 *
 * All are pure, total (NaN in, NaN out; poles give infinities), allocate nothing and run in constant time, but for
 * polygamma of a negative argument (one step a unit).  Those marked "stable" exist because the textbook formula of a
 * derivative loses digits at the ends of its range; each returns its value to a few ulp.  Limits: near a zero of digamma
 * below -32, and near a zero of polygamma of even order left of 0, the error is a few ulp of the terms, not of the sum.
 */
#ifndef DUALAD_MATHFN_H
#define DUALAD_MATHFN_H

#include <math.h>

double da_sign(double x);                    /* -1, 0, 1; NaN stays NaN */
double da_maximum(double x, double y);       /* NaN wins, as np.maximum */
double da_minimum(double x, double y);
double da_heaviside(double x, double y);
double da_remainder(double x, double y);     /* Python's and NumPy's %: the sign of y */
double da_floor_divide(double x, double y);
double da_logaddexp(double x, double y);
double da_logaddexp2(double x, double y);
double da_sech2(double x);                   /* stable: 1 - tanh(x)^2 */
double da_gaussian(double x);                /* stable: exp(-x^2) */
double da_softweight(double x, double y);    /* stable: e^x / (e^x + e^y) */
double da_softweight2(double x, double y);   /* stable: 2^x / (2^x + 2^y) */
double da_sinc(double x);                    /* sin(pi x) / (pi x), as np.sinc computes it */
double da_sincd(double x, double order);     /* stable: the derivative of that order of sinc */
double da_digamma(double x);                 /* stable: near its zeros, too; infinite at 0, NaN at the other poles */
double da_polygamma(double x, double order); /* order-th derivative of digamma, order >= 0 */

/* pow(x, y), bit for bit, with a short way for squares.  The rounding error e of x*x comes exactly from Dekker's product
 * (T. J. Dekker 1971).  glibc's pow errs by at most 0.05 ulp before it rounds (0.54 ulp in all, sysdeps/ieee754/dbl-64),
 * so where |e| is below 0.44 ulp both round to the same number; elsewhere, and in other libraries, pow itself is asked. */
static inline double da_pow(double x, double y)
{
#if defined(__GLIBC__)
    if (y == 2.0) {
        const double v = x * x;
        if (v > 1e-270 && v < 1e290) {
            const union {
                double d;
                unsigned long long u;
            } bits = {v};
            union {
                unsigned long long u;
                double d;
            } binade = {bits.u & 0x7FF0000000000000u};
            const double c = 134217729.0 * x, high = c - (c - x), low = x - high;
            const double e = ((high * high - v) + 2.0 * (high * low)) + low * low;
            if (fabs(e) < binade.d * (0.44 * 0x1p-52))
                return v;
        }
    }
#endif
    return pow(x, y);
}

#endif
