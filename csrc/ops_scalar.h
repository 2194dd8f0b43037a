/* ops_scalar.h: the names of ops.def in double arithmetic, one element at a time.
 *
 * Include last, just before ops.def: these macros turn the table's names (NumPy's) into libm's and mathfn.h's.
 */
#include "mathfn.h"
#include <math.h>

#define nan NAN
#define select(c, a, b) ((c) ? (a) : (b))
#define lt(a, b) ((a) < (b))
#define le(a, b) ((a) <= (b))
#define eq(a, b) ((a) == (b))
#define absolute(x) fabs(x)
#define sign(x) da_sign(x)
#define arcsin(x) asin(x)
#define arccos(x) acos(x)
#define arctan(x) atan(x)
#define arcsinh(x) asinh(x)
#define arccosh(x) acosh(x)
#define arctanh(x) atanh(x)
#define arctan2(x, y) atan2(x, y)
#define deg2rad(x) ((x) * (3.141592653589793 / 180.0))
#define rad2deg(x) ((x) * (180.0 / 3.141592653589793))
#define sinc(x) da_sinc(x)
#define sincd(x, n) da_sincd(x, n)
#define sech2(x) da_sech2(x)
#define gaussian(x) da_gaussian(x)
#define gamma(x) tgamma(x)
#define digamma(x) da_digamma(x)
#define polygamma(x, n) da_polygamma(x, n)
#define power(x, y) da_pow(x, y)
#define logaddexp(x, y) da_logaddexp(x, y)
#define logaddexp2(x, y) da_logaddexp2(x, y)
#define softweight(x, y) da_softweight(x, y)
#define softweight2(x, y) da_softweight2(x, y)
#define maximum(x, y) da_maximum(x, y)
#define minimum(x, y) da_minimum(x, y)
#define remainder(x, y) da_remainder(x, y)
#define floor_divide(x, y) da_floor_divide(x, y)
#define heaviside(x, y) da_heaviside(x, y)
