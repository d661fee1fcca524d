// The gates of qsim/gates.py as the tapes that Python lowers them to; gate_table.inl is generated from there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qsim::capi {

/// One number of a matrix that is not zero.
struct Entry {
  std::int32_t place;
  double real, imag;
};

/// What instructions of the same matrix share: `length` constants as the tape keeps them, of which the entries
/// first_entry .. last_entry - 1 are not zero, and the sources of a permutation.
struct Form {
  std::int32_t pattern, num_targets, num_terms, length;
  std::int32_t first_entry, last_entry, first_source;
};

/// One instruction of a gate, on the gate's own qubits and parameters. `generator` is the form of its derivative, -1 if
/// it has none or is a Pauli rotation; `param` is -1 for a constant.
struct Part {
  std::int32_t form, generator, param, first_place;
  std::uint32_t controls, x_mask, z_mask;
  double scale, shift;
};

struct Gate {
  const char* name;
  std::int32_t num_params, num_qubits;
  std::int32_t first_part, last_part;
};

struct Name {
  const char* name;
  std::int32_t gate;
};

/// A name that a standard file of OpenQASM defines.
struct Included {
  const char* file;
  const char* name;
  std::int32_t gate;
};

/// The gate of this name or alias; null if there is none.
const Gate* find_gate(std::string_view name);
const Gate& gate(int number);
const Form& form(int number);
const Part& part(int number);
const Entry& entry(int number);
/// Where the sources of a permutation, and the qubits that a part acts on, begin.
const std::int32_t* sources(int first);
const std::int32_t* places(int first);
int num_forms();

/// All names of all standard files.
const std::vector<Included>& included();

/// " (did you mean `cx`?)" for a name that is close to this one; empty if none is.
std::string hint(std::string_view wanted, const std::vector<std::string_view>& known);
std::vector<std::string_view> gate_names();

}  // namespace qsim::capi
