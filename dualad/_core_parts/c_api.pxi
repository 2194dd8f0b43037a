# What csrc/ offers; each header is the contract.

cdef extern from "ops.h":
    ctypedef struct da_row:
        const char *name
        const char *value
        const char *dx
        const char *dy
        const char *cls
        const char *domain
        int arity, code, kind
    da_row da_rows[]
    int da_row_count
    enum:
        DA_OP_COUNT
        DA_OP_INPUT
        DA_OP_ARRAY
        DA_OP_CALL
        DA_CLASS_SELECT
        DA_CLASS_NONLINEAR
        DA_OP_add
        DA_OP_subtract
        DA_OP_multiply
        DA_OP_divide
        DA_OP_power
        DA_OP_floor_divide
        DA_OP_remainder
        DA_OP_negative
        DA_OP_positive
        DA_OP_absolute
        DA_OP_square
        DA_OP_reciprocal
        DA_OP_sqrt
    int da_row_code(int code) nogil
    double da_value(int code, double x, double y) nogil
    void da_partials(int code, double x, double y, double v, double *px, double *py) nogil

cdef extern from "vec.h":
    ctypedef struct da_kernels:
        const char *name
        void settle(double *to, const double *from_, size_t n)
    const da_kernels *da_vec()
    int da_vec_has_libmvec()

cdef extern from "tape.h":
    enum:
        DA_MAP1
        DA_MAP2
        DA_MOVE
        DA_GATHER
        DA_WHERE
        DA_MATMUL
    uint32_t DA_FULL
    ctypedef struct da_operands:
        uint32_t a, b
    ctypedef struct da_tape:
        double *val
        double *adj
        uint8_t *op
        da_operands *of
        double *pool
        size_t nodes, slots, pool_used, meta_used, calls
    ctypedef struct da_entry:
        uint8_t kind, code_lo, x_active, y_active
        int nd
        size_t first, out, n, x, y, used
        int64_t *shape
        int64_t *sx
        int64_t *sy
        uint32_t *index
        uint8_t *mask
    da_tape *da_tape_new()
    void da_tape_free(da_tape *t)
    void da_tape_reset(da_tape *t)
    void da_tape_soil(da_tape *t)
    uint32_t da_tape_input(da_tape *t, size_t n)
    da_entry *da_tape_entry(da_tape *t, int kind, size_t n, int nd)
    uint32_t da_tape_store(da_tape *t, size_t n)
    uint32_t da_tape_call(da_tape *t, size_t n)
    uint32_t da_tape_constant(da_tape *t, double c)
    uint32_t da_tape_push(da_tape *t, int code, uint32_t a, uint32_t b, double v)
    size_t da_tape_bytes(const da_tape *t)
    da_entry *da_tape_entry_at(const da_tape *t, uint32_t a)

cdef extern from "sweep.h":
    enum:
        DA_SWEEP_END
        DA_SWEEP_MEMORY
        DA_SWEEP_CALL
        DA_SWEEP_LOST
    ctypedef struct da_cursor:
        size_t node, slot
    da_cursor da_cursor_begin()
    da_cursor da_cursor_end(const da_tape *t)
    void *da_matmul
    void da_sweep_clear(double *adj, size_t n) nogil
    void da_sweep_clear_inputs(const da_tape *t, double *tan, size_t k) nogil
    int64_t da_sweep_reverse(const da_tape *t, double *adj, size_t k, da_cursor *c) nogil
    int64_t da_sweep_gradient(da_tape *t, size_t out) nogil
    int64_t da_sweep_forward(const da_tape *t, double *tan, size_t k, da_cursor *c) nogil
    int da_replayable(const da_tape *t)
    void da_replay(da_tape *t)
    void da_tape_histogram(const da_tape *t, size_t *count) nogil

cdef extern from "second.h":
    int64_t da_sweep_second(const da_tape *t, const double *tan, double *adj, double *dadj) nogil

cdef extern from "taylor.h":
    enum:
        DA_WORD_END
        DA_WORD_X
        DA_WORD_Y
        DA_WORD_V
        DA_WORD_CONSTANT
        DA_WORD_NEGATE
        DA_WORD_ADD
        DA_WORD_SUBTRACT
        DA_WORD_MULTIPLY
        DA_WORD_DIVIDE
        DA_WORD_FUNCTION1
        DA_WORD_FUNCTION2
        DA_WORD_LESS
        DA_WORD_LESS_EQUAL
        DA_WORD_EQUAL
        DA_WORD_JUMP
    ctypedef struct da_word:
        int word, code
        double number
    ctypedef struct da_series_rules:
        const da_word *x[1]
        const da_word *y[1]
    int64_t da_sweep_taylor(const da_tape *t, double *c, size_t order, const da_series_rules *rules) nogil

cdef extern from "pool.h":
    int da_open_levels
    ctypedef struct LevelSlot "da_level_slot":
        uint64_t id
        da_tape *tape
        PyObject *level
    LevelSlot LEVELS "da_levels"[]
    void da_level_open(uint64_t id, da_tape *tape)
    void da_level_close(uint64_t id)
    ctypedef struct da_pool:
        int kept
    object da_pool_take(da_pool *p, PyTypeObject *type)   # a new reference
    object da_new_dual(PyTypeObject *type, double v, double d, uint64_t level)
    object da_new_var(PyTypeObject *type, double v, uint32_t slot, uint64_t level)
    ctypedef struct da_dual_object:
        pass
    ctypedef struct da_var_object:
        pass
    da_pool da_pool_dual, da_pool_lanes, da_pool_var, da_pool_array
    void da_pool_install_dual(PyTypeObject *type)
    void da_pool_install_lanes(PyTypeObject *type)
    void da_pool_install_var(PyTypeObject *type)
    void da_pool_install_array(PyTypeObject *type)

cdef extern from "rows.h":
    list da_list_of_vars(PyTypeObject *type, const double *val, uint32_t first, Py_ssize_t n, uint64_t level)
    void da_keep_vars(list row)
    list da_list_of_adjoints(const double *adj, Py_ssize_t n)
    bint da_read_floats(object numbers, double *to)

cdef extern from "Python.h":
    ctypedef struct PyMethodDef:
        const char *ml_name
    object PyCFunction_New(PyMethodDef *m, object self)
    PyTypeObject *Py_TYPE(object o)
    int PySlice_Unpack(object s, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t *step) except -1
    Py_ssize_t PySlice_AdjustIndices(Py_ssize_t n, Py_ssize_t *start, Py_ssize_t *stop, Py_ssize_t step)
    bint PySlice_Check(object o)
    Py_ssize_t PyLong_AsSsize_t(object o) except? -1
    PyObject *PyDict_GetItem(object d, object k)

cdef extern from *:
    """
    /* Scalars are no sequences (NumPy would take buf[i] = t for one) and rebind in x += y without a call. */
    static void da_make_scalar(PyTypeObject *type)
    {
        static PySequenceMethods no_sequence; /* not type->tp_as_sequence itself: the base class shares that */
        PyNumberMethods *n = type->tp_as_number;
        type->tp_as_sequence = &no_sequence;
        n->nb_inplace_add = n->nb_inplace_subtract = n->nb_inplace_multiply = n->nb_inplace_remainder = NULL;
        n->nb_inplace_true_divide = n->nb_inplace_floor_divide = NULL;
        n->nb_inplace_power = NULL;
        PyType_Modified(type);
    }
    """
    void da_make_scalar(PyTypeObject *type)

ctypedef void (*loop_fn)(char **args, const Py_ssize_t *dims, const Py_ssize_t *steps, void *data) noexcept

cdef extern from "pyops.h":
    PyMethodDef da_math_methods[]
    loop_fn da_ufunc_loops[][2]
    int da_watch_kinks
    PyTypeObject *da_dual_type
    PyTypeObject *da_var_type
    object (*da_call_math1)(int code, object x)
    object (*da_call_math2)(int code, object x, object y)
    double da_inline_absolute(double x, double y) noexcept nogil
    double da_inline_absolute_px(double x, double y, double v) noexcept nogil

cdef extern from "pyslots.h":
    void da_install_operators()

cdef extern from "pyhook.h":
    object (*da_call_ufunc)(object self, object ufunc, object x, object y, int inputs)
    object (*da_call_rules)(object ufunc, object method, object inputs, object kwargs)
    int da_install_hook(PyTypeObject *type) except -1

cdef extern from "numpy/ufuncobject.h":
    ctypedef struct PyUFuncObject:
        int nin, nout, nargs, ntypes
        loop_fn *functions
        void **data
        const char *types
        const char *name
    object PyUFunc_FromFuncAndData(loop_fn *func, void **data, char *types, int ntypes, int nin, int nout,
                                   int identity, const char *name, const char *doc, int unused)
    int PyUFunc_None
