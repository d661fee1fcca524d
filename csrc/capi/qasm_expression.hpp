// Expressions of OpenQASM 2: the tree nodes, and their values. qsim/io/syntax.py reads them in the same way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "qasm_lexer.hpp"

namespace qsim::capi {

struct QasmNode {
  enum class Kind { kNumber, kName, kNegative, kBinary, kCall } kind;
  double value = 0;             // numbers
  std::string_view text = {};   // name, operator or function
  int first = -1, second = -1;  // arguments, places among the nodes
  std::size_t num_arguments = 0;
  std::size_t location = 0;  // number of the token
  int height = 1;
};

/// A place in the tokens, and what is read from there.
class QasmReader {
 public:
  explicit QasmReader(const QasmSource& text) : source(text) {}

  const QasmSource& source;
  std::size_t index = 0;
  std::vector<QasmNode> nodes;

  std::string_view token() const { return source.token(index); }
  [[noreturn]] void fail(const std::string& message) const { source.fail(index, message); }
  bool accept(std::string_view wanted);
  void expect(std::string_view wanted, const std::string& context = "");
  /// A name that is no keyword.
  std::string_view identifier(const std::string& what);

  /// Items between commas up to the closing token; a comma behind the last one is fine.
  template <class Item>
  void listed(std::string_view close, const Item& item) {
    while (!accept(close)) {
      item();
      if (!accept(",")) return expect(close);
    }
  }

  /// An expression whose operators bind at least as tightly as `minimum`: its place among the nodes.
  int expression(int minimum = 0);
  /// Throws if an expression has functions that there are not, or, if these are given, other names than these and pi.
  void check(int node, const std::vector<std::string_view>* names) const;
  /// Its value, NaN where there is no real and finite one. Throws, pointing to the token `at`, if it divides by zero or
  /// has another name.
  double value(int node, const std::vector<std::string_view>& names, const std::vector<double>& values,
               std::size_t at) const;

 private:
  int add(QasmNode node);
  int operand();
  int number();
  int named();
  int parentheses_ = 0;
};

bool is_keyword(std::string_view word);

}  // namespace qsim::capi
