// From gates to the core's tape and its reverse, as qsim/program/lower.py and reverse.py make them.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <vector>

#include "../execute/execute.hpp"
#include "gate_table.hpp"

namespace qsim::capi {

using Complex = std::complex<double>;

/// scale * params[param] + shift; `param` is -1 for a number.
struct Angle {
  int param = -1;
  double scale = 0, shift = 0;
};

struct Controls {
  std::uint64_t mask = 0, value = 0;
};

class TapeMaker {
 public:
  /// Append a gate of the table; `angles` and `qubits` are as many as it has.
  void add(const Gate& gate, const Angle* angles, const std::int32_t* qubits, Controls controls = {});
  /// Append a constant matrix by rows, or its diagonal, whichever `entries` holds.
  void add_matrix(const std::vector<Complex>& entries, const std::vector<std::int32_t>& qubits, Controls controls);
  void add_rotation(std::uint64_t x_mask, std::uint64_t z_mask, Angle angle, Controls controls);

  std::size_t size() const { return instructions_.size(); }

  std::unique_ptr<Tape> tape(int num_qubits, int num_params) const;
  /// The tape that undoes it, with the generators of all parameters on the way.
  std::unique_ptr<Tape> reverse_tape(int num_qubits, int num_params, Reverse& what) const;

 private:
  struct Pools {
    std::vector<Instruction> instructions;
    std::vector<std::int32_t> integers;
    std::vector<Complex> constants;
  };

  void emit(Instruction op, const std::int32_t* targets, const std::int32_t* sources, int generator);
  std::int64_t constants_of(int form);
  void add_inverse(const Instruction& op, Pools& out, std::vector<std::int64_t>& known) const;
  void add_generator(std::size_t number, Pools& out, std::vector<std::int64_t>& known) const;
  std::vector<Complex> inverse_entries(const Instruction& op) const;

  std::vector<Instruction> instructions_;
  std::vector<std::int32_t> integers_;
  std::vector<Complex> constants_;
  std::vector<std::int32_t> generators_;        // form of each instruction's generator
  std::vector<std::int64_t> places_of_forms_;   // in the constants; -1: not there yet
};

}  // namespace qsim::capi
