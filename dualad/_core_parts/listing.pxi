# What a recording holds, for those who want to look at it: counts, a listing, its values on other inputs.

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


cdef dict ENTRY_NAMES = {DA_MOVE: "sum", DA_GATHER: "pick", DA_WHERE: "where", DA_MATMUL: "matmul"}


def entries(Level level not None):
    """The recording in order: a list of tuples (name, slot, size, shape, operands, partials).

    name
        Row of the op table; "input", "call"; for arrays also "sum" (sums, broadcasts and copies), "pick", "where", "matmul".
    slot, size
        First slot of the result, and how many it has.
    shape
        () for a scalar operation; axes of the iteration of an array entry ((m, k, n, batch axes) of a product).
    operands
        A slot (int; the first one of an array) for each traced operand, the number (float) for a constant of a scalar
        operation, None for a constant array.
    partials
        Of a scalar operation, one for each operand; () otherwise.
    """
    cdef da_tape *t = level.tape
    cdef size_t i, slot = 0, used
    cdef int code, row_code
    cdef double x, y, px, py
    cdef da_entry *e
    out = []
    if t == NULL:
        return out
    for i in range(t.nodes):
        code = t.op[i]
        used = t.of[i].b if code >= DA_OP_INPUT else 1
        if code == DA_OP_INPUT or code == DA_OP_CALL:
            n = used - (((slot + 7) & ~<size_t>7) - slot) if used >= 8 else used
            out.append(("input" if code == DA_OP_INPUT else "call", slot + used - n, n, (n,), (), ()))
        elif code == DA_OP_ARRAY:
            e = da_tape_entry_at(t, t.of[i].a)
            name = ENTRY_NAMES[e.kind] if e.kind in ENTRY_NAMES else da_rows_name(e.code_lo)
            operands = [e.x if e.x_active else None]
            if e.kind == DA_GATHER:
                operands = [None if e.index[j] == DA_FULL else e.index[j] for j in range(e.n)]
            elif e.kind != DA_MAP1 and e.kind != DA_MOVE:
                operands.append(e.y if e.y_active else None)
            out.append((name, e.out, e.n, tuple([e.shape[j] for j in range(e.nd)]), tuple(operands), ()))
        else:
            row_code = da_row_code(code)
            x = t.pool[t.of[i].a] if code == row_code + 2 else t.val[t.of[i].a]
            if BINARY_ROW[row_code]:
                y = t.pool[t.of[i].b] if code == row_code + 1 else t.val[t.of[i].b]
                da_partials(row_code, x, y, t.val[slot], &px, &py)
                out.append((da_rows_name(row_code), slot, 1, (), (x if code == row_code + 2 else t.of[i].a,
                                                                  y if code == row_code + 1 else t.of[i].b), (px, py)))
            else:
                da_partials(row_code, x, 0.0, t.val[slot], &px, &py)
                out.append((da_rows_name(row_code), slot, 1, (), (t.of[i].a,), (px,)))
        slot += used
    return out


def replay(Level level not None, inputs, points):
    """Recompute every value of a recording of scalar operations with other numbers for its inputs.

    Parameters
    ----------
    level : Level
    inputs : sequence of Var
    points : sequence of float

    No comparison is made again: the caller knows that f takes the same way.  TypeError where the recording holds arrays or calls;
    nothing is changed then.
    """
    cdef da_tape *t = level.tape
    cdef Var v
    if t == NULL or len(inputs) != len(points):
        raise ValueError("replay takes a recording and as many numbers as it has inputs")
    if not da_replayable(t):
        raise TypeError("only recordings of scalar operations are replayed")
    for v, x in zip(inputs, points):
        v.v = t.val[v.slot] = x
    da_replay(t)


def replay_gradient(Level level not None, inputs, Var out not None, points):
    """(value, gradient as a list) of a recording of scalar operations at other inputs: a replay and a reverse sweep."""
    cdef da_tape *t = level.tape
    cdef Var v
    replay(level, inputs, points)
    sweep_from(t, out.slot)
    return t.val[out.slot], [t.adj[(<Var>v).slot] + 0.0 for v in inputs]
