// Generators of a reverse tape as sums of Pauli strings: E = -i sum_s r_s P_s, so that 2 Re <lambda|E psi> is a sum of
// signed products of amplitudes of two states.
#pragma once

#include <cstdint>
#include <vector>

#include "normal_form.hpp"

namespace qsim {

struct TapString {
  std::uint64_t x, z;  // as in a Pauli rotation
  double coefficient;  // r_s
  double hermitian = 0;  // what is left of the generator: not zero if the gate is not unitary
};

/// Whether a generator is a sum of few enough strings.
bool has_strings(const Tape& tape, const Instruction& op);

/// All strings a tap may be made of, always the same ones in the same order. Those of a tap inside a word hold before
/// its real rotation, between `rotation`'s phases.
std::vector<TapString> tap_strings(const Tape& tape, const NormalForm& form, const Tap& tap, const Rotation* rotations,
                                   const double* angles);

}  // namespace qsim
