/* fused.c: a run of elementwise entries, block by block; see fused.h. */
#include "fused.h"
#include "block.h"
#include "ops.h"
#include "sweep_array.h"
#include <string.h>

/* Blocks are a line apart from a multiple of the page size: stores to one would else wait for loads from another. */
typedef struct {
    DA_ALIGNED double at[DA_BLOCK];
    double gap[8];
} block;

/* Contiguous numbers that a step walks through: the whole range, or one block that serves for all. */
typedef struct {
    double *at;
    size_t step; /* 1, or 0: does not move on */
} walk;

/* Where an operand's share goes, and the partial it is multiplied with. */
typedef struct {
    walk adj;
    da_partial partial;
    int active, single, sets; /* single: one number is the operand of all elements */
} share;

/* One entry of the run. */
typedef struct {
    const double *x, *y, *v; /* values; x, y NULL where one number stands for all elements: x_number, y_number */
    const double *x_number, *y_number;
    walk ct;
    const double *ct_values; /* not NULL: the adjoints are these times ct_number, and written nowhere */
    double ct_number;        /* of uniform: all adjoints */
    share to_x, to_y;
    int fill_x, fill_y, selects; /* fill: a computed partial reads that number as a block */
    int uniform;                 /* the adjoints are one number: its shares read it as a block */
} step;

/* A block that need not be written: its adjoints are values * number (values NULL: the number), all from one share. */
typedef struct {
    share *maker; /* idle while the block is not written; NULL: the block is written */
    const double *values;
    double number;
} unwritten;

/* Where the adjoints are that only the run reads. */
typedef struct {
    block at[DA_PLAN_BLOCKS];
    unwritten not[DA_PLAN_BLOCKS];
} locals;

static walk adjoints(const da_plan *plan, size_t node, locals *local, double *adj)
{
    const uint8_t b = plan->local[node];
    return b == DA_PLAN_NOWHERE ? (walk){adj, 1} : (walk){local->at[b].at, 0};
}

/* The record of the block that holds a node's adjoints, or NULL. */
static unwritten *record_of(const da_plan *plan, size_t node, locals *local)
{
    const uint8_t b = plan->local[node];
    return b == DA_PLAN_NOWHERE ? NULL : &local->not[b];
}

static void write_after_all(unwritten *u)
{
    if (u->maker)
        u->maker->active = 1;
    u->maker = NULL;
}

/* A share that sets a block, of an entry whose adjoints are one number: is it values times a number? */
static void leave_unwritten(unwritten *u, share *to, const step *s)
{
    *u = (unwritten){NULL, NULL, s->ct_number};
    if (!s->uniform || s->selects || !da_touched(s->ct_number))
        return;
    switch (to->partial.kind) {
    case DA_COMPUTED: return;
    case DA_IS_X: u->values = s->x; break;
    case DA_IS_Y: u->values = s->y; break;
    case DA_IS_V: u->values = s->v; break;
    default: u->number = to->partial.number * s->ct_number + 0.0;
    }
    u->maker = to;
    to->active = 0;
}

static void set_share(share *to, step *s, const da_entry *e, const da_plan *plan, size_t node, int which, locals *local,
                      double *adj)
{
    const size_t at = which ? e->y : e->x, from = which ? plan->y_from[node] : plan->x_from[node];
    to->active = which ? e->y_active : e->x_active;
    if (!to->active)
        return;
    to->single = which ? !s->y : !s->x;
    to->sets = (int)((which ? plan->y : plan->x) >> node & 1);
    to->partial = da_partial_with(e->code_lo, which, s->x_number, s->y_number);
    to->adj = to->single ? (walk){adj + at, 0} : adjoints(plan, from, local, adj + at);
    unwritten *u = to->single ? NULL : record_of(plan, from, local);
    if (u && to->sets)
        leave_unwritten(u, to, s);
    else if (u)
        write_after_all(u);
    if (to->partial.kind == DA_COMPUTED) {
        s->fill_x |= s->x_number && to->partial.reads_x;
        s->fill_y |= s->y_number && to->partial.reads_y;
    }
}

/* Can the share be computed from adjoints that are values times a number? */
static int takes_product(const share *to, const step *s)
{
    return !to->active || (!to->single && !s->selects && to->partial.kind != DA_IS_NUMBER);
}

static void set_step(step *s, const da_tape *t, const da_plan *plan, size_t node, locals *local, double *adj)
{
    const da_entry *e = da_tape_entry_at(t, t->of[node].a);
    const int binary = e->kind == DA_MAP2, one_x = e->sx[0] == 0 && e->n > 1,
              one_y = binary && e->sy[0] == 0 && e->n > 1;
    const double *x = da_operand_values(t, e->x_active, e->x),
                 *y = binary ? da_operand_values(t, e->y_active, e->y) : NULL;
    s->x = one_x ? NULL : x;
    s->y = one_y ? NULL : y;
    s->x_number = one_x ? x : NULL;
    s->y_number = one_y ? y : NULL;
    s->v = t->val + e->out;
    s->fill_x = s->fill_y = 0;
    s->selects = da_selects(e->code_lo);
    s->ct = adjoints(plan, node, local, adj + e->out);
    s->ct_values = NULL;
    s->ct_number = adj[e->out];
    s->uniform = (int)(plan->uniform >> node & 1);
    unwritten *own = record_of(plan, node, local), product = {0};
    if (!s->uniform && own && own->maker) {
        product = *own;
        own->maker = NULL;
        s->uniform = !own->values;
        s->ct_number = own->number;
    }
    set_share(&s->to_x, s, e, plan, node, 0, local, adj);
    set_share(&s->to_y, s, e, plan, node, 1, local, adj);
    if (product.values && takes_product(&s->to_x, s) && takes_product(&s->to_y, s))
        s->ct_values = product.values;
    else if (product.values)
        write_after_all(&product);
}

static void contribute(const share *to, const step *s, const double *x, const double *y, const double *ct, double *p,
                       size_t at, size_t n)
{
    const double *q = da_block_partials(&to->partial, x, y, s->v + at, p, n);
    double *adj = to->adj.at + at * to->adj.step;
    if (s->ct_values)
        da_vec()->accumulate_product(adj, q, s->ct_values + at, s->ct_number, n, to->sets);
    else
        da_contribute(adj, !to->single, q, to->partial.number, ct, n, s->selects, to->sets);
}

size_t da_fused_reverse(const da_tape *t, double *adj, const da_plan *plan, size_t last)
{
    locals local;
    step steps[DA_PLAN_NODES];
    DA_ALIGNED double p[DA_BLOCK], bx[DA_BLOCK], by[DA_BLOCK];
    const size_t n = da_tape_entry_at(t, t->of[last].a)->n;
    memset(local.not, 0, sizeof local.not);
    size_t first = last, count = 0;
    for (;; first--) {
        set_step(&steps[count++], t, plan, first, &local, adj);
        if (plan->first >> first & 1)
            break;
    }
    for (size_t at = 0; at < n; at += DA_BLOCK) {
        const size_t m = n - at < DA_BLOCK ? n - at : DA_BLOCK;
        for (size_t i = 0; i < count; i++) {
            const step *s = &steps[i];
            const double *x = s->x ? s->x + at : s->fill_x ? da_filled(bx, *s->x_number, m) : NULL;
            const double *y = s->y ? s->y + at : s->fill_y ? da_filled(by, *s->y_number, m) : x;
            double *ct = s->ct.at + at * s->ct.step;
            if (!s->to_x.active && !s->to_y.active)
                continue;
            if (s->uniform)
                da_filled(ct, s->ct_number, m);
            if (s->to_x.active)
                contribute(&s->to_x, s, x, y, ct, p, at, m);
            if (s->to_y.active)
                contribute(&s->to_y, s, x, y, ct, p, at, m);
        }
    }
    return first;
}
