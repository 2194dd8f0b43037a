/* vec_base.c: the block partials for any processor. */
#define DA_VEC_TABLE da_vec_table_base
#include "vec_body.h"
