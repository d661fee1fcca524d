#include "pauli_text.hpp"

#include <cmath>
#include <string>

#include "error.hpp"
#include "text.hpp"

namespace qsim::capi {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return c == 'I' || c == 'X' || c == 'Y' || c == 'Z'; }

class Reader {
 public:
  Reader(std::string_view text, int num_qubits, const std::string& name)
      : text_(text), num_qubits_(num_qubits), name_(name) {}

  std::vector<PauliTerm> sum() {
    std::vector<PauliTerm> terms;
    skip_space();
    if (at_end()) fail("holds no term; the identity is written 1");
    for (;;) {
      double sign = 1;
      if (peek() == '+' || peek() == '-') {
        sign = peek() == '-' ? -1 : 1;
        ++place_;
        skip_space();
      }
      terms.push_back(term());
      terms.back().coefficient *= sign;
      skip_space();
      if (at_end()) return terms;
      if (peek() != '+' && peek() != '-') unexpected("`+`, `-` or the end");
    }
  }

 private:
  bool at_end() const { return place_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[place_]; }
  void skip_space() {
    while (!at_end() && is_space(text_[place_])) ++place_;
  }

  [[noreturn]] void fail(const std::string& fact) const { argument_error("Argument `" + name_ + "` " + fact + "."); }

  [[noreturn]] void unexpected(const std::string& wanted) const {
    if (at_end()) fail("must have " + wanted + " at position " + std::to_string(place_) + ", but ends there");
    std::size_t length = 1;  // of a character in UTF-8
    while (place_ + length < text_.size() && (text_[place_ + length] & 0xC0) == 0x80) ++length;
    fail("must have " + wanted + " at position " + std::to_string(place_) + ", but has `" +
         std::string(text_.substr(place_, length)) + "`");
  }

  PauliTerm term() {
    PauliTerm out;
    bool has_number = false;
    if (is_digit(peek()) || peek() == '.') {
      out.coefficient = number();
      has_number = true;
      skip_space();
      if (peek() == '*') {
        ++place_;
        skip_space();
        if (!is_letter(peek())) unexpected("a Pauli string behind `*`");
      }
    }
    if (is_letter(peek())) {
      label(out);
    } else if (!has_number) {
      unexpected("a number or one of the letters I, X, Y, Z");
    }
    return out;
  }

  double number() {
    std::string digits;
    while (is_digit(peek()) || peek() == '.') digits += text_[place_++];
    if ((peek() == 'e' || peek() == 'E')) {
      digits += text_[place_++];
      if (peek() == '+' || peek() == '-') digits += text_[place_++];
      while (is_digit(peek())) digits += text_[place_++];
    }
    const double value = read_number(digits);
    if (!std::isfinite(value))
      fail("has the coefficient `" + digits.substr(0, 40) + "`, which is no finite number");
    return value;
  }

  void label(PauliTerm& out) {
    const std::size_t next = place_ + 1;
    if (next < text_.size() && is_digit(text_[next])) {
      std::uint64_t named = 0;
      while (is_letter(peek())) {
        factor(out, named);
        skip_space();
      }
      return;
    }
    const std::size_t first = place_;
    while (is_letter(peek())) ++place_;
    const std::size_t count = place_ - first;
    if (is_digit(peek())) unexpected("letters with a qubit each (X0 Z1) or one for each qubit (XZ), not both");
    if (count != std::size_t(num_qubits_))
      fail("has the string `" + std::string(text_.substr(first, count > 70 ? 70 : count)) + "` of " +
           counted(std::int64_t(count), "letter") + ", but one for each of " + counted(num_qubits_, "qubit") +
           " is needed; X0 Z1 names only the qubits it acts on");
    for (std::size_t k = 0; k < count; ++k) put(text_[first + k], int(count - 1 - k), out);
  }

  void factor(PauliTerm& out, std::uint64_t& named) {
    const char letter = text_[place_++];
    if (!is_digit(peek())) unexpected("the number of a qubit");
    std::int64_t qubit = 0;
    while (is_digit(peek())) {
      qubit = qubit < 1000000 ? 10 * qubit + (text_[place_] - '0') : qubit;
      ++place_;
    }
    if (qubit >= num_qubits_)
      fail("names qubit " + std::to_string(qubit) + ", but there " + (num_qubits_ == 1 ? "is " : "are ") +
           counted(num_qubits_, "qubit") + ", counted from 0");
    if (named >> qubit & 1) fail("names qubit " + std::to_string(qubit) + " twice in one Pauli string");
    named |= std::uint64_t{1} << qubit;
    put(letter, int(qubit), out);
  }

  static void put(char letter, int qubit, PauliTerm& out) {
    const std::uint64_t bit = std::uint64_t{1} << qubit;
    if (letter == 'X' || letter == 'Y') out.x_mask |= bit;
    if (letter == 'Y' || letter == 'Z') out.z_mask |= bit;
  }

  const std::string_view text_;
  const int num_qubits_;
  const std::string& name_;
  std::size_t place_ = 0;
};

}  // namespace

std::vector<PauliTerm> read_pauli_sum(std::string_view text, int num_qubits, const std::string& name) {
  return Reader(text, num_qubits, name).sum();
}

}  // namespace qsim::capi
