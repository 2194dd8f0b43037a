/* sweep_array.c: array entries of a tape, swept backwards and forwards.
 *
 * Elementwise entries go block by block: pack operands that are not contiguous, let the kernel of vec.h write the
 * partials of a block, then multiply them into the adjoints (or tangents) of all lanes.  An entry iterates in C order of
 * its result; the last axis is the inner loop.
 */
#include "sweep_array.h"
#include "block.h"
#include "sweep.h"
#include <stdlib.h>
#include <string.h>

/* The outer axes of an entry: offsets of the current row in both operands. */
typedef struct {
    const da_entry *e;
    int64_t at[64];
    int64_t ox, oy;
    int axes;
} rows;

static void rows_begin(rows *r, const da_entry *e, int axes)
{
    r->e = e;
    r->ox = r->oy = 0;
    r->axes = axes;
    if (axes > 0)
        memset(r->at, 0, (size_t)axes * sizeof *r->at);
}

/* Advance over axes [lowest, lowest + r->axes); 0 when all rows are done. */
static int rows_next(rows *r, int lowest)
{
    for (int d = lowest + r->axes - 1; d >= lowest; d--) {
        int64_t *at = &r->at[d - lowest];
        r->ox += r->e->sx[d];
        r->oy += r->e->sy[d];
        if (++*at < r->e->shape[d])
            return 1;
        r->ox -= *at * r->e->sx[d];
        r->oy -= *at * r->e->sy[d];
        *at = 0;
    }
    return 0;
}

static int64_t row_length(const da_entry *e)
{
    return e->nd ? e->shape[e->nd - 1] : 1;
}

/* to[i * stride] += p[i] * ct[i], in k lanes; or = (sets, one lane) */
static void accumulate(double *restrict to, int64_t stride, const double *restrict p, double number,
                       const double *restrict ct, size_t n, size_t k, int selects, int sets)
{
    if (k > 1)
        da_vec()->lanes(to, (ptrdiff_t)stride, p, number, ct, 1, n, k, selects, sets);
    else
        da_contribute(to, (ptrdiff_t)stride, p, number, ct, n, selects, sets);
}

/* out[i] (+)= p[i] * tan[i * stride], in k lanes */
static void push(double *restrict out, const double *restrict p, double number, const double *restrict tan,
                 int64_t stride, size_t n, size_t k, int selects, int add)
{
    if (k == 1 && stride == 1) {
        da_vec()->accumulate(out, p, number, tan, n, selects, !add);
        return;
    }
    da_vec()->lanes(out, 1, p, number, tan, (ptrdiff_t)stride, n, k, selects, !add);
}

/* A block of operand values; a number that is broadcast fills its buffer once (`one` remembers which it was). */
static const double *block_of(const double *val, int64_t stride, size_t n, double *buffer, const double **one)
{
    if (stride)
        return da_packed(val, stride, n, buffer);
    if (*one != val) {
        da_filled(buffer, *val, n);
        *one = n == DA_BLOCK ? val : NULL;
    }
    return buffer;
}

/* Both directions of an elementwise entry; they differ only in what is done with a block of partials. */
static void map_sweep(const da_tape *t, const da_entry *e, double *buf, size_t k, int reverse, int sets)
{
    const int last = e->nd - 1, selects = da_selects(e->code_lo), binary = e->kind == DA_MAP2;
    const da_partial px = da_partial_of(e->code_lo, 0), py = da_partial_of(e->code_lo, 1);
    const int64_t length = row_length(e), sx = e->nd ? e->sx[last] : 0, sy = e->nd && binary ? e->sy[last] : 0;
    DA_ALIGNED double bx[DA_BLOCK], by[DA_BLOCK], p[DA_BLOCK];
    const double *one_x = NULL, *one_y = NULL; /* the number that fills bx, by */
    size_t o = e->out;
    if (e->n == 0)
        return;
    rows r;
    rows_begin(&r, e, e->nd > 1 ? last : 0);
    do {
        for (int64_t at = 0; at < length; at += DA_BLOCK) {
            const size_t n = length - at < DA_BLOCK ? (size_t)(length - at) : DA_BLOCK;
            const size_t ax = (size_t)((int64_t)e->x + r.ox + at * sx), ay = (size_t)((int64_t)e->y + r.oy + at * sy);
            const double *x = block_of(da_operand_values(t, e->x_active, ax), sx, n, bx, &one_x);
            const double *y = binary ? block_of(da_operand_values(t, e->y_active, ay), sy, n, by, &one_y) : x;
            const double *v = t->val + o;
            if (e->x_active) {
                const double *q = da_block_partials(&px, x, y, v, p, n);
                if (reverse)
                    accumulate(buf + ax * k, sx, q, px.number, buf + o * k, n, k, selects, sets & 1);
                else
                    push(buf + o * k, q, px.number, buf + ax * k, sx, n, k, selects, 0);
            }
            if (e->y_active) {
                const double *q = da_block_partials(&py, x, y, v, p, n);
                if (reverse)
                    accumulate(buf + ay * k, sy, q, py.number, buf + o * k, n, k, selects, sets & 2);
                else
                    push(buf + o * k, q, py.number, buf + ay * k, sy, n, k, selects, e->x_active);
            }
            o += n;
        }
    } while (rows_next(&r, 0));
}

/* Strided sum, broadcast or copy: x and result walk together, each with its own strides. */
static void move_sweep(const da_entry *e, double *buf, size_t k, int reverse, int sets)
{
    const int last = e->nd - 1;
    const int64_t length = row_length(e), sx = e->nd ? e->sx[last] : 0, so = e->nd ? e->sy[last] : 0;
    if (!reverse)
        da_sweep_clear(buf + e->out * k, e->n * k);
    for (int32_t d = 0; d < e->nd; d++)
        if (e->shape[d] == 0)
            return;
    rows r;
    rows_begin(&r, e, e->nd > 1 ? last : 0);
    do {
        double *x = buf + (size_t)((int64_t)e->x + r.ox) * k, *o = buf + (size_t)((int64_t)e->out + r.oy) * k;
        if (!reverse) {
            for (int64_t i = 0; i < length; i++)
                for (size_t l = 0; l < k; l++)
                    o[(size_t)(i * so) * k + l] += x[(i * sx) * (int64_t)k + (int64_t)l];
        } else if (sets && so == 0) {
            const double g = o[0];
            for (int64_t i = 0; i < length; i++)
                x[i] = g;
        } else if (sets && so == 1) {
            memcpy(x, o, (size_t)length * sizeof *x);
        } else if (sets) {
            for (int64_t i = 0; i < length; i++)
                x[i] = o[i * so];
        } else if (k == 1 && sx == 1 && so == 0) {
            const double g = o[0]; /* adding an untouched -0.0 changes nothing */
            for (int64_t i = 0; i < length; i++)
                x[i] += g;
        } else if (k == 1 && sx == 1 && so == 1) {
            for (int64_t i = 0; i < length; i++)
                x[i] += o[i];
        } else {
            for (int64_t i = 0; i < length; i++)
                for (size_t l = 0; l < k; l++)
                    x[(i * sx) * (int64_t)k + (int64_t)l] += o[(size_t)(i * so) * k + l];
        }
    } while (rows_next(&r, 0));
}

static void gather_sweep(const da_entry *e, double *buf, size_t k, int reverse)
{
    for (size_t i = 0; i < e->n; i++) {
        double *o = buf + (e->out + i) * k;
        if (e->index[i] == DA_FULL) {
            if (!reverse)
                da_sweep_clear(o, k);
            continue;
        }
        double *x = buf + (size_t)e->index[i] * k;
        for (size_t l = 0; l < k; l++) {
            if (reverse)
                x[l] += o[l];
            else
                o[l] = x[l];
        }
    }
}

static void where_sweep(const da_entry *e, double *buf, size_t k, int reverse)
{
    const int last = e->nd - 1;
    const int64_t length = row_length(e), sx = e->nd ? e->sx[last] : 0, sy = e->nd ? e->sy[last] : 0;
    size_t i = 0;
    if (e->n == 0)
        return;
    rows r;
    rows_begin(&r, e, e->nd > 1 ? last : 0);
    do {
        for (int64_t j = 0; j < length; j++, i++) {
            double *o = buf + (e->out + i) * k;
            const int first = e->mask[i];
            double *from = buf + (size_t)(first ? (int64_t)e->x + r.ox + j * sx : (int64_t)e->y + r.oy + j * sy) * k;
            const int active = first ? e->x_active : e->y_active;
            for (size_t l = 0; l < k; l++) {
                if (!reverse)
                    o[l] = active ? from[l] : -0.0;
                else if (active)
                    from[l] += o[l];
            }
        }
    } while (rows_next(&r, 0));
}

/* c (m, n) = a (m, k) @ b (k, n); strides in doubles, c contiguous. */
static void multiply(const double *a, int64_t a0, int64_t a1, const double *b, int64_t b0, int64_t b1, double *c,
                     int64_t m, int64_t k, int64_t n)
{
    if (da_matmul && m * k * n > 256) {
        char *args[3] = {(char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)c};
        const intptr_t dims[4] = {1, m, k, n};
        const intptr_t steps[9] = {0, 0, 0, a0 * 8, a1 * 8, b0 * 8, b1 * 8, n * 8, 8};
        da_matmul(args, dims, steps, NULL);
        return;
    }
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double s = 0.0;
            for (int64_t l = 0; l < k; l++)
                s += a[i * a0 + l * a1] * b[l * b0 + j * b1];
            c[i * n + j] = s;
        }
}

/* rows x cols matrix of k-lane elements between its strided place in buf and a contiguous temporary. */
static void add_strided(double *to, int64_t s0, int64_t s1, const double *from, int64_t rows_, int64_t cols, size_t k)
{
    if (k == 1 && s1 == 1) {
        for (int64_t i = 0; i < rows_; i++, to += s0, from += cols)
            for (int64_t j = 0; j < cols; j++)
                to[j] += from[j] + 0.0;
        return;
    }
    for (int64_t i = 0; i < rows_; i++)
        for (int64_t j = 0; j < cols; j++) {
            double *x = to + (i * s0 + j * s1) * (int64_t)k;
            for (size_t l = 0; l < k; l++)
                x[l] += *from++ + 0.0;
        }
}

static void pack_strided(double *to, const double *from, int64_t s0, int64_t s1, int64_t rows_, int64_t cols, size_t k)
{
    for (int64_t i = 0; i < rows_; i++)
        for (int64_t j = 0; j < cols; j++) {
            const double *x = from + (i * s0 + j * s1) * (int64_t)k;
            for (size_t l = 0; l < k; l++)
                *to++ = x[l];
        }
}

static int matmul_sweep(const da_tape *t, const da_entry *e, double *buf, size_t lanes, int reverse)
{
    const int64_t m = e->shape[0], k = e->shape[1], n = e->shape[2], L = (int64_t)lanes;
    const int64_t x0 = e->sx[0], x1 = e->sx[1], y0 = e->sy[0], y1 = e->sy[1];
    const size_t need = (size_t)((m * k + k * n + m * n) * L);
    double small[512], *tmp = need <= 512 ? small : malloc(need * sizeof *tmp);
    size_t o = e->out;
    if (!tmp)
        return 1;
    if (e->n == 0) {
        if (tmp != small)
            free(tmp);
        return 0;
    }
    rows r;
    rows_begin(&r, e, e->nd - 3);
    do {
        const size_t ax = (size_t)((int64_t)e->x + r.ox), ay = (size_t)((int64_t)e->y + r.oy);
        const double *x = da_operand_values(t, e->x_active, ax), *y = da_operand_values(t, e->y_active, ay);
        double *out = buf + o * lanes;
        if (reverse) {
            if (e->x_active) { /* dX = dOut Y^T */
                if (L == 1)
                    multiply(out, n, 1, y, y1, y0, tmp, m, n, k);
                else
                    for (int64_t i = 0; i < m; i++)
                        multiply(y, y0, y1, out + i * n * L, L, 1, tmp + i * k * L, k, n, L);
                add_strided(buf + ax * lanes, x0, x1, tmp, m, k, lanes);
            }
            if (e->y_active) { /* dY = X^T dOut */
                multiply(x, x1, x0, out, n * L, 1, tmp, k, m, n * L);
                add_strided(buf + ay * lanes, y0, y1, tmp, k, n, lanes);
            }
        } else {
            double *part = tmp + (m * k + k * n) * L;
            memset(out, 0, (size_t)(m * n * L) * sizeof *out);
            if (e->x_active) {
                pack_strided(tmp, buf + ax * lanes, x0, x1, m, k, lanes);
                for (int64_t i = 0; i < m; i++)
                    multiply(y, y1, y0, tmp + i * k * L, L, 1, part + i * n * L, n, k, L);
                add_strided(out, n, 1, part, m, n, lanes);
            }
            if (e->y_active) {
                pack_strided(tmp, buf + ay * lanes, y0, y1, k, n, lanes);
                multiply(x, x0, x1, tmp, n * L, 1, part, m, k, n * L);
                add_strided(out, n, 1, part, m, n, lanes);
            }
        }
        o += (size_t)(m * n);
    } while (rows_next(&r, 3));
    if (tmp != small)
        free(tmp);
    return 0;
}

int da_matmul_cross(const da_entry *e, const double *tan, const double *adj, double *dadj)
{
    const int64_t m = e->shape[0], k = e->shape[1], n = e->shape[2];
    const int64_t x0 = e->sx[0], x1 = e->sx[1], y0 = e->sy[0], y1 = e->sy[1];
    size_t o = e->out;
    if (e->n == 0)
        return 0;
    double *tmp = malloc((size_t)(m * k + k * n + 1) * sizeof *tmp);
    if (!tmp)
        return 1;
    rows r;
    rows_begin(&r, e, e->nd - 3);
    do {
        const size_t ax = (size_t)((int64_t)e->x + r.ox), ay = (size_t)((int64_t)e->y + r.oy);
        multiply(adj + o, n, 1, tan + ay, y1, y0, tmp, m, n, k);
        add_strided(dadj + ax, x0, x1, tmp, m, k, 1);
        multiply(tan + ax, x1, x0, adj + o, n, 1, tmp, k, m, n);
        add_strided(dadj + ay, y0, y1, tmp, k, n, 1);
        o += (size_t)(m * n);
    } while (rows_next(&r, 3));
    free(tmp);
    return 0;
}

static int sweep(const da_tape *t, const da_entry *e, double *buf, size_t k, int reverse, int sets)
{
    switch (e->kind) {
    case DA_MAP1:
    case DA_MAP2: map_sweep(t, e, buf, k, reverse, sets); return 0;
    case DA_MOVE: move_sweep(e, buf, k, reverse, sets); return 0;
    case DA_GATHER: gather_sweep(e, buf, k, reverse); return 0;
    case DA_WHERE: where_sweep(e, buf, k, reverse); return 0;
    default: return matmul_sweep(t, e, buf, k, reverse);
    }
}

int da_array_reverse(const da_tape *t, const da_entry *e, double *adj, size_t k, int sets)
{
    return sweep(t, e, adj, k, 1, sets);
}

int da_array_forward(const da_tape *t, const da_entry *e, double *tan, size_t k)
{
    return sweep(t, e, tan, k, 0, 0);
}
