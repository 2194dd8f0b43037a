/* pyops.h: Python functions and NumPy ufuncs made from ops.def (Python.h is allowed here).
 *
 * da_math_methods    a METH_O or METH_FASTCALL function a row: dualad.math
 * da_ufunc_loops     double and float loops of every row: rows that NumPy has no ufunc for become ufuncs of ours
 * da_inline_...      value and partials of a row as inline functions, for the operators of scalar types
 */
#ifndef DUALAD_PYOPS_H
#define DUALAD_PYOPS_H

#include <Python.h>
#include "ops.h"
#include "pool.h"
#include "tape.h"
#include "ops_scalar.h"

#define UNARY(name, value, dx, cls, domain) \
    static inline double da_inline_##name(double x, double y) { (void)y; return value; } \
    static inline double da_inline_##name##_px(double x, double y, double v) { (void)x, (void)y, (void)v; return dx; } \
    static inline double da_inline_##name##_py(double x, double y, double v) { (void)x, (void)y, (void)v; return 0.0; }
#define BINARY(name, value, dx, dy, cls, domain) \
    static inline double da_inline_##name(double x, double y) { return value; } \
    static inline double da_inline_##name##_px(double x, double y, double v) { (void)x, (void)y, (void)v; return dx; } \
    static inline double da_inline_##name##_py(double x, double y, double v) { (void)x, (void)y, (void)v; return dy; }
#include "ops.def"
#undef UNARY
#undef BINARY

/* The scalar functions of _core that the generated wrappers call; set when the module is imported. */
static PyObject *(*da_call_math1)(int code, PyObject *x);
static PyObject *(*da_call_math2)(int code, PyObject *x, PyObject *y);
static PyTypeObject *da_dual_type, *da_var_type;

/* How many `with dualad.kinks(...)` are open: rows then ask Python whether they are at a kink, and what holds there. */
static int da_watch_kinks;

/* A row on the two scalar types of open levels, for finite results; anything else is da_call_math1's business. */
#define UNARY(name, value, dx, cls, domain) \
    static PyObject *da_py_##name(PyObject *self, PyObject *x) \
    { \
        (void)self; \
        if (da_watch_kinks) \
            return da_call_math1(DA_OP_##name, x); \
        if (Py_TYPE(x) == da_dual_type) { \
            const da_dual_object *t = (const da_dual_object *)(const void *)x; \
            const double v = da_inline_##name(t->v, 0.0), p = da_inline_##name##_px(t->v, 0.0, v); \
            if (da_level_at(t->level)->id == t->level && isfinite(v)) \
                return da_new_dual(da_dual_type, v, DA_CLASS_##cls >= DA_CLASS_SELECT && p == 0.0 ? 0.0 : p * t->d, t->level); \
        } else if (Py_TYPE(x) == da_var_type) { \
            const da_var_object *t = (const da_var_object *)(const void *)x; \
            const da_level_slot *at = da_level_at(t->level); \
            const double v = da_inline_##name(t->v, 0.0); \
            if (at->id == t->level && isfinite(v)) \
                return da_new_var(da_var_type, v, da_tape_push(at->tape, DA_OP_##name, t->slot, 0, v), t->level); \
        } \
        return da_call_math1(DA_OP_##name, x); \
    }
#define BINARY(name, value, dx, dy, cls, domain) \
    static PyObject *da_py_##name(PyObject *self, PyObject *const *args, Py_ssize_t n) \
    { \
        (void)self; \
        if (n != 2) { \
            PyErr_Format(PyExc_TypeError, #name "() takes 2 arguments, got %zd", n); \
            return NULL; \
        } \
        return da_call_math2(DA_OP_##name, args[0], args[1]); \
    }
#include "ops.def"
#undef UNARY
#undef BINARY

static PyMethodDef da_math_methods[] = {
#define UNARY(name, value, dx, cls, domain) {#name, da_py_##name, METH_O, #name "(x): scalar, differentiable; d/dx = " #dx},
#define BINARY(name, value, dx, dy, cls, domain) \
    {#name, (PyCFunction)(void (*)(void))da_py_##name, METH_FASTCALL, \
     #name "(x, y): scalar, differentiable; d/dx = " #dx "; d/dy = " #dy},
#include "ops.def"
#undef UNARY
#undef BINARY
    {NULL, NULL, 0, NULL}};

#define AT(type, k) (*(type *)(void *)(args[k] + i * steps[k]))
#define LOOP1(name, type, suffix) \
    static void da_loop_##name##suffix(char **args, const Py_ssize_t *dims, const Py_ssize_t *steps, void *data) \
    { \
        (void)data; \
        for (Py_ssize_t i = 0; i < dims[0]; i++) \
            AT(type, 1) = (type)da_inline_##name((double)AT(type, 0), 0.0); \
    }
#define LOOP2(name, type, suffix) \
    static void da_loop_##name##suffix(char **args, const Py_ssize_t *dims, const Py_ssize_t *steps, void *data) \
    { \
        (void)data; \
        for (Py_ssize_t i = 0; i < dims[0]; i++) \
            AT(type, 2) = (type)da_inline_##name((double)AT(type, 0), (double)AT(type, 1)); \
    }
#define UNARY(name, value, dx, cls, domain) LOOP1(name, float, _f) LOOP1(name, double, _d)
#define BINARY(name, value, dx, dy, cls, domain) LOOP2(name, float, _f) LOOP2(name, double, _d)
#include "ops.def"
#undef UNARY
#undef BINARY
#undef LOOP1
#undef LOOP2
#undef AT

typedef void (*da_ufunc_loop)(char **args, const Py_ssize_t *dims, const Py_ssize_t *steps, void *data);
static da_ufunc_loop da_ufunc_loops[][2] = {
#define UNARY(name, value, dx, cls, domain) {da_loop_##name##_f, da_loop_##name##_d},
#define BINARY(name, value, dx, dy, cls, domain) {da_loop_##name##_f, da_loop_##name##_d},
#include "ops.def"
#undef UNARY
#undef BINARY
};

/* Leave no names of the table behind as macros: Cython's C follows. */
#undef nan
#undef select
#undef lt
#undef le
#undef eq
#undef absolute
#undef sign
#undef arcsin
#undef arccos
#undef arctan
#undef arcsinh
#undef arccosh
#undef arctanh
#undef arctan2
#undef deg2rad
#undef rad2deg
#undef sinc
#undef sincd
#undef sech2
#undef gaussian
#undef gamma
#undef digamma
#undef polygamma
#undef power
#undef logaddexp
#undef logaddexp2
#undef softweight
#undef softweight2
#undef maximum
#undef minimum
#undef remainder
#undef floor_divide
#undef heaviside

#endif
