/* vec_base.c: the block partials for any processor. */
#define DA_VEC_TABLE da_vec_table_base
#define DA_VEC_ACCUMULATE da_vec_accumulate_base
#define DA_VEC_LANES da_vec_lanes_base
#include "vec_body.h"
