/* ops.h: what the rest of the library sees of ops.def.
 *
 * An opcode is one byte.  A unary row has one code; a binary row has three, for the operands a recording may hold:
 *     DA_OP_multiply      slot, slot        DA_OP_multiply + 1   slot, constant        DA_OP_multiply + 2   constant, slot
 * The last codes are entries of a tape that are no row of the table (tape.h).
 */
#ifndef DUALAD_OPS_H
#define DUALAD_OPS_H

#include <stddef.h>

enum {
    DA_OP_BEGIN = 0,
#define UNARY(name, value, dx, cls, domain) DA_OP_##name, DA_OP_LAST_##name = DA_OP_##name,
#define BINARY(name, value, dx, dy, cls, domain) DA_OP_##name, DA_OP_LAST_##name = DA_OP_##name + 2,
#include "ops.def"
#undef UNARY
#undef BINARY
    DA_OP_INPUT, /* slots that no operation computed: inputs and stored constants; a = how many */
    DA_OP_ARRAY, /* an array entry; a = its index */
    DA_OP_CALL,  /* a Python primitive; a = its index */
    DA_OP_COUNT
};

enum { DA_CLASS_MOVE, DA_CLASS_ADD, DA_CLASS_MUL, DA_CLASS_NONLINEAR, DA_CLASS_SELECT, DA_CLASS_STEP };

/* One row of the table as data: what Python, the documentation and the tests read. */
typedef struct {
    const char *name, *value, *dx, *dy, *cls, *domain;
    int arity, code, kind; /* kind: DA_CLASS_... */
} da_row;

extern const da_row da_rows[];
extern const int da_row_count;

/* Value of a row by libm and mathfn.h; a binary row also by any of its three codes.  NaN for codes without a row. */
double da_value(int code, double x, double y);

/* Is the row one that selects (or steps): does its zero partial mean "not chosen"? */
int da_selects(int code);

/* Is operand `which` (0, 1) of a scalar operation a slot (not a constant, and there at all)? */
int da_operand_is_slot(int code, int which);

/* The first code of the row that a code belongs to (0 for none), and whether a row is binary. */
int da_row_code(int code);
int da_is_binary(int row);

/* Partials of a row at one point. */
void da_partials(int code, double x, double y, double v, double *px, double *py);

#endif
