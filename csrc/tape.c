/* tape.c: growth and memory of a tape; see tape.h. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "tape.h"
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
static char *reserve(size_t bytes)
{
    /* Committed lazily by the system's page file accounting: no physical page before the first touch. */
    return VirtualAlloc(NULL, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}
static void release(da_region *r)
{
    if (r->base)
        VirtualFree(r->base, 0, MEM_RELEASE);
}
static void drop_pages(da_region *r, size_t keep, size_t used)
{
    if (used > keep)
        VirtualAlloc(r->base + keep, used - keep, MEM_RESET, PAGE_READWRITE);
}
#define MAX_SLOTS ((size_t)1 << 24)
#else
#include <sys/mman.h>
#if !defined(MAP_NORESERVE)
#define MAP_NORESERVE 0
#endif
static char *reserve(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    return p;
}
static void release(da_region *r)
{
    if (r->base)
        munmap(r->base, r->reserved);
}
/* The system may take back pages after `keep` when it needs them, and gets those after DA_TAPE_LAZY at once. */
static void drop_pages(da_region *r, size_t keep, size_t used)
{
    keep = (keep + 4095) & ~(size_t)4095;
#if defined(MADV_FREE)
    if (used > keep && keep < DA_TAPE_LAZY)
        madvise(r->base + keep, (used < DA_TAPE_LAZY ? used : DA_TAPE_LAZY) - keep, MADV_FREE);
    keep = DA_TAPE_LAZY;
#endif
    if (used > keep)
        madvise(r->base + keep, used - keep, MADV_DONTNEED);
}
#define MAX_SLOTS ((size_t)1 << 30)
#endif

/* A long recording is streamed: one page fault, and one translation of addresses, for 2 MiB, where the system grants it.  Short
 * ones keep to small pages in the regions that hold less than values do (`from` bytes on). */
static void prefer_huge_pages(da_region *r, size_t from)
{
#if defined(MADV_HUGEPAGE)
    if (r->reserved > from)
        madvise(r->base + from, r->reserved - from, MADV_HUGEPAGE);
#else
    (void)r, (void)from;
#endif
}

static int reserve_all(da_tape *t, size_t slots)
{
    size_t nodes = slots, meta = slots, pool = slots;
    size_t bytes[DA_REGIONS] = {slots * 8, slots * 8, nodes, nodes * sizeof(da_operands), meta, pool * 8};
    for (int i = 0; i < DA_REGIONS; i++) {
        t->regions[i].reserved = bytes[i] + DA_TAPE_AHEAD;
        t->regions[i].base = reserve(t->regions[i].reserved);
        if (!t->regions[i].base) {
            while (i-- > 0)
                release(&t->regions[i]);
            memset(t->regions, 0, sizeof t->regions);
            return 0;
        }
    }
    for (int i = 0; i < DA_REGIONS; i++)
        prefer_huge_pages(&t->regions[i], bytes[i] < slots * 8 || i == 5 ? (size_t)1 << 20 : 0);
    t->val = (double *)(void *)(t->regions[0].base + DA_TAPE_AHEAD);
    t->adj = (double *)(void *)(t->regions[1].base + DA_TAPE_AHEAD);
    t->op = (uint8_t *)(t->regions[2].base + DA_TAPE_AHEAD);
    t->of = (da_operands *)(void *)(t->regions[3].base + DA_TAPE_AHEAD);
    t->meta = t->regions[4].base + DA_TAPE_AHEAD;
    t->pool = (double *)(void *)(t->regions[5].base + DA_TAPE_AHEAD);
    t->max_slots = slots;
    t->max_meta = meta;
    t->max_pool = pool;
    return 1;
}

da_tape *da_tape_new(void)
{
    da_tape *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    for (size_t slots = MAX_SLOTS; slots >= (size_t)1 << 16; slots /= 4) /* a process may be limited in address space */
        if (reserve_all(t, slots))
            return t;
    free(t);
    return NULL;
}

void da_tape_free(da_tape *t)
{
    if (!t)
        return;
    for (int i = 0; i < DA_REGIONS; i++)
        release(&t->regions[i]);
    free(t);
}

void da_tape_reset(da_tape *t)
{
    if (t->slots > DA_TAPE_KEEP / 32 || t->nodes > DA_TAPE_KEEP / 32 || t->meta_used > DA_TAPE_KEEP / 8 ||
        t->pool_used > DA_TAPE_KEEP / 32) {
        size_t used[DA_REGIONS] = {t->slots * 8, t->slots * 8,    t->nodes, t->nodes * sizeof(da_operands),
                                   t->meta_used, t->pool_used * 8};
        for (int i = 0; i < DA_REGIONS; i++)
            drop_pages(&t->regions[i], DA_TAPE_KEEP / 4, used[i] + DA_TAPE_AHEAD);
        da_tape_soil(t); /* what is dropped comes back as 0.0 */
    }
    if (t->pool_used)
        memset(t->cache, 0, sizeof t->cache);
    t->nodes = t->slots = t->meta_used = t->pool_used = t->operations = t->calls = t->inputs = 0;
}

uint32_t da_tape_constant_new(da_tape *t, double c)
{
    union {
        double d;
        uint64_t u;
    } bits = {c};
    if (t->pool_used >= t->max_pool)
        return DA_FULL;
    t->pool[t->pool_used++] = c;
    t->cache[(bits.u * 0x9E3779B97F4A7C15u) >> 56] = (uint32_t)t->pool_used;
    return (uint32_t)(t->pool_used - 1);
}

uint32_t da_tape_store(da_tape *t, size_t n)
{
    size_t at = n >= 8 ? (t->pool_used + 7) & ~(size_t)7 : t->pool_used;
    if (n > t->max_pool || at > t->max_pool - n)
        return DA_FULL;
    t->pool_used = at + n;
    return (uint32_t)at;
}

/* First slot for a range of n, aligned for vector loads when it is long enough to matter. */
static size_t aligned(const da_tape *t, size_t n)
{
    return n >= 8 ? (t->slots + 7) & ~(size_t)7 : t->slots;
}

static uint32_t append(da_tape *t, int op, size_t a, size_t n)
{
    size_t out = aligned(t, n);
    const size_t taken = n ? n : 1;
    if (taken > t->max_slots || out > t->max_slots - taken)
        return DA_FULL;
    t->op[t->nodes] = (uint8_t)op;
    const uint32_t used = (uint32_t)(out + taken - t->slots);
    t->of[t->nodes] = (da_operands){op == DA_OP_INPUT ? used : (uint32_t)a, used};
    t->nodes++;
    t->slots = out + taken;
    if (op == DA_OP_INPUT)
        t->inputs = t->slots;
    return (uint32_t)out;
}

uint32_t da_tape_input(da_tape *t, size_t n)
{
    return append(t, DA_OP_INPUT, 0, n);
}

uint32_t da_tape_call(da_tape *t, size_t n)
{
    uint32_t out = append(t, DA_OP_CALL, t->calls, n);
    if (out != DA_FULL)
        t->calls++;
    return out;
}

da_entry *da_tape_entry(da_tape *t, int kind, size_t n, int nd)
{
    size_t axes = (size_t)nd * 3 * sizeof(int64_t), tail = 0;
    if (kind == DA_GATHER)
        tail = n * sizeof(uint32_t);
    else if (kind == DA_WHERE)
        tail = n;
    size_t bytes = (sizeof(da_entry) + axes + tail + 7) & ~(size_t)7;
    size_t at = t->meta_used, first = t->slots;
    if (bytes > t->max_meta || at > t->max_meta - bytes)
        return NULL;
    uint32_t out = append(t, DA_OP_ARRAY, at / 8, n);
    if (out == DA_FULL)
        return NULL;
    t->meta_used += bytes;
    t->operations += n;
    da_entry *e = (da_entry *)(void *)(t->meta + at);
    char *rest = (char *)(e + 1);
    e->kind = (uint8_t)kind;
    e->code_lo = 0;
    e->x_active = e->y_active = 0;
    e->nd = nd;
    e->first = first;
    e->out = out;
    e->n = n;
    e->x = e->y = 0;
    e->used = t->slots - first;
    e->shape = (int64_t *)(void *)rest;
    e->sx = e->shape + nd;
    e->sy = e->sx + nd;
    e->index = kind == DA_GATHER ? (uint32_t *)(void *)(rest + axes) : NULL;
    e->mask = kind == DA_WHERE ? (uint8_t *)(rest + axes) : NULL;
    return e;
}

size_t da_tape_bytes(const da_tape *t)
{
    return t->nodes * 9 + t->slots * 8 + t->pool_used * 8 + t->meta_used;
}
