"""Build of the compiled core.

Switches (environment): DUALAD_DEBUG=1 assertions and -O0; DUALAD_SANITIZE=address|undefined|... compiler sanitizers.
"""

import os
import sys

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup

DEBUG = os.environ.get("DUALAD_DEBUG", "") not in ("", "0")
SANITIZE = os.environ.get("DUALAD_SANITIZE", "")
C_FILES = ["mathfn", "ops", "vec_base", "vec_avx2", "vec_avx512", "vmath", "tape", "plan", "fused", "sweep", "block", "sweep_array",
           "second", "taylor"]  # fmt: skip

if sys.platform == "win32":
    compile_args, link_args, libraries = ["/std:c11", "/O2"], [], []
else:
    # Never -ffast-math: linked into a shared object it flushes denormals for the whole process.  Functions begin on cache lines:
    # where the operators of numbers happen to lie changes a loop over them by 4 %.
    compile_args = ["-std=gnu11", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fvisibility=hidden",
                    "-falign-functions=64",
                    *(["-O0", "-g"] if DEBUG else ["-O3", "-DNDEBUG", "-g0"])]
    link_args, libraries = ([] if DEBUG else ["-Wl,-s"] if sys.platform.startswith("linux") else []), ["m"]
    if sys.platform.startswith("linux"):
        libraries.append("dl")
    if SANITIZE:
        flags = [f"-fsanitize={SANITIZE}", "-fno-omit-frame-pointer", "-g"]
        compile_args += flags
        link_args = flags

core = Extension(
    "dualad._core",
    ["dualad/_core.pyx", *[f"csrc/{name}.c" for name in C_FILES]],
    include_dirs=["csrc", numpy.get_include()],
    depends=[f"csrc/{f}" for f in os.listdir("csrc")] + [f"dualad/_core_parts/{f}" for f in os.listdir("dualad/_core_parts")],
    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
    extra_compile_args=compile_args,
    extra_link_args=link_args,
    libraries=libraries,
)

setup(ext_modules=cythonize([core], build_dir="build/cython"))
