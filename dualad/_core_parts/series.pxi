# Taylor arithmetic: the coefficients of a recording along a curve through its inputs.

cdef da_series_rules SERIES_RULES

cdef dict WORDS = {"end": DA_WORD_END, "x": DA_WORD_X, "y": DA_WORD_Y, "v": DA_WORD_V, "constant": DA_WORD_CONSTANT,
                   "negate": DA_WORD_NEGATE, "add": DA_WORD_ADD, "subtract": DA_WORD_SUBTRACT, "multiply": DA_WORD_MULTIPLY,
                   "divide": DA_WORD_DIVIDE, "function1": DA_WORD_FUNCTION1, "function2": DA_WORD_FUNCTION2,
                   "less": DA_WORD_LESS, "less_equal": DA_WORD_LESS_EQUAL, "equal": DA_WORD_EQUAL, "jump": DA_WORD_JUMP}


cdef const da_word *words_in_c(list words) except? NULL:
    """A copy that lives as long as the process; NULL for no words."""
    cdef da_word *out
    cdef Py_ssize_t i
    if not words:
        return NULL
    out = <da_word *>malloc(len(words) * sizeof(da_word))
    if out == NULL:
        raise MemoryError("rules of Taylor arithmetic")
    for i, (word, code, number) in enumerate(words):
        out[i].word, out[i].code, out[i].number = WORDS[word], code, number
    return out


cdef bint series_rules_known = False


def set_series_rules(rows):
    """Take the partials of every row in postfix: (code, words of d/dx, words of d/dy); see dualad/rules/series.py."""
    global series_rules_known
    for code, dx, dy in rows:
        SERIES_RULES.x[<int>code] = words_in_c(dx)
        SERIES_RULES.y[<int>code] = words_in_c(dy)
    series_rules_known = True


cdef double *coefficients(Level level, Py_ssize_t order) except NULL:
    """Room for the coefficients of every slot, all zero."""
    cdef size_t n = level.tape.slots * <size_t>(order + 1)
    cdef double *c = <double *>calloc(n if n else 1, sizeof(double))
    if c == NULL:
        raise MemoryError(f"{n * sizeof(double)} bytes for {order + 1} Taylor coefficients of {level.tape.slots} slots")
    return c


def taylor_sweep(Level level not None, inputs, directions, outputs, Py_ssize_t order):
    """Taylor coefficients of outputs along inputs + t * directions: a list of arrays (order + 1,) + shape of the output.

    None where the recording holds Python calls.  An output that is no traced value of this level is a constant.
    """
    cdef int64_t stop
    cdef double *c = coefficients(level, order)
    cdef size_t lanes = order + 1
    cdef size_t slot
    try:
        if order > 0:
            for x, d in zip(inputs, directions):
                if type(x) is Var:
                    c[(<Var>x).slot * lanes + 1] = d
                else:
                    lanes_of(<VarArray>x, c, lanes)[1] = d
        with nogil:
            stop = da_sweep_taylor(level.tape, c, order, &SERIES_RULES)
        if stop == DA_SWEEP_MEMORY:
            raise MemoryError(f"Taylor arithmetic of order {order}")
        if stop == DA_SWEEP_CALL:
            return None
        found = []
        for out in outputs:
            if type(out) is Var and (<Var>out).level == level.id:
                slot = (<Var>out).slot
                found.append(np.array([c[slot * lanes + k] for k in range(lanes)]))
            elif type(out) is VarArray and (<VarArray>out).level == level.id:
                found.append(np.array(lanes_of(<VarArray>out, c, lanes)))
            else:
                value = np.asarray(out, np.float64)
                constant_ = np.zeros((lanes,) + value.shape)
                constant_[0] = value
                found.append(constant_)
        return found
    finally:
        free(c)


cdef object lanes_of(VarArray a, double *c, size_t lanes):
    """The coefficients of an array as an ndarray, the number of the coefficient first."""
    cdef cnp.npy_intp shape[MAX_DIMS + 1]
    cdef cnp.npy_intp strides[MAX_DIMS + 1]
    shape[0], strides[0] = lanes, 8
    for i in range(a.nd):
        shape[i + 1], strides[i + 1] = a.dims[i], a.strides_[i] * 8 * lanes
    return cnp.PyArray_New(np.ndarray, a.nd + 1, shape, cnp.NPY_DOUBLE, strides, c + a.off * lanes, 8,
                           cnp.NPY_ARRAY_WRITEABLE | cnp.NPY_ARRAY_ALIGNED, None)


def taylor_float(f, double x, Py_ssize_t order):
    """Taylor coefficients of f at the float x as an array (order + 1,), by one recording and one sweep.

    (level, input, out) where f returns something else than a float of its own or called Python; None when f has to run on the
    generic tape, or set_series_rules has not been called yet.
    """
    cdef Level level
    cdef double few[256]
    cdef double *c = few
    cdef double *to
    cdef int64_t stop
    cdef cnp.npy_intp lanes = order + 1
    cdef size_t slot
    cdef da_tape *t
    cdef uint32_t s
    if not series_rules_known or da_open_levels:
        return None
    level = Level.__new__(Level)
    open_level(level, True, 0, True)
    try:
        t = level.tape
        s = da_tape_input(t, 1)
        t.val[s] = x
        v = new_var(x, s, level.id)
        out = f(v)
        simple = type(out) is Var and (<Var>out).level == level.id and not level.calls
    except _NeedsGenericTape:
        return None
    finally:
        close_level(level)
    if not simple:
        return level, v, out
    if t.slots * <size_t>lanes > 256:
        c = coefficients(level, order)
    for slot in range(lanes):
        c[s * <size_t>lanes + slot] = 1.0 if slot == 1 else 0.0
    stop = da_sweep_taylor(t, c, order, &SERIES_RULES)
    if stop != DA_SWEEP_END:
        if c != few:
            free(c)
        raise MemoryError(f"Taylor arithmetic of order {order}")
    result = cnp.PyArray_EMPTY(1, &lanes, cnp.NPY_DOUBLE, 0)
    to = <double *>cnp.PyArray_DATA(result)
    slot = (<Var>out).slot
    memcpy(to, c + slot * <size_t>lanes, lanes * sizeof(double))
    if c != few:
        free(c)
    return result
