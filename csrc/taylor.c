/* taylor.c: see taylor.h. */
#include "taylor.h"
#include "mathfn.h"
#include "sweep.h"
#include "sweep_array.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES, NEGATE, ADD, SUBTRACT, MULTIPLY, DIVIDE, FUNCTION };

#define FEW 192

/* One series that the value of an operation needs: an operand, a part of a partial, the result. */
typedef struct {
    int kind, code;
    int a, b, p, q; /* operands and, of a function, partials: numbers of series, -1 for none */
    int constant;   /* all coefficients but the first are zero */
    size_t depth;   /* how many coefficients after the first its partials provide */
    double *c;
} series;

typedef struct {
    const da_series_rules *rules;
    size_t lanes;
    series *all;
    int count, room;
    double *memory; /* of the series that are not slots: room * lanes */
    int failed;
} arithmetic;

static int append(arithmetic *m, int kind, int code, int a, int b, double *c)
{
    if (m->count == m->room) {
        m->failed = 1;
        return 0;
    }
    const int i = m->count++;
    m->all[i] = (series){kind, code, a, b, -1, -1, 0, 0, c ? c : m->memory + (size_t)i * m->lanes};
    return i;
}

static int constant(arithmetic *m, double number)
{
    const int i = append(m, SERIES, 0, -1, -1, NULL);
    memset(m->all[i].c, 0, m->lanes * sizeof(double));
    m->all[i].c[0] = number;
    m->all[i].constant = 1;
    return i;
}

static double first(const series *s, double x, double y)
{
    switch (s->kind) {
    case NEGATE: return -x;
    case ADD: return x + y;
    case SUBTRACT: return x - y;
    case MULTIPLY: return x * y;
    case DIVIDE: return x / y;
    default: return da_value(s->code, x, y);
    }
}

static int combine(arithmetic *m, int kind, int a, int b)
{
    const double x = m->all[a].c[0], y = b < 0 ? 0.0 : m->all[b].c[0];
    const int all_constant = m->all[a].constant && (b < 0 || m->all[b].constant);
    series s = {.kind = kind};
    if (all_constant)
        return constant(m, first(&s, x, y));
    const int i = append(m, kind, 0, a, b, NULL);
    m->all[i].c[0] = first(&m->all[i], x, y);
    return i;
}

static int function(arithmetic *m, int code, int a, int b, size_t depth, double *c);

/* The series of a partial whose text is `w`. */
static int expression(arithmetic *m, const da_word *w, int x, int y, int v, size_t depth)
{
    int stack[64], top = 0;
    for (; w->word != DA_WORD_END && !m->failed; w++) {
        switch (w->word) {
        case DA_WORD_X: stack[top++] = x; break;
        case DA_WORD_Y: stack[top++] = y; break;
        case DA_WORD_V: stack[top++] = v; break;
        case DA_WORD_CONSTANT: stack[top++] = constant(m, w->number); break;
        case DA_WORD_NEGATE: stack[top - 1] = combine(m, NEGATE, stack[top - 1], -1); break;
        case DA_WORD_ADD:
        case DA_WORD_SUBTRACT:
        case DA_WORD_MULTIPLY:
        case DA_WORD_DIVIDE:
            top--;
            stack[top - 1] = combine(m, ADD + w->word - DA_WORD_ADD, stack[top - 1], stack[top]);
            break;
        case DA_WORD_FUNCTION1: stack[top - 1] = function(m, w->code, stack[top - 1], -1, depth, NULL); break;
        case DA_WORD_FUNCTION2:
            top--;
            stack[top - 1] = function(m, w->code, stack[top - 1], stack[top], depth, NULL);
            break;
        case DA_WORD_LESS:
        case DA_WORD_LESS_EQUAL:
        case DA_WORD_EQUAL: {
            const double l = m->all[stack[top - 2]].c[0], r = m->all[stack[top - 1]].c[0];
            top -= 2;
            const int holds = w->word == DA_WORD_LESS ? l < r : w->word == DA_WORD_EQUAL ? l == r : l <= r;
            if (!holds)
                w += w->code;
            break;
        }
        case DA_WORD_JUMP: w += w->code; break;
        default: break;
        }
    }
    return top ? stack[top - 1] : 0;
}

/* Coefficient k of x^y for a series that begins at 0: x = t^m u(t) with u(0) not 0, so x^y = t^(m y) u^y.
 *
 * That is a series where y is a natural number, and where m and m y are even (t^2 to the 1.5 is |t|^3, t^4 to the 1.5 is t^6).  Else
 * it has coefficients below m y only: the next derivative is infinite (m odd: on the side where x^y is real) or has two
 * values.  NaN also where m is not known yet and m y may be no more than k. */
static double power_of_zero(const double *v, const double *x, double y, size_t k)
{
    size_t m = 1;
    while (m <= k && x[m] == 0.0)
        m++;
    const double begin = (double)m * y;
    if (y == 0.0 || begin > (double)k)
        return 0.0;
    if (y < 0.0)
        return (double)INFINITY;
    if (m > k)
        return (double)NAN;
    if (y != rint(y) && !(m % 2 == 0 && fmod(begin, 2.0) == 0.0 && x[m] > 0.0))
        return m % 2 ? (double)INFINITY : (double)NAN;
    const size_t after = k - (size_t)begin;
    double s = 0.0;
    if (after == 0)
        return pow(x[m], y);
    for (size_t j = 1; j <= after; j++)
        s += ((double)j * (y + 1.0) - (double)after) * x[m + j] * v[k - j];
    return s / ((double)after * x[m]);
}

/* The power x^y with a constant y, x a series: coefficient k from the lower ones. */
static double power_coefficient(const double *v, const double *x, double y, size_t k)
{
    double s = 0.0;
    if (x[0] == 0.0)
        return power_of_zero(v, x, y, k);
    for (size_t j = 1; j <= k; j++)
        s += ((double)j * (y + 1.0) - (double)k) * x[j] * v[k - j];
    return s / ((double)k * x[0]);
}

/* x^y with y not constant is exp(y log x). */
static int power(arithmetic *m, int code, int a, int b, size_t depth, double *c)
{
    if (m->all[b].constant) {
        const int i = append(m, FUNCTION, code, a, b, c);
        m->all[i].c[0] = da_pow(m->all[a].c[0], m->all[b].c[0]);
        return i;
    }
    const double x = m->all[a].c[0], y = m->all[b].c[0];
    const int log_x = function(m, DA_OP_log, a, -1, depth, NULL), u = combine(m, MULTIPLY, b, log_x);
    const int v = function(m, DA_OP_exp, u, -1, depth, NULL);
    const int i = append(m, ADD, 0, v, constant(m, 0.0), c);
    m->all[i].c[0] = m->all[v].c[0] = da_pow(x, y);
    if (x == 0.0 && m->all[a].constant && y > 0.0)
        m->all[i].constant = 1; /* 0^y stays 0 */
    return i;
}

/* phi(a, b), with partials good for `depth` coefficients; one series for equal calls. */
static int function(arithmetic *m, int code, int a, int b, size_t depth, double *c)
{
    int i = -1;
    for (int j = 0; j < m->count && !c; j++) {
        const series *s = &m->all[j];
        if (s->kind == FUNCTION && s->code == code && s->a == a && s->b == b)
            i = j;
    }
    const double x = m->all[a].c[0], y = b < 0 ? 0.0 : m->all[b].c[0];
    if (i < 0 && !c && m->all[a].constant && (b < 0 || m->all[b].constant))
        return constant(m, da_value(code, x, y));
    if (i >= 0 && m->all[i].depth >= depth)
        return i;
    if (i < 0 && (code == DA_OP_power || code == DA_OP_float_power))
        return power(m, code, a, b, depth, c);
    if (i < 0) {
        i = append(m, FUNCTION, code, a, b, c);
        if (m->failed)
            return 0;
        if (!c)
            m->all[i].c[0] = da_value(code, x, y);
    }
    m->all[i].depth = depth;
    if (depth > 0 && m->rules->x[code]) {
        if (!m->all[a].constant) {
            const int p = expression(m, m->rules->x[code], a, b, i, depth - 1);
            m->all[i].p = p;
        }
        if (b >= 0 && !m->all[b].constant) {
            const int q = expression(m, m->rules->y[code], a, b, i, depth - 1);
            m->all[i].q = q;
        }
    }
    return i;
}

static double product(const double *x, const double *y, size_t k)
{
    double s = 0.0;
    for (size_t j = 0; j <= k; j++)
        s += x[j] * y[k - j];
    return s;
}

/* Sum of j x[j] p[k - j] for j = 1..k, over k: the share of one operand in coefficient k. */
static double share(const series *x, const series *p, size_t k)
{
    if (p->constant)
        return p->c[0] == 0.0 ? 0.0 : p->c[0] * x->c[k];
    double s = 0.0;
    for (size_t j = 1; j <= k; j++)
        s += (double)j * x->c[j] * p->c[k - j];
    return s / (double)k;
}

/* Coefficient k of every series, in the order they were made: operands come before what uses them. */
static void coefficient(arithmetic *m, size_t k)
{
    for (int i = 0; i < m->count; i++) {
        series *s = &m->all[i];
        if (s->kind == SERIES)
            continue;
        const series *a = &m->all[s->a], *b = s->b < 0 ? a : &m->all[s->b];
        double *v = s->c;
        if (s->constant) {
            v[k] = 0.0;
            continue;
        }
        switch (s->kind) {
        case NEGATE: v[k] = -a->c[k]; break;
        case ADD: v[k] = a->c[k] + b->c[k]; break;
        case SUBTRACT: v[k] = a->c[k] - b->c[k]; break;
        case MULTIPLY:
            v[k] = a->constant ? a->c[0] * b->c[k] : b->constant ? a->c[k] * b->c[0] : product(a->c, b->c, k);
            break;
        case DIVIDE: {
            double sum = a->c[k];
            if (!b->constant)
                for (size_t j = 1; j <= k; j++)
                    sum -= b->c[j] * v[k - j];
            v[k] = sum / b->c[0];
            break;
        }
        default:
            if (s->code == DA_OP_power || s->code == DA_OP_float_power)
                v[k] = power_coefficient(v, a->c, b->c[0], k);
            else
                v[k] = (s->p < 0 ? 0.0 : share(a, &m->all[s->p], k)) + (s->q < 0 ? 0.0 : share(b, &m->all[s->q], k));
        }
    }
}

/* An operand: its series, or a constant. */
static int operand(arithmetic *m, double *c, int active, double number)
{
    if (!active)
        return constant(m, number);
    const int i = append(m, SERIES, 0, -1, -1, c);
    m->all[i].constant = 1;
    for (size_t k = 1; k < m->lanes && m->all[i].constant; k++)
        m->all[i].constant = c[k] == 0.0;
    return i;
}

/* Coefficients of one operation; x and y point to the operands' coefficients, or are NULL for the numbers cx and cy. */
static void operation(arithmetic *m, int code, double *x, double *y, double cx, double cy, int binary, double *v)
{
    m->count = 0;
    const int a = operand(m, x, x != NULL, cx), b = binary ? operand(m, y, y != NULL, cy) : -1;
    int kind = FUNCTION;
    switch (code) {
    case DA_OP_negative: kind = NEGATE; break;
    case DA_OP_add: kind = ADD; break;
    case DA_OP_subtract: kind = SUBTRACT; break;
    case DA_OP_multiply: kind = MULTIPLY; break;
    case DA_OP_divide: kind = DIVIDE; break;
    default: break;
    }
    if (m->all[a].constant && (b < 0 || m->all[b].constant)) {
        memset(v + 1, 0, (m->lanes - 1) * sizeof *v);
        return;
    }
    if (code == DA_OP_square)
        append(m, MULTIPLY, 0, a, a, v);
    else if (kind != FUNCTION)
        append(m, kind, 0, a, b, v);
    else
        function(m, code, a, b, m->lanes - 1, v);
    for (size_t k = 1; k < m->lanes && !m->failed; k++)
        coefficient(m, k);
}

/* An elementwise entry, an element after the other. */
static void map_entry(arithmetic *m, const da_tape *t, const da_entry *e, double *c)
{
    const int binary = e->kind == DA_MAP2;
    int64_t at[64] = {0}, x = (int64_t)e->x, y = (int64_t)e->y;
    for (size_t i = 0; i < e->n && !m->failed; i++) {
        double *const cx = e->x_active ? c + (size_t)x * m->lanes : NULL, *const cy = e->y_active
                                                                                          ? c + (size_t)y * m->lanes
                                                                                          : NULL;
        operation(m, e->code_lo, cx, cy, e->x_active ? 0.0 : t->pool[x], binary && !e->y_active ? t->pool[y] : 0.0,
                  binary, c + (e->out + i) * m->lanes);
        for (int d = e->nd - 1; d >= 0; d--) {
            x += e->sx[d];
            y += binary ? e->sy[d] : 0;
            if (++at[d] < e->shape[d])
                break;
            x -= at[d] * e->sx[d];
            y -= binary ? at[d] * e->sy[d] : 0;
            at[d] = 0;
        }
    }
}

/* A matrix product: of polynomials. */
static void matmul_entry(arithmetic *m, const da_tape *t, const da_entry *e, double *c)
{
    const int64_t rows = e->shape[0], inner = e->shape[1], columns = e->shape[2];
    const size_t lanes = m->lanes;
    int64_t at[64] = {0}, x = (int64_t)e->x, y = (int64_t)e->y;
    double *out = c + e->out * lanes;
    for (size_t done = 0; done < e->n; done += (size_t)(rows * columns)) {
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++, out += lanes) {
                memset(out, 0, lanes * sizeof *out);
                for (int64_t l = 0; l < inner; l++) {
                    const size_t p = (size_t)(x + i * e->sx[0] + l * e->sx[1]),
                                 q = (size_t)(y + l * e->sy[0] + j * e->sy[1]);
                    for (size_t k = 1; k < lanes; k++)
                        out[k] += !e->x_active   ? t->pool[p] * c[q * lanes + k]
                                  : !e->y_active ? c[p * lanes + k] * t->pool[q]
                                                 : product(c + p * lanes, c + q * lanes, k);
                }
            }
        for (int d = e->nd - 1; d >= 3; d--) {
            x += e->sx[d];
            y += e->sy[d];
            if (++at[d] < e->shape[d])
                break;
            x -= at[d] * e->sx[d];
            y -= at[d] * e->sy[d];
            at[d] = 0;
        }
    }
}

static void set_values(const da_tape *t, double *c, size_t first_slot, size_t n, size_t lanes)
{
    for (size_t s = first_slot; s < first_slot + n; s++)
        c[s * lanes] = t->val[s];
}

int64_t da_sweep_taylor(const da_tape *t, double *c, size_t order, const da_series_rules *rules)
{
    const size_t lanes = order + 1;
    series few[FEW];
    double small[FEW * 10];
    const int fits = lanes <= 10; /* the usual orders need no memory from the heap */
    const int room = fits ? FEW : FEW + 8 * (int)lanes; /* a chain of new functions takes three series a derivative */
    arithmetic m = {.rules = rules, .lanes = lanes, .room = room, .all = few, .memory = small};
    size_t slot = 0;
    int64_t result = DA_SWEEP_END;
    if (!fits) {
        m.all = malloc((size_t)room * sizeof *m.all);
        m.memory = malloc((size_t)room * lanes * sizeof *m.memory);
        if (!m.all || !m.memory)
            result = DA_SWEEP_MEMORY;
    }
    for (size_t i = 0; i < t->nodes && result == DA_SWEEP_END; i++) {
        const int code = t->op[i];
        const da_operands of = t->of[i];
        if (code == DA_OP_CALL) {
            result = DA_SWEEP_CALL;
        } else if (code == DA_OP_INPUT) {
            set_values(t, c, slot, of.b, lanes);
            slot += of.b;
        } else if (code == DA_OP_ARRAY) {
            const da_entry *e = da_tape_entry_at(t, of.a);
            set_values(t, c, e->out, e->n, lanes);
            if (e->kind == DA_MAP1 || e->kind == DA_MAP2)
                map_entry(&m, t, e, c);
            else if (e->kind == DA_MATMUL)
                matmul_entry(&m, t, e, c);
            else if (da_array_forward(t, e, c, lanes)) /* linear: every coefficient for itself */
                result = DA_SWEEP_MEMORY;
            set_values(t, c, e->out, e->n, lanes);
            slot += of.b;
        } else {
            const int x_slot = da_operand_is_slot(code, 0), y_slot = da_operand_is_slot(code, 1),
                      row = da_row_code(code);
            c[slot * lanes] = t->val[slot];
            operation(&m, row, x_slot ? c + (size_t)of.a * lanes : NULL, y_slot ? c + (size_t)of.b * lanes : NULL,
                      x_slot ? 0.0 : t->pool[of.a], y_slot || !da_is_binary(row) ? 0.0 : t->pool[of.b],
                      da_is_binary(row), c + slot * lanes);
            slot++;
        }
        if (m.failed)
            result = DA_SWEEP_MEMORY;
    }
    if (!fits) {
        free(m.all);
        free(m.memory);
    }
    return result;
}
