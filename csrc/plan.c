/* plan.c: first writes of a reverse sweep; see plan.h. */
#include "plan.h"
#include "sweep.h"

/* A range of slots that one node made, and what the sweep has done with it so far. */
enum { UNSEEN, SET, CLEARED };
typedef struct {
    size_t first, n;
    int state;
} range;

typedef struct {
    range ranges[DA_PLAN_NODES];
    size_t count;
    double *adj;
} survey;

static range *range_of(survey *s, size_t slot)
{
    size_t low = 0, high = s->count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (s->ranges[middle].first <= slot)
            low = middle;
        else
            high = middle;
    }
    return &s->ranges[low];
}

/* Something adds to part of the range, or reads it before anything was written. */
static void touch(survey *s, range *r)
{
    if (r->state == UNSEEN) {
        da_sweep_clear(s->adj + r->first, r->n);
        r->state = CLEARED;
    }
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

static void survey_entry(survey *s, const da_entry *e, size_t node, da_plan *plan)
{
    range *x = e->x_active ? range_of(s, e->x) : NULL, *y = e->y_active ? range_of(s, e->y) : NULL;
    const uint64_t bit = (uint64_t)1 << node;
    const int single = e->kind == DA_MAP1 || e->kind == DA_MAP2 || e->kind == DA_MOVE;
    if (e->kind == DA_GATHER) {
        for (size_t i = 0; i < e->n; i++)
            if (e->index[i] != DA_FULL)
                touch(s, range_of(s, e->index[i]));
        return;
    }
    if (e->n == 0)
        return;
    /* Two different walks through one range: the second would add to what the first has yet to set. */
    const int apart = !x || x != y || covers(e, e->sy, e->y, y);
    if (x && x->state == UNSEEN && single && apart && covers(e, e->sx, e->x, x)) {
        x->state = SET;
        plan->x |= bit;
    } else if (x) {
        touch(s, x);
    }
    if (y && y->state == UNSEEN && single && covers(e, e->sy, e->y, y)) {
        y->state = SET;
        plan->y |= bit;
    } else if (y) {
        touch(s, y);
    }
}

int da_plan_make(const da_tape *t, double *adj, size_t out, da_plan *plan)
{
    survey s = {.count = 0, .adj = adj};
    size_t slot = 0;
    if (t->nodes > DA_PLAN_NODES || t->calls || t->nodes == 0)
        return 0;
    for (size_t i = 0; i < t->nodes; i++) {
        const int code = t->op[i];
        range *r = &s.ranges[s.count++];
        *r = (range){slot, code >= DA_OP_INPUT ? t->of[i].b : 1, UNSEEN};
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
    *plan = (da_plan){0, 0};
    touch(&s, range_of(&s, out));
    for (size_t i = t->nodes; i-- > 0;) {
        const int code = t->op[i];
        if (code == DA_OP_INPUT)
            continue;
        if (code == DA_OP_ARRAY) {
            survey_entry(&s, da_tape_entry_at(t, t->of[i].a), i, plan);
            continue;
        }
        if (da_operand_is_slot(code, 0))
            touch(&s, range_of(&s, t->of[i].a));
        if (da_operand_is_slot(code, 1))
            touch(&s, range_of(&s, t->of[i].b));
    }
    for (size_t i = 0; i < s.count; i++)
        touch(&s, &s.ranges[i]); /* no operation uses it */
    return 1;
}
