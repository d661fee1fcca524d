// Errors on their way to the edge of the C interface, where they become codes and messages.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "qsim.h"

namespace qsim::capi {

struct Error : std::runtime_error {
  Error(std::int32_t error_code, const std::string& text, std::int32_t error_line = 0, std::int32_t error_column = 0)
      : std::runtime_error(text), code(error_code), line(error_line), column(error_column) {}
  std::int32_t code, line, column;
};

[[noreturn]] inline void argument_error(const std::string& text) { throw Error(QSIM_ERROR_ARGUMENT, text); }

template <class Pointer>
void check_pointer(Pointer pointer, const char* name) {
  if (pointer == nullptr) argument_error("Argument `" + std::string(name) + "` must not be NULL.");
}

/// What an angle must be, which leaves room for the sums and products of parts of a gate.
constexpr double kMaxAngle = 1e100;

}  // namespace qsim::capi
