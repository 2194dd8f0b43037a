# cython: language_level=3, binding=False, c_api_binop_methods=True, boundscheck=False, wraparound=False, cdivision=True
# cdivision, boundscheck and wraparound: every index below is an offset the tape made itself; division is IEEE's.
"""The compiled core: the number types, the tape they record on, and its sweeps.  Thin: convert, check, call C, wrap.

    Traced                      everything NumPy's scalars and arrays can do, by dispatch
    +- Dual                     forward: a float and its tangent
    +- DualVec                  forward: a float and k tangents
    +- Var                      reverse: a float and its slot on the tape
    +- VarArray                 reverse: an array that is a view of the tape's slots

A number carries the id of its level, never a pointer: ids are not reused, and LEVELS[id & MASK] says whether the level is
still open (and where its tape is), so a value that outlived its transformation is noticed at its next use.
"""
cimport cython
from cpython.object cimport PyObject, PyTypeObject, Py_LT, Py_LE, Py_EQ, Py_NE, Py_GT, Py_GE
from cpython.ref cimport Py_INCREF
from cpython.float cimport PyFloat_CheckExact, PyFloat_Check, PyFloat_AS_DOUBLE
from cpython.long cimport PyLong_CheckExact, PyLong_AsDouble
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t, int64_t, intptr_t
from libc.stdlib cimport malloc, calloc, free
from libc.string cimport memcpy
from libc.math cimport isfinite, isinf, isnan, signbit
cimport numpy as cnp
import numpy as np

cnp.import_array()
cnp.import_ufunc()

include "_core_parts/c_api.pxi"
include "_core_parts/levels.pxi"
include "_core_parts/traced.pxi"
include "_core_parts/dual.pxi"
include "_core_parts/var.pxi"
include "_core_parts/array.pxi"
include "_core_parts/array_operations.pxi"
include "_core_parts/indexing.pxi"
include "_core_parts/sweeps.pxi"
include "_core_parts/functions.pxi"
include "_core_parts/listing.pxi"
include "_core_parts/series.pxi"
