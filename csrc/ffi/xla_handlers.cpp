#include "xla_handlers.hpp"

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "../execute/threads.hpp"
#include "bound_program.hpp"

namespace qsim {
namespace {

using Held = std::shared_ptr<const BoundProgram>;

std::atomic<void (*)()> interrupt_report{nullptr};

XLA_FFI_TypeId held_type{0};
const XLA_FFI_TypeInfo held_info{XLA_FFI_TypeInfo_STRUCT_SIZE, nullptr,
                                 [](void* object) { delete static_cast<Held*>(object); }};

XLA_FFI_Error* make_error(const XLA_FFI_Api* api, XLA_FFI_Error_Code code, const char* message) {
  XLA_FFI_Error_Create_Args args{XLA_FFI_Error_Create_Args_STRUCT_SIZE, nullptr, message, code};
  return api->XLA_FFI_Error_Create(&args);
}

/// An error of this code, thrown inside handlers.
struct Failure : std::runtime_error {
  Failure(XLA_FFI_Error_Code error, const std::string& message) : std::runtime_error(message), code(error) {}
  XLA_FFI_Error_Code code;
};

/// Thrown where XLA made the error itself.
struct GivenError {
  XLA_FFI_Error* error;
};

void raise(XLA_FFI_Error* error) {
  if (error != nullptr) throw GivenError{error};
}

/// No exception crosses into XLA.
template <class Body>
XLA_FFI_Error* guarded(const XLA_FFI_Api* api, const Body& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const GivenError& given) {
    return given.error;
  } catch (const Failure& failure) {
    return make_error(api, failure.code, failure.what());
  } catch (const Interrupted&) {
    if (const auto report = interrupt_report.load()) report();
    return make_error(api, XLA_FFI_Error_Code_CANCELLED, "Interrupted.");
  } catch (const std::bad_alloc&) {
    return make_error(api, XLA_FFI_Error_Code_RESOURCE_EXHAUSTED, "There is not enough memory for the states.");
  } catch (const std::exception& error) {
    return make_error(api, XLA_FFI_Error_Code_INTERNAL, error.what());
  } catch (...) {
    return make_error(api, XLA_FFI_Error_Code_INTERNAL, "An unknown error.");
  }
}

/// XLA asks each handler for the version of the interface it was built with; that is no call.
bool is_question(const XLA_FFI_CallFrame* frame) {
  return frame->extension_start != nullptr && frame->extension_start->type == XLA_FFI_Extension_Metadata;
}

/// Makes the type of the state known to XLA, which numbers it.
void register_type(const XLA_FFI_Api* api) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  if (held_type.type_id != 0) return;
  static constexpr char name[] = "qsim.program";
  XLA_FFI_Type_Register_Args args{
      XLA_FFI_Type_Register_Args_STRUCT_SIZE, nullptr, {name, sizeof name - 1}, &held_type, &held_info};
  raise(api->XLA_FFI_Type_Register(&args));
}

void answer(XLA_FFI_CallFrame* frame, bool has_state) {
  XLA_FFI_Metadata& metadata = *reinterpret_cast<XLA_FFI_Metadata_Extension*>(frame->extension_start)->metadata;
  metadata.api_version = {XLA_FFI_Api_Version_STRUCT_SIZE, nullptr, XLA_FFI_API_MAJOR, XLA_FFI_API_MINOR};
  metadata.traits = 0;
  // a later field, which an older XLA does not have; such a one refuses the version
  if (metadata.struct_size < offsetof(XLA_FFI_Metadata, state_type_id) + sizeof(XLA_FFI_TypeId)) return;
  if (has_state) register_type(frame->api);
  metadata.state_type_id = has_state ? held_type : XLA_FFI_TypeId{0};
}

std::int64_t number_of(const XLA_FFI_Attrs& attributes) {
  for (std::int64_t i = 0; i < attributes.size; ++i) {
    const XLA_FFI_ByteSpan& name = *attributes.names[i];
    if (std::string(name.ptr, name.len) != "number" || attributes.types[i] != XLA_FFI_AttrType_SCALAR) continue;
    const auto& scalar = *static_cast<const XLA_FFI_Scalar*>(attributes.attrs[i]);
    if (scalar.dtype == XLA_FFI_DataType_S64) return *static_cast<const std::int64_t*>(scalar.value);
  }
  throw Failure(XLA_FFI_Error_Code_INVALID_ARGUMENT, "A call of qsim needs the attribute `number`, of type int64.");
}

XLA_FFI_Error* instantiate(XLA_FFI_CallFrame* frame) {
  return guarded(frame->api, [&] {
    if (is_question(frame)) return answer(frame, true);
    auto held = std::make_unique<Held>(published(number_of(frame->attrs)));
    if (*held == nullptr)
      throw Failure(XLA_FFI_Error_Code_NOT_FOUND,
                    "The circuit of this compiled function is not known to this process. A compiled function runs only "
                    "where it was compiled; export the function, not what JAX made of it.");
    register_type(frame->api);
    XLA_FFI_State_Set_Args args{XLA_FFI_State_Set_Args_STRUCT_SIZE, nullptr,    frame->ctx,
                                XLA_FFI_ExecutionStage_INSTANTIATE, &held_type, held.get()};
    raise(frame->api->XLA_FFI_State_Set(&args));
    held.release();
  });
}

const BoundProgram& program_of(const XLA_FFI_CallFrame* frame) {
  XLA_FFI_State_Get_Args args{XLA_FFI_State_Get_Args_STRUCT_SIZE, nullptr,    frame->ctx,
                              XLA_FFI_ExecutionStage_INSTANTIATE, &held_type, nullptr};
  raise(frame->api->XLA_FFI_State_Get(&args));
  return **static_cast<const Held*>(args.state);
}

/// An argument or a result, as numbers in double precision.
class Numbers {
 public:
  Numbers(const void* buffer, const char* name) : buffer_(*static_cast<const XLA_FFI_Buffer*>(buffer)), name_(name) {
    if (buffer_.dtype != XLA_FFI_DataType_F32 && buffer_.dtype != XLA_FFI_DataType_F64)
      throw Failure(XLA_FFI_Error_Code_INVALID_ARGUMENT, name_ + " must be of type float32 or float64.");
    for (std::int64_t i = 0; i < buffer_.rank; ++i) size_ *= buffer_.dims[i];
  }
  /// The product of all dimensions but the last one, which must be `length`.
  std::int64_t rows(std::int64_t length) const {
    if (buffer_.rank < 1 || buffer_.dims[buffer_.rank - 1] != length)
      throw Failure(XLA_FFI_Error_Code_INVALID_ARGUMENT, name_ + " must have rows of " + std::to_string(length) + ".");
    std::int64_t rows = 1;
    for (std::int64_t i = 0; i + 1 < buffer_.rank; ++i) rows *= buffer_.dims[i];
    return rows;
  }
  void require_size(std::int64_t size) const {
    if (size_ != size)
      throw Failure(XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    name_ + " must have " + std::to_string(size) + " numbers, but has " + std::to_string(size_) + ".");
  }
  const double* read() {
    if (is_double()) return static_cast<const double*>(buffer_.data);
    const float* const data = static_cast<const float*>(buffer_.data);
    copy_.assign(data, data + size_);
    return copy_.data();
  }
  /// Where to write; `finish` takes it to the buffer.
  double* write() {
    if (is_double()) return static_cast<double*>(buffer_.data);
    copy_.resize(std::size_t(size_));
    return copy_.data();
  }
  void finish() const {
    if (is_double()) return;
    float* const data = static_cast<float*>(buffer_.data);
    for (std::int64_t i = 0; i < size_; ++i) data[i] = float(copy_[std::size_t(i)]);
  }

 private:
  bool is_double() const { return buffer_.dtype == XLA_FFI_DataType_F64; }
  const XLA_FFI_Buffer& buffer_;
  const std::string name_;
  std::int64_t size_ = 1;
  std::vector<double> copy_;
};

void check_angles(const BoundProgram& program, const double* angles, std::int64_t batch) {
  const std::int64_t slots = program.num_slots();
  bool good = true;
  for (std::int64_t i = 0; i < batch * slots; ++i)
    good &= angles[i] <= program.largest_angle && angles[i] >= -program.largest_angle;
  if (good) return;
  std::int64_t i = 0;
  while (angles[i] <= program.largest_angle && angles[i] >= -program.largest_angle) ++i;
  char text[160];
  std::snprintf(text, sizeof text, "Values of parameters must be finite%s, but number %lld of row %lld is %g.",
                std::isfinite(angles[i]) ? " and not that large" : "", static_cast<long long>(i % slots),
                static_cast<long long>(i / slots), angles[i]);
  throw Failure(XLA_FFI_Error_Code_INVALID_ARGUMENT, text);
}

/// body(program, rows, arguments, results): angles (rows, num_slots) and `count - 1` arrays more.
template <class Body>
void with_buffers(XLA_FFI_CallFrame* frame, std::initializer_list<const char*> names, std::int64_t num_results,
                  const Body& body) {
  if (frame->args.size != std::int64_t(names.size()) || frame->rets.size != num_results)
    throw Failure(XLA_FFI_Error_Code_INVALID_ARGUMENT, "Wrong number of arguments or results.");
  const BoundProgram& program = program_of(frame);
  std::vector<Numbers> arguments, results;
  for (std::size_t i = 0; i < names.size(); ++i) arguments.emplace_back(frame->args.args[i], names.begin()[i]);
  for (std::int64_t i = 0; i < num_results; ++i) results.emplace_back(frame->rets.rets[i], "A result");
  const std::int64_t rows = arguments[0].rows(program.num_slots());
  check_angles(program, arguments[0].read(), rows);
  body(program, rows, arguments, results);
  for (const Numbers& result : results) result.finish();
}

XLA_FFI_Error* values(XLA_FFI_CallFrame* frame) {
  return guarded(frame->api, [&] {
    if (is_question(frame)) return answer(frame, false);
    with_buffers(frame, {"Angles"}, 1, [](const BoundProgram& p, std::int64_t rows, auto& in, auto& out) {
      out[0].require_size(rows * p.num_observables());
      p.values(in[0].read(), rows, out[0].write());
    });
  });
}

XLA_FFI_Error* slopes(XLA_FFI_CallFrame* frame) {
  return guarded(frame->api, [&] {
    if (is_question(frame)) return answer(frame, false);
    with_buffers(frame, {"Angles"}, 2, [](const BoundProgram& p, std::int64_t rows, auto& in, auto& out) {
      out[0].require_size(rows * p.num_observables());
      out[1].require_size(rows * p.num_observables() * p.num_slots());
      p.slopes(in[0].read(), rows, out[0].write(), out[1].write());
    });
  });
}

XLA_FFI_Error* products(XLA_FFI_CallFrame* frame) {
  return guarded(frame->api, [&] {
    if (is_question(frame)) return answer(frame, false);
    with_buffers(frame, {"Angles", "Cotangents"}, 1,
                 [](const BoundProgram& p, std::int64_t rows, auto& in, auto& out) {
                   in[1].require_size(rows * p.num_observables());
                   out[0].require_size(rows * p.num_slots());
                   p.products(in[0].read(), in[1].read(), rows, out[0].write());
                 });
  });
}

void require_dual(const BoundProgram& program) {
  if (!program.dual) throw Failure(XLA_FFI_Error_Code_FAILED_PRECONDITION, "The program has no dual tape.");
}

XLA_FFI_Error* pushed(XLA_FFI_CallFrame* frame) {
  return guarded(frame->api, [&] {
    if (is_question(frame)) return answer(frame, false);
    with_buffers(frame, {"Angles", "Tangents"}, 1, [](const BoundProgram& p, std::int64_t rows, auto& in, auto& out) {
      require_dual(p);
      in[1].require_size(rows * p.num_slots());
      out[0].require_size(rows * p.num_observables());
      p.pushed(in[0].read(), in[1].read(), rows, out[0].write());
    });
  });
}

XLA_FFI_Error* curvature(XLA_FFI_CallFrame* frame) {
  return guarded(frame->api, [&] {
    if (is_question(frame)) return answer(frame, false);
    with_buffers(frame, {"Angles", "Tangents", "Cotangents"}, 1,
                 [](const BoundProgram& p, std::int64_t rows, auto& in, auto& out) {
                   require_dual(p);
                   in[1].require_size(rows * p.num_slots());
                   in[2].require_size(rows * p.num_observables());
                   out[0].require_size(rows * p.num_slots());
                   p.curvature(in[0].read(), in[1].read(), in[2].read(), rows, out[0].write());
                 });
  });
}

}  // namespace

const std::vector<XlaFunction>& xla_functions() {
  static const std::vector<XlaFunction> all = {{"values", &instantiate, &values},
                                               {"slopes", &instantiate, &slopes},
                                               {"products", &instantiate, &products},
                                               {"pushed", &instantiate, &pushed},
                                               {"curvature", &instantiate, &curvature}};
  return all;
}

void set_interrupt_report(void (*report)()) { interrupt_report.store(report); }

}  // namespace qsim
