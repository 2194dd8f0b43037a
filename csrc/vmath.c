/* vmath.c: who computes exp, sin ... of four numbers at once.
 *
 * glibc's libmvec is the well-kept library; it is looked up at run time, so a machine without it still loads the
 * extension and gets libm, element by element.  The symbols defined here are those the compiler calls for a loop over
 * da_vm_sin (the x86-64 vector function ABI: b = SSE2, d = AVX2, e = AVX-512; N2, N4, N8 = lanes; v = a vector argument).
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "vec.h"
#include "ops.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

extern const da_kernels da_vec_base;

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#if defined(__linux__)
#include <dlfcn.h>
#endif

extern const da_kernels da_vec_avx2, da_vec_avx512;

#define FUNCTIONS(X) X(sin) X(cos) X(tan) X(exp) X(log) X(sinh) X(cosh) X(tanh)

typedef __m256d (*vector4)(__m256d);
typedef __m512d (*vector8)(__m512d);

/* The scalar name, the two-lane name (unused by our loops but referenced by the compiler), four and eight lanes. */
#define X(f) \
    static vector4 mvec_##f; \
    static vector8 mvec8_##f; \
    double da_vm_##f(double x); \
    double da_vm_##f(double x) { return f(x); } \
    __m128d _ZGVbN2v_da_vm_##f(__m128d x); \
    __m128d _ZGVbN2v_da_vm_##f(__m128d x) { return _mm_set_pd(f(x[1]), f(x[0])); } \
    __attribute__((target("avx2"))) __m256d _ZGVdN4v_da_vm_##f(__m256d x); \
    __attribute__((target("avx2"))) __m256d _ZGVdN4v_da_vm_##f(__m256d x) \
    { \
        return mvec_##f ? mvec_##f(x) : _mm256_set_pd(f(x[3]), f(x[2]), f(x[1]), f(x[0])); \
    } \
    __attribute__((target("avx512f"))) __m512d _ZGVeN8v_da_vm_##f(__m512d x); \
    __attribute__((target("avx512f"))) __m512d _ZGVeN8v_da_vm_##f(__m512d x) \
    { \
        return mvec8_##f ? mvec8_##f(x) \
                         : _mm512_set_pd(f(x[7]), f(x[6]), f(x[5]), f(x[4]), f(x[3]), f(x[2]), f(x[1]), f(x[0])); \
    }
FUNCTIONS(X)
#undef X

static int found_libmvec;

static const da_kernels *chosen = &da_vec_base;

__attribute__((constructor)) static void find(void)
{
    const char *most = getenv("DUALAD_VECTOR"); /* "base" or "avx2": no more than that, for tests */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && !(most && strcmp(most, "base") == 0))
        chosen = &da_vec_avx2;
    if (chosen == &da_vec_avx2 && !(most && strcmp(most, "avx2") == 0) && __builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        chosen = &da_vec_avx512;
#if defined(__linux__)
    void *lib = chosen != &da_vec_base ? dlopen("libmvec.so.1", RTLD_NOW | RTLD_LOCAL) : NULL;
    if (lib) {
        found_libmvec = 1;
#define X(f) \
    *(void **)&mvec_##f = dlsym(lib, "_ZGVdN4v_" #f); \
    *(void **)&mvec8_##f = dlsym(lib, "_ZGVeN8v_" #f); \
    found_libmvec &= mvec_##f != NULL && mvec8_##f != NULL;
        FUNCTIONS(X)
#undef X
    }
#endif
}

const da_kernels *da_vec(void)
{
    return chosen;
}

int da_vec_has_libmvec(void)
{
    return found_libmvec;
}

#else

const da_kernels *da_vec(void)
{
    return &da_vec_base;
}

int da_vec_has_libmvec(void)
{
    return 0;
}

#endif
