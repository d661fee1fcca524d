#include "program.hpp"

#include <algorithm>
#include <cmath>

#include "../execute/workspace.hpp"
#include "error.hpp"
#include "memory.hpp"
#include "random.hpp"
#include "text.hpp"

namespace qsim::capi {
namespace {

constexpr double kChunkBytes = 1 << 28;  // of states, where only numbers read off them are kept

/// The last qubit that each classical bit is measured from.
std::vector<std::pair<std::int64_t, int>> last_of_each(std::vector<std::pair<std::int64_t, int>> readout) {
  std::stable_sort(readout.begin(), readout.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::pair<std::int64_t, int>> out;
  for (const auto& step : readout) {
    if (!out.empty() && out.back().first == step.first) out.pop_back();
    out.push_back(step);
  }
  return out;
}

}  // namespace

Program::Program(const Circuit& circuit, Options how)
    : num_qubits(circuit.num_qubits),
      num_params(circuit.num_params),
      num_bits(circuit.readout.empty() ? circuit.num_qubits : circuit.num_clbits),
      options(how),
      tape_(circuit.maker.tape(circuit.num_qubits, circuit.num_params)),
      measures_(!circuit.readout.empty()),
      readout_(last_of_each(circuit.readout)) {
  if (num_params > 0) reverse_ = circuit.maker.reverse_tape(num_qubits, num_params, what_);
}

template <class T>
void Program::state(const double* params, std::int64_t batch, std::complex<T>* out) const {
  if (tape_->instructions.empty()) return set_basis_state(out, num_qubits, batch, 0, options.threads);
  run(*tape_, out, batch, params, num_params == 0 ? 1 : batch, options.threads);
}

/// Calls body(states, first row, number of rows) for pieces of the batch. A row needs memory for so many states in all.
template <class Body>
void Program::with_states(const double* params, std::int64_t batch, double states_per_row, const Body& body) const {
  const auto in_precision = [&](auto real) {
    using Amplitude = std::complex<decltype(real)>;
    const double state_bytes = std::ldexp(double(sizeof(Amplitude)), num_qubits), row_bytes = state_bytes * states_per_row;
    double budget = kChunkBytes;
    if (options.max_memory != 0) budget = std::min(budget, double(options.max_memory));
    const std::int64_t rows = std::clamp<std::int64_t>(std::int64_t(budget / row_bytes), 1, std::max<std::int64_t>(batch, 1));
    check_memory(double(rows) * row_bytes, options.max_memory,
                 "A run of " + counted(num_qubits, "qubit") + " in " + (options.single ? "single" : "double") +
                     " precision");
    AlignedBuffer buffer;
    Amplitude* const states = buffer.array<Amplitude>(std::size_t(rows) << num_qubits);
    for (std::int64_t first = 0; first < batch; first += rows) {
      const std::int64_t count = std::min(rows, batch - first);
      state(params + first * num_params, count, states);
      body(states, first, count);
    }
  };
  if (options.single)
    in_precision(float{});
  else
    in_precision(double{});
}

void Program::probabilities(const double* params, std::int64_t batch, const std::int32_t* qubits, int num_listed,
                            double* out) const {
  with_states(params, batch, 1, [&](auto* states, std::int64_t first, std::int64_t count) {
    qsim::probabilities(states, num_qubits, count, qubits, num_listed, options.threads, out + (first << num_listed));
  });
}

void Program::expectation(const PauliSums& sums, const double* params, std::int64_t batch, double* out) const {
  check_memory(std::ldexp(options.single ? 8.0 : 16.0, num_qubits), options.max_memory,
               "The state of " + counted(num_qubits, "qubit"));
  const std::int64_t rows = num_params == 0 ? 1 : batch;
  (options.single ? &run_expectation<float> : &run_expectation<double>)(*tape_, sums, batch, params, rows,
                                                                        options.threads, out);
}

void Program::value_and_gradient(const PauliSums& sums, const double* params, std::int64_t batch, double* values,
                                 double* gradients) const {
  if (num_params == 0) return expectation(sums, params, batch, values);
  const std::int64_t num_observables = sums.num_observables();
  AlignedBuffer buffer;
  with_states(params, batch, double(1 + num_observables), [&](auto* states, std::int64_t first, std::int64_t count) {
    using Amplitude = std::remove_reference_t<decltype(*states)>;
    const auto dim = std::size_t{1} << num_qubits;
    Amplitude* const cotangents = buffer.array<Amplitude>(std::size_t(count * num_observables) * dim);
    qsim::expectation(sums, states, count, options.threads, values + first * num_observables);
    apply_paulis(sums, states, count, options.threads, cotangents);
    double* const own = gradients + first * num_observables * num_params;
    sweep_back(*reverse_, what_, states, cotangents, count, num_observables, params + first * num_params, count,
               options.threads, own);
  });
}

void Program::sample(const double* params, std::int64_t batch, std::int64_t shots, std::uint64_t seed,
                     std::int64_t* out) const {
  with_states(params, batch, 1, [&](auto* states, std::int64_t first, std::int64_t count) {
    for (std::int64_t row = 0; row < count; ++row) {
      std::int64_t* const own = out + (first + row) * shots;
      qsim::sample(states + (std::size_t(row) << num_qubits), num_qubits,
                   stream_key(seed, std::uint64_t(first + row)), shots, options.threads, own);
      if (!measures_) continue;
      for (std::int64_t shot = 0; shot < shots; ++shot) {
        std::uint64_t bits = 0;
        for (const auto& [clbit, qubit] : readout_) bits |= (std::uint64_t(own[shot]) >> qubit & 1) << clbit;
        own[shot] = std::int64_t(bits);
      }
    }
  });
}

template void Program::state<float>(const double*, std::int64_t, std::complex<float>*) const;
template void Program::state<double>(const double*, std::int64_t, std::complex<double>*) const;

}  // namespace qsim::capi
