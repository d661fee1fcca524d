// What the bindings call. States are rows of 2^num_qubits interleaved complex numbers; all arguments are checked.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "pauli_sum.hpp"
#include "tape.hpp"

namespace qsim {

/// `angle_rows` is 1 or `batch`.
template <class T>
void apply(const Tape& tape, std::complex<T>* states, std::int64_t batch, const double* angles,
           std::int64_t angle_rows, int threads);

/// The states the tape makes from |0...0>; what `states` held before is not read.
template <class T>
void run(const Tape& tape, std::complex<T>* states, std::int64_t batch, const double* angles, std::int64_t angle_rows,
         int threads);

/// Values of all observables, (batch, num_observables), in the states that the tape makes from |0...0>.
template <class T>
void run_expectation(const Tape& tape, const PauliSums& sums, std::int64_t batch, const double* angles,
                     std::int64_t angle_rows, int threads, double* out);

/// What the instructions of a reverse tape are: slots[i] < 0: an inverse, to be applied; else a generator, whose overlap
/// adds to the derivative by that slot with the weight weights[i].
struct Reverse {
  std::vector<std::int32_t> slots;
  std::vector<double> weights;
};

/// Derivatives 2 Re <cotangent| d state / d slot>, (batch, count, num_slots), by undoing the circuit on both. `states`
/// are those at its end; they and the cotangents (batch, count, 2^n) may be overwritten. See adjoint.cpp.
template <class T>
void sweep_back(const Tape& tape, const Reverse& reverse, std::complex<T>* states, std::complex<T>* cotangents,
                std::int64_t batch, std::int64_t count, const double* angles, std::int64_t angle_rows, int threads,
                double* out);

/// Every observable applied to every state, (batch, num_observables, 2^n).
template <class T>
void apply_paulis(const PauliSums& sums, const std::complex<T>* states, std::int64_t batch, int threads,
                  std::complex<T>* out);

template <class T>
void set_basis_state(std::complex<T>* states, int num_qubits, std::int64_t batch, std::uint64_t index, int threads);

template <class T>
void expectation(const PauliSums& sums, const std::complex<T>* states, std::int64_t batch, int threads, double* out);

/// `out` (batch, 2^num_listed); listed[0] is the least significant bit of the result index.
template <class T>
void probabilities(const std::complex<T>* states, int num_qubits, std::int64_t batch, const std::int32_t* listed,
                   int num_listed, int threads, double* out);

/// Shot i is the first index whose cumulative probability exceeds the i-th number of the stream `key`. Throws
/// std::invalid_argument if the norm is zero or not finite.
template <class T>
void sample(const std::complex<T>* state, int num_qubits, std::uint64_t key, std::int64_t shots, int threads,
            std::int64_t* out);

template <class T>
void norm_squared(const std::complex<T>* states, int num_qubits, std::int64_t batch, int threads, double* out);

template <class T>
void inner_products(const std::complex<T>* a, const std::complex<T>* b, int num_qubits, std::int64_t batch,
                    int threads, std::complex<double>* out);

template <class T>
double probability(const std::complex<T>* state, int num_qubits, std::uint64_t mask, std::uint64_t value, int threads);

template <class T>
void collapse(std::complex<T>* state, int num_qubits, std::uint64_t mask, std::uint64_t value, double scale,
              int threads);

/// Bytes read and written per second by copying one array onto another, the best of a few runs.
double copy_bandwidth(std::size_t bytes, int threads);

/// Additions and multiplications per second in registers of the current instruction set, the best of a few runs.
template <class T>
double peak_flops(int threads);

}  // namespace qsim
