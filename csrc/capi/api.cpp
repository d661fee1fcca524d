// The functions of qsim.h: handles, checks of arguments, and exceptions turned into codes.
#include <pthread.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <unordered_map>

#include "../dispatch.hpp"
#include "../execute/threads.hpp"
#include "error.hpp"
#include "memory.hpp"
#include "pauli_text.hpp"
#include "program.hpp"
#include "text.hpp"

namespace qsim::capi {
namespace {

// -- errors -------------------------------------------------------------------------------------
/// Plain memory, so that keeping an error cannot fail.
struct LastError {
  std::int32_t code = QSIM_OK, line = 0, column = 0;
  char text[1000] = "";
};

LastError& last_error() {
  thread_local LastError error;
  return error;
}

std::int32_t keep_error(std::int32_t code, const char* text, std::int32_t line = 0, std::int32_t column = 0) noexcept {
  LastError& error = last_error();
  error.code = code;
  error.line = line;
  error.column = column;
  std::size_t length = std::strlen(text);
  if (length >= sizeof error.text) {
    length = sizeof error.text - 1;
    while (length > 0 && (text[length] & 0xC0) == 0x80) --length;  // no half of a character
  }
  std::memmove(error.text, text, length);
  error.text[length] = '\0';
  return code;
}

/// The kernels for this processor, chosen by the first call that gets this far.
void choose_kernels() {
  static const bool chosen = [] {
    choose_isa();
    return true;
  }();
  (void)chosen;
}

template <class Body>
std::int32_t guarded(const Body& body) noexcept {
  try {
    choose_kernels();
    body();
    return QSIM_OK;
  } catch (const Error& error) {
    return keep_error(error.code, error.what(), error.line, error.column);
  } catch (const std::bad_alloc&) {
    return keep_error(QSIM_ERROR_MEMORY, "There is not enough memory.");
  } catch (const Interrupted&) {
    return keep_error(QSIM_ERROR_INTERRUPTED, "The run was interrupted.");
  } catch (const std::invalid_argument& error) {
    return keep_error(QSIM_ERROR_ARGUMENT, error.what());
  } catch (const std::exception& error) {
    return keep_error(QSIM_ERROR_INTERNAL, error.what());
  } catch (...) {
    return keep_error(QSIM_ERROR_INTERNAL, "An unknown error.");
  }
}

// -- handles ------------------------------------------------------------------------------------
/// Objects by number. Numbers are never given out again, so that one that was freed stays an error; who uses an object
/// keeps it alive.
template <class Object>
class Registry {
 public:
  /// The words for one that there is, and the argument that holds the number.
  Registry(const char* noun, const char* argument, std::int64_t tag) : noun_(noun), argument_(argument), next_(tag) {}

  std::int64_t add(std::shared_ptr<const Object> object) {
    const std::lock_guard<std::mutex> lock(mutex);
    objects_.emplace(next_, std::move(object));
    return next_++;
  }

  std::shared_ptr<const Object> get(std::int64_t handle) {
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) refuse(handle);
    return found->second;
  }

  void remove(std::int64_t handle) {
    std::shared_ptr<const Object> last;  // goes when the lock is open again
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = objects_.find(handle);
    if (found == objects_.end()) refuse(handle);
    last = std::move(found->second);
    objects_.erase(found);
  }

  std::mutex mutex;

 private:
  [[noreturn]] void refuse(std::int64_t handle) const {
    argument_error("Argument `" + std::string(argument_) + "` must be " + noun_ + " not freed, but " +
                   std::to_string(handle) + " is none.");
  }

  const char* const noun_;
  const char* const argument_;
  std::int64_t next_;
  std::unordered_map<std::int64_t, std::shared_ptr<const Object>> objects_;
};

struct Registries {
  // numbers of one kind are none of the other
  Registry<Program> programs{"a program that is", "program", std::int64_t{1} << 32 | 1};
  Registry<PauliSums> observables{"observables that are", "observables", std::int64_t{2} << 32 | 1};
};

/// Never destroyed, as threads may still run at the end of the process. A fork waits until no lock is held, so that the
/// child can take them.
Registries& registries() {
  static Registries* const all = [] {
    static Registries* const made = new Registries;
    pthread_atfork(
        [] {
          made->programs.mutex.lock();
          made->observables.mutex.lock();
        },
        [] {
          made->observables.mutex.unlock();
          made->programs.mutex.unlock();
        },
        [] {
          made->observables.mutex.unlock();
          made->programs.mutex.unlock();
        });
    return made;
  }();
  return *all;
}

// -- arguments ----------------------------------------------------------------------------------
std::int64_t between(std::int64_t value, std::int64_t low, std::int64_t high, const char* name) {
  if (value < low || value > high)
    argument_error("Argument `" + std::string(name) + "` must be between " + std::to_string(low) + " and " +
                   std::to_string(high) + ", but is " + std::to_string(value) + ".");
  return value;
}

Options read_options(const qsim_options* given) {
  Options out;
  qsim_options options{};
  if (given != nullptr) {
    if (given->size < sizeof options || given->size > 4096)
      argument_error("Argument `options->size` must be sizeof(qsim_options), which is " +
                     std::to_string(sizeof options) + ", but is " + std::to_string(given->size) + ".");
    std::memcpy(&options, given, sizeof options);
  }
  out.single = between(options.precision, QSIM_DOUBLE, QSIM_SINGLE, "options->precision") == QSIM_SINGLE;
  out.threads = int(between(options.threads, 0, 4096, "options->threads"));
  if (out.threads == 0) out.threads = std::max(1, int(std::thread::hardware_concurrency()));
  out.max_memory = options.max_memory;
  return out;
}

/// The numbers in an array of this shape, of which the last is 2^num_bits; throws if they are more than there can be.
std::int64_t product(std::int64_t a, std::int64_t b, int num_bits, const char* name) {
  std::int64_t out;
  if (__builtin_mul_overflow(a, b, &out) || (num_bits > 0 && out > INT64_MAX >> num_bits))
    argument_error("Argument `" + std::string(name) + "` would have more numbers than there can be.");
  return out << num_bits;
}

void check_array(const void* pointer, const char* name, std::int64_t length, std::int64_t expected,
                 const char* length_name, const std::string& shape) {
  if (length != expected)
    argument_error("Argument `" + std::string(length_name) + "` must be " + std::to_string(expected) + " for `" + name +
                   "` of shape " + shape + ", but is " + std::to_string(length) + ".");
  if (expected > 0) check_pointer(pointer, name);
}

/// What can be said of the rows of parameters without reading them.
void check_params(const Program& program, const double* params, std::int64_t num_params, std::int64_t batch) {
  if (num_params != program.num_params)
    argument_error("Argument `num_params` must be " + std::to_string(program.num_params) +
                   ", as the program has so many, but is " + std::to_string(num_params) + ".");
  if (batch < 0) argument_error("Argument `batch` must not be negative, but is " + std::to_string(batch) + ".");
  if (product(batch, num_params, 3, "params") > 0) check_pointer(params, "params");
}

/// Comes after the checks of all lengths, which find out if `batch` is not what the caller means.
void check_values(const double* params, std::int64_t num_params, std::int64_t batch) {
  for (std::int64_t k = 0; k < batch * num_params; ++k)
    if (!(std::abs(params[k]) <= kMaxAngle))
      argument_error("Argument `params` must hold numbers that are finite and at most 1e+100 in magnitude, but parameter " +
                     std::to_string(k % num_params) + " of row " + std::to_string(k / num_params) + " is " +
                     number_text(params[k]) + ".");
}

std::string shape_text(std::initializer_list<std::int64_t> sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "(" : ", ") + std::to_string(size);
  return text + (sizes.size() == 1 ? ",)" : ")");
}

std::shared_ptr<const PauliSums> observables_of(qsim_observables handle, const Program& program) {
  auto found = registries().observables.get(handle);
  if (found->num_qubits != program.num_qubits)
    argument_error("Argument `observables` must be of " + counted(program.num_qubits, "qubit") +
                   " like the program, but is of " + std::to_string(found->num_qubits) + ".");
  return found;
}

template <class Make>
std::int32_t make_program(const qsim_options* options, qsim_program* out, const Make& make) {
  return guarded([&] {
    check_pointer(out, "out");
    const Options read = read_options(options);
    *out = registries().programs.add(std::make_shared<const Program>(make(), read));
  });
}

template <class T>
std::int32_t write_state(qsim_program handle, const double* params, std::int64_t num_params, std::int64_t batch,
                         T* out, std::int64_t length, const char* other) {
  return guarded([&] {
    const auto program = registries().programs.get(handle);
    if (program->options.single != (sizeof(T) == sizeof(float)))
      argument_error("Argument `program` runs in " + std::string(program->options.single ? "single" : "double") +
                     " precision, whose states " + other + " gives.");
    check_params(*program, params, num_params, batch);
    check_array(out, "out", length, product(batch, 2, program->num_qubits, "out"), "length",
                "(" + std::to_string(batch) + ", 2**" + std::to_string(program->num_qubits) + ", 2)");
    check_values(params, num_params, batch);
    if (batch > 0) program->state(params, batch, reinterpret_cast<std::complex<T>*>(out));
  });
}

std::atomic<std::int32_t (*)(void)> interrupt_function{nullptr};

bool interrupt_wanted() {
  const auto function = interrupt_function.load();
  return function != nullptr && function() != 0;
}

}  // namespace
}  // namespace qsim::capi

using namespace qsim::capi;

extern "C" {

std::int32_t qsim_abi_version(void) { return QSIM_ABI_VERSION; }
const char* qsim_version(void) { return QSIM_VERSION; }

const char* qsim_last_error(void) { return last_error().text; }
std::int32_t qsim_last_error_code(void) { return last_error().code; }
std::int32_t qsim_last_error_line(void) { return last_error().line; }
std::int32_t qsim_last_error_column(void) { return last_error().column; }

std::int32_t qsim_program_from_gates(const qsim_gate* gates, std::int64_t num_gates, std::int32_t num_qubits,
                                     std::int32_t num_params, const qsim_options* options, qsim_program* out) {
  return make_program(options, out, [&] {
    between(num_gates, 0, std::int64_t{1} << 40, "num_gates");
    between(num_qubits, 0, qsim::kMaxQubits, "num_qubits");
    between(num_params, 0, 1 << 28, "num_params");
    return read_gates(gates, num_gates, num_qubits, num_params);
  });
}

std::int32_t qsim_program_from_qasm(const char* text, const qsim_options* options, qsim_program* out) {
  return make_program(options, out, [&] {
    check_pointer(text, "text");
    return read_qasm(text);
  });
}

std::int32_t qsim_program_free(qsim_program program) {
  return guarded([&] { registries().programs.remove(program); });
}

std::int32_t qsim_program_info(qsim_program handle, std::int32_t* num_qubits, std::int32_t* num_params,
                               std::int32_t* num_bits, std::int32_t* precision, std::int32_t* threads) {
  return guarded([&] {
    const auto program = registries().programs.get(handle);
    if (num_qubits != nullptr) *num_qubits = program->num_qubits;
    if (num_params != nullptr) *num_params = program->num_params;
    if (num_bits != nullptr) *num_bits = std::int32_t(program->num_bits);
    if (precision != nullptr) *precision = program->options.single ? QSIM_SINGLE : QSIM_DOUBLE;
    if (threads != nullptr) *threads = program->options.threads;
  });
}

std::int32_t qsim_observables_from_text(const char* const* texts, std::int64_t num_observables,
                                        std::int32_t num_qubits, qsim_observables* out) {
  return guarded([&] {
    check_pointer(out, "out");
    between(num_observables, 1, 1 << 28, "num_observables");
    between(num_qubits, 0, qsim::kMaxQubits, "num_qubits");
    check_pointer(texts, "texts");
    std::vector<std::uint64_t> x_masks, z_masks;
    std::vector<double> coefficients;
    std::vector<std::int64_t> offsets = {0};
    for (std::int64_t k = 0; k < num_observables; ++k) {
      const std::string name = "texts[" + std::to_string(k) + "]";
      check_pointer(texts[k], name.c_str());
      for (const PauliTerm& term : read_pauli_sum(texts[k], num_qubits, name)) {
        x_masks.push_back(term.x_mask);
        z_masks.push_back(term.z_mask);
        coefficients.push_back(term.coefficient);
      }
      offsets.push_back(std::int64_t(coefficients.size()));
    }
    *out = registries().observables.add(std::make_shared<const qsim::PauliSums>(
        num_qubits, x_masks, z_masks, std::move(coefficients), std::move(offsets)));
  });
}

std::int32_t qsim_observables_from_terms(const std::uint64_t* x_masks, const std::uint64_t* z_masks,
                                         const double* coefficients, std::int64_t num_terms,
                                         const std::int64_t* offsets, std::int64_t num_observables,
                                         std::int32_t num_qubits, qsim_observables* out) {
  return guarded([&] {
    check_pointer(out, "out");
    between(num_terms, 0, 1 << 28, "num_terms");
    between(num_observables, 1, 1 << 28, "num_observables");
    between(num_qubits, 0, qsim::kMaxQubits, "num_qubits");
    check_pointer(offsets, "offsets");
    if (num_terms > 0) {
      check_pointer(x_masks, "x_masks");
      check_pointer(z_masks, "z_masks");
      check_pointer(coefficients, "coefficients");
    }
    for (std::int64_t k = 0; k < num_terms; ++k)
      if (!std::isfinite(coefficients[k]))
        argument_error("Argument `coefficients[" + std::to_string(k) + "]` must be finite, but is " +
                       number_text(coefficients[k]) + ".");
    for (std::int64_t k = 0; k <= num_observables; ++k) {
      const std::int64_t least = k == 0 ? 0 : offsets[k - 1];
      const std::int64_t most = k == 0 ? 0 : num_terms;
      if (offsets[k] < least || offsets[k] > most || (k == num_observables && offsets[k] != num_terms))
        argument_error("Argument `offsets` must rise from 0 to " + std::to_string(num_terms) + ", but offsets[" +
                       std::to_string(k) + "] is " + std::to_string(offsets[k]) + ".");
    }
    *out = registries().observables.add(std::make_shared<const qsim::PauliSums>(
        num_qubits, std::vector<std::uint64_t>(x_masks, x_masks + num_terms),
        std::vector<std::uint64_t>(z_masks, z_masks + num_terms),
        std::vector<double>(coefficients, coefficients + num_terms),
        std::vector<std::int64_t>(offsets, offsets + num_observables + 1)));
  });
}

std::int32_t qsim_observables_free(qsim_observables observables) {
  return guarded([&] { registries().observables.remove(observables); });
}

std::int32_t qsim_state(qsim_program program, const double* params, std::int64_t num_params, std::int64_t batch,
                        double* out, std::int64_t length) {
  return write_state(program, params, num_params, batch, out, length, "qsim_state_single()");
}

std::int32_t qsim_state_single(qsim_program program, const double* params, std::int64_t num_params,
                               std::int64_t batch, float* out, std::int64_t length) {
  return write_state(program, params, num_params, batch, out, length, "qsim_state()");
}

std::int32_t qsim_probabilities(qsim_program handle, const double* params, std::int64_t num_params,
                                std::int64_t batch, const std::int32_t* qubits, std::int64_t num_listed, double* out,
                                std::int64_t length) {
  return guarded([&] {
    const auto program = registries().programs.get(handle);
    check_params(*program, params, num_params, batch);
    between(num_listed, 0, program->num_qubits, "num_listed");
    if (num_listed > 0) check_pointer(qubits, "qubits");
    std::uint64_t seen = 0;
    for (std::int64_t k = 0; k < num_listed; ++k) {
      const std::string name = "qubits[" + std::to_string(k) + "]";
      between(qubits[k], 0, program->num_qubits - 1, name.c_str());
      if (seen >> qubits[k] & 1)
        argument_error("Argument `" + name + "` is qubit " + std::to_string(qubits[k]) + ", which is listed already.");
      seen |= std::uint64_t{1} << qubits[k];
    }
    check_array(out, "out", length, product(batch, 1, int(num_listed), "out"), "length",
                "(" + std::to_string(batch) + ", 2**" + std::to_string(num_listed) + ")");
    check_values(params, num_params, batch);
    if (batch > 0) program->probabilities(params, batch, qubits, int(num_listed), out);
  });
}

std::int32_t qsim_expectation(qsim_program handle, qsim_observables observables, const double* params,
                              std::int64_t num_params, std::int64_t batch, double* out, std::int64_t length) {
  return guarded([&] {
    const auto program = registries().programs.get(handle);
    const auto sums = observables_of(observables, *program);
    check_params(*program, params, num_params, batch);
    const std::int64_t count = sums->num_observables();
    check_array(out, "out", length, product(batch, count, 0, "out"), "length", shape_text({batch, count}));
    check_values(params, num_params, batch);
    if (batch > 0) program->expectation(*sums, params, batch, out);
  });
}

std::int32_t qsim_value_and_gradient(qsim_program handle, qsim_observables observables, const double* params,
                                     std::int64_t num_params, std::int64_t batch, double* values,
                                     std::int64_t values_length, double* gradients, std::int64_t gradients_length) {
  return guarded([&] {
    const auto program = registries().programs.get(handle);
    const auto sums = observables_of(observables, *program);
    check_params(*program, params, num_params, batch);
    const std::int64_t count = sums->num_observables();
    const std::int64_t num_values = product(batch, count, 0, "values");
    check_array(values, "values", values_length, num_values, "values_length", shape_text({batch, count}));
    check_array(gradients, "gradients", gradients_length, product(num_values, num_params, 0, "gradients"),
                "gradients_length", shape_text({batch, count, num_params}));
    check_values(params, num_params, batch);
    if (batch > 0) program->value_and_gradient(*sums, params, batch, values, gradients);
  });
}

std::int32_t qsim_sample(qsim_program handle, const double* params, std::int64_t num_params, std::int64_t batch,
                         std::int64_t shots, std::uint64_t seed, std::int64_t* out, std::int64_t length) {
  return guarded([&] {
    const auto program = registries().programs.get(handle);
    check_params(*program, params, num_params, batch);
    if (shots < 0) argument_error("Argument `shots` must not be negative, but is " + std::to_string(shots) + ".");
    check_array(out, "out", length, product(batch, shots, 0, "out"), "length", shape_text({batch, shots}));
    if (program->num_bits > 63)
      argument_error("Argument `program` measures " + counted(program->num_bits, "classical bit") +
                     ", but a sample has at most 63 bits.");
    check_values(params, num_params, batch);
    if (batch > 0 && shots > 0) program->sample(params, batch, shots, seed, out);
  });
}

std::int32_t qsim_set_interrupt_check(std::int32_t (*check)(void)) {
  return guarded([&] {
    interrupt_function.store(check);
    qsim::set_interrupt_check(check == nullptr ? nullptr : &interrupt_wanted);
  });
}

}  // extern "C"
