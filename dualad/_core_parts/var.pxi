# Var: a float on the tape.  The object holds value, slot and level; recording an operation is one push.

@cython.final
cdef class Var(Traced):
    """A traced float of a reverse sweep: a value and its slot on the tape (made by grad, vjp ...; not by hand)."""
    cdef double v
    cdef uint32_t slot

    @property
    def primal(self):
        """The value, a float."""
        return self.v

    @property
    def slot_number(self):
        """Where value and adjoint live on the tape."""
        return self.slot

    # The usual case of each operator is csrc/pyslots.h's; these are what it falls back on.
    def __add__(l, r):
        return var_binary(DA_OP_add, l, r, ufunc_add)

    def __sub__(l, r):
        return var_binary(DA_OP_subtract, l, r, ufunc_subtract)

    def __mul__(l, r):
        return var_binary(DA_OP_multiply, l, r, ufunc_multiply)

    def __truediv__(l, r):
        return var_binary(DA_OP_divide, l, r, ufunc_divide)

    def __floordiv__(l, r):
        return var_binary(DA_OP_floor_divide, l, r, ufunc_floor_divide)

    def __mod__(l, r):
        return var_binary(DA_OP_remainder, l, r, ufunc_remainder)

    def __pow__(l, r, m):
        if m is not None:
            return NotImplemented
        return var_binary(DA_OP_power, l, r, ufunc_power)

    def __neg__(self):
        return var_unary(DA_OP_negative, self, -self.v)

    def __pos__(self):
        if not alive(self.level):
            raise_leaked(self)
        return self

    def __abs__(self):
        if da_watch_kinks and (result := at_kink(DA_OP_absolute, self, None)) is not None:
            return result
        return var_unary(DA_OP_absolute, self, da_inline_absolute(self.v, 0.0))

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
            return compare(self.v, PyFloat_AS_DOUBLE(other), op)
        if type(other) is Var and (<Var>other).level == self.level:
            return compare(self.v, (<Var>other).v, op)
        if as_constant(other, &y):
            return compare(self.v, y, op)
        return slow_compare(self, other, op)

    def __hash__(self):
        return (<intptr_t><void *>self) >> 4

    def __repr__(self):
        return f"Var({self.v!r})"

    @property
    def shape(self):
        return ()

    @property
    def ndim(self):
        return 0

    @property
    def dtype(self):
        return FLOAT64


cdef inline object new_var(double v, uint32_t slot, uint64_t level):
    return da_new_var(<PyTypeObject *>Var, v, slot, level)


cdef inline object var_unary(int code, Var x, double v):
    cdef LevelSlot *at = &LEVELS[x.level & MASK]
    if at.id != x.level:
        raise_leaked(x)
    return da_new_var(<PyTypeObject *>Var, v, da_tape_push(at.tape, code, x.slot, 0, v), x.level)


# Value of a scalar operand, a Var or a constant; False for anything else.
cdef inline int var_operand(object o, double *x) except -1:
    if type(o) is Var:
        x[0] = (<Var>o).v
        return 1
    return as_constant(o, x)


cdef object var_binary(int code, object l, object r, object ufunc):
    cdef double x = 0.0, y = 0.0
    if da_watch_kinks and (result := at_kink(code, l, r)) is not None:
        return result
    if var_operand(l, &x) and var_operand(r, &y):
        result = var_binary_with_value(code, l, r, da_value(code, x, y))
    elif type(r) is VarArray or (type(r) is np.ndarray and cnp.PyArray_TYPE(r) == cnp.NPY_DOUBLE):
        result = array_elementwise(code, l, r)
    else:
        result = None
    return slow_binary(ufunc, l, r) if result is None else result


cdef inline uint32_t constant(da_tape *t, double c) except? 0xFFFFFFFF:
    cdef uint32_t i = da_tape_constant(t, c)
    if i == DA_FULL:
        raise_full()
    return i


# np.f(x, y) of scalars: the value from NumPy's own loop; None when this is not a matter of one tape and constants.
cdef object var_numpy_binary(int code, object l, object r):
    cdef double x = 0.0, y = 0.0
    if not (var_operand(l, &x) and var_operand(r, &y)):
        return None
    return var_binary_with_value(code, l, r, numpy_value(code, x, y))


# Record a binary row whose value is known; None when the operands are of two levels.
cdef object var_binary_with_value(int code, object l, object r, double v):
    cdef double x = 0.0, y = 0.0
    cdef bint a = type(l) is Var, b = type(r) is Var
    cdef uint64_t level
    cdef LevelSlot *at
    if a and b and (<Var>l).level != (<Var>r).level:
        return None
    if not (a or as_constant(l, &x)) or not (b or as_constant(r, &y)):
        return None
    level = (<Var>l).level if a else (<Var>r).level
    at = &LEVELS[level & MASK]
    if at.id != level:
        raise_leaked(l if a else r)
    if a and b:
        return new_var(v, da_tape_push(at.tape, code, (<Var>l).slot, (<Var>r).slot, v), level)
    if a:
        return new_var(v, da_tape_push(at.tape, code + 1, (<Var>l).slot, constant(at.tape, y), v), level)
    return new_var(v, da_tape_push(at.tape, code + 2, constant(at.tape, x), (<Var>r).slot, v), level)
