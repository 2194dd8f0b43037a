/* mathfn.h: the functions that ops.def names and libm does not have.
 *
 * All are pure, total (NaN in, NaN out; poles give infinities), allocate nothing and run in constant time, but for
 * polygamma of a negative argument (one step a unit).  Those marked "stable" exist because the textbook formula of a
 * derivative loses digits at the ends of its range; each returns its value to a few ulp.  Limits: near a zero of digamma
 * below -32, and near a zero of polygamma of even order left of 0, the error is a few ulp of the terms, not of the sum.
 */
#ifndef DUALAD_MATHFN_H
#define DUALAD_MATHFN_H

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

#endif
