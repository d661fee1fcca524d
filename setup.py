"""Builds the C++ core: one object per instruction set, each with its own compiler flags, in one extension.

A missing or failing compiler is no error: the package then installs without the extension and runs on Numba.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = Path("csrc")
COMMON_FLAGS = ["-std=c++17", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi"]
# gcc's own AVX-512 headers trigger -Wmaybe-uninitialized.
ISA_FLAGS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": [
        "-mavx512f",
        "-mavx512dq",
        "-mavx512vl",
        "-mavx512bw",
        "-mfma",
        "-mprefer-vector-width=512",
        "-Wno-maybe-uninitialized",
    ],
}
# The kernels hold nothing that could throw or needs type information.
KERNEL_FLAGS = ["-fno-exceptions", "-fno-rtti"]


def is_x86() -> bool:
    arch = (os.environ.get("ARCHFLAGS", "") or platform.machine()).lower()
    # Both at once (a universal build on macOS) gets what both have: the baseline.
    return "arm64" not in arch and any(name in arch for name in ("x86_64", "amd64"))


def isas() -> list[str]:
    return list(ISA_FLAGS) if is_x86() else ["baseline"]


def sources() -> list[str]:
    kernels = [str(SOURCES / "isa" / f"{isa}.cpp") for isa in isas()]
    others = [str(path) for path in sorted(SOURCES.rglob("*.cpp")) if path.parent.name != "isa"]
    return kernels + others


class BuildCore(build_ext):
    """Compiles each source with its own flags, several at a time, and survives a missing compiler."""

    def run(self) -> None:
        try:
            super().run()
        except Exception as error:  # whatever the compiler or its absence raises
            self.without_core(error)

    def without_core(self, error: Exception) -> None:
        if os.environ.get("QSIM_REQUIRE_CORE"):
            raise error
        print(
            f"\nWARNING: the C++ core of qsim could not be built ({error}).\n"
            "qsim is installed without it and runs on Numba. With a C++17 compiler (g++ 12 or clang 15 and\n"
            "up), install it again to get the core.\n",
            file=sys.stderr,
        )
        self.extensions = []

    def get_source_files(self) -> list[str]:
        headers = [str(path) for path in sorted(SOURCES.rglob("*")) if path.suffix in (".h", ".hpp", ".inl")]
        return [*super().get_source_files(), *headers]

    def build_extension(self, ext: Extension) -> None:
        import pybind11

        includes = [pybind11.get_include(), str(SOURCES)]
        macros = [("QSIM_X86", None)] if is_x86() else []
        debug = ["-g"] if os.environ.get("QSIM_DEBUG_SYMBOLS") else ["-g0"]

        cache = Path(os.environ.get("QSIM_BUILD_CACHE") or self.build_temp)
        common = hashlib.sha256(
            repr((sys.version, pybind11.__version__, self.compiler.compiler_so, macros)).encode()
        )
        for header in ext.depends:
            common.update(Path(header).read_bytes())

        def compile_source(source: str) -> list[str]:
            path = Path(source)
            flags = COMMON_FLAGS + debug
            if path.parent.name == "isa":
                flags = flags + ISA_FLAGS[path.stem] + KERNEL_FLAGS
            # Objects are kept by what went into them, so that a build repeats only what has changed; in
            # QSIM_BUILD_CACHE, if it is set, also builds in other folders find them.
            key = common.copy()
            key.update(repr((source, flags)).encode() + path.read_bytes())
            folder = cache / key.hexdigest()[:16]
            finished = folder / "finished"
            if finished.exists():
                return self.compiler.object_filenames([source], output_dir=str(folder))
            objects = self.compiler.compile(
                [source],
                output_dir=str(folder),
                macros=macros,
                include_dirs=includes + ext.include_dirs + self.compiler.include_dirs,
                extra_postargs=flags,
                depends=ext.depends,
            )
            finished.touch()
            return objects

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            objects = [name for names in pool.map(compile_source, ext.sources) for name in names]
        self.compiler.link_shared_object(
            objects,
            self.get_ext_fullpath(ext.name),
            libraries=self.get_libraries(ext),
            library_dirs=ext.library_dirs,
            extra_postargs=["-pthread"],
            target_lang="c++",
            build_temp=self.build_temp,
        )


setup(
    ext_modules=[
        Extension(
            "qsim._core",
            sources(),
            language="c++",
            depends=[
                str(path) for path in sorted(SOURCES.rglob("*")) if path.suffix in (".h", ".hpp", ".inl")
            ],
            optional=False,
        )
    ],
    cmdclass={"build_ext": BuildCore},
)
