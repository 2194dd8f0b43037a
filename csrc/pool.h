/* pool.h: levels and allocation of number objects (Python.h is allowed here; the numeric files do not include this).
 *
 * Dead objects of one type are kept in a list threaded through themselves, so creating a number is a pop and destroying it
 * a push.  The types have no object members and take no part in garbage collection.  da_pool_install replaces the type's
 * tp_dealloc.  The interpreter lock guards the lists; without one (Py_GIL_DISABLED) every object comes from the allocator.
 */
#ifndef DUALAD_POOL_H
#define DUALAD_POOL_H

#include <Python.h>
#include "ops.h"
#include <stdint.h>

/* How many levels the current thread has open: a hint for choosing a carrier, never needed for a right answer. */
#if defined(_MSC_VER)
static __declspec(thread) int da_open_levels;
#else
static _Thread_local int da_open_levels;
#endif

/* The open levels: a number carries its level's id, and this table says whether it is open and where its tape is. */
#define DA_LEVEL_MASK 4095
typedef struct {
    uint64_t id;
    struct da_tape *tape;
    PyObject *level; /* the Level object, or NULL while none was needed */
} da_level_slot;
static da_level_slot da_levels[DA_LEVEL_MASK + 1];
static da_level_slot da_newest; /* of the level opened last, while it is open: most operations are on that one */

typedef struct {
    PyObject *head;
    int kept;
} da_pool;

#if defined(__GNUC__)
#define DA_HOT __attribute__((always_inline)) static inline
#define DA_COLD __attribute__((noinline, cold, unused)) static
#else
#define DA_HOT static inline
#define DA_COLD static
#endif

#define DA_POOL_NEXT(o) (*(PyObject **)((char *)(o) + sizeof(PyObject)))

/* The place of a level that opens; the place of one that closes is free again. */
static inline void da_level_open(uint64_t id, struct da_tape *tape)
{
    da_newest = da_levels[id & DA_LEVEL_MASK] = (da_level_slot){id, tape, NULL};
}

static inline void da_level_close(uint64_t id)
{
    da_levels[id & DA_LEVEL_MASK] = (da_level_slot){0, NULL, NULL};
    if (da_newest.id == id)
        da_newest.id = 0;
}

/* Id and tape of a level, if it is open: the id found there is another, else. */
DA_HOT const da_level_slot *da_level_at(uint64_t id)
{
#if !defined(Py_GIL_DISABLED)
    if (id == da_newest.id)
        return &da_newest;
#endif
    return &da_levels[id & DA_LEVEL_MASK];
}

/* A dead object brought to life again, or NULL. */
DA_HOT PyObject *da_pool_reuse(da_pool *p, PyTypeObject *type)
{
#if defined(Py_GIL_DISABLED)
    (void)p, (void)type;
    return NULL;
#else
    PyObject *o = p->head;
    if (o) {
        p->head = DA_POOL_NEXT(o);
        p->kept--;
#if defined(Py_TRACE_REFS) || defined(Py_REF_DEBUG)
        PyObject_Init(o, type);
#else
        (void)type;
        Py_SET_REFCNT(o, 1);
#endif
    }
    return o;
#endif
}

static inline PyObject *da_pool_take(da_pool *p, PyTypeObject *type)
{
    PyObject *o = da_pool_reuse(p, type);
    return o ? o : type->tp_alloc(type, 0);
}

DA_HOT void da_pool_give(da_pool *p, PyObject *o, int most)
{
#if !defined(Py_GIL_DISABLED)
    if (p->kept < most) {
        DA_POOL_NEXT(o) = p->head;
        p->head = o;
        p->kept++;
        return;
    }
#endif
    (void)p, (void)most;
    PyObject_Free(o);
}

/* DA_POOL(dual, 4096) defines the pool da_pool_dual, its deallocator and da_pool_install_dual(type). */
#define DA_POOL(name, most_kept) \
    static da_pool da_pool_##name; \
    static void da_dealloc_##name(PyObject *o) { da_pool_give(&da_pool_##name, o, most_kept); } \
    static inline void da_pool_install_##name(PyTypeObject *type) { type->tp_dealloc = da_dealloc_##name; }

/* The layout of the two scalar number types as _core.pyx declares them (checked when the module is imported). */
typedef struct {
    PyObject_HEAD
    uint64_t level;
    double v, d;
} da_dual_object;

typedef struct {
    PyObject_HEAD
    uint64_t level;
    double v;
    uint32_t slot;
} da_var_object;

DA_POOL(dual, 4096)
DA_POOL(lanes, 512)
DA_POOL(var, 4096)
DA_POOL(array, 256)

/* New numbers: a new reference, or NULL with MemoryError set.  The usual case calls nothing, so that it needs no stack. */
DA_HOT PyObject *da_fill_dual(PyObject *dual, double v, double d, uint64_t level)
{
    da_dual_object *o = (da_dual_object *)(void *)dual;
    if (o) {
        o->level = level;
        o->v = v;
        o->d = d;
    }
    return dual;
}

DA_HOT PyObject *da_fill_var(PyObject *var, double v, uint32_t slot, uint64_t level)
{
    da_var_object *o = (da_var_object *)(void *)var;
    if (o) {
        o->level = level;
        o->v = v;
        o->slot = slot;
    }
    return var;
}

DA_COLD PyObject *da_allocate_dual(PyTypeObject *type, double v, double d, uint64_t level)
{
    return da_fill_dual(da_pool_take(&da_pool_dual, type), v, d, level);
}

DA_COLD PyObject *da_allocate_var(PyTypeObject *type, double v, uint32_t slot, uint64_t level)
{
    if (slot == UINT32_MAX) {
        PyErr_SetString(PyExc_MemoryError, "the tape is full: more operations than its address space holds");
        return NULL;
    }
    return da_fill_var(da_pool_take(&da_pool_var, type), v, slot, level);
}

DA_HOT PyObject *da_new_dual(PyTypeObject *type, double v, double d, uint64_t level)
{
    PyObject *o = da_pool_reuse(&da_pool_dual, type);
    return o ? da_fill_dual(o, v, d, level) : da_allocate_dual(type, v, d, level);
}

DA_HOT PyObject *da_new_var(PyTypeObject *type, double v, uint32_t slot, uint64_t level)
{
    PyObject *o = slot == UINT32_MAX ? NULL : da_pool_reuse(&da_pool_var, type);
    return o ? da_fill_var(o, v, slot, level) : da_allocate_var(type, v, slot, level);
}

#endif
