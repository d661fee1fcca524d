#include <cmath>

#include "../execute/execute.hpp"
#include "array_checks.hpp"

namespace qsim {
namespace {

void check_mask(std::uint64_t mask, std::uint64_t value, int num_qubits) {
  if (mask >> num_qubits)
    argument_error("mask", "must have no bits beyond the " + std::to_string(num_qubits) + " qubits of the state.");
  if (value & ~mask) argument_error("value", "must have no bits outside `mask`.");
}

void set_basis_state_of(py::handle states_object, std::int64_t index, std::int64_t threads) {
  const States states = states_of(states_object, "states", 2, true);
  if (index < 0 || index >= std::int64_t{1} << states.num_qubits)
    argument_error("index", "must be between 0 and " + std::to_string((std::int64_t{1} << states.num_qubits) - 1) +
                                ", but is " + std::to_string(index) + ".");
  const int num_threads = checked_threads(threads);
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      set_basis_state(static_cast<decltype(amplitude)*>(states.data), states.num_qubits, states.batch,
                      std::uint64_t(index), num_threads);
    });
  });
}

py::array_t<double> probabilities_of(py::handle states_object, py::handle qubits_object, std::int64_t threads) {
  const States states = states_of(states_object, "states", 2, false);
  const std::vector<std::int32_t> qubits = vector_of<std::int32_t>(qubits_object, "qubits");
  std::uint64_t seen = 0;
  for (const std::int32_t q : qubits) {
    if (q < 0 || q >= states.num_qubits)
      argument_error("qubits", "must hold qubits between 0 and " + std::to_string(states.num_qubits - 1) +
                                   ", but has " + std::to_string(q) + ".");
    if ((seen >> q) & 1) argument_error("qubits", "has qubit " + std::to_string(q) + " twice.");
    seen |= std::uint64_t{1} << q;
  }
  const int num_threads = checked_threads(threads);
  py::array_t<double> out({py::ssize_t(states.batch), py::ssize_t(1) << qubits.size()});
  double* const data = out.mutable_data();
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      probabilities(static_cast<const decltype(amplitude)*>(states.data), states.num_qubits, states.batch,
                    qubits.data(), int(qubits.size()), num_threads, data);
    });
  });
  return out;
}

py::array_t<std::int64_t> sample_of(py::handle state_object, std::uint64_t key, std::int64_t shots,
                                    std::int64_t threads) {
  const States state = states_of(state_object, "state", 1, false);
  if (shots < 0) argument_error("shots", "must not be negative, but is " + std::to_string(shots) + ".");
  const int num_threads = checked_threads(threads);
  py::array_t<std::int64_t> out(shots);
  std::int64_t* const data = out.mutable_data();
  without_gil([&] {
    with_precision(state.single, [&](auto amplitude) {
      sample(static_cast<const decltype(amplitude)*>(state.data), state.num_qubits, key, shots, num_threads, data);
    });
  });
  return out;
}

py::array_t<double> norm_squared_of(py::handle states_object, std::int64_t threads) {
  const States states = states_of(states_object, "states", 2, false);
  const int num_threads = checked_threads(threads);
  py::array_t<double> out(states.batch);
  double* const data = out.mutable_data();
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      norm_squared(static_cast<const decltype(amplitude)*>(states.data), states.num_qubits, states.batch, num_threads,
                   data);
    });
  });
  return out;
}

py::array_t<std::complex<double>> inner_products_of(py::handle a_object, py::handle b_object, std::int64_t threads) {
  const States a = states_of(a_object, "a", 2, false), b = states_of(b_object, "b", 2, false);
  if (a.single != b.single || a.num_qubits != b.num_qubits || a.batch != b.batch)
    argument_error("b", "must have the dtype and shape of `a`, " + dtype_text(a.array) + " " + shape_text(a.array) +
                            ", but has " + dtype_text(b.array) + " " + shape_text(b.array) + ".");
  const int num_threads = checked_threads(threads);
  py::array_t<std::complex<double>> out(a.batch);
  std::complex<double>* const data = out.mutable_data();
  without_gil([&] {
    with_precision(a.single, [&](auto amplitude) {
      using Amplitude = const decltype(amplitude);
      inner_products(static_cast<Amplitude*>(a.data), static_cast<Amplitude*>(b.data), a.num_qubits, a.batch,
                     num_threads, data);
    });
  });
  return out;
}

double probability_of(py::handle state_object, std::uint64_t mask, std::uint64_t value, std::int64_t threads) {
  const States state = states_of(state_object, "state", 1, false);
  check_mask(mask, value, state.num_qubits);
  const int num_threads = checked_threads(threads);
  double result = 0;
  without_gil([&] {
    with_precision(state.single, [&](auto amplitude) {
      result = probability(static_cast<const decltype(amplitude)*>(state.data), state.num_qubits, mask, value,
                           num_threads);
    });
  });
  return result;
}

void collapse_of(py::handle state_object, std::uint64_t mask, std::uint64_t value, double scale,
                 std::int64_t threads) {
  const States state = states_of(state_object, "state", 1, true);
  check_mask(mask, value, state.num_qubits);
  const int num_threads = checked_threads(threads);
  without_gil([&] {
    with_precision(state.single, [&](auto amplitude) {
      collapse(static_cast<decltype(amplitude)*>(state.data), state.num_qubits, mask, value, scale, num_threads);
    });
  });
}

}  // namespace

void bind_reductions(py::module_& m) {
  m.def("set_basis_state", &set_basis_state_of, py::arg("states"), py::arg("index"), py::arg("threads"),
        "Overwrite (batch, 2**n) states with the basis state `index`.");
  m.def("probabilities", &probabilities_of, py::arg("states"), py::arg("qubits"), py::arg("threads"),
        "Probabilities (batch, 2**len(qubits)); qubits[0] is the least significant bit of the result index.");
  m.def("sample", &sample_of, py::arg("state"), py::arg("key"), py::arg("shots"), py::arg("threads"),
        "For each number of the stream `key` (see qsim.rng) the first index whose cumulative probability exceeds it.");
  m.def("norm_squared", &norm_squared_of, py::arg("states"), py::arg("threads"),
        "Sum of |amplitude|**2 of each state, (batch,).");
  m.def("inner_products", &inner_products_of, py::arg("a"), py::arg("b"), py::arg("threads"),
        "Sum of conj(a) * b of each pair of states, (batch,).");
  m.def("probability", &probability_of, py::arg("state"), py::arg("mask"), py::arg("value"), py::arg("threads"),
        "Sum of |amplitude|**2 where index & mask == value.");
  m.def("collapse", &collapse_of, py::arg("state"), py::arg("mask"), py::arg("value"), py::arg("scale"),
        py::arg("threads"), "Zero all amplitudes but those where index & mask == value; scale these.");
}

}  // namespace qsim
