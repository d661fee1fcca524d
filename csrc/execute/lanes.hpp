// Batches whose members are lanes: what a lane program is (qsim/program/lanes.py makes it from a tape), checked, and laid
// out once from structure alone.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "../kernel_table.hpp"

namespace qsim {

/// The arrays of qsim/program/lanes.py, which explains them.
struct LaneArrays {
  std::vector<double> constants;            // of each angle: constant + sum of weights * slots
  std::vector<std::int32_t> first, slots;   // terms first[i] .. first[i + 1] - 1 belong to angle i
  std::vector<double> weights;
  std::vector<std::int32_t> steps;          // rows of kind, first, last, index
  std::vector<std::uint32_t> turns;         // rows of x, z; their angles are the first ones
  std::vector<std::uint32_t> phases;        // masks over the step's basis; their angles follow
  std::vector<std::uint32_t> bases;         // rows of n columns
  std::vector<std::int32_t> matrices;       // rows of targets, controls, first qubit, place in entries
  std::vector<std::uint32_t> matrix_qubits; // rows of x, z, bit
  std::vector<std::complex<double>> entries;
  std::vector<std::uint32_t> columns;       // index of the amplitude of each qubit's |1>, relative to ...
  std::uint32_t origin = 0;                 // ... that of |0...0>
};

struct LaneMix {
  int first, count;  // turns
  LaneWalk walk;     // inside a block, from its first index
  std::uint32_t offsets[1 << kMaxLaneMix];
};

/// One or two mixes, one after the other on each block of amplitudes: those two act on stay in the first-level cache.
struct LaneBlocks {
  int first, last;  // mixes
  LaneWalk walk;    // first indices
};

struct LanePhaseStep {
  int first, last;  // masks
  bool constant;
  LanePhases plan;                       // points into what follows
  std::vector<std::uint32_t> low, high;
  std::vector<std::uint8_t> variants;
  std::vector<std::uint32_t> patterns;   // high parts of masks that are in both lists
  std::vector<double> table;             // constant: complex, of every amplitude
  std::vector<float> single_table;
  bool real = false;
  std::size_t num_entries() const {  // of tables and factors
    return (std::size_t{1} << (plan.low_bits + int(patterns.size()))) + (std::size_t{1} << plan.high_bits);
  }
};

struct LaneMatrix {
  int num_targets;
  LaneWalk walk;
  std::uint32_t offsets[1 << kMaxLaneDense];
  std::vector<double> entries, inverse;  // complex
  std::vector<float> single_entries, single_inverse;
};

class LaneProgram {
 public:
  /// Throws std::invalid_argument.
  LaneProgram(std::int64_t num_qubits, std::int64_t num_slots, LaneArrays arrays);
  LaneProgram(const LaneProgram&) = delete;  // its steps point into it
  LaneProgram& operator=(const LaneProgram&) = delete;

  enum class Kind : std::int32_t { kMix = 0, kPhases = 1, kMatrix = 2 };
  struct Step {
    Kind kind;
    int first, last;           // turns, masks
    int index;                 // phase step or matrix
    int first_blocks[kMaxLaneMix + 1], last_blocks[kMaxLaneMix + 1];  // by how many turns share a load at most
  };

  const int num_qubits, num_slots;
  const LaneArrays arrays;
  int num_turns, num_angles;
  std::vector<Step> steps;
  std::vector<LaneMix> mixes[kMaxLaneMix + 1];
  std::vector<LaneBlocks> blocks[kMaxLaneMix + 1];
  std::vector<LanePhaseStep> phases;
  std::vector<LaneMatrix> matrices;
  std::vector<std::uint32_t> places;  // of each amplitude of the state

 private:
  void check() const;
  void lay_out();
  LanePhaseStep make_phases(int first, int last, int basis) const;
  LaneMatrix make_matrix(const std::int32_t* row) const;
};

/// Hermitian operators as sums of strings that flip the same qubits: (O psi)_b = sum of tables[b] psi_{b ^ x}.
class LaneObservables {
 public:
  /// `tables` has a row for each entry. Throws std::invalid_argument.
  LaneObservables(std::int64_t num_qubits, std::int64_t num_observables, std::vector<std::int32_t> observables,
                  std::vector<std::uint32_t> x_masks, const std::vector<std::complex<double>>& tables);
  LaneObservables(const LaneObservables&) = delete;  // its entries point into it
  LaneObservables& operator=(const LaneObservables&) = delete;

  struct Entry {
    int observable;
    std::uint32_t x;
    bool real;
    const double* table;  // complex
  };
  const int num_qubits;
  const std::int64_t num_observables;
  std::vector<Entry> entries;
  std::vector<const double*> diagonals;  // of each observable, real numbers; null: none
 private:
  std::vector<double> tables_, diagonal_tables_;
};

/// States the program makes from |0...0>, or from `initial` (a row, or one for each member), (batch, 2^n). Angles have one
/// row, or one for each member.
template <class T>
void run_lanes(const LaneProgram& program, const std::complex<T>* initial, std::int64_t initial_rows, std::int64_t batch,
               const double* angles, std::int64_t angle_rows, int threads, std::complex<T>* out);

/// Values of all observables in the states made from |0...0>, (batch, num_observables).
template <class T>
void expectation_lanes(const LaneProgram& program, const LaneObservables& observables, std::int64_t batch,
                       const double* angles, std::int64_t angle_rows, int threads, double* out);

/// The same, and derivatives by the slots that are `wanted`, (batch, num_observables, num_slots).
template <class T>
void gradient_lanes(const LaneProgram& program, const LaneObservables& observables, const std::vector<std::uint8_t>& wanted,
                    std::int64_t batch, const double* angles, std::int64_t angle_rows, int threads, double* values,
                    double* derivatives);

/// Derivatives 2 Re <cotangent| d state / d slot>, (batch, count, num_slots), by the slots that are `wanted`. `states` are
/// those the program makes, cotangents (batch, count, 2^n).
template <class T>
void sweep_lanes(const LaneProgram& program, const std::complex<T>* states, const std::complex<T>* cotangents,
                 const std::vector<std::uint8_t>& wanted, std::int64_t batch, std::int64_t count, const double* angles,
                 std::int64_t angle_rows, int threads, double* derivatives);

}  // namespace qsim
