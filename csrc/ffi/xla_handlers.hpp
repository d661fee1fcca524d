// Handlers of XLA's foreign function interface: what compiled JAX functions call, on XLA's threads and without Python.
#pragma once

#include <vector>

#include "../third_party/xla/ffi/api/c_api.h"

namespace qsim {

/// A foreign function. Its attribute `number` names a published program, which `instantiate` looks up once and holds as
/// long as the compiled function lives. Arguments are arrays (..., length) of float32 or float64 with equal leading
/// dimensions; results are of the same type.
struct XlaFunction {
  const char* name;
  XLA_FFI_Handler* instantiate;
  XLA_FFI_Handler* execute;
};

const std::vector<XlaFunction>& xla_functions();

/// Installed by the bindings: called where Ctrl-C ended a computation, so that the interpreter hears of it later.
void set_interrupt_report(void (*report)());

}  // namespace qsim
