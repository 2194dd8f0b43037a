# VarArray: an array on the tape.
#
# A VarArray is offset, shape and strides over the tape's slots; its values and its adjoints are the same view of two
# buffers.

cdef enum:
    MAX_DIMS = 64


@cython.final
cdef class VarArray(Traced):
    """A traced float64 array of a reverse sweep: a view of slots of the tape (made by grad, vjp ...; not by hand)."""
    cdef size_t off
    cdef int nd
    cdef bint contiguous
    cdef Py_ssize_t n
    cdef int64_t dims[MAX_DIMS]
    cdef int64_t strides_[MAX_DIMS]

    @property
    def shape(self):
        return tuple([self.dims[i] for i in range(self.nd)])

    @property
    def ndim(self):
        return self.nd

    @property
    def size(self):
        return self.n

    @property
    def dtype(self):
        return FLOAT64

    @property
    def strides(self):
        return tuple([self.strides_[i] * 8 for i in range(self.nd)])

    @property
    def T(self):
        cdef VarArray out
        if not alive(self.level):
            raise_leaked(self)
        out = new_array(self.level, self.off, self.nd, self.n)
        for i in range(self.nd):
            out.dims[i] = self.dims[self.nd - 1 - i]
            out.strides_[i] = self.strides_[self.nd - 1 - i]
        out.contiguous = check_contiguous(out)
        return out

    def __len__(self):
        if self.nd == 0:
            raise TypeError("len() of unsized object")
        return self.dims[0]

    def __add__(l, r):
        return array_operator(DA_OP_add, l, r, ufunc_add)

    def __sub__(l, r):
        return array_operator(DA_OP_subtract, l, r, ufunc_subtract)

    def __mul__(l, r):
        return array_operator(DA_OP_multiply, l, r, ufunc_multiply)

    def __truediv__(l, r):
        return array_operator(DA_OP_divide, l, r, ufunc_divide)

    def __floordiv__(l, r):
        return array_operator(DA_OP_floor_divide, l, r, ufunc_floor_divide)

    def __mod__(l, r):
        return array_operator(DA_OP_remainder, l, r, ufunc_remainder)

    def __pow__(l, r, m):
        if m is not None:
            return NotImplemented
        return power_operator(l, r)

    def __matmul__(l, r):
        result = array_matmul(l, r)
        return slow_binary(ufunc_matmul, l, r) if result is None else result

    def __neg__(self):
        return array_elementwise(DA_OP_negative, self, None)

    def __pos__(self):
        return array_elementwise(DA_OP_positive, self, None)

    def __abs__(self):
        return array_elementwise(DA_OP_absolute, self, None)

    def __array_function__(self, func, types, args, kwargs):
        if not kwargs and len(args) == 1 and type(args[0]) is VarArray:
            if func is numpy_sum:
                return array_sum_all(args[0])
            if func is numpy_mean and (<VarArray>args[0]).n:
                return array_sum_all(args[0]) / <double>(<VarArray>args[0]).n
        return hook_function(func, args, kwargs)

    def sum(self, *args, **kwargs):
        if not args and not kwargs:
            return array_sum_all(self)
        return np.sum(self, *args, **kwargs)

    def mean(self, *args, **kwargs):
        if not args and not kwargs and self.n:
            return array_sum_all(self) / <double>self.n
        return np.mean(self, *args, **kwargs)

    def __getitem__(self, key):
        return array_getitem(self, key)


cdef object numpy_sum = np.sum, numpy_mean = np.mean


cdef inline VarArray new_array(uint64_t level, size_t off, int nd, Py_ssize_t n):
    cdef VarArray a = <VarArray>da_pool_take(&da_pool_array, <PyTypeObject *>VarArray)
    a.level = level
    a.off = off
    a.nd = nd
    a.n = n
    return a


cdef void make_contiguous(VarArray a) noexcept:
    cdef int64_t s = 1
    cdef int i
    for i in range(a.nd - 1, -1, -1):
        a.strides_[i] = s
        s *= a.dims[i]
    a.contiguous = True


cdef bint check_contiguous(VarArray a) noexcept:
    cdef int64_t s = 1
    cdef int i
    if a.n == 0:
        return True
    for i in range(a.nd - 1, -1, -1):
        if a.dims[i] != 1 and a.strides_[i] != s:
            return False
        s *= a.dims[i]
    return True


# Is the memory one run in Fortran order (and not in C order)?
cdef bint is_fortran(int nd, Py_ssize_t n, bint contiguous, int64_t *dims, int64_t *strides) noexcept:
    cdef int64_t s = 1
    cdef int i
    if contiguous or n == 0:
        return False
    for i in range(nd):
        if dims[i] != 1 and strides[i] != s:
            return False
        s *= dims[i]
    return True


cdef da_tape *tape_of(VarArray a) except NULL:
    if LEVELS[a.level & MASK].id != a.level:
        raise_leaked(a)
    return LEVELS[a.level & MASK].tape


cdef object view_of(VarArray a, double *base, object owner):
    """The ndarray that shows a's range of the buffer at `base`; `owner` keeps the buffer."""
    cdef cnp.npy_intp shape[MAX_DIMS]
    cdef cnp.npy_intp strides[MAX_DIMS]
    for i in range(a.nd):
        shape[i] = a.dims[i]
        strides[i] = a.strides_[i] * 8
    cdef object out = cnp.PyArray_New(np.ndarray, a.nd, shape, cnp.NPY_DOUBLE, strides, base + a.off, 8,
                                      cnp.NPY_ARRAY_WRITEABLE | cnp.NPY_ARRAY_ALIGNED, None)
    if owner is not None:
        cnp.set_array_base(out, owner)
    cnp.PyArray_UpdateFlags(out, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_F_CONTIGUOUS)
    return out


def values(VarArray a not None):
    """The values of a traced array: an ndarray that shows the tape's slots.

    Valid while the level lives, which the view does not prolong (a recorded call holds such views, and the level the call).
    """
    return view_of(a, tape_of(a).val, None)
