# Views, picking elements, selection, and results of calls.

cdef bint is_basic(object key) noexcept:
    return (PyLong_CheckExact(key) or PySlice_Check(key) or key is None or key is Ellipsis
            or (isinstance(key, np.integer)))


cdef object array_getitem(VarArray a, object key):
    cdef da_tape *t = tape_of(a)
    cdef Py_ssize_t i, start, stop, step
    cdef size_t at
    cdef VarArray out
    if a.nd >= 1 and PyLong_CheckExact(key):
        i = PyLong_AsSsize_t(key)
        if i < 0:
            i += a.dims[0]
        if i < 0 or i >= a.dims[0]:
            raise IndexError(f"index {key} is out of bounds for axis 0 with size {a.dims[0]}")
        at = a.off + i * a.strides_[0]
        if a.nd == 1:
            return new_var(t.val[at], <uint32_t>at, a.level)
        out = new_array(a.level, at, a.nd - 1, a.n // a.dims[0])
        memcpy(out.dims, a.dims + 1, (a.nd - 1) * sizeof(int64_t))
        memcpy(out.strides_, a.strides_ + 1, (a.nd - 1) * sizeof(int64_t))
        out.contiguous = check_contiguous(out)
        return out
    if a.nd == 1 and PySlice_Check(key):
        PySlice_Unpack(key, &start, &stop, &step)
        i = PySlice_AdjustIndices(a.dims[0], &start, &stop, step)
        out = new_array(a.level, a.off + start * a.strides_[0] if i else a.off, 1, i)
        out.dims[0] = i
        out.strides_[0] = a.strides_[0] * step
        out.contiguous = i <= 1 or out.strides_[0] == 1
        return out
    if type(key) is tuple and len(key) == a.nd:
        at = a.off
        for i in range(a.nd):
            k = key[i]
            if not PyLong_CheckExact(k):
                break
            start = PyLong_AsSsize_t(k)
            if start < 0:
                start += a.dims[i]
            if start < 0 or start >= a.dims[i]:
                raise IndexError(f"index {k} is out of bounds for axis {i} with size {a.dims[i]}")
            at += start * a.strides_[i]
        else:
            return new_var(t.val[at], <uint32_t>at, a.level)
    keys = key if type(key) is tuple else (key,)
    for k in keys:
        if isinstance(k, Traced):
            raise cannot(k, "use as an index", "index with plain integers, slices or boolean arrays")
        if not is_basic(k):
            return gather(a.level, slots_of(a)[key])
    if Ellipsis not in keys:
        keys = keys + (Ellipsis,)
    return wrap_view(a, view_of(a, t.val, None)[keys])


def wrap_view(VarArray a not None, cnp.ndarray view not None):
    """The traced array that shows what `view` (an ndarray over the tape's values) shows; None if it shows something else."""
    cdef da_tape *t = tape_of(a)
    cdef char *p = cnp.PyArray_BYTES(view)
    cdef VarArray out
    cdef size_t at
    cdef int i
    if cnp.PyArray_TYPE(view) != cnp.NPY_DOUBLE or cnp.PyArray_NDIM(view) > MAX_DIMS:
        return None
    if cnp.PyArray_SIZE(view) == 0:
        at = a.off
    elif p < <char *>t.val or p >= <char *>(t.val + t.slots):
        return None
    else:
        at = (p - <char *>t.val) // 8
    if cnp.PyArray_NDIM(view) == 0:
        return new_var(t.val[at], <uint32_t>at, a.level)
    out = new_array(a.level, at, cnp.PyArray_NDIM(view), cnp.PyArray_SIZE(view))
    for i in range(out.nd):
        out.dims[i] = cnp.PyArray_DIM(view, i)
        out.strides_[i] = cnp.PyArray_STRIDE(view, i) // 8
    out.contiguous = check_contiguous(out)
    return out


def slots_of(x):
    """Slot numbers plus one of a traced scalar or array: an int64 array of its shape (0 is kept for "constant zero")."""
    cdef VarArray a
    if type(x) is Var:
        return np.array(<int64_t>(<Var>x).slot + 1)
    a = <VarArray?>x
    if a.contiguous:
        return np.arange(a.off + 1, a.off + 1 + a.n).reshape(a.shape)
    out = np.full((1,) * a.nd, <int64_t>a.off + 1)
    for i in range(a.nd):
        out = out + (np.arange(a.dims[i]) * a.strides_[i]).reshape((-1,) + (1,) * (a.nd - 1 - i))
    return out.reshape(a.shape)


def store(level_id, array):
    """Keep a constant array in slots of that level's tape; returns its slot numbers plus one."""
    cdef Level level = level_of(level_id, array)
    cdef cnp.ndarray flat = np.ascontiguousarray(array, np.float64)
    cdef uint32_t s = da_tape_input(level.tape, cnp.PyArray_SIZE(flat))
    if s == DA_FULL:
        raise_full()
    memcpy(level.tape.val + s, cnp.PyArray_DATA(flat), cnp.PyArray_SIZE(flat) * sizeof(double))
    return np.arange(s + 1, <int64_t>s + 1 + cnp.PyArray_SIZE(flat)).reshape(np.shape(array))


def gather(level_id, index):
    """The traced array of those slots: `index` holds slot numbers plus one, 0 for a constant zero."""
    cdef Level level = level_of(level_id, "a traced array")
    cdef cnp.ndarray flat = np.ascontiguousarray(index, np.int64)
    cdef Py_ssize_t n = cnp.PyArray_SIZE(flat), i
    cdef da_tape *t = level.tape
    cdef da_entry *e = da_tape_entry(t, DA_GATHER, n, 0)
    cdef int64_t *p = <int64_t *>cnp.PyArray_DATA(flat)
    if e == NULL:
        raise_full()
    for i in range(n):
        if p[i]:
            e.index[i] = <uint32_t>(p[i] - 1)
            t.val[e.out + i] = t.val[p[i] - 1]
        else:
            e.index[i] = DA_FULL
            t.val[e.out + i] = 0.0
    return result_array(level_id, t, e.out, np.shape(index))


cdef object result_array(uint64_t level, da_tape *t, size_t out, tuple shape):
    cdef VarArray a
    cdef Py_ssize_t n = 1
    cdef int i
    if not shape:
        return new_var(t.val[out], <uint32_t>out, level)
    if len(shape) > MAX_DIMS:
        raise ValueError(f"{len(shape)} dimensions; at most {MAX_DIMS}")
    a = new_array(level, out, len(shape), 0)
    for i in range(a.nd):
        a.dims[i] = shape[i]
        n *= a.dims[i]
    a.n = n
    make_contiguous(a)
    return a


def where(level_id, condition, x, y):
    """np.where on the tape of floats; None when an operand belongs elsewhere."""
    cdef Level level = level_of(level_id, x)
    cdef da_tape *t = level.tape
    cdef Operand a, b
    cdef da_entry *e
    cdef int i, nd
    cdef cnp.ndarray mask
    x, y = operand(x), operand(y)
    if not load(x, level_id, t, True, &a) or not load(y, level_id, t, True, &b):
        return None
    shape = np.broadcast_shapes(np.shape(condition), np.shape(x), np.shape(y))
    mask = np.ascontiguousarray(np.broadcast_to(np.asarray(condition, bool), shape))
    nd = len(shape)
    e = da_tape_entry(t, DA_WHERE, cnp.PyArray_SIZE(mask), nd)
    if e == NULL:
        raise_full()
    e.x_active, e.y_active, e.x, e.y = a.active, b.active, a.off, b.off
    for i in range(nd):
        e.shape[i] = shape[i]
        e.sx[i] = 0 if i < nd - a.nd or a.dims[i - nd + a.nd] == 1 else a.kept[i - nd + a.nd]
        e.sy[i] = 0 if i < nd - b.nd or b.dims[i - nd + b.nd] == 1 else b.kept[i - nd + b.nd]
    memcpy(e.mask, cnp.PyArray_DATA(mask), e.n)
    result = np.ascontiguousarray(np.where(mask, strided_view((t.val if a.active else t.pool) + e.x, nd, e.shape, e.sx),
                                           strided_view((t.val if b.active else t.pool) + e.y, nd, e.shape, e.sy)))
    memcpy(t.val + e.out, cnp.PyArray_DATA(result), e.n * sizeof(double))
    return result_array(level_id, t, e.out, shape)


def append_call(level_id, call, results):
    """Append a Python call whose results (float64 arrays or floats) take slots; returns the traced results in order."""
    cdef Level level = level_of(level_id, "a traced value")
    cdef da_tape *t = level.tape
    cdef size_t total = 0
    cdef uint32_t s
    cdef cnp.ndarray flat
    arrays = [np.ascontiguousarray(r, np.float64) for r in results]
    for flat in arrays:
        total += cnp.PyArray_SIZE(flat)
    s = da_tape_call(t, total)
    if s == DA_FULL:
        raise_full()
    level.calls.append(call)
    out = []
    for r, flat in zip(results, arrays):
        memcpy(t.val + s, cnp.PyArray_DATA(flat), cnp.PyArray_SIZE(flat) * sizeof(double))
        out.append(result_array(level_id, t, s, np.shape(r)))
        s += <uint32_t>cnp.PyArray_SIZE(flat)
    return out


# May two elements of x share memory?  (Each element of an input is an input of its own.)
cdef bint overlaps(object x) except -1:
    axes = sorted((abs(s), n) for s, n in zip(x.strides, x.shape) if n > 1)
    reach = 0
    for s, n in axes:
        if s < reach + 8:
            return True
        reach += s * (n - 1)
    return False


# Give `a` slots with the strides of x, where x is no single run but not too spread out: NumPy's loops round by layout.
cdef bint keep_layout(da_tape *t, object x, VarArray a) except -1:
    cdef int i
    cdef int64_t step, low = 0, high = 0
    cdef uint32_t s
    if cnp.PyArray_IS_C_CONTIGUOUS(x) or cnp.PyArray_IS_F_CONTIGUOUS(x) or a.n == 0:
        return False
    for i in range(a.nd):
        step = cnp.PyArray_STRIDE(x, i)
        if step % 8 or (step == 0 and cnp.PyArray_DIM(x, i) > 1):
            return False
        step = step // 8 * (cnp.PyArray_DIM(x, i) - 1)
        if step < 0:
            low += step
        else:
            high += step
    if high - low + 1 > 4 * a.n or overlaps(x):
        return False
    s = da_tape_input(t, high - low + 1)
    if s == DA_FULL:
        raise_full()
    a.off = s - low
    for i in range(a.nd):
        a.dims[i] = cnp.PyArray_DIM(x, i)
        a.strides_[i] = cnp.PyArray_STRIDE(x, i) // 8
    view_of(a, t.val, None)[...] = x
    return True


def new_input(Level level not None, x):
    """A traced float or array for an input of a plain reverse level."""
    cdef da_tape *t = level.tape
    cdef uint32_t s
    cdef VarArray a
    cdef int i
    if PyFloat_Check(x):
        s = da_tape_input(t, 1)
        if s == DA_FULL:
            raise_full()
        t.val[s] = PyFloat_AS_DOUBLE(x)
        return new_var(t.val[s], s, level.id)
    if cnp.PyArray_NDIM(x) > MAX_DIMS:
        raise ValueError(f"{cnp.PyArray_NDIM(x)} dimensions; at most {MAX_DIMS}")
    if not cnp.PyArray_ISBEHAVED_RO(x):
        x = np.array(x, dtype=np.float64, order="K")
    # a 0-d array stays an array until an operation makes it a scalar
    a = new_array(level.id, 0, cnp.PyArray_NDIM(x), cnp.PyArray_SIZE(x))
    if not keep_layout(t, x, a):
        s = da_tape_input(t, a.n)
        if s == DA_FULL:
            raise_full()
        a.off = s
        copy_array(x, t.val + s, a.strides_)
    for i in range(a.nd):
        a.dims[i] = cnp.PyArray_DIM(x, i)
    a.contiguous = check_contiguous(a)
    return a


def output_values(Level level not None, VarArray a not None):
    """The values of an output of a closed level: a copy."""
    return np.array(view_of(a, level.tape.val, None), order="C") if a.nd else np.array(level.tape.val[a.off])

