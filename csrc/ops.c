/* ops.c: the table as data, and its rows one point at a time. */
#include "ops.h"

const da_row da_rows[] = {
#define UNARY(name, value, dx, cls, domain) \
    {#name, #value, #dx, "", #cls, #domain, 1, DA_OP_##name, DA_CLASS_##cls},
#define BINARY(name, value, dx, dy, cls, domain) \
    {#name, #value, #dx, #dy, #cls, #domain, 2, DA_OP_##name, DA_CLASS_##cls},
#include "ops.def"
#undef UNARY
#undef BINARY
};
const int da_row_count = (int)(sizeof da_rows / sizeof *da_rows);

int da_selects(int code)
{
    switch (code) {
#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: return DA_CLASS_##cls >= DA_CLASS_SELECT;
#define BINARY(name, value, dx, dy, cls, domain) UNARY(name, value, dx, cls, domain)
#include "ops.def"
#undef UNARY
#undef BINARY
    default: return 0;
    }
}

int da_row_code(int code)
{
    switch (code) {
#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: return DA_OP_##name;
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name: \
    case DA_OP_##name + 1: \
    case DA_OP_##name + 2: return DA_OP_##name;
#include "ops.def"
#undef UNARY
#undef BINARY
    default: return 0;
    }
}

int da_is_binary(int row)
{
    return da_operand_is_slot(row, 1);
}

int da_operand_is_slot(int code, int which)
{
    switch (code) {
#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: return which == 0;
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name: return 1; \
    case DA_OP_##name + 1: return which == 0; \
    case DA_OP_##name + 2: return which == 1;
#include "ops.def"
#undef UNARY
#undef BINARY
    default: return 0;
    }
}

#include "ops_scalar.h"

double da_value(int code, double x, double y)
{
    switch (code) {
#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: return value;
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name: \
    case DA_OP_##name + 1: \
    case DA_OP_##name + 2: return value;
#include "ops.def"
#undef UNARY
#undef BINARY
    default: return NAN;
    }
}

void da_partials(int code, double x, double y, double v, double *px, double *py)
{
    (void)v;
    switch (code) {
#define UNARY(name, value, dx, cls, domain) \
    case DA_OP_##name: *px = dx; *py = 0.0; break;
#define BINARY(name, value, dx, dy, cls, domain) \
    case DA_OP_##name: \
    case DA_OP_##name + 1: \
    case DA_OP_##name + 2: *px = dx; *py = dy; break;
#include "ops.def"
#undef UNARY
#undef BINARY
    default: *px = *py = NAN;
    }
}
