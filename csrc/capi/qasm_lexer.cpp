#include "qasm_lexer.hpp"

#include <algorithm>

#include "error.hpp"

namespace qsim::capi {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; }

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f'); }
bool continues_character(char c) { return (c & 0xC0) == 0x80; }

/// Walks through a text token by token.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  /// The next token; empty at the end.
  std::string_view next() {
    skip();
    const std::size_t first = place_;
    if (place_ == text_.size()) return {};
    const char c = text_[place_];
    if (is_word(c) && !is_digit(c)) {
      take(is_word);
    } else if (is_digit(c) || (c == '.' && is_digit(at(1)))) {
      number();
    } else if (!quoted(c) && !(c == '$' && physical_qubit())) {
      sign();
    }
    return text_.substr(first, place_ - first);
  }

 private:
  char at(std::size_t ahead) const { return place_ + ahead < text_.size() ? text_[place_ + ahead] : '\0'; }

  template <class Condition>
  void take(const Condition& condition) {
    while (place_ < text_.size() && condition(text_[place_])) ++place_;
  }

  void skip() {
    for (;;) {
      take(is_space);
      if (at(0) != '/') return;
      if (at(1) == '/') {
        take([](char c) { return c != '\n'; });
      } else if (at(1) == '*') {
        const std::size_t end = text_.find("*/", place_ + 2);
        if (end == std::string_view::npos) return;
        place_ = end + 2;
      } else {
        return;
      }
    }
  }

  static bool is_digit_or_line(char c) { return is_digit(c) || c == '_'; }

  bool prefixed(char small, std::string_view digits) {
    if (at(0) != '0' || (at(1) | 0x20) != small) return false;
    const auto known = [digits](char c) { return digits.find(c) != std::string_view::npos; };
    if (at(2) == '\0' || !known(at(2))) return false;
    place_ += 2;
    take(known);
    return true;
  }

  void number() {
    if (prefixed('x', "0123456789abcdefABCDEF_") || prefixed('o', "01234567_") || prefixed('b', "01_")) return;
    take(is_digit_or_line);
    if (at(0) == '.') {
      ++place_;
      take(is_digit_or_line);
    }
    if ((at(0) | 0x20) == 'e') {
      const std::size_t sign = at(1) == '+' || at(1) == '-';
      if (is_digit(at(1 + sign))) {
        place_ += 1 + sign;
        take(is_digit_or_line);
      }
    }
    unit();
  }

  /// Units belong to OpenQASM 3; a number with one is a single wrong token.
  void unit() {
    std::size_t first = place_;
    while (first < text_.size() && (text_[first] == ' ' || text_[first] == '\t')) ++first;
    for (const std::string_view name : {"dt", "ns", "us", "\xc2\xb5s", "\xce\xbcs", "ms", "s", "im"}) {
      if (text_.substr(first, name.size()) != name) continue;
      const std::size_t end = first + name.size();
      if (end < text_.size() && (is_word(text_[end]) || (text_[end] & 0x80))) continue;
      place_ = end;
      return;
    }
  }

  bool quoted(char quote) {
    if (quote != '"' && quote != '\'') return false;
    const std::size_t end = text_.find_first_of(std::string{quote, '\n'}, place_ + 1);
    if (end == std::string_view::npos || text_[end] == '\n') return false;
    place_ = end + 1;
    return true;
  }

  bool physical_qubit() {
    if (!is_digit(at(1))) return false;
    ++place_;
    take(is_digit);
    return true;
  }

  void sign() {
    for (const std::string_view known : {"**=", "<<=", ">>=", "**", "<<", ">>", "->", "==", "!=", "<=", ">=", "&&", "||",
                                         "++", "-=", "+=", "*=", "/=", "%=", "&=", "|=", "^=", "~="})
      if (text_.substr(place_, known.size()) == known) {
        place_ += known.size();
        return;
      }
    ++place_;
    take(continues_character);
  }

  const std::string_view text_;
  std::size_t place_ = 0;
};

}  // namespace

QasmSource::QasmSource(std::string_view text) : text_(text) {
  if (text_.substr(0, 3) == "\xef\xbb\xbf") text_.remove_prefix(3);
  Lexer lexer(text_);
  for (std::string_view token = lexer.next(); !token.empty(); token = lexer.next()) tokens_.push_back(token);
}

void QasmSource::fail(std::size_t number, const std::string& message) const {
  const std::size_t offset = number < tokens_.size() ? std::size_t(tokens_[number].data() - text_.data()) : text_.size();
  const std::string_view before = text_.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::string_view row = before.substr(before.rfind('\n') + 1);  // of npos, this is the first place
  const auto column =
      1 + std::count_if(row.begin(), row.end(), [](char c) { return !continues_character(c); });
  const auto capped = [](std::ptrdiff_t value) { return std::int32_t(std::min<std::ptrdiff_t>(value, INT32_MAX)); };
  throw Error(QSIM_ERROR_QASM,
              "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + message, capped(line),
              capped(column));
}

std::string described(std::string_view token) {
  return token.empty() ? "the end of the file" : "`" + std::string(token) + "`";
}

}  // namespace qsim::capi
