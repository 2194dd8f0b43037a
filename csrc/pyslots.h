/* pyslots.h: the operators of the two scalar number types, made from ops.def (Python.h is allowed here).
 *
 * CPython calls a type slot for `x * y`.  Each slot here does the usual case on the spot (both operands of one open level,
 * or one of them a float) and hands everything else (integers, NumPy's scalars, nesting, arrays, errors) to the slot that
 * Cython made, which it replaced.  Nothing but these lines is on the way of a recorded operation: keep them lean, and
 * call nothing but in the tail (a call in the middle costs six pushes and pops of registers).
 *
 *     da_dual_<row>, da_var_<row>     the slot; da_dual_slow_<row>, da_var_slow_<row> what it replaced
 */
#ifndef DUALAD_PYSLOTS_H
#define DUALAD_PYSLOTS_H

#include "pyops.h"

#define DA_LEVEL_OF(x) da_level_at((x)->level)

/* Is o a Python float, or an int of one digit?  Its value, then. */
DA_HOT int da_number(PyObject *o, double *c)
{
    if (PyFloat_CheckExact(o)) {
        *c = PyFloat_AS_DOUBLE(o);
        return 1;
    }
    if (!PyLong_CheckExact(o))
        return 0;
#if PY_VERSION_HEX >= 0x030C0000
    if (!PyUnstable_Long_IsCompact((PyLongObject *)(void *)o))
        return 0;
    *c = (double)PyUnstable_Long_CompactValue((PyLongObject *)(void *)o);
#else
    const Py_ssize_t digits = Py_SIZE(o);
    if (digits < -1 || digits > 1)
        return 0;
    *c = digits ? (double)digits * (double)((PyLongObject *)(void *)o)->ob_digit[0] : 0.0;
#endif
    return 1;
}

/* Partial times tangent; in a row that selects, a zero partial means "the other operand". */
#define DA_TIMES(cls, p, d) (DA_CLASS_##cls >= DA_CLASS_SELECT && (p) == 0.0 ? 0.0 : (p) * (d))

DA_HOT PyObject *da_record(const da_level_slot *at, int code, uint32_t a, uint32_t b, double v)
{
    if (da_tape_full(at->tape))
        return da_allocate_var(da_var_type, v, DA_FULL, at->id);
    const uint32_t slot = da_tape_put(at->tape, code, a, b, v);
    PyObject *o = da_pool_reuse(&da_pool_var, da_var_type);
    return o ? da_fill_var(o, v, slot, at->id) : da_allocate_var(da_var_type, v, slot, at->id);
}

/* Is a row smooth wherever its operands may lie (the table's domains of two operands)?  Others ask, while `with kinks(...)` is open. */
enum { DA_SMOOTH_ANY = 1, DA_SMOOTH_POSANY = 0, DA_SMOOTH_APART = 0, DA_SMOOTH_MODULO = 0, DA_SMOOTH_ORDER = 1 };

#if defined(__GNUC__)
#define DA_SLOT __attribute__((unused)) static
#else
#define DA_SLOT static
#endif

#define UNARY(name, value, dx, cls, domain)
#define BINARY(name, value, dx, dy, cls, domain) \
    DA_SLOT binaryfunc da_dual_slow_##name, da_var_slow_##name; \
    DA_SLOT PyObject *da_dual_##name(PyObject *l, PyObject *r) \
    { \
        const da_dual_object *s = (const da_dual_object *)(const void *)l, *t = (const da_dual_object *)(const void *)r; \
        double c; \
        if (!DA_SMOOTH_##domain && da_watch_kinks) \
            return da_dual_slow_##name(l, r); \
        if (Py_TYPE(l) == da_dual_type) { \
            if (DA_LEVEL_OF(s)->id != s->level) \
                return da_dual_slow_##name(l, r); \
            if (Py_TYPE(r) == da_dual_type && t->level == s->level) { \
                const double v = da_inline_##name(s->v, t->v); \
                const double p = da_inline_##name##_px(s->v, t->v, v), q = da_inline_##name##_py(s->v, t->v, v); \
                return da_new_dual(da_dual_type, v, DA_TIMES(cls, p, s->d) + DA_TIMES(cls, q, t->d), s->level); \
            } \
            if (da_number(r, &c)) { \
                const double v = da_inline_##name(s->v, c), p = da_inline_##name##_px(s->v, c, v); \
                return da_new_dual(da_dual_type, v, DA_TIMES(cls, p, s->d), s->level); \
            } \
        } else if (da_number(l, &c) && DA_LEVEL_OF(t)->id == t->level) { \
            const double v = da_inline_##name(c, t->v), q = da_inline_##name##_py(c, t->v, v); \
            return da_new_dual(da_dual_type, v, DA_TIMES(cls, q, t->d), t->level); \
        } \
        return da_dual_slow_##name(l, r); \
    } \
    DA_SLOT PyObject *da_var_##name(PyObject *l, PyObject *r) \
    { \
        const da_var_object *s = (const da_var_object *)(const void *)l, *t = (const da_var_object *)(const void *)r; \
        double c; \
        if (!DA_SMOOTH_##domain && da_watch_kinks) \
            return da_var_slow_##name(l, r); \
        if (Py_TYPE(l) == da_var_type) { \
            const da_level_slot *at = DA_LEVEL_OF(s); \
            if (at->id != s->level) \
                return da_var_slow_##name(l, r); \
            if (Py_TYPE(r) == da_var_type && t->level == s->level) \
                return da_record(at, DA_OP_##name, s->slot, t->slot, da_inline_##name(s->v, t->v)); \
            if (da_number(r, &c)) { \
                const double v = da_inline_##name(s->v, c); \
                const uint32_t i = da_tape_constant_known(at->tape, c); \
                if (i != DA_FULL) \
                    return da_record(at, DA_OP_##name + 1, s->slot, i, v); \
            } \
        } else if (da_number(l, &c) && DA_LEVEL_OF(t)->id == t->level) { \
            const da_level_slot *at = DA_LEVEL_OF(t); \
            const double v = da_inline_##name(c, t->v); \
            const uint32_t i = da_tape_constant_known(at->tape, c); \
            if (i != DA_FULL) \
                return da_record(at, DA_OP_##name + 2, i, t->slot, v); \
        } \
        return da_var_slow_##name(l, r); \
    }
#include "ops.def"
#undef UNARY
#undef BINARY
#undef DA_SLOT

static PyObject *da_dual_power3(PyObject *l, PyObject *r, PyObject *modulus);
static PyObject *da_var_power3(PyObject *l, PyObject *r, PyObject *modulus);
static ternaryfunc da_dual_slow_power3, da_var_slow_power3;

static PyObject *da_dual_slow_pow(PyObject *l, PyObject *r)
{
    return da_dual_slow_power3(l, r, Py_None);
}

static PyObject *da_var_slow_pow(PyObject *l, PyObject *r)
{
    return da_var_slow_power3(l, r, Py_None);
}

static PyObject *da_dual_power3(PyObject *l, PyObject *r, PyObject *modulus)
{
    return modulus == Py_None ? da_dual_power(l, r) : da_dual_slow_power3(l, r, modulus);
}

static PyObject *da_var_power3(PyObject *l, PyObject *r, PyObject *modulus)
{
    return modulus == Py_None ? da_var_power(l, r) : da_var_slow_power3(l, r, modulus);
}

/* Put one slot in place and keep what it replaced. */
#define DA_REPLACE(type, row, slot) \
    (da_##type##_slow_##row = number->slot, number->slot = da_##type##_##row)
#define DA_REPLACE_ALL(type) \
    DA_REPLACE(type, add, nb_add), DA_REPLACE(type, subtract, nb_subtract), DA_REPLACE(type, multiply, nb_multiply), \
        DA_REPLACE(type, divide, nb_true_divide), DA_REPLACE(type, floor_divide, nb_floor_divide), \
        DA_REPLACE(type, remainder, nb_remainder), DA_REPLACE(type, power3, nb_power), \
        da_##type##_slow_power = da_##type##_slow_pow

/* Once, when the module is imported, after da_dual_type and da_var_type are set. */
static void da_install_operators(void)
{
    PyNumberMethods *number = da_dual_type->tp_as_number;
    DA_REPLACE_ALL(dual);
    number = da_var_type->tp_as_number;
    DA_REPLACE_ALL(var);
}

#endif
