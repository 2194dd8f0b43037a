# Levels: one open differentiation each.
#
# Level 0 is never closed: it is that of Dual numbers the user makes by hand.  A reverse level owns a tape, taken from a
# small pool; closing the level makes its values unusable while its tape lives on for the pullback.

cdef enum:
    MASK = 4095
    MAX_TAPES = 4
    FORWARD = 0
    REVERSE = 1

cdef uint64_t next_id = 1
cdef da_tape *tape_pool[MAX_TAPES]
cdef int tapes_pooled = 0


class LeakedValueError(RuntimeError):
    """A traced value was used after the transformation that made it had ended.

    Return the value from the differentiated function, or take ``dualad.value(t)`` inside it.
    """


class _NeedsGenericTape(Exception):
    """An operation met a traced value of another level on a tape of floats; the transformation starts again."""


cdef extern from *:
    """
    #define da_decref(o) Py_DECREF(o)
    """
    void decref "da_decref"(PyObject *o)


cdef inline bint alive(uint64_t id) noexcept:
    return LEVELS[id & MASK].id == id


cdef object raise_leaked(object what):
    raise LeakedValueError(
        f"{what!r} was traced by a transformation that has ended; return it from the differentiated function, "
        "or take dualad.value(t) inside that function if a plain number is meant")


cdef da_tape *take_tape() except NULL:
    global tapes_pooled
    cdef da_tape *t
    if tapes_pooled:
        tapes_pooled -= 1
        return tape_pool[tapes_pooled]
    t = da_tape_new()
    if t == NULL:
        raise MemoryError("no address space for a tape")
    return t


cdef void give_tape(da_tape *t) noexcept:
    global tapes_pooled
    da_tape_reset(t)
    if tapes_pooled < MAX_TAPES:
        tape_pool[tapes_pooled] = t
        tapes_pooled += 1
    else:
        da_tape_free(t)


cdef class Level:
    """One open differentiation.

    Parameters
    ----------
    reverse : bool
        Record on a tape (True) or carry tangents (False).
    lanes : int
        Tangents carried at once; 0 for a single tangent of the primal's own shape.
    plain : bool
        Inputs are plain float64 and no other level is open: operations go to the tape of floats.
    """
    cdef uint64_t id
    cdef da_tape *tape
    cdef readonly bint reverse, plain
    cdef readonly int lanes
    cdef readonly list calls
    cdef bint is_open, sweeping
    cdef Py_ssize_t next_key

    def __init__(self, bint reverse, int lanes=0, bint plain=True):
        open_level(self, reverse, lanes, plain)

    def __dealloc__(self):
        if self.is_open and LEVELS[self.id & MASK].id == self.id and LEVELS[self.id & MASK].level == <PyObject *>self:
            da_level_close(self.id)
        if self.tape != NULL:
            give_tape(self.tape)

    @property
    def level_id(self):
        return self.id

    def close(self):
        """End the level: its values raise at their next use; the tape stays for the pullback."""
        close_level(self)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        close_level(self)

    def new_key(self):
        """A number for an external value (one that does not live in slots)."""
        self.next_key += 1
        return self.next_key

    def append_external(self, call):
        """Append a call whose results live outside the slots."""
        if self.tape != NULL and da_tape_call(self.tape, 0) == DA_FULL:
            raise_full()
        self.calls.append(call)

    @property
    def nodes(self):
        """Entries of the tape (a scalar operation, an array operation, a call)."""
        return self.tape.nodes if self.tape != NULL else len(self.calls)

    @property
    def slots(self):
        return self.tape.slots if self.tape != NULL else 0

    @property
    def nbytes(self):
        """Bytes the recording holds, adjoints not included."""
        return da_tape_bytes(self.tape) if self.tape != NULL else 0


cdef Level ROOT = Level.__new__(Level)
LEVELS[0].id = 0
LEVELS[0].level = <PyObject *>ROOT
ROOT.is_open = False


cdef uint64_t open_slot(da_tape *tape) except 0:
    """Take an id and its place in LEVELS; `tape` is NULL for a forward level."""
    global next_id
    cdef int tries = 0
    cdef uint64_t id = next_id
    while (id & MASK) == 0 or LEVELS[id & MASK].id != 0:
        id += 1
        tries += 1
        if tries > MASK:
            raise RecursionError(f"{MASK} differentiations are open at once; is a transformation calling itself?")
    next_id = id + 1
    da_level_open(id, tape)
    return id


cdef int open_level(Level self, bint reverse, int lanes, bint plain) except -1:
    global da_open_levels
    self.tape = take_tape() if reverse else NULL
    cdef uint64_t id = open_slot(self.tape)
    self.id = id
    self.reverse = reverse
    self.lanes = lanes
    self.plain = plain
    self.next_key = 0
    self.sweeping = False
    self.calls = [] if reverse else None
    LEVELS[id & MASK].level = <PyObject *>self
    self.is_open = True
    da_open_levels += 1
    return 0


cdef int close_level(Level self) except -1:
    global da_open_levels
    if self.is_open:
        self.is_open = False
        da_level_close(self.id)
        da_open_levels -= 1
    return 0


def open_count():
    """How many levels this thread has open."""
    return da_open_levels


cdef Level level_of(uint64_t id, object what):
    if not alive(id):
        raise_leaked(what)
    cdef Level level
    if LEVELS[id & MASK].level == NULL:
        # jvp_float opens its level without an object; one is made, kept by LEVELS, when something needs it.
        level = Level.__new__(Level)
        level.id = id
        level.plain = True
        LEVELS[id & MASK].level = <PyObject *>level
        Py_INCREF(level)
    return <Level>LEVELS[id & MASK].level


def check_open(x):
    """Raise LeakedValueError if x is a traced value whose level has ended."""
    if isinstance(x, Traced) and not alive((<Traced>x).level):
        raise_leaked(x)


def top_level(values):
    """The highest open level among the traced ones of `values`, or None."""
    cdef uint64_t top = 0
    cdef bint any_ = False
    cdef object which = None
    cdef uint64_t id
    for v in values:
        if isinstance(v, Traced):
            id = (<Traced>v).level
            if not any_ or id > top:
                top = id
                which = v
                any_ = True
            if not alive(id):
                raise_leaked(v)
    return level_of(top, which) if any_ else None


cdef object raise_full():
    raise MemoryError("the tape is full: more operations than its address space holds")
