/* mathfn.c: see mathfn.h for the contract of each function. */
#include "mathfn.h"
#include <math.h>
#include <stdint.h>

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

/* 2 x = quarter turns + rest: exact, before pi enters; returns the turns modulo 4. */
static int reduced(double x, double *rest)
{
    double y = 2.0 * (fabs(x) < 1.0e15 ? x : fmod(x, 2.0)), q = rint(y);
    *rest = y - q;
    return (int)((int64_t)q & 3);
}

/* sin(pi x + quarter * pi/2) */
static double sinpi_quarter(double x, int quarter)
{
    double r;
    int turn = (reduced(x, &r) + quarter) & 3;
    double t = r * (DA_PI / 2.0), f = turn & 1 ? cos(t) : sin(t);
    return turn & 2 ? -f : f;
}

/* Numbers of twice the precision, hi + lo (Dekker 1971): where a derivative passes through zero as a difference. */
typedef struct {
    double hi, lo;
} twofold;

static twofold normal(double a, double b)
{
    double s = a + b;
    return (twofold){s, b - (s - a)};
}

static twofold plus(twofold a, twofold b)
{
    double s = a.hi + b.hi, t = s - a.hi;
    return normal(s, ((a.hi - (s - t)) + (b.hi - t)) + (a.lo + b.lo));
}

static twofold times(twofold a, twofold b)
{
    double p = a.hi * b.hi;
    return normal(p, fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi));
}

static twofold over(twofold a, twofold b)
{
    double q = a.hi / b.hi;
    twofold r = plus(a, times((twofold){-q, 0.0}, b));
    return normal(q, r.hi / b.hi);
}

static twofold over_number(twofold a, double b)
{
    return over(a, (twofold){b, 0.0});
}

static const twofold PI2 = {3.141592653589793, 1.2246467991473532e-16};

/* sinpi_quarter in twice the precision, by the power series of sine or cosine on [-pi/4, pi/4]. */
static twofold sinpi_quarter_twofold(double x, int quarter)
{
    double r;
    int turn = (reduced(x, &r) + quarter) & 3, odd = !(turn & 1);
    twofold t = times(PI2, (twofold){r * 0.5, 0.0}), square = times(t, t);
    twofold term = odd ? t : (twofold){1.0, 0.0}, s = term;
    for (int k = odd + 2; k < 30; k += 2) {
        term = over_number(times(term, square), -(double)(k * (k - 1)));
        s = plus(s, term);
    }
    return turn & 2 ? (twofold){-s.hi, -s.lo} : s;
}

#define FAR 0x1p300 /* beyond it, g is carried FAR times too large, away from the denormals */

/* d^n/dz^n sin(z)/z at z = pi x, with z g_n + n g_(n-1) = sin(z + n pi/2) upwards, or by its power series near zero. */
static twofold sincd_twofold(double x, int n)
{
    const twofold z = times(PI2, (twofold){x, 0.0});
    if (fabs(x) > 5.0e307) /* z overflows, and the term of g_(n-1) is below the smallest number */
        return over(times((twofold){0.25 * FAR, 0.0}, sinpi_quarter_twofold(x, n)),
                    times(PI2, (twofold){0.25 * x, 0.0}));
    if (fabs(z.hi) < 1.0 + 0.5 * n) {
        int j = (n + 1) / 2;
        const twofold square = times(z, z);
        twofold s = {0.0, 0.0}, t = 2 * j > n ? z : (twofold){1.0, 0.0};
        if (j % 2)
            t = (twofold){-t.hi, -t.lo};
        for (int end = j + 80; j < end; j++) {
            s = plus(s, over_number(t, 2.0 * j + 1.0));
            double p = 2.0 * j - n;
            t = over_number(times(t, square), -(p + 1.0) * (p + 2.0));
            if (fabs(t.hi) <= 1.0e-34 * fabs(s.hi))
                break;
        }
        return s;
    }
    const twofold scale = {fabs(x) > FAR ? FAR : 1.0, 0.0};
    twofold g = over(times(scale, sinpi_quarter_twofold(x, 0)), z);
    for (int k = 1; k <= n; k++)
        g = over(plus(times(scale, sinpi_quarter_twofold(x, k)), times((twofold){-(double)k, 0.0}, g)), z);
    return g;
}

double da_sincd(double x, double order)
{
    if (!(order >= 0.0 && order < 64.0) || isnan(x))
        return NAN;
    int n = (int)order;
    double z = DA_PI * x;
    if (isinf(x))
        return 0.0;
    if (n == 1 && fabs(z) < 2.0) {
        double t = -z / 3.0, s = t;
        for (int j = 1; j < 16; j++)
            s += t *= -(z * z) / (2.0 * j * (2.0 * j + 3.0));
        return DA_PI * s;
    }
    if (n == 1) {
        double c = sinpi_quarter(x, 1), s = sinpi_quarter(x, 0) / z;
        if (fabs(c - s) > 0.5 * fabs(s)) /* no zero of tan(z) = z is near */
            return (c - s) / x;
    }
    twofold g = sincd_twofold(x, n);
    for (int k = 0; k < n; k++)
        g = times(g, PI2);
    return fabs(x) > FAR ? g.hi / FAR : g.hi;
}

static const double bernoulli2[] = {
    0.16666666666666666, -0.03333333333333333, 0.023809523809523808, -0.03333333333333333,
    0.07575757575757576, -0.2531135531135531,  1.1666666666666667,   -7.092156862745098,
    54.971177944862156,  -529.1242424242424,   6192.123188405797,    -86580.25311355312,
}; /* B_2, B_4, ... */

/* The zeros of digamma as sums of two numbers: the positive one, then that of (-1, 0), (-2, -1), ... */
static const double digamma_roots[][2] = {
    {1.4616321449683622, 9.549995429965697e-17},    {-0.5040830082644554, -8.15428206243813e-18},
    {-1.5734984731623904, -1.574185691077347e-17},  {-2.6107208684441447, 9.881960746978353e-17},
    {-3.635293366436901, 5.454396163173039e-17},    {-4.653237761743142, -2.5492686201468193e-16},
    {-5.6671624415568855, -3.2153051074948335e-18}, {-6.678418213073427, 3.470798723495241e-16},
    {-7.687788325031626, -1.351562494643672e-16},   {-8.695764163816401, -3.2859903716289447e-16},
    {-9.702672540001863, -3.2563178405401477e-16},  {-10.708740838254144, -6.287211750540301e-16},
    {-11.714133061228955, 8.598250154343834e-16},   {-12.718971025749207, -4.752312432106917e-16},
    {-13.723347457363827, 4.528278691518058e-16},   {-14.727334416018529, -3.6618399963139786e-17},
    {-15.730988906332882, 1.0551956373365842e-16},  {-16.734356723955734, -1.2039501631800144e-15},
    {-17.73747515997759, -5.125776230727235e-16},   {-18.7403749447801, 7.757330874026816e-16},
    {-19.74308167259022, 6.505672516695227e-16},    {-20.745616863607527, 9.370177952348924e-16},
    {-21.74799876820113, -1.2246233990931817e-15},  {-22.75024298430606, -1.1268600266054163e-15},
    {-23.752362937385183, 8.157017519280734e-16},   {-24.75437025782297, -1.316906917865066e-15},
    {-25.756275080771037, 1.3077979683180938e-15},  {-26.758086286661367, 1.1334337131725835e-15},
    {-27.759811695826706, -1.120148225799811e-16},  {-28.761458227264864, -1.5405711086887488e-15},
    {-29.763032029127462, -4.657204559411395e-16},  {-30.76453858671817, -1.0553524434167124e-15},
    {-31.765982812458248, -6.70609301293155e-16},
};

/* digamma(root + d) = d * sum over k of 1/((x + k)(root + k)): between two poles every term is positive.  From X = x + K
 * and R = root + K on, the rest is digamma(X) - digamma(R), its asymptotic series (Abramowitz & Stegun 6.3.18) divided
 * by d term by term. */
static double digamma_from_root(double x, const double *root, double d)
{
    double near = 0.0, k = 0.0;
    for (; root[0] + k < 11.0 || x + k < 11.0; k += 1.0)
        near += 1.0 / ((x + k) * ((root[0] + k) + root[1]));
    const double X = x + k, R = root[0] + k, a = 1.0 / (R * R), b = 1.0 / (X * X), slope = (X + R) * a * b;
    double series = 0.0, sum = 1.0, power = 1.0; /* sum = (a^j - b^j)/(a - b) */
    for (int j = 1; j <= 9; j++) {
        series += bernoulli2[j - 1] / (2.0 * j) * slope * sum;
        power *= b;
        sum = a * sum + power;
    }
    return log1p(d / R) + d * (near + (0.5 / (X * R) + series));
}

double da_digamma(double x)
{
    if (x == 0.0)
        return -1.0 / x;
    if (x < 0.0 && x == floor(x))
        return NAN;
    const double between = x > 0.0 ? 0.0 : ceil(-x);
    if (x < 11.0 && between < (double)(sizeof digamma_roots / sizeof *digamma_roots)) {
        const double *root = digamma_roots[(int)between];
        return digamma_from_root(x, root, (x - root[0]) - root[1]);
    }
    if (x < 0.0)
        return da_digamma(1.0 - x) - DA_PI * sinpi_quarter(x, 1) / sinpi_quarter(x, 0);
    double w = 1.0 / (x * x), p = w, s = 0.0; /* Abramowitz & Stegun 6.3.18 */
    for (int k = 0; k < 8; k++, p *= w)
        s += bernoulli2[k] / (2.0 * k + 2.0) * p;
    return log(x) - 0.5 / x - s;
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
