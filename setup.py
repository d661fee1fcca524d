"""Builds the C++ core: one object per instruction set, each with its own compiler flags, in one extension.

The same objects, with the C interface instead of the bindings, make the shared library that programs without
Python link to (`qsim.get_library`), and `qsim._capi` binds that with cffi.

A missing or failing compiler is no error: the package then installs without them and runs on Numba.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = Path("csrc")
INCLUDE = Path("qsim") / "include"
LIBRARY = Path("lib") / ("libqsim.dylib" if sys.platform == "darwin" else "libqsim.so")  # inside the package
VERSION = Path("qsim/_version.py").read_text().split('"')[-2]
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


def sources(*rooms: str) -> list[str]:
    """What both libraries share, and what is in some more rooms of ``csrc``."""
    kernels = [str(SOURCES / "isa" / f"{isa}.cpp") for isa in isas()]
    own = {"isa", "bindings", "capi", "ffi"} - set(rooms)
    others = [str(path) for path in sorted(SOURCES.rglob("*.cpp")) if path.parent.name not in own]
    return kernels + others


def headers(room: str = "") -> list[Path]:
    """Headers that sources of a room may include; nothing else includes those of the C interface."""
    found = sorted(path for path in SOURCES.rglob("*") if path.suffix in (".h", ".hpp", ".inl"))
    if room == "capi":
        return [*found, INCLUDE / "qsim.h"]
    return [path for path in found if path.parent.name != "capi"]


def exports(room: str, pattern: str) -> list[str]:
    """Flags that make the linker hide all other symbols."""
    if sys.platform == "darwin":
        return [f"-Wl,-exported_symbol,_{pattern}"]
    return [f"-Wl,--version-script={SOURCES / room / 'exports.map'}"]


def interface_of_header() -> str:
    """The declarations of ``qsim.h`` as cffi takes them."""
    text = (INCLUDE / "qsim.h").read_text()
    start, end = (text.index(f"/* -- {mark} -- */") for mark in ("declarations", "end of declarations"))
    return text[start:end].replace("QSIM_API ", "") + 'extern "Python" int32_t interrupt_wanted(void);'


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
        others = [*headers("capi"), *SOURCES.rglob("*.map")]
        return [*super().get_source_files(), *sources("capi"), *map(str, others)]

    def build_extension(self, ext: Extension) -> None:
        if ext.name == "qsim._core":
            flags = [*exports("bindings", "PyInit__core"), *(f"-l{name}" for name in self.get_libraries(ext))]
            self.link(sources("bindings", "ffi"), self.get_ext_fullpath(ext.name), flags)
            return
        try:
            self.build_interface(ext)
        except Exception as error:  # the core serves without it
            if os.environ.get("QSIM_REQUIRE_CORE"):
                raise
            print(f"\nWARNING: the C interface of qsim could not be built ({error}).\n", file=sys.stderr)

    def build_interface(self, ext: Extension) -> None:
        """The shared library of the C interface, and its binding."""
        from cffi import FFI

        binding = Path(self.get_ext_fullpath(ext.name))
        library = binding.parent / LIBRARY
        library.parent.mkdir(parents=True, exist_ok=True)
        name = (
            f"-Wl,-install_name,@rpath/{library.name}"
            if sys.platform == "darwin"
            else f"-Wl,-soname,{library.name}"
        )
        linker = self.compiler.linker_so, getattr(self.compiler, "linker_so_cxx", None)
        if sys.platform == "darwin":  # Python links bundles there, which programs cannot link to
            for attribute in ("linker_so", "linker_so_cxx"):
                words = [
                    "-dynamiclib" if word == "-bundle" else word
                    for word in getattr(self.compiler, attribute, [])
                ]
                setattr(self.compiler, attribute, words)
        self.link(sources("capi"), str(library), [name, *exports("capi", "qsim_*")])
        self.compiler.linker_so, self.compiler.linker_so_cxx = linker

        ffi = FFI()
        ffi.cdef(interface_of_header())
        ffi.set_source(ext.name, "#include <qsim.h>")
        source = Path(self.build_temp) / "_capi.c"
        source.parent.mkdir(parents=True, exist_ok=True)
        ffi.emit_c_code(str(source))
        objects = self.compiler.compile(
            [str(source)],
            output_dir=self.build_temp,
            include_dirs=[str(INCLUDE), *ext.include_dirs, *self.compiler.include_dirs],
        )
        origin = "@loader_path" if sys.platform == "darwin" else "$ORIGIN"
        self.compiler.link_shared_object(
            objects,
            str(binding),
            libraries=["qsim", *self.get_libraries(ext)],
            library_dirs=[str(library.parent), *ext.library_dirs],
            extra_postargs=[f"-Wl,-rpath,{origin}/{LIBRARY.parent}"],
            build_temp=self.build_temp,
        )

    def copy_extensions_to_source(self) -> None:
        super().copy_extensions_to_source()
        built = Path(self.build_lib) / "qsim" / LIBRARY
        if built.exists():
            target = Path("qsim") / LIBRARY
            target.parent.mkdir(exist_ok=True)
            new = target.with_suffix(".new")  # a process may have the old one open
            shutil.copy(built, new)
            new.replace(target)

    def link(self, all_sources: list[str], path: str, flags: list[str]) -> None:
        """A shared library of all these sources, of which those that were compiled before are not again."""
        import pybind11

        macros: list[tuple[str, str | None]] = [("QSIM_X86", None)] if is_x86() else []
        debug = ["-g"] if os.environ.get("QSIM_DEBUG_SYMBOLS") else ["-g0"]

        cache = Path(os.environ.get("QSIM_BUILD_CACHE") or self.build_temp)
        common = {}
        for room in ("", "capi"):
            common[room] = hashlib.sha256(
                repr((sys.version, pybind11.__version__, self.compiler.compiler_so, macros)).encode()
            )
            for header in headers(room):
                common[room].update(header.read_bytes())

        def compile_source(source: str) -> list[str]:
            path = Path(source)
            room = "capi" if path.parent.name == "capi" else ""
            own_flags = COMMON_FLAGS + debug
            includes = [pybind11.get_include(), str(SOURCES)]
            if path.parent.name == "isa":
                own_flags = own_flags + ISA_FLAGS[path.stem] + KERNEL_FLAGS
            if room == "capi":
                own_flags = [*own_flags, "-DQSIM_BUILDING_LIBRARY", f'-DQSIM_VERSION="{VERSION}"']
                includes = [str(INCLUDE), str(SOURCES)]
            # Objects are kept by what went into them, so that a build repeats only what has changed; in
            # QSIM_BUILD_CACHE, if it is set, also builds in other folders find them.
            key = common[room].copy()
            key.update(repr((source, own_flags)).encode() + path.read_bytes())
            folder = cache / key.hexdigest()[:16]
            finished = folder / "finished"
            if finished.exists():
                return self.compiler.object_filenames([source], output_dir=str(folder))
            objects = self.compiler.compile(
                [source],
                output_dir=str(folder),
                macros=macros,
                include_dirs=includes + self.compiler.include_dirs,
                extra_postargs=own_flags,
            )
            finished.touch()
            return objects

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            objects = [name for names in pool.map(compile_source, all_sources) for name in names]
        self.compiler.link_shared_object(
            objects, path, extra_postargs=["-pthread", *flags], target_lang="c++", build_temp=self.build_temp
        )


setup(
    ext_modules=[
        Extension(
            "qsim._core",
            sources("bindings", "ffi"),
            language="c++",
            depends=[str(path) for path in headers()],
            optional=False,
        ),
        Extension("qsim._capi", [], depends=[str(path) for path in headers("capi")], optional=True),
    ],
    cmdclass={"build_ext": BuildCore},
)
