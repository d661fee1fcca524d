#include "qasm_expression.hpp"

#include <algorithm>
#include <cmath>

#include "text.hpp"

namespace qsim::capi {
namespace {

constexpr int kMaxHeight = 160, kMaxParentheses = 60, kUnaryPrecedence = 11;
constexpr double kPi = 3.14159265358979323846;

struct Operator {
  int precedence = 0;  // 0: no operator
  bool from_right = false;
};

Operator operator_of(std::string_view token) {
  if (token == "^") return {12, true};
  if (token == "*" || token == "/") return {10, false};
  if (token == "+" || token == "-") return {9, false};
  return {};
}

using Function = double (*)(double);

Function function_of(std::string_view name) {
  if (name == "sin") return [](double x) { return std::sin(x); };
  if (name == "cos") return [](double x) { return std::cos(x); };
  if (name == "tan") return [](double x) { return std::tan(x); };
  if (name == "exp") return [](double x) { return std::exp(x); };
  if (name == "ln") return [](double x) { return std::log(x); };
  if (name == "sqrt") return [](double x) { return std::sqrt(x); };
  return nullptr;
}

/// What a function of finite numbers gives must be finite, else there is no value.
double checked(double result, bool of_finite) { return of_finite && !std::isfinite(result) ? std::nan("") : result; }

}  // namespace

bool is_keyword(std::string_view word) {
  static constexpr std::string_view words[] = {"OPENQASM", "include", "qreg",    "creg",  "gate",
                                               "opaque",   "if",      "measure", "reset", "barrier"};
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool QasmReader::accept(std::string_view wanted) {
  if (token() != wanted) return false;
  ++index;
  return true;
}

void QasmReader::expect(std::string_view wanted, const std::string& context) {
  if (!accept(wanted)) fail("Expected `" + std::string(wanted) + "`" + context + ", but found " + described(token()) + ".");
}

std::string_view QasmReader::identifier(const std::string& what) {
  const std::string_view name = token();
  if (name.empty() || !is_word(name[0]) || is_digit(name[0]))
    fail("Expected " + what + ", but found " + described(name) + ".");
  if (is_keyword(name)) fail("Expected " + what + ", but `" + std::string(name) + "` is a keyword.");
  ++index;
  return name;
}

int QasmReader::add(QasmNode node) {
  for (const int child : {node.first, node.second})
    if (child >= 0) node.height = std::max(node.height, nodes[std::size_t(child)].height + 1);
  if (node.height > kMaxHeight)
    source.fail(node.location, "Expression has more than " + std::to_string(kMaxHeight) + " nested operators.");
  nodes.push_back(node);
  return int(nodes.size()) - 1;
}

int QasmReader::expression(int minimum) {
  if (++parentheses_ > kMaxParentheses)
    fail("Expression is nested more than " + std::to_string(kMaxParentheses) + " levels deep.");
  int left = operand();
  for (;;) {
    const std::string_view text = token();
    const Operator found = operator_of(text);
    if (found.precedence == 0 || found.precedence < minimum) break;
    QasmNode node{QasmNode::Kind::kBinary};
    node.text = text;
    node.location = index++;
    node.first = left;
    node.second = expression(found.precedence + !found.from_right);
    left = add(node);
  }
  --parentheses_;
  return left;
}

int QasmReader::operand() {
  const std::string_view text = token();
  const char first = text.empty() ? '\0' : text[0];
  if (text == "(") {
    ++index;
    const int node = expression();
    expect(")", " to close the parenthesis");
    return node;
  }
  if (text == "-" || text == "+") {
    QasmNode node{QasmNode::Kind::kNegative};
    node.location = index++;
    node.first = expression(kUnaryPrecedence);
    return text == "+" ? node.first : add(node);
  }
  if (is_digit(first) || (first == '.' && text.size() > 1)) return number();
  if (is_word(first)) return named();
  fail("Expected an expression, but found " + described(text) + ".");
}

int QasmReader::number() {
  const std::string_view text = token();
  std::string digits(text);
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  const bool is_integer = std::all_of(digits.begin(), digits.end(), is_digit);
  QasmNode node{QasmNode::Kind::kNumber};
  node.location = index;
  node.value = read_number(digits);
  if (std::isnan(node.value) || (is_integer && digits.size() > 400)) {
    if (digits.size() > 2 && digits.compare(digits.size() - 2, 2, "im") == 0) fail("Complex numbers are not supported.");
    fail("`" + std::string(text) + "` is not a number.");
  }
  if (!is_integer && std::isinf(node.value)) fail("Number `" + std::string(text) + "` is too large for a float.");
  if (is_integer && std::isinf(node.value)) node.value = std::nan("");
  ++index;
  return add(node);
}

int QasmReader::named() {
  const std::string_view text = token();
  if (is_keyword(text)) fail("Expected an expression, but `" + std::string(text) + "` is a keyword.");
  QasmNode node{QasmNode::Kind::kName};
  node.text = text;
  node.location = index++;
  if (accept("(")) {
    node.kind = QasmNode::Kind::kCall;
    listed(")", [&] {
      const int argument = expression();
      if (node.num_arguments++ == 0) node.first = argument;
      node.height = std::max(node.height, nodes[std::size_t(argument)].height + 1);
    });
  }
  return add(node);
}

void QasmReader::check(int number, const std::vector<std::string_view>* names) const {
  const QasmNode& node = nodes[std::size_t(number)];
  const std::string text(node.text);
  if (node.kind == QasmNode::Kind::kName && names != nullptr && text != "pi" &&
      std::find(names->begin(), names->end(), text) == names->end())
    source.fail(node.location, "Name `" + text + "` is not a parameter.");
  if (node.kind == QasmNode::Kind::kCall && function_of(text) == nullptr)
    source.fail(node.location, "Unknown function `" + text + "` (known: cos, exp, ln, sin, sqrt, tan).");
  if (node.kind == QasmNode::Kind::kCall && node.num_arguments != 1)
    source.fail(node.location,
                "Function `" + text + "` takes 1 argument, but got " + std::to_string(node.num_arguments) + ".");
  for (const int child : {node.first, node.second})
    if (child >= 0) check(child, names);
}

double QasmReader::value(int number, const std::vector<std::string_view>& names, const std::vector<double>& values,
                         std::size_t at) const {
  const QasmNode& node = nodes[std::size_t(number)];
  if (node.kind == QasmNode::Kind::kNumber) return node.value;
  if (node.kind == QasmNode::Kind::kName) {
    for (std::size_t k = 0; k < names.size(); ++k)
      if (names[k] == node.text) return values[k];
    if (node.text != "pi") source.fail(at, "Name `" + std::string(node.text) + "` is not a parameter.");
    return kPi;
  }
  const double a = value(node.first, names, values, at);
  if (node.kind == QasmNode::Kind::kNegative) return -a;
  if (node.kind == QasmNode::Kind::kCall) return checked(function_of(node.text)(a), std::isfinite(a));
  const double b = value(node.second, names, values, at);
  switch (node.text[0]) {
    case '*': return a * b;
    case '+': return a + b;
    case '-': return a - b;
    case '^':  // of NaN it can be 1
      if (std::isnan(a) || std::isnan(b)) return std::nan("");
      return checked(std::pow(a, b), std::isfinite(a) && std::isfinite(b));
    default: break;
  }
  if (b == 0.0) source.fail(at, "A parameter divides by zero.");
  return a / b;
}

}  // namespace qsim::capi
