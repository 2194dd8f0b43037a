/* pyhook.h: how NumPy calls a ufunc on traced values (Python.h is allowed here).
 *
 * NumPy hands np.sin(t) to type(t).__array_ufunc__(t, np.sin, "__call__", t).  This method takes the arguments as they come,
 * without the tuple and the dict that a method of Cython's makes for *inputs and **kwargs (80 ns a call): plain calls of one or
 * two inputs go to the core's own types, anything else to the rules.
 */
#ifndef DUALAD_PYHOOK_H
#define DUALAD_PYHOOK_H

#include "pool.h"

/* Of _core, set when the module is imported: the result, None where the core has no answer, NULL with an error set. */
static PyObject *(*da_call_ufunc)(PyObject *self, PyObject *ufunc, PyObject *x, PyObject *y, int inputs);
/* The rules: (ufunc, method, inputs, kwargs) -> result. */
static PyObject *(*da_call_rules)(PyObject *ufunc, PyObject *method, PyObject *inputs, PyObject *kwargs);

static PyObject *da_ufunc_by_rules(PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    PyObject *inputs = PyTuple_New(n - 2), *kwargs = PyDict_New(), *result = NULL;
    int good = inputs && kwargs;
    for (Py_ssize_t i = 2; good && i < n; i++) {
        Py_INCREF(args[i]);
        PyTuple_SET_ITEM(inputs, i - 2, args[i]);
    }
    for (Py_ssize_t i = 0; good && names && i < PyTuple_GET_SIZE(names); i++)
        good = PyDict_SetItem(kwargs, PyTuple_GET_ITEM(names, i), args[n + i]) == 0;
    if (good)
        result = da_call_rules(args[0], args[1], inputs, kwargs);
    Py_XDECREF(inputs);
    Py_XDECREF(kwargs);
    return result;
}

static PyObject *da_array_ufunc(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    if (n < 2 || !PyUnicode_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "__array_ufunc__ takes a ufunc, the name of its method and the inputs");
        return NULL;
    }
    if (!names && (n == 3 || n == 4) && PyUnicode_CompareWithASCIIString(args[1], "__call__") == 0) {
        PyObject *result = da_call_ufunc(self, args[0], args[2], n == 4 ? args[3] : Py_None, (int)(n - 2));
        if (result != Py_None)
            return result;
        Py_DECREF(result);
    }
    return da_ufunc_by_rules(args, n, names);
}

static PyMethodDef da_array_ufunc_method = {"__array_ufunc__", (PyCFunction)(void (*)(void))da_array_ufunc,
                                            METH_FASTCALL | METH_KEYWORDS,
                                            "NumPy's protocol: a ufunc on traced values."};

/* Give the type the method; -1 with an error set when memory ran out. */
static int da_install_hook(PyTypeObject *type)
{
    PyObject *method = PyDescr_NewMethod(type, &da_array_ufunc_method);
    const int failed = !method || PyDict_SetItemString(type->tp_dict, "__array_ufunc__", method) < 0;
    Py_XDECREF(method);
    PyType_Modified(type);
    return failed ? -1 : 0;
}

#endif
