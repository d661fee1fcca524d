// Circuits from OpenQASM 2 text. Statement by statement as qsim/io/openqasm2.py reads them, with its words for what is
// wrong; what depends on outcomes is refused by name. Gates go to the tape as they are read.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "error.hpp"
#include "program.hpp"
#include "qasm_expression.hpp"
#include "text.hpp"

namespace qsim::capi {
namespace {

constexpr int kMaxGateDepth = 100;
constexpr std::int64_t kMaxOperations = 5'000'000;
constexpr std::int64_t kMaxClbits = 1'000'000;

struct Definition;

/// What a name of a gate stands for: a gate of the table, one that the text defines, or one without a definition.
struct Callee {
  std::string name;
  const Gate* known = nullptr;
  std::shared_ptr<Definition> definition;
  int num_params = 0, num_qubits = 0;
};

struct BodyCall {
  Callee callee;
  std::vector<int> expressions;
  std::vector<int> qubits;  // places among those of the gate
};

struct Definition {
  std::vector<std::string_view> params;
  std::vector<BodyCall> body;
  std::int64_t size = 0;  // gates that one call becomes, at least one for each call
  int depth = 1;
};

struct Register {
  std::int64_t first, size;
};
using Registers = std::unordered_map<std::string_view, Register>;

/// A register, or one of its elements.
struct Operand {
  std::int64_t first, size;
  bool single;
  std::int64_t element(std::int64_t number) const { return single ? first : first + number; }
};

Callee table_callee(std::string_view name, const Gate& gate) {
  return {std::string(name), &gate, nullptr, gate.num_params, gate.num_qubits};
}

class Parser {
 public:
  explicit Parser(const QasmSource& source) : reader_(source) {
    gates_.emplace("U", table_callee("u", *find_gate("u")));
    gates_.emplace("CX", table_callee("cx", *find_gate("cx")));
  }

  Circuit program() {
    if (token() != "OPENQASM") fail("An OpenQASM 2 file must start with `OPENQASM 2.0;`.");
    ++reader_.index;
    if (token() != "2.0" && token() != "2") fail("Expected version 2.0, but found " + described(token()) + ".");
    ++reader_.index;
    reader_.expect(";", " after the version");
    while (!token().empty()) {
      const auto found = gates_.find(token());
      if (found != gates_.end())
        gate_call(found->second);
      else
        statement();
    }
    circuit_.num_qubits = int(num_qubits_);
    return std::move(circuit_);
  }

 private:
  std::string_view token() const { return reader_.token(); }
  [[noreturn]] void fail(const std::string& message) const { reader_.fail(message); }
  [[noreturn]] void fail_at(std::size_t at, const std::string& message) const { reader_.source.fail(at, message); }

  void statement() {
    const std::string_view word = token();
    if (word == "qreg" || word == "creg") return declare_register(word == "qreg");
    if (word == "gate" || word == "opaque") return define_gate(word == "opaque");
    if (word == "include") return include();
    if (word == "measure") return measure();
    if (word == "barrier") return barrier();
    if (word == "if") fail("`if` is not supported: programs of the C interface do not depend on outcomes.");
    if (word == "reset") fail("`reset` is not supported: programs of the C interface have gates, and measurements at the end.");
    if (word == "OPENQASM") fail("The version must be the first statement.");
    if (word == ";") {
      ++reader_.index;
      return;
    }
    reader_.identifier("a statement");
    --reader_.index;
    unknown_gate(word);
  }

  [[noreturn]] void unknown_gate(std::string_view word) const {
    const std::string name(word);
    if (qregs_.count(word) || cregs_.count(word))
      fail("`" + name + "` is a register, but a statement must start with a gate.");
    if (find_included("qelib1.inc", word) != nullptr)
      fail("Gate `" + name + "` is not defined; add `include \"qelib1.inc\";` before it.");
    const Gate* const meant = find_gate(word);
    std::vector<std::string_view> known, same;
    for (const auto& [defined, callee] : gates_) {
      known.push_back(defined);
      if (meant != nullptr && callee.known == meant) same.push_back(defined);
    }
    for (auto* names : {&known, &same}) std::sort(names->begin(), names->end());
    std::string more;
    if (!same.empty())
      more = " (did you mean `" + std::string(same.back()) + "`?)";  // small letters come last
    else if (meant == nullptr)
      more = hint(word, known);
    else
      more = "; qsim knows a gate of this name: declare it with `opaque " + name + " ...;`";
    fail("Gate `" + name + "` is not defined" + more + ".");
  }

  static const Gate* find_included(std::string_view file, std::string_view name) {
    for (const Included& record : included())
      if (record.file == file && record.name == name) return &gate(record.gate);
    return nullptr;
  }

  void include() {
    const std::size_t at = ++reader_.index;
    const std::string_view quoted = token();
    if (quoted.size() < 2 || (quoted[0] != '"' && quoted[0] != '\'') || quoted.back() != quoted[0])
      fail("Expected a file name in quotes, but found " + described(quoted) + ".");
    ++reader_.index;
    reader_.expect(";", " after the file name");
    const std::string_view file = quoted.substr(1, quoted.size() - 2);
    bool found = false;
    for (const Included& record : included()) {
      if (record.file != file) continue;
      found = true;
      gates_.emplace(record.name, table_callee(gate(record.gate).name, gate(record.gate)));
      library_.insert(record.name);
    }
    if (!found) fail_at(at, "File `" + std::string(file) + "` cannot be included: text has no directory to look in.");
  }

  void declare_register(bool quantum) {
    const std::size_t at = ++reader_.index;
    const std::string_view name = reader_.identifier("the name of a register");
    if (qregs_.count(name) || cregs_.count(name) || (gates_.count(name) && !library_.count(name)))
      fail_at(at, "Name `" + std::string(name) + "` is defined already.");
    reader_.expect("[", " and the size of the register");
    const std::string written(token());
    const std::int64_t size = integer("the size of the register");
    reader_.expect("]", " after the size");
    reader_.expect(";", " after the register");
    std::int64_t& count = quantum ? num_qubits_ : circuit_.num_clbits;
    const std::int64_t most = quantum ? kMaxQubits : kMaxClbits;
    if (size > most - count)
      fail_at(at, "Register `" + std::string(name) + "` has " + written + (quantum ? " qubits" : " bits") +
                      ", but a program may have at most " + std::to_string(most) + ".");
    (quantum ? qregs_ : cregs_).emplace(name, Register{count, size});
    count += size;
  }

  std::int64_t integer(const std::string& what) {
    const std::string_view digits = token();
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
      fail("Expected " + what + ", but found " + described(digits) + ".");
    if (digits.size() > 300) fail("An integer has more than 300 digits.");
    std::int64_t value = 0;
    for (const char digit : digits) value = std::min<std::int64_t>(10 * value + (digit - '0'), 100'000'000'000'000'000);
    ++reader_.index;
    return value;
  }

  // -- operands ---------------------------------------------------------------------------------
  Operand argument(const Registers& registers, const std::string& what) {
    const auto found = registers.find(token());
    if (found == registers.end()) {
      const std::string name(reader_.identifier("a " + what + " register"));
      --reader_.index;
      const std::string other = qregs_.count(token()) ? "quantum" : cregs_.count(token()) ? "classical" : "";
      fail("Expected a " + what + " register, but `" + name + "` " +
           (other.empty() ? "is not defined" : "is a " + other + " register") + ".");
    }
    const Register whole = found->second;
    ++reader_.index;
    if (!reader_.accept("[")) return {whole.first, whole.size, false};
    const std::size_t at = reader_.index;
    const std::string number(token());
    const std::int64_t position = integer("an index");
    if (position >= whole.size)
      fail_at(at, "Index " + number + " is out of range for register `" + std::string(found->first) + "` (" +
                      (whole.size > 0 ? "valid: 0 to " + std::to_string(whole.size - 1) : "it is empty") + ").");
    reader_.expect("]", " after the index");
    return {whole.first + position, 1, true};
  }

  std::vector<Operand> arguments() {
    std::vector<Operand> out;
    do out.push_back(argument(qregs_, "quantum"));
    while (reader_.accept(","));
    return out;
  }

  // -- operations -------------------------------------------------------------------------------
  void gate_call(const Callee& callee) {
    const std::size_t at = reader_.index++;
    reader_.nodes.resize(num_kept_nodes_);
    std::vector<double> params;
    if (reader_.accept("(")) {
      std::vector<int> expressions;
      reader_.listed(")", [&] { expressions.push_back(reader_.expression()); });
      for (const int node : expressions) {
        reader_.check(node, nullptr);
        params.push_back(value(node, {}, {}, at));
      }
    }
    const std::vector<Operand> operands = arguments();
    reader_.expect(";", " after a gate");
    check_counts(callee, params.size(), operands.size(), at);
    const std::int64_t count = applications(operands, at);
    if (callee.known == nullptr && callee.definition == nullptr) opaque(callee, at);
    const std::int64_t size = callee.definition != nullptr ? callee.definition->size : 1;
    // calls on an empty register are gone through once, to find what is wrong with them
    if (size > 0 && std::max<std::int64_t>(count, 1) > (kMaxOperations - num_operations_) / size)
      fail_at(at, "Gate `" + callee.name + "` expands to more than " + std::to_string(kMaxOperations) + " operations.");
    num_operations_ += size * count;
    std::vector<std::int32_t> qubits(operands.size());
    for (std::int64_t number = 0; number < count; ++number) {
      for (std::size_t k = 0; k < operands.size(); ++k) qubits[k] = std::int32_t(operands[k].element(number));
      check_qubits(callee, qubits, operands.size() > 1, at);
      apply(callee, params, qubits, at, true);
    }
    if (count == 0) apply(callee, params, std::vector<std::int32_t>(operands.size()), at, false);
  }

  void check_counts(const Callee& callee, std::size_t num_params, std::size_t num_qubits, std::size_t at) const {
    const auto refuse = [&](const char* noun, int expected, std::size_t found) {
      fail_at(at, "Gate `" + callee.name + "` takes " + counted(expected, noun) + ", but got " + std::to_string(found) + ".");
    };
    if (num_params != std::size_t(callee.num_params)) refuse("parameter", callee.num_params, num_params);
    if (num_qubits != std::size_t(callee.num_qubits)) refuse("qubit", callee.num_qubits, num_qubits);
  }

  /// How often a gate acts on operands of which some are registers.
  std::int64_t applications(const std::vector<Operand>& operands, std::size_t at) const {
    std::vector<std::int64_t> sizes;
    for (const Operand& operand : operands)
      if (!operand.single) sizes.push_back(operand.size);
    std::sort(sizes.begin(), sizes.end());
    sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
    if (sizes.size() > 1) {
      std::string listed;
      for (const std::int64_t size : sizes) listed += (listed.empty() ? "" : " and ") + std::to_string(size);
      fail_at(at, "Registers of a broadcast must have the same size, but have " + listed + ".");
    }
    return sizes.empty() ? 1 : sizes[0];
  }

  void check_qubits(const Callee& callee, const std::vector<std::int32_t>& qubits, bool several, std::size_t at) const {
    std::uint64_t used = 0;
    for (const std::int32_t qubit : qubits) {
      if (several && (used >> qubit & 1))
        fail_at(at, "Qubit " + std::to_string(qubit) + " of the circuit is used twice by one operation; they must differ.");
      used |= std::uint64_t{1} << qubit;
    }
    if (used & measured_)
      fail_at(at, "Gate `" + callee.name + "` acts on qubit " + std::to_string(__builtin_ctzll(used & measured_)) +
                      " of the circuit after its measurement: programs of the C interface measure at the end.");
  }

  /// Put a call on the tape, or only find out whether it could be.
  void apply(const Callee& callee, const std::vector<double>& params, const std::vector<std::int32_t>& qubits,
             std::size_t at, bool wanted) {
    if (callee.known != nullptr) {
      std::vector<Angle> angles;
      for (const double param : params) angles.push_back({-1, 0.0, param});
      if (wanted) circuit_.maker.add(*callee.known, angles.data(), qubits.data());
      return;
    }
    if (callee.definition == nullptr) opaque(callee, at);
    const Definition& definition = *callee.definition;
    for (const BodyCall& call : definition.body) {
      std::vector<double> values;
      for (const int node : call.expressions) values.push_back(value(node, definition.params, params, at));
      std::vector<std::int32_t> own;
      for (const int place : call.qubits) own.push_back(qubits[std::size_t(place)]);
      apply(call.callee, values, own, at, wanted);
    }
  }

  double value(int node, const std::vector<std::string_view>& names, const std::vector<double>& values,
               std::size_t at) const {
    const double found = reader_.value(node, names, values, at);
    if (!std::isfinite(found)) fail_at(at, "A parameter is not a finite real number.");
    if (std::abs(found) > kMaxAngle) fail_at(at, "A parameter must be at most 1e+100 in magnitude, but is " + number_text(found) + ".");
    return found;
  }

  [[noreturn]] void opaque(const Callee& callee, std::size_t at) const {
    fail_at(at, "Gate `" + callee.name + "` is opaque: it has no definition, and qsim knows no gate of this name.");
  }

  void measure() {
    const std::size_t at = reader_.index++;
    const Operand qubits = argument(qregs_, "quantum");
    reader_.expect("->", " and a classical register");
    const Operand clbits = argument(cregs_, "classical");
    reader_.expect(";", " after a measurement");
    if (qubits.size != clbits.size)
      fail_at(at, "A measurement needs as many classical bits as qubits, but has " + std::to_string(clbits.size) +
                      " and " + std::to_string(qubits.size) + ".");
    for (std::int64_t k = 0; k < qubits.size; ++k) {
      const std::int64_t qubit = qubits.first + k;
      circuit_.readout.emplace_back(clbits.first + k, int(qubit));
      measured_ |= std::uint64_t{1} << qubit;
    }
  }

  void barrier() {
    const std::size_t at = reader_.index++;
    if (reader_.accept(";")) return;
    std::uint64_t seen = 0;
    bool twice = false;
    for (const Operand& operand : arguments())
      for (std::int64_t k = 0; k < operand.size; ++k) {
        const std::uint64_t bit = std::uint64_t{1} << operand.element(k);
        twice = twice || (seen & bit);
        seen |= bit;
      }
    reader_.expect(";", " after a barrier");
    if (twice) fail_at(at, "A barrier names a qubit twice.");
  }

  // -- definitions ------------------------------------------------------------------------------
  void define_gate(bool is_opaque) {
    const std::size_t at = ++reader_.index;
    const std::string_view name = reader_.identifier("the name of a gate");
    if ((gates_.count(name) && !library_.count(name)) || qregs_.count(name) || cregs_.count(name))
      fail_at(at, "Name `" + std::string(name) + "` is defined already.");
    auto definition = std::make_shared<Definition>();
    std::vector<std::string_view> qubits;
    if (reader_.accept("("))
      reader_.listed(")", [&] { definition->params.push_back(reader_.identifier("the name of a parameter")); });
    do qubits.push_back(reader_.identifier("the name of a qubit"));
    while (reader_.accept(","));
    check_distinct(definition->params, name, at);
    check_distinct(qubits, name, at);
    Callee made{std::string(name), nullptr, nullptr, int(definition->params.size()), int(qubits.size())};
    if (is_opaque) {
      reader_.expect(";", " after an opaque gate");
      const Gate* known = find_included("qelib1.inc", name);
      if (known == nullptr) known = find_gate(name);
      if (known != nullptr && known->num_params == made.num_params && known->num_qubits == made.num_qubits)
        made = table_callee(known->name, *known);
    } else {
      std::unordered_map<std::string_view, int> places;
      for (std::size_t k = 0; k < qubits.size(); ++k) places.emplace(qubits[k], int(k));
      reader_.expect("{", " before the body of a gate");
      reader_.nodes.resize(num_kept_nodes_);
      while (!reader_.accept("}")) body_statement(std::string(name), *definition, places);
      if (definition->depth > kMaxGateDepth)
        fail_at(at, "Gate `" + std::string(name) + "` is made of gates more than " + std::to_string(kMaxGateDepth) +
                        " levels deep.");
      num_kept_nodes_ = reader_.nodes.size();
      made.definition = std::move(definition);
    }
    library_.erase(name);
    gates_[name] = std::move(made);
  }

  void check_distinct(const std::vector<std::string_view>& names, std::string_view name, std::size_t at) const {
    std::unordered_set<std::string_view> seen;
    for (const std::string_view argument : names)
      if (!seen.insert(argument).second)
        fail_at(at, "Gate `" + std::string(name) + "` has two arguments named `" + std::string(argument) + "`.");
  }

  void body_statement(const std::string& gate_name, Definition& definition,
                      const std::unordered_map<std::string_view, int>& places) {
    const std::string_view word = token();
    const std::string name(word);
    const std::size_t at = reader_.index;
    if (word == "barrier") {
      ++reader_.index;
      body_qubits(gate_name, places);
      return reader_.expect(";", " after a barrier");
    }
    const auto found = gates_.find(word);
    if (found == gates_.end()) {
      if (word.empty() || is_keyword(word) || !is_word(word[0]) || is_digit(word[0]))
        fail("Expected a gate or `}` in gate `" + gate_name + "`, but found " + described(word) + ".");
      if (name == gate_name) fail("Gate `" + name + "` calls itself.");
      unknown_gate(word);
    }
    BodyCall call{found->second, {}, {}};
    ++reader_.index;
    if (reader_.accept("(")) reader_.listed(")", [&] { call.expressions.push_back(reader_.expression()); });
    call.qubits = body_qubits(gate_name, places);
    reader_.expect(";", " after a gate");
    check_counts(call.callee, call.expressions.size(), call.qubits.size(), at);
    std::vector<int> sorted = call.qubits;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
      fail_at(at, "Gate `" + name + "` uses a qubit twice; they must differ.");
    for (const int node : call.expressions) reader_.check(node, &definition.params);
    std::int64_t size = 1;
    if (call.callee.definition != nullptr) {
      definition.depth = std::max(definition.depth, call.callee.definition->depth + 1);
      size = std::max<std::int64_t>(1, call.callee.definition->size);
    }
    definition.size = std::min(definition.size + size, 2 * kMaxOperations);  // too many are too many
    definition.body.push_back(std::move(call));
  }

  std::vector<int> body_qubits(const std::string& gate_name, const std::unordered_map<std::string_view, int>& places) {
    std::vector<int> out;
    do {
      const auto found = places.find(token());
      if (found == places.end()) {
        const std::string name(reader_.identifier("a qubit"));
        --reader_.index;
        fail("`" + name + "` is not a qubit of gate `" + gate_name + "`.");
      }
      out.push_back(found->second);
      ++reader_.index;
      if (token() == "[") fail("Qubits of gate `" + gate_name + "` cannot be indexed in its body.");
    } while (reader_.accept(","));
    return out;
  }

  QasmReader reader_;
  Circuit circuit_;
  Registers qregs_, cregs_;
  std::unordered_map<std::string_view, Callee> gates_;
  std::unordered_set<std::string_view> library_;  // names from a standard file, which may be defined anew
  std::int64_t num_qubits_ = 0, num_operations_ = 0;
  std::uint64_t measured_ = 0;
  std::size_t num_kept_nodes_ = 0;  // of definitions; those of calls in the program are dropped after each
};

}  // namespace

Circuit read_qasm(const char* text) {
  const QasmSource source{std::string_view(text)};
  return Parser(source).program();
}

}  // namespace qsim::capi
