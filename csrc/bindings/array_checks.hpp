// Checks of array arguments, and their messages. Nothing is converted or copied: a wrong array is an error.
#pragma once

#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cxxabi.h>
#include <unistd.h>

#include <complex>
#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "../execute/threads.hpp"

namespace qsim {

namespace py = pybind11;

[[noreturn]] inline void argument_error(const char* name, const std::string& rest) {
  throw py::value_error("Argument `" + std::string(name) + "` " + rest);
}

inline std::string shape_text(const py::array& array) {
  std::string text = "(";
  for (py::ssize_t i = 0; i < array.ndim(); ++i)
    text += std::to_string(array.shape(i)) + (i + 1 < array.ndim() ? ", " : array.ndim() == 1 ? "," : "");
  return text + ")";
}

inline std::string dtype_text(const py::array& array) { return py::str(array.dtype()).cast<std::string>(); }

inline py::array as_array(py::handle object, const char* name) {
  if (!py::isinstance<py::array>(object))
    throw py::type_error("Argument `" + std::string(name) + "` must be a NumPy array.");
  return py::reinterpret_borrow<py::array>(object);
}

inline void check_contiguous(const py::array& array, const char* name) {
  if (!(array.flags() & py::array::c_style)) argument_error(name, "must be C-contiguous.");
  if (!(array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) argument_error(name, "must be aligned in memory.");
}

inline void check_ndim(const py::array& array, const char* name, py::ssize_t ndim) {
  if (array.ndim() != ndim)
    argument_error(name, "must have " + std::to_string(ndim) + (ndim == 1 ? " dimension" : " dimensions") +
                             ", but has shape " + shape_text(array) + ".");
}

/// A contiguous array of T with `ndim` dimensions.
template <class T>
py::array array_of(py::handle object, const char* name, py::ssize_t ndim) {
  py::array array = as_array(object, name);
  if (!py::isinstance<py::array_t<T>>(array))
    argument_error(name, "must have dtype " + py::str(py::dtype::of<T>()).cast<std::string>() + ", but has " +
                             dtype_text(array) + ".");
  check_contiguous(array, name);
  check_ndim(array, name, ndim);
  return array;
}

template <class T>
std::vector<T> vector_of(py::handle object, const char* name) {
  const py::array array = array_of<T>(object, name, 1);
  const T* const data = static_cast<const T*>(array.data());
  return std::vector<T>(data, data + array.shape(0));
}

/// States of shape (batch, 2^n) or (2^n,).
struct States {
  py::array array;
  bool single;
  int num_qubits;
  std::int64_t batch;
  void* data;
};

inline States states_of(py::handle object, const char* name, py::ssize_t ndim, bool writable) {
  py::array array = as_array(object, name);
  const int number = array.dtype().num();
  const bool single = number == py::dtype::of<std::complex<float>>().num();
  const bool swapped = array.dtype().byteorder() == '>' || array.dtype().byteorder() == '<';  // native is '='
  if (swapped || (!single && number != py::dtype::of<std::complex<double>>().num()))
    argument_error(name, "must have dtype complex64 or complex128, but has " + dtype_text(array) + ".");
  check_contiguous(array, name);
  check_ndim(array, name, ndim);
  if (writable && !array.writeable()) argument_error(name, "must be writable, but is read-only.");
  const std::int64_t dim = array.shape(ndim - 1);
  if (dim < 1 || (dim & (dim - 1)) != 0)
    argument_error(name, "must have a power of two as its last dimension, but has shape " + shape_text(array) + ".");
  return {array, single, __builtin_ctzll(std::uint64_t(dim)), ndim == 1 ? 1 : array.shape(0),
          const_cast<void*>(array.data())};
}

inline void check_num_qubits(const States& states, const char* name, int num_qubits) {
  if (states.num_qubits != num_qubits)
    argument_error(name, "must hold states of " + std::to_string(num_qubits) + " qubits, but has shape " +
                             shape_text(states.array) + ".");
}

/// An array (batch, count, 2^n) of the dtype of `states`.
inline States cotangents_of(py::handle object, const States& states) {
  const States cotangents = states_of(object, "cotangents", 3, true);
  if (cotangents.single != states.single || cotangents.num_qubits != states.num_qubits ||
      cotangents.batch != states.batch)
    argument_error("cotangents", "must be of dtype " + dtype_text(states.array) + " and shape (" +
                                     std::to_string(states.batch) + ", count, " +
                                     std::to_string(std::int64_t{1} << states.num_qubits) + "), but has " +
                                     dtype_text(cotangents.array) + " " + shape_text(cotangents.array) + ".");
  return cotangents;
}

inline int checked_threads(std::int64_t threads) {
  if (threads < 1 || threads > 4096)
    argument_error("threads", "must be between 1 and 4096, but is " + std::to_string(threads) + ".");
  return int(threads);
}

/// Calls `take`, which takes the GIL. An interpreter that shuts down ends its daemon threads there, before Python 3.14
/// by unwinding their stacks, which no `catch (...)` and no noexcept function survives: such a thread sleeps instead
/// until the process is gone.
template <class Take>
auto take_gil(const Take& take) {
#if defined(__GLIBCXX__)
  try {
    return take();
  } catch (abi::__forced_unwind&) {
    for (;;) pause();
  }
#else
  return take();
#endif
}

/// Runs `body` without the GIL; Ctrl-C inside it surfaces as the interpreter's own exception.
template <class Body>
void without_gil(const Body& body) {
  std::exception_ptr error;
  PyThreadState* const thread = PyEval_SaveThread();
  try {
    body();
  } catch (...) {
    error = std::current_exception();
  }
  take_gil([&] { PyEval_RestoreThread(thread); });
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const Interrupted&) {
    throw py::error_already_set();
  }
}

/// body(null pointer of the amplitude type) for the precision at hand.
template <class Body>
void with_precision(bool single, const Body& body) {
  if (single)
    body(std::complex<float>{});
  else
    body(std::complex<double>{});
}

void bind_dispatch(py::module_& m);
void bind_tape(py::module_& m);
void bind_reductions(py::module_& m);
void bind_lanes(py::module_& m);
void bind_rows(py::module_& m);
void bind_xla(py::module_& m);

}  // namespace qsim
