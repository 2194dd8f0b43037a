/* fused.c: a run of elementwise entries, block by block; see fused.h. */
#include "fused.h"
#include "block.h"
#include "ops.h"

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
    share to_x, to_y;
    int fill_x, fill_y, selects; /* fill: a computed partial reads that number as a block */
} step;

static walk adjoints(const da_plan *plan, size_t node, block *blocks, double *adj)
{
    const uint8_t b = plan->local[node];
    return b == DA_PLAN_NOWHERE ? (walk){adj, 1} : (walk){blocks[b].at, 0};
}

static void set_share(share *to, step *s, const da_entry *e, const da_plan *plan, size_t node, int which, block *blocks,
                      double *adj)
{
    const size_t at = which ? e->y : e->x, from = which ? plan->y_from[node] : plan->x_from[node];
    to->active = which ? e->y_active : e->x_active;
    if (!to->active)
        return;
    to->single = which ? !s->y : !s->x;
    to->sets = (int)((which ? plan->y : plan->x) >> node & 1);
    to->partial = da_partial_with(e->code_lo, which, s->x_number, s->y_number);
    to->adj = to->single ? (walk){adj + at, 0} : adjoints(plan, from, blocks, adj + at);
    if (to->partial.kind == DA_COMPUTED) {
        s->fill_x |= s->x_number && to->partial.reads_x;
        s->fill_y |= s->y_number && to->partial.reads_y;
    }
}

static void set_step(step *s, const da_tape *t, const da_plan *plan, size_t node, block *blocks, double *adj)
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
    s->ct = adjoints(plan, node, blocks, adj + e->out);
    if (plan->uniform >> node & 1)
        da_filled(s->ct.at, adj[e->out], e->n < DA_BLOCK ? e->n : DA_BLOCK);
    set_share(&s->to_x, s, e, plan, node, 0, blocks, adj);
    set_share(&s->to_y, s, e, plan, node, 1, blocks, adj);
}

static void contribute(const share *to, const double *x, const double *y, const double *v, const double *ct, double *p,
                       size_t at, size_t n, int selects)
{
    const double *q = da_block_partials(&to->partial, x, y, v, p, n);
    da_contribute(to->adj.at + at * to->adj.step, !to->single, q, to->partial.number, ct, n, selects, to->sets);
}

size_t da_fused_reverse(const da_tape *t, double *adj, const da_plan *plan, size_t last)
{
    block blocks[DA_PLAN_BLOCKS];
    step steps[DA_PLAN_NODES];
    DA_ALIGNED double p[DA_BLOCK], bx[DA_BLOCK], by[DA_BLOCK];
    const size_t n = da_tape_entry_at(t, t->of[last].a)->n;
    size_t first = last, count = 0;
    for (;; first--) {
        set_step(&steps[count++], t, plan, first, blocks, adj);
        if (plan->first >> first & 1)
            break;
    }
    for (size_t at = 0; at < n; at += DA_BLOCK) {
        const size_t m = n - at < DA_BLOCK ? n - at : DA_BLOCK;
        for (size_t i = 0; i < count; i++) {
            const step *s = &steps[i];
            const double *x = s->x ? s->x + at : s->fill_x ? da_filled(bx, *s->x_number, m) : NULL;
            const double *y = s->y ? s->y + at : s->fill_y ? da_filled(by, *s->y_number, m) : x;
            const double *v = s->v + at, *ct = s->ct.at + at * s->ct.step;
            if (s->to_x.active)
                contribute(&s->to_x, x, y, v, ct, p, at, m, s->selects);
            if (s->to_y.active)
                contribute(&s->to_y, x, y, v, ct, p, at, m, s->selects);
        }
    }
    return first;
}
