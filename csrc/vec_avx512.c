/* vec_avx512.c: the block partials for x86-64 processors with AVX-512 (F, DQ, VL). */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")
#define DA_VEC_SIMD 1
#define DA_VEC_KERNELS da_vec_avx512
#define DA_VEC_NAME "avx512"
#include "vec_body.h"
#endif
typedef int da_vec_avx512_not_empty;
