# Tables made from ops.def when the module is imported: codes, NumPy loops, ufuncs of ours, scalar functions.

cdef Loop LOOPS[512]
cdef int CLASS_OF[512]
cdef bint BINARY_ROW[512]
cdef bint USES_X[512]     # does a partial need x (so that a constant x must be kept)?
cdef bint USES_Y[512]
cdef list UFUNC_OF = [None] * 512
cdef dict CODES = {}      # ufunc -> code
cdef char *DOUBLES = [cnp.NPY_FLOAT, cnp.NPY_FLOAT, cnp.NPY_DOUBLE, cnp.NPY_DOUBLE]
cdef char *DOUBLES2 = [cnp.NPY_FLOAT, cnp.NPY_FLOAT, cnp.NPY_FLOAT, cnp.NPY_DOUBLE, cnp.NPY_DOUBLE, cnp.NPY_DOUBLE]
cdef void *NO_DATA[2]
NO_DATA[0] = NO_DATA[1] = NULL


cdef inline int code_of(object ufunc) noexcept:
    cdef PyObject *c = PyDict_GetItem(CODES, ufunc)
    return <int><object>c if c != NULL else 0


cdef inline double numpy_value(int code, double x, double y) noexcept:
    cdef double out
    cdef char *args[3]
    cdef Py_ssize_t n = 1
    cdef Py_ssize_t steps[3]
    steps[0] = steps[1] = steps[2] = 8
    args[0] = <char *>&x
    args[1] = <char *>&y if BINARY_ROW[code] else <char *>&out
    args[2] = <char *>&out
    LOOPS[code].fn(args, &n, steps, LOOPS[code].data)
    return out


cdef int find_loop(object ufunc, int nargs, Loop *to) except -1:
    """NumPy's own double loop of a ufunc."""
    cdef PyUFuncObject *u = <PyUFuncObject *>ufunc
    cdef int i, j
    for i in range(u.ntypes):
        for j in range(nargs):
            if u.types[i * u.nargs + j] != cnp.NPY_DOUBLE:
                break
        else:
            to.fn = u.functions[i]
            to.data = u.data[i]
            return 0
    raise ImportError(f"NumPy's {ufunc.__name__} has no double loop")


def rows():
    """The table of csrc/ops.def, as a list of dicts (name, arity, value, dx, dy, cls, domain, code)."""
    return [{"name": da_rows[i].name.decode(), "arity": da_rows[i].arity, "value": da_rows[i].value.decode(),
             "dx": da_rows[i].dx.decode(), "dy": da_rows[i].dy.decode(), "cls": da_rows[i].cls.decode(),
             "domain": da_rows[i].domain.decode(), "code": da_rows[i].code} for i in range(da_row_count)]


def row_value(int code, double x, double y=0.0):
    """Value of a row by the C of csrc/ops.def."""
    return da_value(code, x, y)


def row_partials(int code, double x, double y, double v):
    """Partials of a row by the C of csrc/ops.def."""
    cdef double px, py
    da_partials(code, x, y, v, &px, &py)
    return px, py


def ufunc_codes():
    """{ufunc: code} of every row."""
    return dict(CODES)


def build_info():
    """Instruction set of the block kernels and whether libmvec serves them."""
    return {"vector": da_vec().name.decode(), "libmvec": bool(da_vec_has_libmvec())}


cdef int make_tables() except -1:
    cdef int i, code
    import re
    for i in range(da_row_count):
        code = da_rows[i].code
        name = da_rows[i].name.decode()
        both = da_rows[i].dx + b" " + da_rows[i].dy
        for c in range(code, code + (3 if da_rows[i].arity == 2 else 1)):
            CLASS_OF[c] = da_rows[i].kind
            BINARY_ROW[c] = da_rows[i].arity == 2
            USES_X[c] = re.search(rb"\bx\b", both) is not None
            USES_Y[c] = re.search(rb"\by\b", both) is not None
        ufunc = getattr(np, name, None)
        if not isinstance(ufunc, np.ufunc):
            ufunc = PyUFunc_FromFuncAndData(da_ufunc_loops[i], NO_DATA, DOUBLES if da_rows[i].arity == 1 else DOUBLES2, 2,
                                            da_rows[i].arity, 1, PyUFunc_None, da_rows[i].name,
                                            b"differentiable elementwise function of dualad", 0)
            OWN_UFUNCS[name] = ufunc
        find_loop(ufunc, da_rows[i].arity + 1, &LOOPS[code])
        UFUNC_OF[code] = ufunc
        if name not in ("radians", "degrees") or ufunc not in CODES:
            CODES[ufunc] = code
        METHOD_UFUNCS[name] = ufunc
        MATH[name] = PyCFunction_New(&da_math_methods[i], None)
    METHOD_UFUNCS.pop("gaussian", None)
    METHOD_UFUNCS["conj"] = np.conjugate
    return 0


OWN_UFUNCS = {}   # ufuncs of ours: rows NumPy has none for
MATH = {}         # scalar functions: name -> callable


# A plain call of a ufunc on one or two inputs, one of them `self`; None where the rules have to answer.
cdef object ufunc_call(object self, object ufunc, object x, object y, int inputs):
    cdef int code = code_of(ufunc)
    if not (x is self or y is self):
        return None
    if ufunc is ufunc_matmul and type(self) is VarArray and inputs == 2:
        return array_matmul(x, y)
    if not code or BINARY_ROW[code] != (inputs == 2):
        return None
    if type(self) is VarArray:
        return array_elementwise(code, x, y)
    if da_watch_kinks and (result := hook_kink(ufunc, (x, y) if inputs == 2 else (x,))) is not None:
        return result
    if type(self) is Var:
        if inputs == 1:
            return var_unary(code, <Var>self, numpy_value(code, (<Var>self).v, 0.0))
        result = var_numpy_binary(code, x, y)
        return array_elementwise(code, x, y) if result is None else result
    if type(self) is Dual:
        if inputs == 2:
            return dual_numpy_binary(code, x, y)
        return dual_numpy_unary(code, <Dual>self) if alive((<Dual>self).level) else None
    if type(self) is DualVec:
        if inputs == 1:
            return vec_unary(code, <DualVec>self, True)
        result = vec_binary(code, x, y, None, True)
        return None if result is NotImplemented else result
    return None


cdef object ufunc_by_rules(object ufunc, object method, object inputs, object kwargs):
    return hook_ufunc(ufunc, method, inputs, kwargs)


cdef object math1(int code, object x):
    cdef double v
    if da_watch_kinks and isinstance(x, Traced) and (result := at_kink(code, x, None)) is not None:
        return result
    if type(x) is Dual:
        if not alive((<Dual>x).level):
            raise_leaked(x)
        v = checked(code, (<Dual>x).v, 0.0)
        return dual_with_value(code, <Dual>x, v)
    if type(x) is Var:
        return var_unary(code, <Var>x, checked(code, (<Var>x).v, 0.0))
    if PyFloat_CheckExact(x):
        return checked(code, PyFloat_AS_DOUBLE(x), 0.0)
    if as_constant(x, &v):
        return checked(code, v, 0.0)
    if type(x) is DualVec:
        checked(code, (<DualVec>x).v, 0.0)
        return vec_unary(code, <DualVec>x, False)
    if isinstance(x, Traced):
        return hook_ufunc(UFUNC_OF[code], "math", (x,), {})
    raise TypeError(f"{da_rows_name(code)}() of dualad.math takes a real number, not {type(x).__name__}; "
                    "use numpy or dualad.numpy for arrays")


cdef object math2(int code, object x, object y):
    cdef double a = 0.0, b = 0.0, v
    cdef bint p = as_constant(x, &a), q = as_constant(y, &b)
    if p and q:
        return checked(code, a, b)
    if da_watch_kinks and (result := at_kink(code, x, y)) is not None:
        return result
    if (p or type(x) is Dual or type(x) is Var) and (q or type(y) is Dual or type(y) is Var):
        if type(x) is Dual:
            a = (<Dual>x).v
        elif type(x) is Var:
            a = (<Var>x).v
        if type(y) is Dual:
            b = (<Dual>y).v
        elif type(y) is Var:
            b = (<Var>y).v
        v = checked(code, a, b)
        if type(x) is Var or type(y) is Var:
            result = var_binary_with_value(code, x, y, v)
        else:
            result = dual_binary_with_value(code, x, y, v)
        if result is not None:
            return result
    if isinstance(x, Traced) or isinstance(y, Traced):
        return hook_ufunc(UFUNC_OF[code], "math", (x, y), {})
    raise TypeError(f"{da_rows_name(code)}() of dualad.math takes real numbers; use numpy or dualad.numpy for arrays")


def plain_predicate(f):
    """f (math.isnan ...) on the plain value of its argument."""
    def predicate(x):
        return f(hook_describe(x)) if isinstance(x, Traced) else f(x)
    return predicate


cdef object da_rows_name(int code):
    for i in range(da_row_count):
        if da_rows[i].code == code:
            return da_rows[i].name.decode()


cdef object dual_with_value(int code, Dual x, double v):
    cdef double px, py
    da_partials(code, x.v, 0.0, v, &px, &py)
    return new_dual(v, times(code, px, x.d), x.level)


# libm's value, with math's exceptions: a domain error raises ValueError, an overflow OverflowError.
cdef inline double checked(int code, double x, double y) except? -1.5:
    cdef double v = da_value(code, x, y)
    if isnan(v) and not isnan(x) and not isnan(y):
        raise ValueError(f"math domain error: {da_rows_name(code)}({x!r})")
    if isinf(v) and not isinf(x) and not isinf(y):
        if code in POLES or (code == DA_OP_power and x == 0.0):
            raise ValueError(f"math domain error: {da_rows_name(code)}({x!r})")
        raise OverflowError(f"math range error: {da_rows_name(code)}({x!r})")
    return v


cdef set POLES = set()

make_tables()
for _name in ("log", "log2", "log10", "log1p", "arctanh", "lgamma", "gamma", "reciprocal", "digamma", "polygamma"):
    POLES.add(CODES[OWN_UFUNCS.get(_name) or getattr(np, _name)])
da_dual_type = <PyTypeObject *>Dual
da_var_type = <PyTypeObject *>Var
da_call_math1 = math1
da_call_math2 = math2
da_call_ufunc = ufunc_call
da_call_rules = ufunc_by_rules
if Dual.__basicsize__ != sizeof(da_dual_object) or Var.__basicsize__ != sizeof(da_var_object):
    raise ImportError("csrc/pool.h and _core.pyx disagree about the layout of numbers")
da_pool_install_dual(<PyTypeObject *>Dual)
da_pool_install_lanes(<PyTypeObject *>DualVec)
da_pool_install_var(<PyTypeObject *>Var)
da_pool_install_array(<PyTypeObject *>VarArray)
da_make_scalar(<PyTypeObject *>Dual)
da_make_scalar(<PyTypeObject *>DualVec)
da_make_scalar(<PyTypeObject *>Var)
da_install_operators()
da_install_hook(<PyTypeObject *>Traced)
find_loop(np.matmul, 3, &MATMUL)
da_matmul = <void *>MATMUL.fn
