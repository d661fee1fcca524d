// What the handles of the C interface stand for, and what runs on them. All arguments are checked by api.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "qsim.h"
#include "tape_maker.hpp"

namespace qsim::capi {

struct Options {
  bool single = false;
  int threads = 1;
  std::uint64_t max_memory = 0;  // 0: what is free
};

/// A circuit on its way to a program: what both readers make.
struct Circuit {
  TapeMaker maker;
  int num_qubits = 0, num_params = 0;
  std::int64_t num_clbits = 0;
  /// (classical bit, qubit) of the measurements at the end, in their order.
  std::vector<std::pair<std::int64_t, int>> readout;
};

/// From qsim_gate records.
Circuit read_gates(const qsim_gate* gates, std::int64_t num_gates, int num_qubits, int num_params);
/// From OpenQASM 2 text.
Circuit read_qasm(const char* text);


class Program {
 public:
  Program(const Circuit& circuit, Options options);

  const int num_qubits, num_params;
  const std::int64_t num_bits;  // of samples
  const Options options;

  // Rows of parameters are (batch, num_params), and checked.
  template <class T>
  void state(const double* params, std::int64_t batch, std::complex<T>* out) const;
  void probabilities(const double* params, std::int64_t batch, const std::int32_t* qubits, int num_listed,
                     double* out) const;
  void expectation(const PauliSums& sums, const double* params, std::int64_t batch, double* out) const;
  void value_and_gradient(const PauliSums& sums, const double* params, std::int64_t batch, double* values,
                          double* gradients) const;
  void sample(const double* params, std::int64_t batch, std::int64_t shots, std::uint64_t seed,
              std::int64_t* out) const;

 private:
  template <class Body>
  void with_states(const double* params, std::int64_t batch, double states_per_row, const Body& body) const;

  std::unique_ptr<const Tape> tape_, reverse_;
  Reverse what_;
  bool measures_;
  std::vector<std::pair<std::int64_t, int>> readout_;
};

}  // namespace qsim::capi
