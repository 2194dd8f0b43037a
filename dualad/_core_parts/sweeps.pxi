# Sweep: one walk over a level's tape, with its adjoint (or tangent) buffer.  Runs of C, stopped by calls.

cdef class Sweep:
    """Adjoints (or tangents) of everything on a level's tape.

    Parameters
    ----------
    level : Level
        A reverse level; closed or open.
    lanes : int
        Cotangents swept at once; 0 for one of the values' own shape, else arrays here have a leading axis of that length.

    Call start_reverse or start_forward before anything else.
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
            da_tape_soil(level.tape)

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
        """Clear the inputs' tangents and stand before the first entry (a sweep writes all others before it reads them)."""
        da_sweep_clear_inputs(self.level.tape, self.buf, self.k)
        self.cursor = da_cursor_begin()

    def reverse(self):
        """Sweep back to the next call (returns it) or to the beginning (returns None)."""
        cdef int64_t i
        with nogil:
            i = da_sweep_reverse(self.level.tape, self.buf, self.k, &self.cursor)
        if i == DA_SWEEP_MEMORY:
            raise MemoryError("temporary of a matrix product")
        return self.level.calls[i] if i >= 0 else None

    def forward(self):
        """Sweep on past the next call (returns it) or to the end (returns None)."""
        cdef int64_t i
        with nogil:
            i = da_sweep_forward(self.level.tape, self.buf, self.k, &self.cursor)
        if i == DA_SWEEP_MEMORY:
            raise MemoryError("temporary of a matrix product")
        return self.level.calls[i] if i >= 0 else None

    def add(self, x, g):
        """Add g (an array or number of x's shape, with the lanes) to the adjoint of x; x may overlap itself."""
        cdef VarArray a
        cdef Py_ssize_t i, n = 1, inner
        cdef size_t lane
        cdef int64_t at[MAX_DIMS]
        cdef double *to
        cdef const double *src
        cdef cnp.ndarray flat
        cdef int d
        shape = ((self.k,) if self.laned else ()) + tuple(x.shape)
        flat = np.asarray(g, np.float64)
        if (<object>flat).shape != shape:
            flat = np.broadcast_to(flat, shape)
        flat = np.ascontiguousarray(flat)
        src = <const double *>cnp.PyArray_DATA(flat)
        if type(x) is Var:
            for lane in range(self.k):
                self.buf[(<Var>x).slot * self.k + lane] += src[lane]
            return
        a = <VarArray?>x
        if a.n == 0:
            return
        inner = a.dims[a.nd - 1] if a.nd else 1
        step = a.strides_[a.nd - 1] if a.nd else 0
        cdef int64_t stride = step * <int64_t>self.k
        for lane in range(self.k):
            to = self.buf + a.off * self.k + lane
            for d in range(a.nd):
                at[d] = 0
            while True:
                for i in range(inner):
                    to[i * stride] += src[i]
                src += inner
                d = a.nd - 2
                while d >= 0:
                    at[d] += 1
                    to += a.strides_[d] * <int64_t>self.k
                    if at[d] < a.dims[d]:
                        break
                    to -= at[d] * a.strides_[d] * <int64_t>self.k
                    at[d] = 0
                    d -= 1
                if d < 0:
                    break

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

    def copy(self, x):
        """The adjoint of a Var or VarArray as a value of its own: a float (one lane), or a new array; untouched ones are 0.0."""
        if type(x) is Var and not self.laned:
            return self.buf[(<Var>x).slot] + 0.0
        return self.at(x) + 0.0


cdef class SecondSweep:
    """Hessian-vector products of one recording that returns a float: a tangent sweep, then a reverse sweep in duals.

    Parameters
    ----------
    level : Level
        A reverse level without calls.
    inputs : list of Var and VarArray
    out : Var
    """
    cdef Level level
    cdef list inputs
    cdef Var out
    cdef double *tan
    cdef double *adj
    cdef double *dadj

    def __cinit__(self, Level level not None, list inputs not None, Var out not None):
        cdef size_t n = level.tape.slots
        if level.calls:
            raise ValueError("a recording with Python calls has no second-order sweep in C")
        self.level, self.inputs, self.out = level, inputs, out
        self.tan = <double *>malloc(3 * n * sizeof(double))
        if self.tan == NULL:
            raise MemoryError(f"{3 * n * sizeof(double)} bytes for a second-order sweep")
        self.adj = self.tan + n
        self.dadj = self.adj + n

    def __dealloc__(self):
        free(self.tan)

    # One direction; False where the arithmetic of the sweep does not serve.
    cdef bint run(self) except -1:
        cdef da_tape *t = self.level.tape
        cdef da_cursor c = da_cursor_begin()
        cdef int64_t stop
        with nogil:
            stop = da_sweep_forward(t, self.tan, 1, &c)
            da_sweep_clear(self.adj, 2 * t.slots)
            self.adj[self.out.slot] = 1.0
            if stop == DA_SWEEP_END:
                stop = da_sweep_second(t, self.tan, self.adj, self.dadj)
        if stop == DA_SWEEP_LOST:
            return False
        if stop != DA_SWEEP_END:
            raise MemoryError("temporary of a matrix product")
        return self.finite()

    # Are the tangents of the inputs' adjoints finite?  (An infinite adjoint times a zero tangent is NaN here, 0 where it is not met.)
    cdef bint finite(self):
        cdef Py_ssize_t i
        for x in self.inputs:
            if type(x) is Var:
                if not isfinite(self.dadj[(<Var>x).slot]):
                    return False
            else:
                for i in range((<VarArray>x).n):
                    if not isfinite(self.dadj[(<VarArray>x).off + i]):
                        return False
        return True

    def product(self, tangents):
        """H v: a list of arrays or floats, one an input, for tangents of the inputs' shapes; None where this sweep does not serve."""
        da_sweep_clear_inputs(self.level.tape, self.tan, 1)
        for x, v in zip(self.inputs, tangents):
            if type(x) is Var:
                self.tan[(<Var>x).slot] = v
            else:
                view_of(<VarArray>x, self.tan, None)[...] = v
        if not self.run():
            return None
        return [self.dadj[(<Var>x).slot] + 0.0 if type(x) is Var
                else np.ascontiguousarray(view_of(<VarArray>x, self.dadj, None) + 0.0) for x in self.inputs]

    def matrix(self):
        """The whole Hessian over all inputs, flattened in order: an array (n, n), symmetric but for rounding; or None as product."""
        slots = np.concatenate([np.ravel(slots_of(x)) for x in self.inputs]) - 1
        cdef int64_t[::1] at = np.ascontiguousarray(slots, np.int64)
        cdef Py_ssize_t n = at.shape[0], i, j
        out = np.empty((n, n))
        cdef double[:, ::1] h = out
        da_sweep_clear_inputs(self.level.tape, self.tan, 1)
        for j in range(n):
            self.tan[at[j]] = 1.0
            if not self.run():
                return None
            self.tan[at[j]] = 0.0
            for i in range(n):
                h[i, j] = self.dadj[at[i]] + 0.0
        return out


# ---- transformations of one float: the whole way in one call -------------------------------------------------------------

# Adjoints of everything on a tape without calls, for one float result.
cdef int sweep_from(da_tape *t, uint32_t slot) except -1:
    if da_sweep_gradient(t, slot) != DA_SWEEP_END:
        raise MemoryError("temporary of a matrix product")
    return 0


cdef object value_and_grad_float(f, double x, tuple rest):
    """(f(x, *rest), its derivative by x) by one recording and one sweep.

    A recording that holds Python calls or another kind of output is returned as (level, inputs, out), to be continued; None
    when f has to run again on the generic tape.
    """
    cdef Level level = Level.__new__(Level)
    cdef uint32_t s
    cdef da_tape *t
    open_level(level, True, 0, True)
    try:
        t = level.tape
        s = da_tape_input(t, 1)
        t.val[s] = x
        v = new_var(x, s, level.id)
        out = f(v, *rest) if rest else f(v)
        simple = type(out) is Var and (<Var>out).level == level.id and not level.calls
    except _NeedsGenericTape:
        return None
    finally:
        close_level(level)
    if not simple:
        return level, [v], out
    sweep_from(t, (<Var>out).slot)
    return (<Var>out).v, t.adj[s] + 0.0


cdef object value_and_grad_array(f, x, tuple rest):
    """(f(x, *rest), gradient by x) of a float64 array by one recording and one sweep; else as value_and_grad_float."""
    cdef Level level
    cdef da_tape *t
    cdef VarArray a
    if cnp.PyArray_TYPE(x) != cnp.NPY_DOUBLE:
        return None
    level = Level.__new__(Level)
    open_level(level, True, 0, True)
    try:
        t = level.tape
        a = new_input(level, x)
        out = f(a, *rest) if rest else f(a)
        simple = type(out) is Var and (<Var>out).level == level.id and not level.calls
    except _NeedsGenericTape:
        return None
    finally:
        close_level(level)
    if not simple:
        return level, [a], out
    sweep_from(t, (<Var>out).slot)
    return (<Var>out).v, adjoint_array(a, t)


# The inputs `first`, `first` + 1 ... of a tape as a list of n Vars.
cdef list vars_of(Level level, uint32_t first, Py_ssize_t n):
    return da_list_of_vars(<PyTypeObject *>Var, level.tape.val + first, first, n, level.id)


cdef object value_and_grad_leaves(f, xs, bint star, tuple rest):
    """(f(xs), gradients) of a flat list or tuple of floats and float64 arrays, in one recording and one sweep.

    f takes the container and the rest (star: the items as arguments).  None when xs holds anything else; otherwise as
    value_and_grad_float.
    """
    cdef Level level = Level.__new__(Level)
    cdef da_tape *t
    cdef bint is_list = type(xs) is list
    cdef bint floats
    cdef uint32_t first
    cdef Py_ssize_t n = len(xs)
    cdef list row, traced
    open_level(level, True, 0, True)
    try:
        t = level.tape
        first = da_tape_input(t, n)
        if first == DA_FULL:
            raise_full()
        floats = da_read_floats(xs, t.val + first)
        if floats:
            traced = vars_of(level, first, n)
            out = f(*traced) if star else f(traced if is_list else tuple(traced), *rest)
        else:
            for x in xs:
                if not (PyFloat_CheckExact(x) or type(x) is np.ndarray and cnp.PyArray_TYPE(x) == cnp.NPY_DOUBLE):
                    return None
            da_tape_reset(t)
            traced = [new_input(level, x) for x in xs]
            out = f(*traced) if star else f(traced[:] if is_list else tuple(traced), *rest)
        simple = type(out) is Var and (<Var>out).level == level.id and not level.calls
    except _NeedsGenericTape:
        return None
    finally:
        close_level(level)
    if not simple:
        return level, vars_of(level, first, n) if floats else traced, out
    sweep_from(t, (<Var>out).slot)
    if floats:
        da_keep_vars(traced)
        row = da_list_of_adjoints(t.adj + first, n)
    else:
        row = [t.adj[(<Var>x).slot] + 0.0 if type(x) is Var else adjoint_array(<VarArray>x, t) for x in traced]
    return (<Var>out).v, row if is_list else tuple(row)


def value_and_grad_call(f, tuple args, Py_ssize_t several):
    """Value and gradient where the whole way lies here: of args[0] (several = 0, the others are constants), or of all `several`.

    Returns as value_and_grad_float; None also where a level is open or the arguments are of another kind.
    """
    if da_open_levels or not args:
        return None
    if several:
        return value_and_grad_leaves(f, args, True, ()) if len(args) == several else None
    x = args[0]
    rest = args[1:] if len(args) > 1 else ()
    if type(x) is np.ndarray:
        return value_and_grad_array(f, x, rest)
    if PyFloat_CheckExact(x):
        return value_and_grad_float(f, x, rest)
    if type(x) is list or type(x) is tuple:
        return value_and_grad_leaves(f, x, False, rest)
    return None


cdef object adjoint_array(VarArray a, da_tape *t):
    """The adjoint of an input: a new array; untouched (-0.0) becomes 0.0."""
    cdef cnp.npy_intp dims[MAX_DIMS]
    cdef Py_ssize_t i
    if not a.contiguous:
        return np.ascontiguousarray(view_of(a, t.adj, None) + 0.0)
    for i in range(a.nd):
        dims[i] = a.dims[i]
    grad = cnp.PyArray_EMPTY(a.nd, dims, cnp.NPY_DOUBLE, 0)
    da_vec().settle(<double *>cnp.PyArray_DATA(grad), t.adj + a.off, a.n)
    return grad


# Run f on one dual number of a level of its own: a Dual of that level or a float comes back as it is, anything else through
# finish(level_id, out), called while the level is open.
cdef inline object run_dual(f, double x, double dx, finish):
    cdef uint64_t id = open_slot(NULL)
    cdef PyObject *level
    global da_open_levels
    da_open_levels += 1
    try:
        out = f(new_dual(x, dx, id))
        if (type(out) is Dual and (<Dual>out).level == id) or PyFloat_CheckExact(out):
            return out
        return finish(id, out)
    finally:
        level = LEVELS[id & MASK].level
        da_level_close(id)
        da_open_levels -= 1
        if level != NULL:   # level_of made a Level, because an array or a nested transformation asked for it
            decref(level)


def jvp_float(f, double x, double dx, finish):
    """(f(x), f'(x) dx) by one dual number; finish(level_id, out) where f does not return a float."""
    out = run_dual(f, x, dx, finish)
    if type(out) is Dual:
        return (<Dual>out).v, (<Dual>out).d
    return (out, 0.0) if PyFloat_CheckExact(out) else out


def derivative_float(f, double x, finish):
    """f'(x) by one dual number; finish(level_id, out) where f does not return a float."""
    out = run_dual(f, x, 1.0, finish)
    if type(out) is Dual:
        return (<Dual>out).d
    return 0.0 if PyFloat_CheckExact(out) else out


def make_dual(level_id, double v, double d):
    """Dual of that level."""
    return new_dual(v, d, level_id)
