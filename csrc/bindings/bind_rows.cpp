// Functions of one row of angles, with everything else bound: the shortest way there is for small circuits.
#include "../execute/execute.hpp"
#include "../execute/lanes.hpp"
#include "array_checks.hpp"

namespace qsim {
namespace {

/// States of so few qubits take less time than giving up the GIL and taking it again.
constexpr int kBriefQubits = 4;

/// The numbers of a contiguous array of `count` finite angles, of which none is larger than `largest`; null for anything
/// else, which another function may take or refuse.
const double* row_of(py::handle object, py::ssize_t count, double largest) {
  if (!py::isinstance<py::array_t<double>>(object)) return nullptr;
  const auto array = py::reinterpret_borrow<py::array>(object);
  constexpr int flags = py::array::c_style | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  if (array.ndim() != 1 || array.shape(0) != count || (array.flags() & flags) != flags) return nullptr;
  const double* const data = static_cast<const double*>(array.data());
  bool good = true;
  for (py::ssize_t i = 0; i < count; ++i) good &= data[i] <= largest && data[i] >= -largest;
  return good ? data : nullptr;
}

template <class Body>
void maybe_without_gil(int num_qubits, const Body& body) {
  if (num_qubits > kBriefQubits) return without_gil(body);
  try {
    body();
  } catch (const Interrupted&) {
    throw py::error_already_set();
  }
}

py::cpp_function expectation_of_row(std::shared_ptr<Tape> tape, std::shared_ptr<PauliSums> sums, bool single,
                                    std::int64_t threads, double largest) {
  if (sums->num_qubits != tape->num_qubits || sums->num_observables() != 1)
    throw py::value_error("The observables must be one, of as many qubits as the tape.");
  const int num_threads = checked_threads(threads);
  return py::cpp_function([=](py::handle params) -> py::object {
    const double* const angles = row_of(params, tape->num_slots, largest);
    if (angles == nullptr) return py::none();
    double out = 0;
    maybe_without_gil(tape->num_qubits, [&] {
      (single ? &run_expectation<float> : &run_expectation<double>)(*tape, *sums, 1, angles, 1, num_threads, &out);
    });
    return py::float_(out);
  });
}

py::cpp_function state_of_row(std::shared_ptr<Tape> tape, bool single, std::int64_t threads, double largest) {
  const int num_threads = checked_threads(threads);
  return py::cpp_function([=](py::handle params) -> py::object {
    const double* const angles = row_of(params, tape->num_slots, largest);
    if (angles == nullptr) return py::none();
    py::object out = py::none();
    with_precision(single, [&](auto amplitude) {
      using Amplitude = decltype(amplitude);
      py::array_t<Amplitude> state(py::ssize_t{1} << tape->num_qubits);
      Amplitude* const data = state.mutable_data();
      maybe_without_gil(tape->num_qubits,
                        [&] { run<typename Amplitude::value_type>(*tape, data, 1, angles, 1, num_threads); });
      out = std::move(state);
    });
    return out;
  });
}

py::cpp_function gradient_of_row(std::shared_ptr<LaneProgram> program, std::shared_ptr<LaneObservables> observables,
                                 bool single, std::int64_t threads, double largest) {
  if (program->num_qubits != observables->num_qubits || observables->num_observables != 1)
    throw py::value_error("The observables must be one, of as many qubits as the program.");
  const int num_threads = checked_threads(threads);
  const std::vector<std::uint8_t> wanted(std::size_t(program->num_slots), 1);
  return py::cpp_function([=](py::handle params) -> py::object {
    const double* const angles = row_of(params, program->num_slots, largest);
    if (angles == nullptr) return py::none();
    double value = 0;
    py::array_t<double> slopes(program->num_slots);
    double* const out = slopes.mutable_data();
    maybe_without_gil(program->num_qubits, [&] {
      (single ? &gradient_lanes<float> : &gradient_lanes<double>)(*program, *observables, wanted, 1, angles, 1, num_threads,
                                                                  &value, out);
    });
    return py::make_tuple(value, slopes);
  });
}

}  // namespace

void bind_rows(py::module_& m) {
  m.def("state_of_row", &state_of_row, py::arg("tape"), py::arg("single"), py::arg("threads"), py::arg("largest"),
        "A function of one row of angles: the state made from |0...0>, or None if it is not given just that.");
  m.def("expectation_of_row", &expectation_of_row, py::arg("tape"), py::arg("paulis"), py::arg("single"),
        py::arg("threads"), py::arg("largest"),
        "A function of one row of angles: the value of the one observable, or None if it is not given just that.");
  m.def("gradient_of_row", &gradient_of_row, py::arg("program"), py::arg("observables"), py::arg("single"),
        py::arg("threads"), py::arg("largest"),
        "A function of one row of angles: value and derivatives by all slots, or None if it is not given just that.");
}

}  // namespace qsim
