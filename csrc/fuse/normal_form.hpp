// A tape as rotations of single qubits, phases of one or two, and everything else. Its gates are the same up to
// rounding; what they are made of shows what commutes and what is cheap.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "../execute/tape.hpp"

namespace qsim {

using Complex = std::complex<double>;

/// A run of one-qubit instructions U = exp(i d) diag(1, exp(i a)) R diag(1, exp(i b)) with R real; the phases stand
/// as factors of their own before and after it.
struct Word {
  std::int32_t first, count;  // range of NormalForm::word_instructions
  std::int8_t qubit;
  bool is_real;   // U = R
  bool constant;  // the matrix does not depend on the angles
};

/// A generator of a reverse tape: read where it stands, not applied. Inside a word it comes after the first `position`
/// of the word's instructions.
struct Tap {
  std::int32_t instruction;
  std::int32_t word;  // -1: none
  std::int32_t position;
};

/// A diagonal of unit modulus on at most two qubits; or a tap as diagonal, which waits like one.
struct Factor {
  enum class Source : std::uint8_t { kConstant, kInstruction, kWordFront, kWordBack, kTap };
  Source source;
  std::int8_t qubits[2];  // -1: none
  std::int8_t entries[4];  // instructions: index of the diagonal entry for each value of the two bits; -1: one
  std::int32_t index;      // instruction, word or tap
  Complex values[4];       // constants
};

struct Node {
  enum class Kind : std::uint8_t { kMix, kPhase, kGeneric, kWhole, kTap };
  Kind kind;
  std::int32_t index;      // word, factor, tap, or number of the instruction in `generic`
  std::uint64_t active;    // qubits it does not act on diagonally
  std::uint64_t diagonal;  // the others it acts on
};

struct NormalForm {
  std::vector<Node> nodes;
  std::vector<Word> words;
  std::vector<std::int32_t> word_instructions;
  std::vector<Factor> factors;
  std::vector<Tap> taps;
  bool has_all_taps = true;  // else some generator is no sum of few strings
  // What keeps its form, with its qubits where they are in the fused program.
  std::vector<Instruction> generic;
  std::vector<std::int32_t> generic_integers;
  std::vector<Complex> generic_constants;  // those of the tape, and products of constant matrices
};

/// `from_zero`: the tape will start from |0...0>, so that SWAPs only rename qubits. Instructions whose slot in `slots` is
/// not negative are taps.
NormalForm make_normal_form(const Tape& tape, bool from_zero, const std::vector<std::int32_t>* slots = nullptr);

/// The angle of an instruction; `angles` is not read if it is constant.
double angle_of(const Instruction& instruction, const double* angles);

/// The matrix of an instruction on one qubit, by rows.
void instruction_matrix(const Tape& tape, const Instruction& op, double angle, Complex* matrix);

/// Matrix of a word's instructions, by rows.
void word_matrix(const Tape& tape, const NormalForm& form, const Word& word, const double* angles, Complex* matrix);

/// That of the first `count`.
void word_start_matrix(const Tape& tape, const NormalForm& form, const Word& word, std::int32_t count,
                       const double* angles, Complex* matrix);

/// U as in Word: (c, s) of R = [[c, -s], [s, c]] or, if it `reflects`, [[c, s], [s, -c]]; front = exp(i d), exp(i b).
/// False if the matrix is not unitary.
struct Rotation {
  double c, s;
  bool reflects;
  Complex global, front, back;
};
bool split_rotation(const Complex* matrix, bool is_real, Rotation& out);

/// Values of a factor that stems from an instruction or is constant, for each value of its two bits (qubits[0] low).
/// False if one of them is not of modulus one.
bool factor_values(const Tape& tape, const Factor& factor, const double* angles, Complex* values);

}  // namespace qsim
