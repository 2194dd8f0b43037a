# Operations that are recorded on the tape of floats in C: elementwise rows, sums, matrix products.
#
# Values are computed by NumPy's own inner loops (or NumPy itself when an operand is not contiguous), so they are NumPy's
# bit for bit.

# ---- operands ------------------------------------------------------------------------------------------------------------

cdef struct Operand:
    double *ptr           # first element
    size_t off            # when stored: its slot, or its place in the pool (a constant)
    bint stored, active, contiguous
    int nd
    Py_ssize_t n
    int64_t dims[MAX_DIMS]
    int64_t strides_[MAX_DIMS]
    int64_t kept[MAX_DIMS]     # strides of what is stored: a constant is copied in C or Fortran order
    double scalar


# What can stand beside a traced array: itself, or a float64 array with the values of an array or list of real numbers.
cdef inline object operand(object o):
    cdef char kind
    if type(o) is VarArray or type(o) is Var or PyFloat_CheckExact(o):
        return o
    if isinstance(o, (list, tuple)):
        o = np.asarray(o)
    if not isinstance(o, np.ndarray):
        return o
    if cnp.PyArray_TYPE(o) == cnp.NPY_DOUBLE and type(o) is np.ndarray and cnp.PyArray_ISBEHAVED_RO(o):
        for i in range(cnp.PyArray_NDIM(o)):
            if cnp.PyArray_STRIDE(o, i) % 8:
                return np.array(o, order="C")
        return o
    kind = (<cnp.dtype>cnp.PyArray_DESCR(<cnp.ndarray>o)).kind
    if (kind == b'f' or kind == b'i' or kind == b'u' or kind == b'b') and cnp.PyArray_ITEMSIZE(o) <= 8:
        if type(o) is np.ndarray or not isinstance(o, (np.ma.MaskedArray, np.matrix)):
            return np.array(o, dtype=np.float64, order="C", subok=False)
    return o


# An array of float32 or float16: beside a traced float, which stands for a Python float, its dtype is the result's.
cdef inline bint is_narrow(object o):
    return isinstance(o, np.ndarray) and (<cnp.dtype>cnp.PyArray_DESCR(<cnp.ndarray>o)).kind == b'f' and cnp.PyArray_ITEMSIZE(o) < 8


# Fill `p` from what stands in an operation; 0 when this is no business of the tape of floats.
cdef int load(object o, uint64_t level, da_tape *t, bint keep, Operand *p) except -1:
    cdef VarArray a
    cdef uint32_t s
    p.active = p.stored = False
    if type(o) is VarArray:
        a = <VarArray>o
        if a.level != level:
            return 0
        p.ptr = t.val + a.off
        p.off = a.off
        p.stored = p.active = True
        p.nd = a.nd
        p.n = a.n
        p.contiguous = a.contiguous
        memcpy(p.dims, a.dims, a.nd * sizeof(int64_t))
        memcpy(p.strides_, a.strides_, a.nd * sizeof(int64_t))
        memcpy(p.kept, a.strides_, a.nd * sizeof(int64_t))
        return 1
    p.nd = 0
    p.n = 1
    p.contiguous = True
    if type(o) is Var:
        if (<Var>o).level != level:
            return 0
        p.off = (<Var>o).slot
        p.ptr = t.val + p.off
        p.stored = p.active = True
        return 1
    if as_constant(o, &p.scalar):
        p.ptr = &p.scalar
        if keep:
            p.off = constant(t, p.scalar)
            p.stored = True
        return 1
    if type(o) is not np.ndarray or cnp.PyArray_TYPE(o) != cnp.NPY_DOUBLE or cnp.PyArray_NDIM(o) > MAX_DIMS:
        return 0
    cdef cnp.ndarray arr = o
    p.nd = cnp.PyArray_NDIM(arr)
    p.n = cnp.PyArray_SIZE(arr)
    p.ptr = <double *>cnp.PyArray_DATA(arr)
    for i in range(p.nd):
        p.dims[i] = cnp.PyArray_DIM(arr, i)
        p.strides_[i] = cnp.PyArray_STRIDE(arr, i) // 8
    p.contiguous = cnp.PyArray_IS_C_CONTIGUOUS(arr)
    if keep:
        # A constant is copied, so that a later write into the caller's array cannot change a recorded value; this
        # operation's own result comes from the original (products round by memory layout).
        s = da_tape_store(t, p.n)
        if s == DA_FULL:
            raise_full()
        copy_array(arr, t.pool + s, p.kept)
        p.off = s
        p.stored = True
    return 1


# Copy an array as one run in its own order of axes; its strides there go to `kept`.
cdef int copy_array(cnp.ndarray arr, double *to, int64_t *kept) except -1:
    cdef int64_t step = 1
    cdef int i, nd = cnp.PyArray_NDIM(arr)
    if not cnp.PyArray_IS_C_CONTIGUOUS(arr) and not cnp.PyArray_IS_F_CONTIGUOUS(arr):
        arr = np.array(arr, order="K")
    memcpy(to, cnp.PyArray_DATA(arr), cnp.PyArray_SIZE(arr) * sizeof(double))
    if cnp.PyArray_IS_C_CONTIGUOUS(arr):
        for i in range(nd - 1, -1, -1):   # NumPy may report anything for the stride of an axis of length 1
            kept[i] = step
            step *= cnp.PyArray_DIM(arr, i)
    else:
        for i in range(nd):
            kept[i] = cnp.PyArray_STRIDE(arr, i) // 8
    return 0


# The level and tape an operation on l and r records on; 0 when neither is on a tape of floats.
cdef uint64_t level_for(object l, object r) except? 0:
    cdef uint64_t level = 0
    if type(l) is VarArray or type(l) is Var:
        level = (<Traced>l).level
    if (type(r) is VarArray or type(r) is Var) and (<Traced>r).level > level:
        level = (<Traced>r).level
    if level and not alive(level):
        raise_leaked(l if isinstance(l, Traced) and (<Traced>l).level == level else r)
    return level


cdef object array_operator(int code, object l, object r, object ufunc):
    result = array_elementwise(code, l, r)
    return slow_binary(ufunc, l, r) if result is None else result


# x ** y as NumPy's operator does it: a scalar exponent of an array takes the shorter ufunc.
cdef object power_operator(object l, object r):
    cdef double y
    cdef int code
    if (PyLong_CheckExact(r) or PyFloat_CheckExact(r) or type(r) in POWER_SCALARS) and isinstance(l, Traced) and l.ndim \
            and as_constant(r, &y):
        code = (DA_OP_square if y == 2.0 else DA_OP_sqrt if y == 0.5 else DA_OP_reciprocal if y == -1.0
                else DA_OP_positive if y == 1.0 else 0)
        if code:
            return array_elementwise(code, l, None) if type(l) is VarArray else hook_ufunc(UFUNC_OF[code], "__call__", (l,), {})
    return array_operator(DA_OP_power, l, r, ufunc_power)


cdef tuple POWER_SCALARS = (np.float64, np.int64)


# ---- elementwise -----------------------------------------------------------------------------------------------------------

cdef object array_elementwise(int code, object l, object r):
    """Record row `code` on l (and r); None when an operand belongs elsewhere (other level, complex, object ...)."""
    cdef uint64_t level = level_for(l, r)
    cdef bint binary = BINARY_ROW[code]
    cdef da_tape *t
    cdef Operand x, y
    cdef int64_t shape[MAX_DIMS]
    cdef int nd, i
    cdef Py_ssize_t n
    cdef da_entry *e
    if level == 0 or (type(l) is Var and is_narrow(r)) or (type(r) is Var and is_narrow(l)):
        return None
    if da_watch_kinks and (result := at_kink(code, l, r)) is not None:
        return result
    t = LEVELS[level & MASK].tape
    l = operand(l)
    if not load(l, level, t, binary and USES_X[code], &x):
        return None
    if binary:
        r = operand(r)
        if not load(r, level, t, USES_Y[code], &y):
            return None
    # Result shape: NumPy's broadcasting.
    if not binary or y.nd == 0:
        nd, n = x.nd, x.n
        memcpy(shape, x.dims, nd * sizeof(int64_t))
    elif x.nd == 0:
        nd, n = y.nd, y.n
        memcpy(shape, y.dims, nd * sizeof(int64_t))
    else:
        nd, n = x.nd if x.nd > y.nd else y.nd, 1
        for i in range(nd):
            dx = x.dims[i - nd + x.nd] if i >= nd - x.nd else 1
            dy = y.dims[i - nd + y.nd] if i >= nd - y.nd else 1
            if dx != dy and dx != 1 and dy != 1:
                raise ValueError(f"operands could not be broadcast together with shapes {np.shape(l)} {np.shape(r)}")
            shape[i] = dx if dy == 1 else dy
            n *= shape[i]
    # Operands in Fortran order give a result in Fortran order, as NumPy's do (a later sum rounds by memory order).
    cdef bint fortran = nd > 1 and (is_fortran(x.nd, x.n, x.contiguous, x.dims, x.strides_) and x.n == n or x.nd == 0)
    if fortran and binary:
        fortran = is_fortran(y.nd, y.n, y.contiguous, y.dims, y.strides_) and y.n == n or y.nd == 0
    cdef bint flat = fortran or x.contiguous and (x.n == n or x.n == 1) and (not binary or (y.contiguous and (y.n == n or y.n == 1)))
    e = da_tape_entry(t, DA_MAP2 if binary else DA_MAP1, n, 1 if flat else nd)
    if e == NULL:
        raise_full()
    e.code_lo = code
    e.x_active = x.active
    e.x = x.off if x.stored else 0
    if binary:
        e.y_active = y.active
        e.y = y.off if y.stored else 0
    cdef int64_t ptr_sx[MAX_DIMS]   # strides of the computation; e.sx and e.sy are those of what is stored
    cdef int64_t ptr_sy[MAX_DIMS]
    if flat:
        e.shape[0] = n
        ptr_sx[0] = 0 if x.n == 1 and n != 1 else 1
        ptr_sy[0] = 0 if binary and y.n == 1 and n != 1 else 1
    else:
        for i in range(nd):
            e.shape[i] = shape[i]
            ptr_sx[i] = 0 if i < nd - x.nd or x.dims[i - nd + x.nd] == 1 else x.strides_[i - nd + x.nd]
            if binary:
                ptr_sy[i] = 0 if i < nd - y.nd or y.dims[i - nd + y.nd] == 1 else y.strides_[i - nd + y.nd]
    for i in range(e.nd):
        e.sx[i] = stored_stride(&x, i, nd, ptr_sx[i], flat) if x.stored else 0
        e.sy[i] = stored_stride(&y, i, nd, ptr_sy[i], flat) if binary and y.stored else 0
    if flat or CLASS_OF[code] != DA_CLASS_NONLINEAR:
        run_loop(code, e, x.ptr, ptr_sx, y.ptr if binary else NULL, ptr_sy, t.val + e.out)
    else:
        compute_by_numpy(code, e, nd, shape, x.ptr, ptr_sx, y.ptr if binary else NULL, ptr_sy, t.val + e.out)
    if nd == 0:
        return new_var(t.val[e.out], <uint32_t>e.out, level)
    cdef VarArray out = new_array(level, e.out, nd, n)
    memcpy(out.dims, shape, nd * sizeof(int64_t))
    make_contiguous(out)
    if fortran:
        n = 1
        for i in range(nd):
            out.strides_[i] = n
            n *= shape[i]
        out.contiguous = check_contiguous(out)
    return out


cdef inline int64_t stored_stride(Operand *p, int axis, int nd, int64_t computed, bint flat) noexcept:
    return computed if flat or computed == 0 else p.kept[axis - nd + p.nd]


# NumPy's inner loop over the rows of an entry; strides count doubles.
cdef void run_loop(int code, da_entry *e, double *x, int64_t *sx, double *y, int64_t *sy, double *out) noexcept:
    cdef bint binary = y != NULL
    cdef int last = e.nd - 1, d
    cdef Py_ssize_t length = e.shape[last] if e.nd else 1
    cdef Py_ssize_t steps[3]
    cdef char *args[3]
    cdef int64_t at[MAX_DIMS]
    if e.n == 0:
        return
    steps[0] = sx[last] * 8 if e.nd else 0
    steps[1] = (sy[last] * 8 if e.nd else 0) if binary else 8
    steps[2] = 8
    for d in range(last):
        at[d] = 0
    while True:
        args[0] = <char *>x
        args[1] = <char *>(y if binary else out)
        args[2] = <char *>out
        LOOPS[code].fn(args, &length, steps, LOOPS[code].data)
        out += length
        d = last - 1
        while d >= 0:
            x += sx[d]
            if binary:
                y += sy[d]
            at[d] += 1
            if at[d] < e.shape[d]:
                break
            x -= at[d] * sx[d]
            if binary:
                y -= at[d] * sy[d]
            at[d] = 0
            d -= 1
        if d < 0:
            return


cdef object strided_view(double *p, int nd, int64_t *shape, int64_t *strides):
    cdef cnp.npy_intp dims[MAX_DIMS]
    cdef cnp.npy_intp steps[MAX_DIMS]
    for i in range(nd):
        dims[i] = shape[i]
        steps[i] = strides[i] * 8
    out = cnp.PyArray_New(np.ndarray, nd, dims, cnp.NPY_DOUBLE, steps, p, 8,
                          cnp.NPY_ARRAY_WRITEABLE | cnp.NPY_ARRAY_ALIGNED, None)
    cnp.PyArray_UpdateFlags(out, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_F_CONTIGUOUS)
    return out


# NumPy itself walks operands that are not contiguous: its loops may round differently by stride.
cdef int compute_by_numpy(int code, da_entry *e, int nd, int64_t *shape, double *x, int64_t *sx, double *y, int64_t *sy,
                          double *out) except -1:
    cdef object ufunc = UFUNC_OF[code]
    a = strided_view(x, nd, shape, sx)
    with np.errstate(all="ignore"):
        result = ufunc(a) if y == NULL else ufunc(a, strided_view(y, nd, shape, sy))
    result = np.ascontiguousarray(result)
    memcpy(out, cnp.PyArray_DATA(result), e.n * sizeof(double))
    return 0


# ---- sums and products -----------------------------------------------------------------------------------------------------

cdef object array_sum_all(VarArray a):
    cdef da_tape *t = tape_of(a)
    cdef da_entry *e
    cdef double total = 0.0
    cdef char *args[3]
    cdef Py_ssize_t steps[3], length = a.n
    cdef bint run = a.contiguous or is_fortran(a.nd, a.n, a.contiguous, a.dims, a.strides_)
    cdef int i, nd = 1 if run else a.nd
    e = da_tape_entry(t, DA_MOVE, 1, nd)
    if e == NULL:
        raise_full()
    e.x = a.off
    e.x_active = True
    for i in range(nd):
        e.shape[i] = a.n if run else a.dims[i]
        e.sx[i] = 1 if run else a.strides_[i]
        e.sy[i] = 0
    if run:
        # The add loop with a still output is NumPy's pairwise sum.
        if a.n:
            total = -0.0
            args[0] = <char *>&total
            args[1] = <char *>(t.val + a.off)
            args[2] = <char *>&total
            steps[0] = 0
            steps[1] = 8
            steps[2] = 0
            LOOPS[DA_OP_add].fn(args, &length, steps, LOOPS[DA_OP_add].data)
    else:
        total = np.add.reduce(view_of(a, t.val, None), axis=None)
    t.val[e.out] = total
    return new_var(total, <uint32_t>e.out, a.level)


def sum_axes(VarArray a not None, result, tuple axes):
    """Record the sum of `a` over `axes` (non-negative), whose value NumPy computed as `result` (keepdims removed)."""
    cdef da_tape *t = tape_of(a)
    cdef cnp.ndarray res = np.ascontiguousarray(result, np.float64)
    cdef da_entry *e = da_tape_entry(t, DA_MOVE, cnp.PyArray_SIZE(res), a.nd)
    cdef int64_t s = 1
    cdef int i, kept = 0
    cdef VarArray out
    if e == NULL:
        raise_full()
    e.x = a.off
    e.x_active = True
    for i in range(a.nd - 1, -1, -1):
        e.shape[i] = a.dims[i]
        e.sx[i] = a.strides_[i]
        if i in axes:
            e.sy[i] = 0
        else:
            e.sy[i] = s
            s *= a.dims[i]
            kept += 1
    memcpy(t.val + e.out, cnp.PyArray_DATA(res), e.n * sizeof(double))
    if kept == 0:
        return new_var(t.val[e.out], <uint32_t>e.out, a.level)
    out = new_array(a.level, e.out, kept, e.n)
    kept = 0
    for i in range(a.nd):
        if i not in axes:
            out.dims[kept] = a.dims[i]
            kept += 1
    make_contiguous(out)
    return out


cdef struct Loop:
    loop_fn fn
    void *data


cdef Loop MATMUL


cdef object array_matmul(object l, object r):
    """x @ y of one- and two-dimensional operands; None for the rest (batches, other levels)."""
    cdef uint64_t level = level_for(l, r)
    cdef Operand x, y
    cdef da_tape *t
    cdef da_entry *e
    cdef int64_t m, k, n, x0, x1, y0, y1
    if level == 0 or type(l) is Var or type(r) is Var:
        return None
    t = LEVELS[level & MASK].tape
    l, r = operand(l), operand(r)
    if not load(l, level, t, type(r) is VarArray, &x) or x.nd < 1 or x.nd > 2:
        return None
    if not load(r, level, t, type(l) is VarArray, &y) or y.nd < 1 or y.nd > 2:
        return None
    m = x.dims[0] if x.nd == 2 else 1
    k = x.dims[x.nd - 1]
    n = y.dims[1] if y.nd == 2 else 1
    if y.dims[0] != k:
        raise ValueError(f"matmul: shapes {np.shape(l)} and {np.shape(r)} do not agree: inner sizes {k} and {y.dims[0]}")
    x0, x1 = x.strides_[0] if x.nd == 2 else k, x.strides_[x.nd - 1]
    y0, y1 = y.strides_[0], y.strides_[1] if y.nd == 2 else 1
    e = da_tape_entry(t, DA_MATMUL, m * n, 3)
    if e == NULL:
        raise_full()
    e.x_active, e.y_active = x.active, y.active
    e.x = x.off if x.stored else 0
    e.y = y.off if y.stored else 0
    e.shape[0], e.shape[1], e.shape[2] = m, k, n
    e.sx[0], e.sx[1], e.sx[2] = x.kept[0] if x.nd == 2 else k, x.kept[x.nd - 1], 0
    e.sy[0], e.sy[1], e.sy[2] = y.kept[0], y.kept[1] if y.nd == 2 else 1, 0
    cdef char *args[3]
    cdef Py_ssize_t dims[4]
    cdef Py_ssize_t steps[9]
    args[0], args[1], args[2] = <char *>x.ptr, <char *>y.ptr, <char *>(t.val + e.out)
    dims[0], dims[1], dims[2], dims[3] = 1, m, k, n
    steps[0] = steps[1] = steps[2] = 0
    steps[3], steps[4] = x0 * 8, x1 * 8
    steps[5], steps[6] = y0 * 8, y1 * 8
    steps[7], steps[8] = n * 8, 8
    if m * n:
        MATMUL.fn(args, dims, steps, MATMUL.data)
    if x.nd == 1 and y.nd == 1:
        return new_var(t.val[e.out], <uint32_t>e.out, level)
    cdef VarArray out = new_array(level, e.out, x.nd + y.nd - 2, m * n)
    if x.nd == 2:
        out.dims[0] = m
    if y.nd == 2:
        out.dims[out.nd - 1] = n
    make_contiguous(out)
    return out
