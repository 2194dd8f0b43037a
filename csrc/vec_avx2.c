/* vec_avx2.c: the block partials for x86-64 processors with AVX2 and FMA. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("avx2,fma")
#define DA_VEC_SIMD 1
#define DA_VEC_KERNELS da_vec_avx2
#define DA_VEC_NAME "avx2"
#include "vec_body.h"
#endif
typedef int da_vec_avx2_not_empty;
