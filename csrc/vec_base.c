/* vec_base.c: the block partials for any processor. */
#define DA_VEC_KERNELS da_vec_base
#define DA_VEC_NAME "base"
#include "vec_body.h"
