# Traced: what every traced value can do.
#
# The fast types override the operators; everything else goes through NumPy's protocols to the rules, by the three hooks
# that dualad.rules sets when it is imported.

cdef object hook_ufunc = None      # (ufunc, method, inputs, kwargs) -> result
cdef object hook_function = None   # (func, args, kwargs) -> result
cdef object hook_describe = None   # (traced) -> plain primal, for printing and plain comparisons
cdef object hook_kink = None       # (ufunc, inputs) -> result where a kink was hit and a choice made, else None


def set_hooks(ufunc, function, describe):
    """Give the core the Python side of its dispatch (called once by dualad.rules)."""
    global hook_ufunc, hook_function, hook_describe
    hook_ufunc, hook_function, hook_describe = ufunc, function, describe


cdef object ufunc_add = np.add, ufunc_subtract = np.subtract, ufunc_multiply = np.multiply, ufunc_divide = np.divide
cdef object ufunc_power = np.power, ufunc_floor_divide = np.floor_divide, ufunc_remainder = np.remainder
cdef object ufunc_negative = np.negative, ufunc_positive = np.positive, ufunc_absolute = np.absolute
cdef object ufunc_matmul = np.matmul

COMPARISONS = {Py_LT: np.less, Py_LE: np.less_equal, Py_EQ: np.equal, Py_NE: np.not_equal,
               Py_GT: np.greater, Py_GE: np.greater_equal}


def watch_kinks(bint on, hook):
    """Ask hook(ufunc, inputs) before every row, while more `on` than off calls were made."""
    global da_watch_kinks, hook_kink
    hook_kink = hook
    da_watch_kinks += 1 if on else -1


# What holds at a kink, or None: then the row's own rule does.
cdef inline object at_kink(int code, object x, object y):
    if not da_watch_kinks:
        return None
    return hook_kink(UFUNC_OF[code], (x, y) if BINARY_ROW[code] else (x,))


cdef inline bint is_operand(object o):
    """May `o` stand beside a traced value in arithmetic?  (Anything else gets NotImplemented and Python's TypeError.)"""
    return (isinstance(o, (Traced, float, int, complex, np.ndarray, np.generic)) or hasattr(o, "__array__")
            or isinstance(o, (list, tuple)) or hasattr(o, "__float__"))


cdef object slow_binary(object ufunc, object l, object r):
    if not (is_operand(l) and is_operand(r)):
        return NotImplemented
    return hook_ufunc(ufunc, "__call__", (l, r), {})


cdef bint holds_array(object t):
    """Is t an array (0-d included), whose memory views share, rather than a scalar?"""
    if type(t) is VarArray:
        return True
    p = t
    while isinstance(p, Traced):
        if type(p) is VarArray:
            return True
        p = p.primal
    return isinstance(p, np.ndarray)


cdef object refuse_write(str what):
    raise NotImplementedError(f"{what} writes into a traced array, which is not supported yet; write x = x + y (not x += y), "
                              "np.sort(x) (not x.sort()), np.where or np.concatenate")


cdef object slow_compare(object l, object r, int op):
    if not is_operand(r):
        return NotImplemented
    return hook_ufunc(COMPARISONS[op], "__call__", (l, r), {})


cdef object cannot(object t, str what, str instead):
    # NumPy shows this text for buf[i] = t, math.sin(t) and np.array([t], dtype=float).
    return TypeError(f"{what} would lose the derivative of {t!r}; {instead}, or take dualad.value(t) (or "
                     "dualad.stop_gradient(t)) if a constant is meant")


cdef class Traced:
    """A value whose derivative is being followed: what all of dualad's numbers and arrays have in common."""
    cdef uint64_t level
    __array_priority__ = 1000.0

    @property
    def level_id(self):
        """Number of the level that traces this value; larger is further in."""
        return self.level

    def set_level(self, level_id):
        self.level = level_id
        return self

    # ---- operators -------------------------------------------------------------------------------------------
    def __add__(l, r):
        return slow_binary(ufunc_add, l, r)

    def __sub__(l, r):
        return slow_binary(ufunc_subtract, l, r)

    def __mul__(l, r):
        return slow_binary(ufunc_multiply, l, r)

    def __truediv__(l, r):
        return slow_binary(ufunc_divide, l, r)

    def __floordiv__(l, r):
        return slow_binary(ufunc_floor_divide, l, r)

    def __mod__(l, r):
        return slow_binary(ufunc_remainder, l, r)

    def __divmod__(l, r):
        q = slow_binary(ufunc_floor_divide, l, r)
        return NotImplemented if q is NotImplemented else (q, slow_binary(ufunc_remainder, l, r))

    def __pow__(l, r, m):
        if m is not None:
            return NotImplemented
        return power_operator(l, r)

    def __matmul__(l, r):
        return slow_binary(ufunc_matmul, l, r)

    # Arrays share memory with their views, so x += y is a write; scalars rebind, as np.float64 does.
    def __iadd__(self, other):
        return refuse_write("x += y") if holds_array(self) else self + other

    def __isub__(self, other):
        return refuse_write("x -= y") if holds_array(self) else self - other

    def __imul__(self, other):
        return refuse_write("x *= y") if holds_array(self) else self * other

    def __itruediv__(self, other):
        return refuse_write("x /= y") if holds_array(self) else self / other

    def __ifloordiv__(self, other):
        return refuse_write("x //= y") if holds_array(self) else self // other

    def __imod__(self, other):
        return refuse_write("x %= y") if holds_array(self) else self % other

    def __ipow__(self, other, modulo):
        return refuse_write("x **= y") if holds_array(self) else self ** other

    def __imatmul__(self, other):
        return refuse_write("x @= y")

    def sort(self, *args, **kwargs):
        return refuse_write("x.sort()")

    def fill(self, *args, **kwargs):
        return refuse_write("x.fill()")

    def put(self, *args, **kwargs):
        return refuse_write("x.put()")

    def partition(self, *args, **kwargs):
        return refuse_write("x.partition()")

    def resize(self, *args, **kwargs):
        return refuse_write("x.resize()")

    def __neg__(self):
        return hook_ufunc(ufunc_negative, "__call__", (self,), {})

    def __pos__(self):
        return hook_ufunc(ufunc_positive, "__call__", (self,), {})

    def __abs__(self):
        return hook_ufunc(ufunc_absolute, "__call__", (self,), {})

    def __richcmp__(self, other, int op):
        return slow_compare(self, other, op)

    def __hash__(self):
        # By identity: a cache keyed by a traced value must not answer with another one of equal primal.
        return (<intptr_t><void *>self) >> 4

    # ---- leaving the trace: always an error that says what to write ------------------------------------------------
    def __float__(self):
        raise cannot(self, "float() (which math functions, dtype=float and assignment into a plain array call)",
                     "use the function of numpy, dualad.numpy or dualad.math, np.stack([t, ...]) to build an array, "
                     "np.where or np.concatenate instead of assignment")

    def __int__(self):
        raise cannot(self, "int()", "use np.floor(t), np.trunc(t) or np.rint(t)")

    def __index__(self):
        raise cannot(self, "use as an integer index", "index with plain integers")

    def __complex__(self):
        raise cannot(self, "complex()", "complex inputs are not differentiated yet")

    def __trunc__(self):
        raise cannot(self, "math.trunc()", "use np.trunc(t)")

    def __floor__(self):
        raise cannot(self, "math.floor()", "use np.floor(t)")

    def __ceil__(self):
        raise cannot(self, "math.ceil()", "use np.ceil(t)")

    def __round__(self, ndigits=None):
        if ndigits is None:
            raise cannot(self, "round() to an integer", "use np.rint(t) or round(t, 0)")
        return np.round(self, ndigits)

    def __setitem__(self, key, value):
        raise NotImplementedError("writing into a traced array (x[i] = ...) is not supported yet; build the result with "
                                  "np.where, np.concatenate, np.stack, or a list and np.stack")

    def __bool__(self):
        if da_watch_kinks:
            return bool(slow_compare(self, 0.0, Py_NE))
        return bool(hook_describe(self))

    def __len__(self):
        shape = self.shape
        if not shape:
            raise TypeError("len() of unsized object")
        return shape[0]

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item):
        return bool((hook_describe(self) == hook_describe(item)).any())

    def __getitem__(self, key):
        return hook_function(GETITEM, (self, key), {})

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        raise TypeError(f"a traced value cannot be pickled: {self!r}; take dualad.value(t) first")

    def __format__(self, spec):
        p = hook_describe(self)
        return format(float(p), spec) if spec and np.ndim(p) == 0 else format(str(p) if not spec else p, spec)

    def __str__(self):
        return str(hook_describe(self)) if self.level and alive(self.level) else repr(self)

    def __repr__(self):
        return f"{type(self).__name__}({hook_describe(self)!r})" if alive(self.level) else f"<{type(self).__name__} of an ended level>"

    # ---- NumPy's protocols (__array_ufunc__ is csrc/pyhook.h's) ----------------------------------------------------------
    def __array_function__(self, func, types, args, kwargs):
        return hook_function(func, args, kwargs)

    def __getattr__(self, name):
        # NumPy's loops over object arrays call t.sin(), t.exp() ...: every row of the table is such a method.
        f = METHOD_UFUNCS.get(name)
        if f is None:
            raise AttributeError(f"a traced value has no attribute {name!r}")
        return lambda *args: hook_ufunc(f, "__call__", (self, *args), {})

    # ---- what np.float64 and np.ndarray have -----------------------------------------------------------------------
    @property
    def shape(self):
        return np.shape(hook_describe(self))

    @property
    def dtype(self):
        return np.asarray(hook_describe(self)).dtype

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        cdef Py_ssize_t n = 1
        for s in self.shape:
            n *= s
        return n

    @property
    def itemsize(self):
        return self.dtype.itemsize

    @property
    def nbytes(self):
        return self.size * self.itemsize

    @property
    def T(self):
        return np.transpose(self) if self.ndim else self

    @property
    def mT(self):
        return np.matrix_transpose(self)

    @property
    def real(self):
        return self

    @property
    def imag(self):
        return np.zeros(self.shape) if self.ndim else 0.0

    @property
    def flat(self):
        return np.ravel(self)

    def sum(self, *args, **kwargs):
        return np.sum(self, *args, **kwargs)

    def prod(self, *args, **kwargs):
        return np.prod(self, *args, **kwargs)

    def mean(self, *args, **kwargs):
        return np.mean(self, *args, **kwargs)

    def var(self, *args, **kwargs):
        return np.var(self, *args, **kwargs)

    def std(self, *args, **kwargs):
        return np.std(self, *args, **kwargs)

    def max(self, *args, **kwargs):
        return np.max(self, *args, **kwargs)

    def min(self, *args, **kwargs):
        return np.min(self, *args, **kwargs)

    def cumsum(self, *args, **kwargs):
        return np.cumsum(self, *args, **kwargs)

    def cumprod(self, *args, **kwargs):
        return np.cumprod(self, *args, **kwargs)

    def argmax(self, *args, **kwargs):
        return np.argmax(self, *args, **kwargs)

    def argmin(self, *args, **kwargs):
        return np.argmin(self, *args, **kwargs)

    def argsort(self, *args, **kwargs):
        return np.argsort(self, *args, **kwargs)

    def all(self, *args, **kwargs):
        return np.all(self, *args, **kwargs)

    def any(self, *args, **kwargs):
        return np.any(self, *args, **kwargs)

    def nonzero(self):
        return np.nonzero(self)

    def searchsorted(self, *args, **kwargs):
        return np.searchsorted(self, *args, **kwargs)

    def clip(self, *args, **kwargs):
        return np.clip(self, *args, **kwargs)

    def round(self, decimals=0):
        return np.round(self, decimals)

    def conj(self):
        return +self

    def dot(self, other):
        return np.dot(self, other)

    def trace(self, *args, **kwargs):
        return np.trace(self, *args, **kwargs)

    def diagonal(self, *args, **kwargs):
        return np.diagonal(self, *args, **kwargs)

    def take(self, *args, **kwargs):
        return np.take(self, *args, **kwargs)

    def repeat(self, *args, **kwargs):
        return np.repeat(self, *args, **kwargs)

    def compress(self, condition, axis=None):
        return np.compress(condition, self, axis)

    def ravel(self, order="C"):
        return np.ravel(self, order)

    def flatten(self, order="C"):
        return np.ravel(self, order)

    def squeeze(self, axis=None):
        return np.squeeze(self, axis)

    def swapaxes(self, a, b):
        return np.swapaxes(self, a, b)

    def transpose(self, *axes):
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))):
            axes = axes[0]
        return np.transpose(self, axes or None)

    def reshape(self, *shape, order="C"):
        if len(shape) == 1 and isinstance(shape[0], (tuple, list)):
            shape = shape[0]
        return np.reshape(self, tuple(shape), order)

    def astype(self, dtype, *args, **kwargs):
        return hook_function(ASTYPE, (self, dtype), {})

    def copy(self, order="C"):
        return np.copy(self, order)

    def item(self, *args):
        if not args:
            if self.size != 1:
                raise ValueError("can only convert an array of size 1 to a scalar")
            return np.ravel(self)[0] if self.ndim else self
        index = args[0] if len(args) == 1 else args
        return np.ravel(self)[index] if isinstance(index, int) else self[index]

    def tolist(self):
        return [row.tolist() for row in self] if self.ndim else self

    def __dir__(self):
        return sorted(set(object.__dir__(self)) | set(METHOD_UFUNCS))


GETITEM = "x[i]"      # names of the two operations that NumPy has no public function for
ASTYPE = "x.astype"
METHOD_UFUNCS = {}    # filled by functions.pxi: name of a row -> ufunc
