# Dual and DualVec: a float with one tangent, or with k tangents inline.

cdef enum:
    MAX_LANES = 128


@cython.final
cdef class Dual(Traced):
    """A dual number: ``Dual(x, dx)`` is x + dx*eps with eps**2 = 0.

    Parameters
    ----------
    primal : float
        The value.
    tangent : float
        Its derivative with respect to whatever the caller has in mind.

    Notes
    -----
    Arithmetic follows NumPy's float64 (``Dual(1.0) / 0.0`` is inf) and each operation costs one value and one tangent.

    Examples
    --------
    >>> from dualad import Dual
    >>> x = Dual(2.0, 1.0)
    >>> x * x + 3.0 * x
    Dual(10.0, 7.0)
    """
    cdef double v, d

    def __init__(self, primal, tangent=0.0):
        self.v = plain_double(primal, "primal")
        self.d = plain_double(tangent, "tangent")
        self.level = 0

    @property
    def primal(self):
        """The value, a float."""
        return self.v

    @property
    def tangent(self):
        """The derivative, a float."""
        return self.d

    # The usual case of each operator is csrc/pyslots.h's; these are what it falls back on.
    def __add__(l, r):
        return dual_binary(DA_OP_add, l, r, ufunc_add)

    def __sub__(l, r):
        return dual_binary(DA_OP_subtract, l, r, ufunc_subtract)

    def __mul__(l, r):
        return dual_binary(DA_OP_multiply, l, r, ufunc_multiply)

    def __truediv__(l, r):
        return dual_binary(DA_OP_divide, l, r, ufunc_divide)

    def __floordiv__(l, r):
        return dual_binary(DA_OP_floor_divide, l, r, ufunc_floor_divide)

    def __mod__(l, r):
        return dual_binary(DA_OP_remainder, l, r, ufunc_remainder)

    def __pow__(l, r, m):
        if m is not None:
            return NotImplemented
        return dual_binary(DA_OP_power, l, r, ufunc_power)

    def __neg__(self):
        if not alive(self.level):
            raise_leaked(self)
        return new_dual(-self.v, -self.d, self.level)

    def __pos__(self):
        if not alive(self.level):
            raise_leaked(self)
        return self

    def __abs__(self):
        if da_watch_kinks and (result := at_kink(DA_OP_absolute, self, None)) is not None:
            return result
        if not alive(self.level):
            raise_leaked(self)
        return new_dual(da_inline_absolute(self.v, 0.0), times(DA_OP_absolute, da_inline_absolute_px(self.v, 0.0, 0.0), self.d),
                        self.level)

    def __bool__(self):
        if not alive(self.level):
            raise_leaked(self)
        if da_watch_kinks:
            return bool(slow_compare(self, 0.0, Py_NE))
        return self.v != 0.0

    def __richcmp__(self, other, int op):
        cdef double y
        if not alive(self.level):
            raise_leaked(self)
        if da_watch_kinks:
            return slow_compare(self, other, op)
        if PyFloat_CheckExact(other):
            y = PyFloat_AS_DOUBLE(other)
        elif type(other) is Dual and (<Dual>other).level == self.level:
            y = (<Dual>other).v
        elif not as_constant(other, &y):
            return slow_compare(self, other, op)
        return compare(self.v, y, op)

    def __hash__(self):
        return (<intptr_t><void *>self) >> 4

    def __repr__(self):
        return f"Dual({self.v!r}, {self.d!r})"

    @property
    def shape(self):
        return ()

    @property
    def dtype(self):
        return FLOAT64


cdef object FLOAT64 = np.dtype(np.float64)


cdef double plain_double(object x, str what) except? -1.0:
    if PyFloat_Check(x):
        return PyFloat_AS_DOUBLE(x)
    if isinstance(x, Traced):
        raise TypeError(f"Dual {what} is a traced value; nest with dualad.jvp or dualad.derivative instead")
    if isinstance(x, (int, np.integer, np.floating)) and not isinstance(x, bool):
        return <double>float(x)
    raise TypeError(f"Dual {what} is a real number, not {type(x).__name__}")


cdef inline object compare(double x, double y, int op):
    if op == Py_LT:
        return x < y
    if op == Py_LE:
        return x <= y
    if op == Py_EQ:
        return x == y
    if op == Py_NE:
        return x != y
    if op == Py_GT:
        return x > y
    return x >= y


cdef inline object new_dual(double v, double d, uint64_t level):
    return da_new_dual(<PyTypeObject *>Dual, v, d, level)


# A number that stands for itself beside a traced scalar: float, int, bool and NumPy's real scalars.
cdef inline int as_constant(object o, double *y) except -1:
    if PyFloat_CheckExact(o):
        y[0] = PyFloat_AS_DOUBLE(o)
        return 1
    if PyLong_CheckExact(o):
        y[0] = PyLong_AsDouble(o)
        if y[0] == -1.0 and o != -1:
            raise OverflowError("int too large to convert to float")
        return 1
    if PyFloat_Check(o):
        y[0] = PyFloat_AS_DOUBLE(o)
        return 1
    if isinstance(o, (bool, np.integer, np.bool_, np.float32, np.float16)):
        y[0] = float(o)
        return 1
    return 0


# Value of a scalar operand, a Dual or a constant; False for anything else.
cdef inline int dual_operand(object o, double *x) except -1:
    if type(o) is Dual:
        x[0] = (<Dual>o).v
        return 1
    return as_constant(o, x)


cdef object dual_binary(int code, object l, object r, object ufunc):
    cdef double x = 0.0, y = 0.0
    if da_watch_kinks and (result := at_kink(code, l, r)) is not None:
        return result
    if dual_operand(l, &x) and dual_operand(r, &y):
        result = dual_binary_with_value(code, l, r, da_value(code, x, y))
        if result is not None:
            return result
    return slow_binary(ufunc, l, r)


# Partial times tangent; in a row that selects, a zero partial means "the other operand".
cdef inline double times(int code, double p, double d) noexcept:
    if p == 0.0 and CLASS_OF[code] >= DA_CLASS_SELECT:   # SELECT, STEP
        return 0.0
    return p * d


# The same for one of many lanes: -0.0 is the tangent of what does not depend on the lane's input (csrc/tape.h).
cdef inline double lane_times(int code, double p, double d) noexcept:
    if d == 0.0 and signbit(d) or p == 0.0 and CLASS_OF[code] >= DA_CLASS_SELECT:
        return -0.0
    return p * d + 0.0


cdef object dual_numpy_unary(int code, Dual t):
    cdef double v = numpy_value(code, t.v, 0.0), px, py
    da_partials(code, t.v, 0.0, v, &px, &py)
    return new_dual(v, times(code, px, t.d), t.level)


cdef object dual_numpy_binary(int code, object l, object r):
    cdef double x = 0.0, y = 0.0
    if not (dual_operand(l, &x) and dual_operand(r, &y)):
        return None
    return dual_binary_with_value(code, l, r, numpy_value(code, x, y))


# A binary row whose value is known; None when the operands are of two levels.
cdef object dual_binary_with_value(int code, object l, object r, double v):
    cdef double x = 0.0, y = 0.0, px, py, d = 0.0
    cdef uint64_t level = 0
    cdef bint dx = type(l) is Dual, dy = type(r) is Dual
    if dx and dy and (<Dual>l).level != (<Dual>r).level:
        return None
    if dx:
        x, level = (<Dual>l).v, (<Dual>l).level
    elif not as_constant(l, &x):
        return None
    if dy:
        y, level = (<Dual>r).v, (<Dual>r).level
    elif not as_constant(r, &y):
        return None
    if not alive(level):
        raise_leaked(l if dx else r)
    da_partials(code, x, y, v, &px, &py)
    if dx:
        d = times(code, px, (<Dual>l).d)
    if dy:
        d = d + times(code, py, (<Dual>r).d)
    return new_dual(v, d, level)


@cython.final
cdef class DualVec(Traced):
    """A float with k tangents carried at once (k <= 128): an element of a chunked forward sweep."""
    cdef double v
    cdef int k
    cdef double t[MAX_LANES]

    @property
    def primal(self):
        return self.v

    @property
    def tangent(self):
        """The k tangents, an ndarray of shape (k,)."""
        cdef cnp.npy_intp n = self.k
        out = cnp.PyArray_EMPTY(1, &n, cnp.NPY_DOUBLE, 0)
        memcpy(cnp.PyArray_DATA(out), self.t, self.k * sizeof(double))
        return out

    def __add__(l, r):
        return vec_binary(DA_OP_add, l, r, ufunc_add, False)

    def __sub__(l, r):
        return vec_binary(DA_OP_subtract, l, r, ufunc_subtract, False)

    def __mul__(l, r):
        return vec_binary(DA_OP_multiply, l, r, ufunc_multiply, False)

    def __truediv__(l, r):
        return vec_binary(DA_OP_divide, l, r, ufunc_divide, False)

    def __floordiv__(l, r):
        return vec_binary(DA_OP_floor_divide, l, r, ufunc_floor_divide, False)

    def __mod__(l, r):
        return vec_binary(DA_OP_remainder, l, r, ufunc_remainder, False)

    def __pow__(l, r, m):
        if m is not None:
            return NotImplemented
        return vec_binary(DA_OP_power, l, r, ufunc_power, False)

    def __neg__(self):
        return vec_unary(DA_OP_negative, self, False)

    def __pos__(self):
        if not alive(self.level):
            raise_leaked(self)
        return self

    def __abs__(self):
        if da_watch_kinks and (result := at_kink(DA_OP_absolute, self, None)) is not None:
            return result
        return vec_unary(DA_OP_absolute, self, False)

    def __bool__(self):
        if not alive(self.level):
            raise_leaked(self)
        if da_watch_kinks:
            return bool(slow_compare(self, 0.0, Py_NE))
        return self.v != 0.0

    def __richcmp__(self, other, int op):
        cdef double y
        if not alive(self.level):
            raise_leaked(self)
        if da_watch_kinks:
            return slow_compare(self, other, op)
        if as_constant(other, &y):
            return compare(self.v, y, op)
        if type(other) is DualVec and (<DualVec>other).level == self.level:
            return compare(self.v, (<DualVec>other).v, op)
        return slow_compare(self, other, op)

    def __hash__(self):
        return (<intptr_t><void *>self) >> 4

    @property
    def shape(self):
        return ()

    @property
    def dtype(self):
        return FLOAT64


cdef inline DualVec new_vec(double v, int k, uint64_t level):
    cdef DualVec t = <DualVec>da_pool_take(&da_pool_lanes, <PyTypeObject *>DualVec)
    t.v = v
    t.k = k
    t.level = level
    return t


def dual_vec(level_id, double v, tangents):
    """DualVec of that level from a value and a float64 array of k <= 128 tangents."""
    cdef const double[:] view = np.ascontiguousarray(tangents, np.float64)
    cdef DualVec t
    if view.shape[0] > MAX_LANES:
        raise ValueError(f"{view.shape[0]} tangents; a DualVec carries at most {MAX_LANES}")
    t = new_vec(v, <int>view.shape[0], level_id)
    for i in range(t.k):
        t.t[i] = view[i]
    return t


cdef object vec_unary(int code, DualVec x, bint by_numpy):
    cdef double v = numpy_value(code, x.v, 0.0) if by_numpy else da_value(code, x.v, 0.0), px, py
    cdef DualVec out
    if not alive(x.level):
        raise_leaked(x)
    da_partials(code, x.v, 0.0, v, &px, &py)
    out = new_vec(v, x.k, x.level)
    for i in range(x.k):
        out.t[i] = lane_times(code, px, x.t[i])
    return out


cdef object vec_binary(int code, object l, object r, object ufunc, bint by_numpy):
    cdef double x = 0.0, y = 0.0, v, px, py
    cdef bint dx = type(l) is DualVec, dy = type(r) is DualVec
    cdef DualVec a, b, out
    cdef int k = 0
    cdef uint64_t level = 0
    if ((dx or as_constant(l, &x)) and (dy or as_constant(r, &y))
            and not (dx and dy and (<DualVec>l).level != (<DualVec>r).level)):
        if dx:
            a = <DualVec>l
            x, k, level = a.v, a.k, a.level
        if dy:
            b = <DualVec>r
            y, k, level = b.v, b.k, b.level
        if not alive(level):
            raise_leaked(l if dx else r)
        v = numpy_value(code, x, y) if by_numpy else da_value(code, x, y)
        da_partials(code, x, y, v, &px, &py)
        out = new_vec(v, k, level)
        if dx and dy:
            for i in range(k):
                out.t[i] = lane_times(code, px, a.t[i]) + lane_times(code, py, b.t[i])
        elif dx:
            for i in range(k):
                out.t[i] = lane_times(code, px, a.t[i])
        else:
            for i in range(k):
                out.t[i] = lane_times(code, py, b.t[i])
        return out
    if ufunc is None:
        return NotImplemented
    return slow_binary(ufunc, l, r)
