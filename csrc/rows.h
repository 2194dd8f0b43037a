/* rows.h: lists of numbers, made and read whole (Python.h is allowed here).
 *
 * The traced items of a list and the floats of a gradient are made in rows.  A row stays here, one reference a number; when
 * the next row is made, a number that nobody else holds any more is filled again.  (Taking as many from a pool is a chain of
 * loads, each waiting for the one before; giving them back, as many calls.)  The list of traced items itself is
 * filled again where f left it as it was and kept no reference to it.
 */
#ifndef DUALAD_ROWS_H
#define DUALAD_ROWS_H

#include "pool.h"
#include <string.h>

#define DA_ROW 4096
typedef struct {
    PyObject *at[DA_ROW];
} da_row_of_numbers;
static da_row_of_numbers da_row_var, da_row_float;
static PyObject *da_kept_vars; /* a list of the first of da_row_var that nobody else holds, or NULL */

/* Number i of a row if nobody has more than `held` references to it: a borrowed reference, or NULL. */
DA_HOT PyObject *da_row_free(const da_row_of_numbers *row, size_t i, Py_ssize_t held)
{
#if !defined(Py_GIL_DISABLED)
    if (i < DA_ROW && row->at[i] && Py_REFCNT(row->at[i]) == held)
        return row->at[i];
#endif
    (void)row, (void)i, (void)held;
    return NULL;
}

/* Keep a new number as number i of a row, in place of one that somebody holds; passes it on (NULL too). */
DA_COLD PyObject *da_row_keep(da_row_of_numbers *row, size_t i, PyObject *number)
{
#if !defined(Py_GIL_DISABLED)
    if (i < DA_ROW && number) {
        PyObject *before = row->at[i];
        Py_INCREF(number);
        row->at[i] = number;
        Py_XDECREF(before);
    }
#endif
    (void)row, (void)i;
    return number;
}

/* The slots `first`, `first` + 1 ... with the values `val` as a list of n traced numbers: a new reference, or NULL. */
static PyObject *da_list_of_vars(PyTypeObject *type, const double *val, uint32_t first, Py_ssize_t n, uint64_t level)
{
    PyObject *list = da_kept_vars;
    da_kept_vars = NULL;
    const int again = list && PyList_GET_SIZE(list) == n && Py_REFCNT(list) == 1;
    if (!again) {
        Py_XDECREF(list);
        list = PyList_New(n);
        if (!list)
            return NULL;
    }
    PyObject **const items = ((PyListObject *)(void *)list)->ob_item;
    for (Py_ssize_t i = 0; i < n; i++) {
        const uint32_t slot = first + (uint32_t)i;
        PyObject *o = da_row_free(&da_row_var, (size_t)i, again ? 2 : 1);
        if (o) {
            da_fill_var(o, val[i], slot, level);
            if (!again) {
                Py_INCREF(o);
                items[i] = o;
            }
            continue;
        }
        o = da_row_keep(&da_row_var, (size_t)i, da_new_var(type, val[i], slot, level));
        if (!o) {
            Py_DECREF(list);
            return NULL;
        }
        PyObject *before = items[i];
        items[i] = o;
        Py_XDECREF(before);
    }
    return list;
}

/* Keep a list of da_list_of_vars for the next time if the caller's is the only reference and its items are those of the row. */
static void da_keep_vars(PyObject *list)
{
#if !defined(Py_GIL_DISABLED)
    const Py_ssize_t n = PyList_GET_SIZE(list);
    if (Py_REFCNT(list) != 1 || n == 0 || n > DA_ROW || da_kept_vars ||
        memcmp(((PyListObject *)(void *)list)->ob_item, da_row_var.at, (size_t)n * sizeof(PyObject *)))
        return;
    Py_INCREF(list);
    da_kept_vars = list;
#endif
    (void)list;
}

/* n adjoints as a list of floats, untouched ones as 0.0: a new reference, or NULL. */
static PyObject *da_list_of_adjoints(const double *adj, Py_ssize_t n)
{
    PyObject *list = PyList_New(n);
    if (!list)
        return NULL;
    PyObject **const items = ((PyListObject *)(void *)list)->ob_item;
    for (Py_ssize_t i = 0; i < n; i++) {
        const double v = adj[i] + 0.0;
        PyObject *o = da_row_free(&da_row_float, (size_t)i, 1);
        if (o) {
            ((PyFloatObject *)(void *)o)->ob_fval = v; /* ours alone: nobody sees it change */
            Py_INCREF(o);
        } else if (!(o = da_row_keep(&da_row_float, (size_t)i, PyFloat_FromDouble(v)))) {
            Py_DECREF(list);
            return NULL;
        }
        items[i] = o;
    }
    return list;
}

/* Read a list or tuple of floats; 0 (and `to` half written) when it holds anything else. */
static int da_read_floats(PyObject *numbers, double *to)
{
    PyObject **const items = PySequence_Fast_ITEMS(numbers);
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(numbers);
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!PyFloat_CheckExact(items[i]))
            return 0;
        to[i] = PyFloat_AS_DOUBLE(items[i]);
    }
    return 1;
}

#endif
