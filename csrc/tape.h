/* tape.h: a recorded program and the memory of its values.
 *
 *     nodes   op[i] of[i]         9 bytes an operation, in the order they ran: opcode and two operands
 *     slots   val[s]              8 bytes a number; adj[s], of the same layout, exists while a sweep runs
 *     pool    constants: of scalar operations, shared when equal, and constant operands of array operations; no adjoint
 *     meta    the entries of array operations: a da_entry and the arrays behind it
 *
 * A scalar operation owns the next slot, so the slot of a node is never stored: sweeps count.  An array owns a range of
 * slots; x[i], slices, reshape and transpose are other views of that range (of value and adjoint alike) and make no node.
 *
 * Memory is address space reserved once and touched as the tape grows: pointers into `val` stay valid until
 * da_tape_reset, and growing costs nothing.  da_tape_reset keeps what fits DA_TAPE_KEEP bytes, so a pooled tape does not
 * fault its pages in again; more, to DA_TAPE_LAZY a region, stays until the system wants the memory (MADV_FREE).
 *
 * Long recordings are streamed through memory: whoever writes or sweeps them asks for what lies DA_TAPE_AHEAD bytes on
 * (DA_FETCH).  Before the first node and slot there is room for as much, so that short ones ask for memory that is there.
 *
 * Untouched adjoints.  Buffers start at -0.0, the neutral element of IEEE addition, and every contribution has +0.0
 * added; so -0.0 means "no operation that was selected depends on this", and such an adjoint never multiplies an
 * infinite partial: no NaN comes out of the branch that np.where did not choose.  In a forward sweep, likewise, a tangent of
 * -0.0 belongs to what does not depend on the inputs that have one.
 */
#ifndef DUALAD_TAPE_H
#define DUALAD_TAPE_H

#include "ops.h"
#include <stddef.h>
#include <stdint.h>

#define DA_FULL UINT32_MAX            /* returned for a slot when address space or memory has run out */
#define DA_TAPE_KEEP ((size_t)64 << 20)
#define DA_TAPE_LAZY ((size_t)128 << 20)
#define DA_CONST_CACHE 256
#define DA_REGIONS 6
#define DA_TAPE_AHEAD 2048

/* A stretch of reserved address space. */
typedef struct {
    char *base;
    size_t reserved; /* bytes */
} da_region;

/* What an operation is applied to: slots, or places in the pool; for the other nodes see the functions that append them. */
typedef struct {
    uint32_t a, b;
} da_operands;

typedef struct da_tape {
    double *val, *adj;
    uint8_t *op;
    da_operands *of;
    char *meta;
    double *pool;
    size_t nodes, slots, max_slots, meta_used, max_meta, pool_used, max_pool;
    size_t operations; /* elementary operations: one a scalar node, one an element of an array entry */
    size_t calls;
    size_t inputs;               /* end of the last slots that no operation computed */
    size_t clean_from, clean_to; /* adj of these slots is -0.0: the last sweep left it so (da_sweep_gradient) */
    uint32_t cache[DA_CONST_CACHE]; /* hash of a constant's bits -> its index in pool, plus one */
    da_region regions[DA_REGIONS];
} da_tape;

/* What an array entry does.  Offsets and strides count slots (pool places for an operand that is not active: a constant);
 * shapes are those of the iteration. */
enum {
    DA_MAP1,   /* out = row(x)                    elementwise, any strides, broadcast by stride 0     */
    DA_MAP2,   /* out = row(x, y)                                                                     */
    DA_MOVE,   /* out[..] += x[..]                sum, broadcast, copy: both sides strided            */
    DA_GATHER, /* out[i] = x[index[i]]            anything that only picks elements; index = slots    */
    DA_WHERE,  /* out = mask ? x : y                                                                  */
    DA_MATMUL  /* out = x @ y                     shape = {m, k, n}, then batch axes                  */
};

typedef struct {
    uint8_t kind, code_lo, x_active, y_active;
    int32_t nd;
    size_t first, out, n;  /* first slot of the entry, first of the result (aligned), elements of the result */
    size_t x, y;
    size_t used;           /* slots from `first` on */
    int64_t *shape, *sx, *sy; /* nd each, in meta */
    uint32_t *index;          /* DA_GATHER: n slots; DA_FULL for a constant */
    uint8_t *mask;            /* DA_WHERE: n */
} da_entry;

da_tape *da_tape_new(void);       /* NULL when not even a small stretch of address space is to be had */
void da_tape_free(da_tape *t);
void da_tape_reset(da_tape *t);   /* forget everything recorded */

/* Reserve n slots that no operation computes; returns the first, or DA_FULL.  n >= 8 is aligned to 64 bytes. */
uint32_t da_tape_input(da_tape *t, size_t n);

/* Room for n constants of an array operation; returns the first one's place in pool, or DA_FULL. */
uint32_t da_tape_store(da_tape *t, size_t n);

/* Append an array entry with room for n results and nd axes; its index or mask arrays (when wanted) have n elements. */
da_entry *da_tape_entry(da_tape *t, int kind, size_t n, int nd);

/* Append a call: its results take n slots from the returned one on (n = 0: results live outside). */
uint32_t da_tape_call(da_tape *t, size_t n);

/* Index of a constant in the pool, or DA_FULL. */
uint32_t da_tape_constant_new(da_tape *t, double c);

/* The same for a constant that was met before; DA_FULL for others. */
static inline uint32_t da_tape_constant_known(const da_tape *t, double c)
{
    union {
        double d;
        uint64_t u;
    } bits = {c};
    uint32_t i = t->cache[(bits.u * 0x9E3779B97F4A7C15u) >> 56];
    if (i) {
        union {
            double d;
            uint64_t u;
        } have = {t->pool[i - 1]};
        if (have.u == bits.u)
            return i - 1;
    }
    return DA_FULL;
}

static inline uint32_t da_tape_constant(da_tape *t, double c)
{
    const uint32_t i = da_tape_constant_known(t, c);
    return i != DA_FULL ? i : da_tape_constant_new(t, c);
}

/* Ask for the memory so many bytes after p, to be read or written before long; it need not be there. */
#if defined(__GNUC__)
#define DA_FETCH(p, bytes) __builtin_prefetch((const void *)((uintptr_t)(p) + (uintptr_t)(intptr_t)(bytes)), 0)
#define DA_FETCH_TO_WRITE(p, bytes) __builtin_prefetch((const void *)((uintptr_t)(p) + (uintptr_t)(intptr_t)(bytes)), 1)
#else
#define DA_FETCH(p, bytes) ((void)(p))
#define DA_FETCH_TO_WRITE(p, bytes) ((void)(p))
#endif

/* Is there no room for another operation?  (Every node takes a slot, so there are never more nodes than slots.) */
static inline int da_tape_full(const da_tape *t)
{
    return t->slots >= t->max_slots;
}

/* Append one scalar operation to a tape that is not full; returns its slot. */
static inline uint32_t da_tape_put(da_tape *t, int code, uint32_t a, uint32_t b, double v)
{
    const size_t i = t->nodes, s = t->slots;
    t->op[i] = (uint8_t)code;
    t->of[i] = (da_operands){a, b};
    t->val[s] = v;
    DA_FETCH_TO_WRITE(t->val + s, DA_TAPE_AHEAD);
    t->nodes = i + 1;
    t->slots = s + 1;
    return (uint32_t)s;
}

/* The same for any tape: DA_FULL where it is full. */
static inline uint32_t da_tape_push(da_tape *t, int code, uint32_t a, uint32_t b, double v)
{
    return da_tape_full(t) ? DA_FULL : da_tape_put(t, code, a, b, v);
}

/* The adjoints are going to be written and left as they are. */
static inline void da_tape_soil(da_tape *t)
{
    t->clean_to = 0;
}

/* Bytes the recording holds: nodes, slots, pool and meta; without adjoints. */
size_t da_tape_bytes(const da_tape *t);

/* Values of an active operand are slots, those of a constant lie in the pool. */
static inline const double *da_operand_values(const da_tape *t, int active, size_t at)
{
    return (active ? t->val : t->pool) + at;
}

static inline da_entry *da_tape_entry_at(const da_tape *t, uint32_t a)
{
    return (da_entry *)(void *)(t->meta + (size_t)a * 8);
}

#endif
