/* plan.c: first writes and runs of a reverse sweep; see plan.h. */
#include "plan.h"
#include "sweep.h"
#include <string.h>

#define BIT(i) ((uint64_t)1 << (i))
#define NOBODY DA_PLAN_NODES

/* A range of slots that one node made, and what the sweep has done with it so far. */
typedef struct {
    size_t first, n;
    enum { UNSEEN, SET, SUMMED, CLEARED } state; /* SUMMED: set to one number by a sum of all of it */
    int reader;    /* the last node that reads it: the first that the sweep comes to */
    int set_by;    /* of SET and SUMMED: the node */
    int odd;       /* the lowest node so far that reads it in another way than element by element, or NOBODY */
} range;

/* The run that the sweep is in: nodes low..high of n elements each; none when high < 0. */
typedef struct {
    int low, high;
    size_t n;
    int blocks;                   /* of adjoints, in use */
    int held_to[DA_PLAN_BLOCKS];  /* the node at which block b becomes free; -1: never */
} run;

typedef struct {
    const da_tape *t;
    range ranges[DA_PLAN_NODES];
    int count;
    double *adj;
    da_plan *plan;
    run run;
} survey;

static int range_of(const survey *s, size_t slot)
{
    int low = 0, high = s->count;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (s->ranges[middle].first <= slot)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* What was one number for the whole range has to be written out after all. */
static void write_out(survey *s, range *r)
{
    if (r->state == SUMMED) {
        s->plan->uniform &= ~BIT(r->set_by);
        r->state = SET;
    }
}

/* Something adds to part of the range, or reads it before anything was written. */
static void touch(survey *s, range *r)
{
    if (r->state == UNSEEN) {
        da_sweep_clear(s->adj + r->first, r->n);
        r->state = CLEARED;
    }
    write_out(s, r);
}

static void read_oddly(survey *s, size_t slot, int node)
{
    range *r = &s->ranges[range_of(s, slot)];
    touch(s, r);
    if (r->reader == NOBODY)
        r->reader = node;
    r->odd = node;
}

/* Does an operand at `first` with these strides run through the whole range, once, in order? */
static int covers(const da_entry *e, const int64_t *strides, size_t first, const range *r)
{
    int64_t step = 1;
    if (first != r->first)
        return 0;
    for (int32_t d = e->nd - 1; d >= 0; d--) {
        if (e->shape[d] != 1 && strides[d] != step)
            return 0;
        step *= e->shape[d];
    }
    return (size_t)step == r->n;
}

/* One operand of an entry: note who reads its range and how; is this the write that sets it? */
static int sets_operand(survey *s, const da_entry *e, int node, range *r, int covered, int may_set)
{
    if (r->reader == NOBODY)
        r->reader = node;
    if (!covered || (e->kind != DA_MAP1 && e->kind != DA_MAP2))
        r->odd = node;
    if (r->state == UNSEEN && may_set && covered) {
        r->state = SET;
        r->set_by = node;
        if (e->kind == DA_MOVE && e->n == 1) {
            r->state = SUMMED;
            s->plan->uniform |= BIT(node);
        }
        return 1;
    }
    touch(s, r);
    return 0;
}

static void survey_operands(survey *s, const da_entry *e, int node)
{
    const int from_x = e->x_active ? range_of(s, e->x) : NOBODY, from_y = e->y_active ? range_of(s, e->y) : NOBODY;
    range *x = e->x_active ? &s->ranges[from_x] : NULL, *y = e->y_active ? &s->ranges[from_y] : NULL;
    const int single = e->kind == DA_MAP1 || e->kind == DA_MAP2 || e->kind == DA_MOVE;
    if (e->kind == DA_GATHER) {
        for (size_t i = 0; i < e->n; i++)
            if (e->index[i] != DA_FULL)
                read_oddly(s, e->index[i], node);
        return;
    }
    if (e->n == 0)
        return;
    const int covered_x = x && covers(e, e->sx, e->x, x), covered_y = y && covers(e, e->sy, e->y, y);
    /* Two different walks through one range: the second would add to what the first has yet to set. */
    const int apart = !x || x != y || covered_y;
    if (x && sets_operand(s, e, node, x, covered_x, single && apart))
        s->plan->x |= BIT(node);
    if (y && sets_operand(s, e, node, y, covered_y, single))
        s->plan->y |= BIT(node);
    s->plan->x_from[node] = (uint8_t)from_x;
    s->plan->y_from[node] = (uint8_t)from_y;
}

/* Is it elementwise, over operands that are contiguous or one number? */
static int runs(const da_entry *e)
{
    const int binary = e->kind == DA_MAP2;
    if ((e->kind != DA_MAP1 && !binary) || e->nd != 1 || e->n == 0)
        return 0;
    return e->n == 1 || ((e->sx[0] == 0 || e->sx[0] == 1) && (!binary || e->sy[0] == 0 || e->sy[0] == 1));
}

/* A block for adjoints that are written at node `from` (the later one) and read last at node `to`; `to` -1: that stay to the
 * end of the run.  DA_PLAN_NOWHERE when all are in use. */
static uint8_t take_block(run *g, int from, int to)
{
    for (int b = 0; b < g->blocks && to >= 0; b++)
        if (g->held_to[b] > from) {
            g->held_to[b] = to;
            return (uint8_t)b;
        }
    if (g->blocks == DA_PLAN_BLOCKS)
        return DA_PLAN_NOWHERE;
    g->held_to[g->blocks] = to;
    return (uint8_t)g->blocks++;
}

/* Does an operand lie across what the run sets block by block?  Its share would go to places that a later block then sets. */
static int crosses(const survey *s, const da_entry *e, int active, const int64_t *strides, size_t first)
{
    if (!active)
        return 0;
    const range *r = &s->ranges[range_of(s, first)];
    return r->state == SET && r->set_by <= s->run.high && !covers(e, strides, first, r);
}

/* An entry that runs: part of the run that the sweep is in, or the start of a new one. */
static void join_run(survey *s, const da_entry *e, int node)
{
    run *g = &s->run;
    range *r = &s->ranges[node];
    if (g->low != node + 1 || g->n != e->n || r->odd <= g->high || crosses(s, e, e->x_active, e->sx, e->x) ||
        crosses(s, e, e->y_active, e->sy, e->y)) {
        *g = (run){.low = node, .high = node, .n = e->n};
    } else {
        s->plan->first &= ~BIT(g->low);
        g->low = node;
    }
    s->plan->run |= BIT(node);
    s->plan->first |= BIT(node);
    if (r->state == SUMMED) {
        s->plan->local[node] = take_block(g, g->high, -1);
        if (s->plan->local[node] == DA_PLAN_NOWHERE)
            write_out(s, r);
        else
            s->plan->uniform |= BIT(node);
    } else if (r->state == SET && r->reader <= g->high) {
        s->plan->local[node] = take_block(g, r->reader, node);
    }
}

static void survey_node(survey *s, int i)
{
    const da_tape *t = s->t;
    const int code = t->op[i];
    if (code == DA_OP_INPUT) {
        write_out(s, &s->ranges[i]);
    } else if (code == DA_OP_ARRAY) {
        const da_entry *e = da_tape_entry_at(t, t->of[i].a);
        if (runs(e))
            join_run(s, e, i);
        else
            write_out(s, &s->ranges[i]);
        survey_operands(s, e, i);
    } else {
        write_out(s, &s->ranges[i]);
        if (da_operand_is_slot(code, 0))
            read_oddly(s, t->of[i].a, i);
        if (da_operand_is_slot(code, 1))
            read_oddly(s, t->of[i].b, i);
    }
}

/* The range that each node made, in order. */
static void list_ranges(survey *s)
{
    const da_tape *t = s->t;
    size_t slot = 0;
    for (size_t i = 0; i < t->nodes; i++) {
        const int code = t->op[i];
        range *r = &s->ranges[s->count++];
        *r = (range){slot, code >= DA_OP_INPUT ? t->of[i].b : 1, UNSEEN, NOBODY, NOBODY, NOBODY};
        if (code == DA_OP_ARRAY) {
            const da_entry *e = da_tape_entry_at(t, t->of[i].a);
            r->first = e->out;
            r->n = e->n;
        } else if (code == DA_OP_INPUT && r->n >= 8) { /* aligned: what is before the first slot holds nothing */
            const size_t end = slot + r->n;
            r->first = (slot + 7) & ~(size_t)7;
            r->n = end - r->first;
        }
        slot += code >= DA_OP_INPUT ? t->of[i].b : 1;
    }
}

int da_plan_make(const da_tape *t, double *adj, size_t out, da_plan *plan)
{
    survey s = {.t = t, .adj = adj, .plan = plan, .run = {.low = NOBODY, .high = -1}};
    if (t->nodes > DA_PLAN_NODES || t->slots < DA_PLAN_SLOTS || t->calls)
        return 0;
    list_ranges(&s);
    plan->x = plan->y = plan->run = plan->first = plan->uniform = 0;
    memset(plan->local, DA_PLAN_NOWHERE, t->nodes);
    read_oddly(&s, out, NOBODY);
    for (int i = (int)t->nodes; i-- > 0;)
        survey_node(&s, i);
    for (int i = 0; i < s.count; i++)
        if (s.ranges[i].state == UNSEEN) /* no operation uses it */
            touch(&s, &s.ranges[i]);
    return 1;
}
