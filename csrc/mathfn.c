/* mathfn.c: see mathfn.h for the contract of each function. */
#include "mathfn.h"
#include <math.h>

#define DA_PI 3.141592653589793
#define DA_LN2 0.6931471805599453

double da_sign(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x == 0.0 ? 0.0 : x;
}

double da_maximum(double x, double y)
{
    return (x >= y || isnan(x)) ? x : y;
}

double da_minimum(double x, double y)
{
    return (x <= y || isnan(x)) ? x : y;
}

double da_heaviside(double x, double y)
{
    return isnan(x) ? x : x == 0.0 ? y : x < 0.0 ? 0.0 : 1.0;
}

double da_remainder(double x, double y)
{
    double r = fmod(x, y);
    if (r == 0.0)
        return copysign(0.0, y);
    return ((y < 0.0) != (r < 0.0)) ? r + y : r;
}

double da_floor_divide(double x, double y)
{
    if (y == 0.0)
        return x / y;
    double r = fmod(x, y), q = (x - r) / y;
    if (r != 0.0 && (y < 0.0) != (r < 0.0))
        q -= 1.0;
    if (q == 0.0)
        return copysign(0.0, x / y);
    double f = floor(q);
    return q - f > 0.5 ? f + 1.0 : f;
}

double da_logaddexp(double x, double y)
{
    if (x == y)
        return x + DA_LN2;
    double d = x - y;
    return d > 0.0 ? x + log1p(exp(-d)) : d <= 0.0 ? y + log1p(exp(d)) : d;
}

double da_logaddexp2(double x, double y)
{
    if (x == y)
        return x + 1.0;
    double d = x - y;
    return d > 0.0 ? x + 1.4426950408889634 * log1p(exp2(-d)) : d <= 0.0 ? y + 1.4426950408889634 * log1p(exp2(d)) : d;
}

double da_sech2(double x)
{
    double e = exp(-2.0 * fabs(x)), d = 1.0 + e;
    return 4.0 * e / (d * d);
}

double da_gaussian(double x)
{
    double h = x * x, e = exp(-h);
    return h < 800.0 ? e - e * fma(x, x, -h) : e * 0.0; /* exp(-(h + l)) with h + l = x*x exactly */
}

/* t / (1 + t) for t = base^(x-y); the difference is kept to twice the precision (Knuth's two-sum). */
static double weight(double x, double y, double scale, double (*expo)(double))
{
    if (x == y)
        return 0.5;
    double d = x - y, b = d - x;
    double e = (x - (d - b)) - (y + b); /* x - y = d + e exactly, for finite x and y */
    if (!(fabs(d) < 1.0e4))
        return d > 0.0 ? 1.0 : d < 0.0 ? 0.0 : d;
    if (d > 0.0)
        return 1.0 / (1.0 + expo(-d) * (1.0 - scale * e));
    double t = expo(d) * (1.0 + scale * e);
    return t / (1.0 + t);
}

double da_softweight(double x, double y)
{
    return weight(x, y, 1.0, exp);
}

double da_softweight2(double x, double y)
{
    return weight(x, y, DA_LN2, exp2);
}

double da_sinc(double x)
{
    double y = DA_PI * (x == 0.0 ? 1.0e-20 : x);
    return sin(y) / y;
}

/* sin(pi x + quarter * pi/2): the argument is reduced exactly before pi enters. */
static double sinpi_quarter(double x, int quarter)
{
    double r = fmod(x, 2.0) * 2.0, q = rint(r); /* quarters of a turn: exact */
    double t = (r - q) * (DA_PI / 2.0);
    switch ((((int)q + quarter) % 4 + 4) % 4) {
    case 0: return sin(t);
    case 1: return cos(t);
    case 2: return -sin(t);
    default: return -cos(t);
    }
}

double da_sincd(double x, double order)
{
    if (!(order >= 0.0 && order < 64.0) || isnan(x))
        return NAN;
    int n = (int)order;
    double z = DA_PI * x;
    if (isinf(x))
        return 0.0;
    if (fabs(z) < 1.5 + 0.9 * n) { /* power series of the n-th derivative, divided through by pi^n */
        double s = 0.0;
        int j0 = (n + 1) / 2, first = 2 * j0 - n;
        double t = (j0 % 2 ? -1.0 : 1.0) * (first ? z : 1.0);
        for (int j = j0; j < j0 + 60; j++) {
            s += t / (2.0 * j + 1.0);
            int p = 2 * j - n;
            t *= -(z * z) / ((p + 1.0) * (p + 2.0));
            if (fabs(t) < 1.0e-18 * fabs(s))
                break;
        }
        return s * pow(DA_PI, n);
    }
    /* x f_n + n f_{n-1} = d^n/dx^n sin(pi x)/pi */
    double f = sinpi_quarter(x, 0) / z, scale = 1.0 / DA_PI;
    for (int k = 1; k <= n; k++) {
        scale *= DA_PI;
        f = (scale * sinpi_quarter(x, k) - k * f) / x;
    }
    return f;
}

/* Taylor coefficients of digamma about its positive root, which is ROOT_HI + ROOT_LO. */
#define ROOT_HI 1.4616321449683622
#define ROOT_LO 9.549995429965697e-17
static const double digamma_root[] = {
    0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652, 0.10782405069126237,
    -0.07219956125645471, 0.04880428816414311, -0.03316112647484736, 0.022597648232218104, -0.01542476590494896,
    0.010538791616612175, -0.007204534386356869, 0.004926781395729853, -0.003369801655439328, 0.002305126326734928,
    -0.0015769367714301972, 0.0010788252019162967, -0.0007380709389960052, 0.000504953265834602, -0.0003454680251063077,
    0.00023635601564027053, -0.00016170622091974803, 0.0001106337276874741, -7.569179582195066e-05, 5.178575795222081e-05,
    -3.5430070947659604e-05, 2.424006611860132e-05, -1.6584242271854135e-05, 1.134638458466385e-05, -7.762817668462094e-06,
};

static const double bernoulli2[] = {
    0.16666666666666666, -0.03333333333333333, 0.023809523809523808, -0.03333333333333333, 0.07575757575757576, -0.2531135531135531, 1.1666666666666667, -7.092156862745098, 54.971177944862156, -529.1242424242424, 6192.123188405797, -86580.25311355312}; /* B_2, B_4, ... */

double da_digamma(double x)
{
    if (x <= 0.0) {
        if (x == floor(x))
            return NAN;
        return da_digamma(1.0 - x) - DA_PI * sinpi_quarter(x, 1) / sinpi_quarter(x, 0);
    }
    double d = (x - ROOT_HI) - ROOT_LO;
    if (fabs(d) < 0.3) {
        double s = 0.0;
        for (int k = (int)(sizeof digamma_root / sizeof *digamma_root) - 1; k >= 0; k--)
            s = s * d + digamma_root[k];
        return s * d;
    }
    double shift = 0.0;
    for (; x < 10.0; x += 1.0)
        shift -= 1.0 / x;
    double w = 1.0 / (x * x), p = w, s = 0.0; /* Abramowitz & Stegun 6.3.18 */
    for (int k = 0; k < 8; k++, p *= w)
        s += bernoulli2[k] / (2.0 * k + 2.0) * p;
    return (log(x) - 0.5 / x - s) + shift;
}

double da_polygamma(double x, double order)
{
    if (!(order >= 0.0 && order <= 150.0) || order != floor(order) || isnan(x))
        return NAN;
    if (order == 0.0)
        return da_digamma(x);
    if (x <= 0.0 && (x == floor(x) || x < -1.0e6))
        return x == floor(x) ? INFINITY : NAN;
    /* (-1)^(n+1) n! zeta(n+1, x): the sum, its integral and Euler-Maclaurin's corrections */
    double s = order + 1.0, sum = 0.0, factorial = tgamma(s);
    for (; x < 12.0 + order / 2.0; x += 1.0)
        sum += pow(x, -s);
    double tail = pow(x, -order) / order + 0.5 * pow(x, -s), t = s * pow(x, -s - 1.0) / 2.0;
    for (int k = 0; k < 12; k++) {
        tail += bernoulli2[k] * t;
        t *= (s + 2.0 * k + 1.0) * (s + 2.0 * k + 2.0) / ((2.0 * k + 3.0) * (2.0 * k + 4.0)) / (x * x);
    }
    double z = factorial * (sum + tail);
    return fmod(order, 2.0) == 1.0 ? z : -z;
}
