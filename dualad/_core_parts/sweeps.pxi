# Sweep: one walk over a level's tape, with its adjoint (or tangent) buffer.  Runs of C, stopped by calls.

cdef class Sweep:
    """Adjoints (or tangents) of everything on a level's tape.

    Parameters
    ----------
    level : Level
        A reverse level; closed or open.
    lanes : int
        Cotangents swept at once; 0 for one of the values' own shape, else arrays here have a leading axis of that length.
    """
    cdef Level level
    cdef double *buf
    cdef size_t k
    cdef bint laned, own
    cdef da_cursor cursor

    def __cinit__(self, Level level not None, int lanes=0):
        cdef size_t bytes
        if level.tape == NULL:
            raise ValueError("a forward level has no tape")
        self.level = level
        self.k = lanes if lanes else 1
        self.laned = lanes > 0
        self.own = self.k > 1 or level.sweeping
        if self.own:
            bytes = level.tape.slots * self.k * sizeof(double)
            self.buf = <double *>malloc(bytes if bytes else 1)
            if self.buf == NULL:
                raise MemoryError(f"{bytes} bytes for the adjoints of {level.tape.slots} slots in {self.k} lanes")
        else:
            level.sweeping = True
            self.buf = level.tape.adj
        self.start_reverse()

    def __dealloc__(self):
        if self.own:
            free(self.buf)
        elif self.level is not None:
            self.level.sweeping = False

    def start_reverse(self):
        """Clear the adjoints and stand behind the last entry."""
        da_sweep_clear(self.buf, self.level.tape.slots * self.k)
        self.cursor = da_cursor_end(self.level.tape)

    def start_forward(self):
        """Clear the tangents and stand before the first entry."""
        da_sweep_clear(self.buf, self.level.tape.slots * self.k)
        self.cursor = da_cursor_begin()

    def reverse(self):
        """Sweep back to the next call (returns it) or to the beginning (returns None)."""
        cdef int64_t i
        with nogil:
            i = da_sweep_reverse(self.level.tape, self.buf, self.k, &self.cursor)
        if i == -2:
            raise MemoryError("temporary of a matrix product")
        return self.level.calls[i] if i >= 0 else None

    def forward(self):
        """Sweep on past the next call (returns it) or to the end (returns None)."""
        cdef int64_t i
        with nogil:
            i = da_sweep_forward(self.level.tape, self.buf, self.k, &self.cursor)
        if i == -2:
            raise MemoryError("temporary of a matrix product")
        return self.level.calls[i] if i >= 0 else None

    def at(self, x):
        """The ndarray that shows the adjoint of a Var or VarArray in this sweep; lanes are the first axis."""
        cdef cnp.npy_intp shape[MAX_DIMS + 1]
        cdef cnp.npy_intp strides[MAX_DIMS + 1]
        cdef int nd = 0, lead = 1 if self.laned else 0
        cdef size_t off
        cdef VarArray a
        cdef int i
        if type(x) is Var:
            off = (<Var>x).slot
        else:
            a = <VarArray?>x
            off = a.off
            nd = a.nd
            for i in range(nd):
                shape[lead + i] = a.dims[i]
                strides[lead + i] = a.strides_[i] * 8 * self.k
        if lead:
            shape[0] = self.k
            strides[0] = 8
        out = cnp.PyArray_New(np.ndarray, nd + lead, shape, cnp.NPY_DOUBLE, strides, self.buf + off * self.k, 8,
                              cnp.NPY_ARRAY_WRITEABLE | cnp.NPY_ARRAY_ALIGNED, None)
        cnp.set_array_base(out, self)
        cnp.PyArray_UpdateFlags(out, cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_F_CONTIGUOUS)
        return out


def histogram(Level level not None):
    """How often each elementary operation was recorded: {name: count}, an array entry counting its elements.

    "move" counts elements copied or picked, "call" Python primitives.
    """
    cdef size_t count[512]
    if level.tape == NULL:
        return {}
    da_tape_histogram(level.tape, count)
    out = {}
    for row in range(da_row_count):
        code = da_rows[row].code
        total = count[code]
        if da_rows[row].arity == 2:
            total += count[code + 1] + count[code + 2]
        if total:
            out[da_rows[row].name.decode()] = total
    if count[DA_OP_ARRAY]:
        out["move"] = count[DA_OP_ARRAY]
    if count[DA_OP_CALL]:
        out["call"] = count[DA_OP_CALL]
    return out


def nodes_of(Level level not None):
    """The recording as three arrays: opcode, first and second operand of each entry (see csrc/tape.h)."""
    cdef da_tape *t = level.tape
    cdef Py_ssize_t n = t.nodes if t != NULL else 0
    out = np.empty((n, 3), np.int64)
    cdef int64_t[:, :] o = out
    cdef Py_ssize_t i
    for i in range(n):
        o[i, 0], o[i, 1], o[i, 2] = t.op[i], t.a[i], t.b[i]
    return out


# ---- transformations of one float: the whole way in one call -------------------------------------------------------------

def value_and_grad_float(f, double x):
    """(f(x), f'(x)) by one recording and one sweep; None when f does not return a float of this level."""
    cdef Level level = Level.__new__(Level)
    cdef uint32_t s
    cdef da_cursor cursor
    cdef int64_t stop
    cdef da_tape *t
    open_level(level, True, 0, True)
    try:
        t = level.tape
        s = da_tape_input(t, 1)
        t.val[s] = x
        out = f(new_var(x, s, level.id))
        if type(out) is not Var or (<Var>out).level != level.id or level.calls:
            return None
    except _NeedsGenericTape:
        return None
    finally:
        close_level(level)
    da_sweep_clear(t.adj, t.slots)
    t.adj[(<Var>out).slot] = 1.0
    cursor = da_cursor_end(t)
    stop = da_sweep_reverse(t, t.adj, 1, &cursor)
    if stop != -1:
        return None
    return (<Var>out).v, t.adj[s] + 0.0


def value_and_grad_array(f, x):
    """(f(x), gradient) of a float64 array by one recording and one sweep; None when that is not enough."""
    cdef Level level
    cdef da_cursor cursor
    cdef da_tape *t
    cdef VarArray a
    if cnp.PyArray_TYPE(x) != cnp.NPY_DOUBLE:
        return None
    level = Level.__new__(Level)
    open_level(level, True, 0, True)
    try:
        t = level.tape
        a = new_input(level, x)
        out = f(a)
        if type(out) is not Var or (<Var>out).level != level.id or level.calls:
            return None
    except _NeedsGenericTape:
        return None
    finally:
        close_level(level)
    da_sweep_clear(t.adj, t.slots)
    t.adj[(<Var>out).slot] = 1.0
    cursor = da_cursor_end(t)
    if da_sweep_reverse(t, t.adj, 1, &cursor) != -1:
        return None
    cdef cnp.npy_intp dims[MAX_DIMS]
    cdef Py_ssize_t i
    for i in range(a.nd):
        dims[i] = a.dims[i]
    grad = cnp.PyArray_EMPTY(a.nd, dims, cnp.NPY_DOUBLE, 0)
    cdef double *to = <double *>cnp.PyArray_DATA(grad)
    for i in range(a.n):
        to[i] = t.adj[a.off + i] + 0.0   # untouched (-0.0) becomes 0.0
    return (<Var>out).v, grad


def value_and_grad_floats(f, xs):
    """(f(xs), gradient list) of a list or tuple of floats; None when xs holds anything else, or that is not enough."""
    cdef Level level
    cdef da_cursor cursor
    cdef da_tape *t
    cdef Py_ssize_t i, n = len(xs)
    cdef uint32_t s
    for x in xs:
        if not PyFloat_CheckExact(x):
            return None
    level = Level.__new__(Level)
    open_level(level, True, 0, True)
    try:
        t = level.tape
        s = da_tape_input(t, n)
        if s == DA_FULL:
            raise_full()
        traced = []
        for i in range(n):
            t.val[s + i] = PyFloat_AS_DOUBLE(xs[i])
            traced.append(new_var(t.val[s + i], s + <uint32_t>i, level.id))
        out = f(traced if type(xs) is list else tuple(traced))
        if type(out) is not Var or (<Var>out).level != level.id or level.calls:
            return None
    except _NeedsGenericTape:
        return None
    finally:
        close_level(level)
    da_sweep_clear(t.adj, t.slots)
    t.adj[(<Var>out).slot] = 1.0
    cursor = da_cursor_end(t)
    if da_sweep_reverse(t, t.adj, 1, &cursor) != -1:
        return None
    grads = [t.adj[s + i] + 0.0 for i in range(n)]
    return (<Var>out).v, grads if type(xs) is list else tuple(grads)


def jvp_float(f, double x, double dx):
    """(f(x), f'(x) dx) by one dual number; None when f does not return a float of this level."""
    cdef Level level = Level.__new__(Level)
    open_level(level, False, 0, True)
    try:
        out = f(new_dual(x, dx, level.id))
    finally:
        close_level(level)
    if type(out) is Dual and (<Dual>out).level == level.id:
        return (<Dual>out).v, (<Dual>out).d
    if PyFloat_CheckExact(out):
        return out, 0.0
    return None


def make_dual(level_id, double v, double d):
    """Dual of that level."""
    return new_dual(v, d, level_id)
