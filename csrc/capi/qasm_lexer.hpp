// Tokens of OpenQASM 2, the same as qsim/io/lexer.py finds, and where they stand.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qsim::capi {

class QasmSource {
 public:
  explicit QasmSource(std::string_view text);

  /// Tokens by number; all behind the last one are empty.
  std::string_view token(std::size_t number) const {
    return number < tokens_.size() ? tokens_[number] : std::string_view();
  }
  std::size_t size() const { return tokens_.size(); }

  /// Throws the error that points to a token.
  [[noreturn]] void fail(std::size_t number, const std::string& message) const;

 private:
  std::string_view text_;
  std::vector<std::string_view> tokens_;
};

/// A token as an error names it.
std::string described(std::string_view token);

bool is_digit(char c);
bool is_word(char c);

}  // namespace qsim::capi
