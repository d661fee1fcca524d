// What memory a run needs, refused before anything is allocated; qsim/memory.py does the same for Python.
#pragma once

#include <cstdint>
#include <string>

namespace qsim::capi {

/// Throws if `bytes`, which `what` needs, are more than `limit` (0: than is free). Overflow is HUGE_VAL or any number.
void check_memory(double bytes, std::uint64_t limit, const std::string& what);

}  // namespace qsim::capi
