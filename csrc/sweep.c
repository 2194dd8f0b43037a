/* sweep.c: reverse and forward sweeps over a tape; see sweep.h.
 *
 * Scalar nodes are the rows of ops.def in a switch.  The adjoint and the tangent statement of a row stand side by side:
 *     reverse   adj[a] += dx * adj[v];  adj[b] += dy * adj[v]        (nodes last to first)
 *     forward   tan[v]  = dx * tan[a] + dy * tan[b]                  (nodes first to last)
 * Array entries are swept in sweep_array.c.
 */
#include "fused.h"
#include "sweep.h"
#include "sweep_array.h"
#include <string.h>

da_matmul_fn da_matmul;

void da_sweep_clear(double *adj, size_t n)
{
    for (size_t i = 0; i < n; i++)
        adj[i] = -0.0;
}

void da_sweep_clear_inputs(const da_tape *t, double *tan, size_t k)
{
    size_t slot = 0;
    for (size_t i = 0; i < t->nodes; i++) {
        if (t->op[i] == DA_OP_INPUT)
            da_sweep_clear(tan + slot * k, t->of[i].b * k);
        if (t->op[i] >= DA_OP_INPUT)
            slot += t->of[i].b;
        else
            slot++;
    }
}

#include "ops_scalar.h"

/* A tape holds no other opcodes. */
#if defined(__GNUC__) && defined(NDEBUG)
#define NO_OTHER __builtin_unreachable()
#else
#define NO_OTHER break
#endif

/* Does an operand with this partial take part?  (A zero partial of a SELECT row chose the other operand.) */
#define PARTAKES_MOVE(p) 1
#define PARTAKES_ADD(p) 1
#define PARTAKES_MUL(p) 1
#define PARTAKES_NONLINEAR(p) 1
#define PARTAKES_SELECT(p) ((p) != 0.0)
#define PARTAKES_STEP(p) ((void)(p), 0)

/* One partial times one tangent. */
#define TERM(cls, p, g) (da_touched(g) && PARTAKES_##cls(p) ? (p) * (g) + 0.0 : -0.0)

/* adj[operand] += partial * adj[result] in every lane that something selected depends on.  The +0.0 that marks an adjoint
 * as touched goes to what is there already: added to the product it would lengthen the chain of dependent operations.  `g` is
 * the result's adjoint in the first lane, all there is where k is the constant 1. */
#define ADJOINT(cls, operand, expr) \
    { \
        const double p = (expr); \
        double *restrict to = adj + (size_t)(operand) * k; \
        if (k == 1) { \
            if (PARTAKES_##cls(p)) \
                to[0] = (to[0] + 0.0) + p * g; \
        } else { \
            for (size_t l = 0; l < k; l++) \
                if (da_touched(ct[l]) && PARTAKES_##cls(p)) \
                    to[l] = (to[l] + 0.0) + p * ct[l]; \
        } \
    }

/* The result's slot, value and adjoint; on to the next node where one lane is untouched. */
#define RESULT \
    const double v = val[--slot]; \
    double *ct = adj + slot * k; \
    const double g = ct[0]; \
    (void)v; \
    if (k == 1 && !da_touched(g)) \
        break; \
    if (once) \
        ct[0] = -0.0;

/* A running product, s = s * y again and again: each adjoint goes to the node before, which wants it at once.  It is
 * handed on in a register instead of through memory.  Only for rows of the class MUL, and not for s * s.
 * chain_<row> sweeps from node i, whose slot has adjoint g, to the first of the chain, a node like others, and returns the index
 * behind that one. */
#define CHAINED(a, b, slot, code) ((a) == (slot) - 1 && (a) != (b) && op[i - 1] == (code))
#define UNARY(name, value, dx, cls, domain)
#define BINARY(name, value, dx, dy, cls, domain) \
    static __attribute__((noinline, unused)) size_t chain_##name(const da_tape *t, double *restrict adj, size_t i, size_t slot, \
                                                                 double g) \
    { \
        const double *restrict val = t->val; \
        const uint8_t *const op = t->op; \
        const da_operands *const of = t->of; \
        uint32_t a = of[i].a, b = of[i].b; \
        do { \
            const double x = val[a], y = val[b], v = val[slot], p = (dx), q = (dy); \
            (void)x, (void)y, (void)v; \
            adj[b] = (adj[b] + 0.0) + q * g; \
            g = (adj[a] + 0.0) + p * g; \
            adj[a] = -0.0; \
            slot--; \
            i--; \
            a = of[i].a; \
            b = of[i].b; \
        } while (CHAINED(a, b, slot, DA_OP_##name)); \
        adj[slot] = g; \
        return i + 1; \
    }
#include "ops.def"
#undef UNARY
#undef BINARY

#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: { \
        const double x = val[a]; \
        (void)x; \
        RESULT \
        ADJOINT(cls, a, dx) \
        break; \
    }
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name: { \
        if (once && DA_CLASS_##cls == DA_CLASS_MUL && CHAINED(a, b, slot - 1, DA_OP_##name)) { \
            RESULT \
            const size_t next = chain_##name(t, adj, i, slot, g); \
            slot -= i - next; \
            i = next; \
            break; \
        } \
        const double x = val[a], y = val[b]; \
        (void)x, (void)y; \
        RESULT \
        ADJOINT(cls, a, dx) \
        ADJOINT(cls, b, dy) \
        break; \
    } \
    case DA_OP_##name + 1: { \
        const double x = val[a], y = pool[b]; \
        (void)x, (void)y; \
        RESULT \
        ADJOINT(cls, a, dx) \
        break; \
    } \
    case DA_OP_##name + 2: { \
        const double x = pool[a], y = val[b]; \
        (void)x, (void)y; \
        RESULT \
        ADJOINT(cls, b, dy) \
        break; \
    }

/* `once`: one lane, whose adjoints nobody reads after they were passed on; see da_sweep_gradient. */
static inline __attribute__((always_inline)) int64_t reverse_body(const da_tape *t, double *restrict adj, size_t k,
                                                                  da_cursor *c, const da_plan *plan, int once)
{
    const double *restrict val = t->val, *restrict pool = t->pool;
    const uint8_t *const op = t->op; /* read here once: the compiler cannot know that an adjoint is not part of *t */
    const da_operands *const of = t->of;
    size_t slot = c->slot;
    for (size_t i = c->node; i-- > 0;) {
        const uint32_t a = of[i].a, b = of[i].b;
        const uint8_t code = op[i];
        if (once) {
            DA_FETCH_TO_WRITE(adj + slot, -DA_TAPE_AHEAD);
            DA_FETCH(val + slot, -DA_TAPE_AHEAD);
            DA_FETCH(of + i, -DA_TAPE_AHEAD);
        }
        switch (code) {
#include "ops.def"
        case DA_OP_INPUT: slot -= b; break;
        case DA_OP_ARRAY: {
            if (plan && plan->run >> i & 1) {
                i = da_fused_reverse(t, adj, plan, i);
                slot = da_tape_entry_at(t, of[i].a)->first;
                break;
            }
            const da_entry *e = da_tape_entry_at(t, a);
            slot = e->first;
            if (plan && plan->uniform >> i & 1) {
                adj[e->x] = adj[e->out];
                break;
            }
            const int sets = plan ? (int)(plan->x >> i & 1) | (int)(plan->y >> i & 1) * 2 : 0;
            if (da_array_reverse(t, e, adj, k, sets))
                return DA_SWEEP_MEMORY;
            break;
        }
        case DA_OP_CALL: *c = (da_cursor){i, slot - b}; return a;
        default: NO_OTHER;
        }
    }
    *c = (da_cursor){0, slot};
    return DA_SWEEP_END;
}
#undef UNARY
#undef BINARY
#undef ADJOINT
#undef RESULT

int64_t da_sweep_reverse(const da_tape *t, double *adj, size_t k, da_cursor *c)
{
    return k == 1 ? reverse_body(t, adj, 1, c, NULL, 0) : reverse_body(t, adj, k, c, NULL, 0);
}

int64_t da_sweep_gradient(da_tape *t, size_t out)
{
    double *const adj = t->adj;
    const size_t slots = t->slots;
    da_cursor c = da_cursor_end(t);
    da_plan plan;
    if (da_plan_make(t, adj, out, &plan)) {
        da_tape_soil(t);
        adj[out] = 1.0;
        return reverse_body(t, adj, 1, &c, &plan, 0);
    }
    if (t->clean_from >= slots || t->clean_to <= t->clean_from) {
        da_sweep_clear(adj, slots);
        t->clean_to = slots;
    } else {
        da_sweep_clear(adj, t->clean_from);
        if (t->clean_to < slots) {
            da_sweep_clear(adj + t->clean_to, slots - t->clean_to);
            t->clean_to = slots;
        }
    }
    t->clean_from = t->meta_used || t->calls ? slots : t->inputs; /* arrays and calls leave their adjoints */
    adj[out] = 1.0;
    return reverse_body(t, adj, 1, &c, NULL, 1);
}

/* tan[v] in every lane; the parts name the operands. */
#define TANGENT(expr) \
    { \
        double *restrict to = tan + slot * k; \
        for (size_t l = 0; l < k; l++) \
            to[l] = expr; \
        slot++; \
        break; \
    }
#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: { \
        const double x = val[a], v = val[slot]; \
        (void)x, (void)v; \
        const double px = (dx), *tx = tan + (size_t)a * k; \
        TANGENT(TERM(cls, px, tx[l])) \
    }
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name: { \
        const double x = val[a], y = val[b], v = val[slot]; \
        (void)x, (void)y, (void)v; \
        const double px = (dx), py = (dy), *tx = tan + (size_t)a * k, *ty = tan + (size_t)b * k; \
        TANGENT(TERM(cls, px, tx[l]) + TERM(cls, py, ty[l])) \
    } \
    case DA_OP_##name + 1: { \
        const double x = val[a], y = pool[b], v = val[slot]; \
        (void)x, (void)y, (void)v; \
        const double px = (dx), *tx = tan + (size_t)a * k; \
        TANGENT(TERM(cls, px, tx[l])) \
    } \
    case DA_OP_##name + 2: { \
        const double x = pool[a], y = val[b], v = val[slot]; \
        (void)x, (void)y, (void)v; \
        const double py = (dy), *ty = tan + (size_t)b * k; \
        TANGENT(TERM(cls, py, ty[l])) \
    }

static inline
    __attribute__((always_inline)) int64_t forward_body(const da_tape *t, double *restrict tan, size_t k, da_cursor *c)
{
    const double *restrict val = t->val, *restrict pool = t->pool;
    size_t slot = c->slot;
    for (size_t i = c->node; i < t->nodes; i++) {
        const uint32_t a = t->of[i].a, b = t->of[i].b;
        switch (t->op[i]) {
#include "ops.def"
        case DA_OP_INPUT: slot += b; break;
        case DA_OP_ARRAY: {
            const da_entry *e = da_tape_entry_at(t, a);
            slot = e->first + e->used;
            if (da_array_forward(t, e, tan, k))
                return DA_SWEEP_MEMORY;
            break;
        }
        case DA_OP_CALL: *c = (da_cursor){i + 1, slot + b}; return a;
        default: NO_OTHER;
        }
    }
    *c = (da_cursor){t->nodes, slot};
    return DA_SWEEP_END;
}
#undef UNARY
#undef BINARY

int64_t da_sweep_forward(const da_tape *t, double *tan, size_t k, da_cursor *c)
{
    return k == 1 ? forward_body(t, tan, 1, c) : forward_body(t, tan, k, c);
}

int da_replayable(const da_tape *t)
{
    for (size_t i = 0; i < t->nodes; i++)
        if (t->op[i] > DA_OP_INPUT)
            return 0;
    return 1;
}

#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: { \
        const double x = val[a]; \
        val[slot++] = value; \
        break; \
    }
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name: { \
        const double x = val[a], y = val[b]; \
        val[slot++] = value; \
        break; \
    } \
    case DA_OP_##name + 1: { \
        const double x = val[a], y = pool[b]; \
        val[slot++] = value; \
        break; \
    } \
    case DA_OP_##name + 2: { \
        const double x = pool[a], y = val[b]; \
        val[slot++] = value; \
        break; \
    }

void da_replay(da_tape *t)
{
    double *const val = t->val;
    const double *const pool = t->pool;
    size_t slot = 0;
    for (size_t i = 0; i < t->nodes; i++) {
        const uint32_t a = t->of[i].a, b = t->of[i].b;
        switch (t->op[i]) {
#include "ops.def"
        default: slot += b;
        }
    }
}
#undef UNARY
#undef BINARY

void da_tape_histogram(const da_tape *t, size_t *count)
{
    memset(count, 0, DA_OP_COUNT * sizeof *count);
    for (size_t i = 0; i < t->nodes; i++) {
        if (t->op[i] != DA_OP_ARRAY) {
            count[t->op[i]]++;
            continue;
        }
        const da_entry *e = da_tape_entry_at(t, t->of[i].a);
        switch (e->kind) {
        case DA_MAP1:
        case DA_MAP2: count[e->code_lo] += e->n; break;
        case DA_MATMUL: {
            size_t outer = 1;
            for (int32_t d = 3; d < e->nd; d++)
                outer *= (size_t)e->shape[d];
            size_t products = outer * (size_t)(e->shape[0] * e->shape[1] * e->shape[2]);
            count[DA_OP_multiply] += products;
            count[DA_OP_add] += e->shape[1] ? products - e->n : 0;
            break;
        }
        case DA_MOVE: {
            size_t moved = 1;
            for (int32_t d = 0; d < e->nd; d++)
                moved *= (size_t)e->shape[d];
            count[moved > e->n ? DA_OP_add : DA_OP_ARRAY] += moved > e->n ? moved - e->n : e->n;
            break;
        }
        default: count[DA_OP_ARRAY] += e->n;
        }
    }
}
