#include "memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>

#include "error.hpp"
#include "text.hpp"

namespace qsim::capi {
namespace {

constexpr double kAlwaysFine = 1 << 24;  // below, asking the system takes longer than the work

/// The number a file begins with; negative if there is none.
double number_in(const char* path) {
  std::ifstream file(path);
  double number = -1;
  return file >> number ? number : -1;
}

double system_available() {
  std::ifstream file("/proc/meminfo");
  std::string line;
  while (std::getline(file, line)) {
    double kilobytes = 0;
    if (std::sscanf(line.c_str(), "MemAvailable: %lf", &kilobytes) == 1) return kilobytes * 1024;
  }
#if defined(_SC_AVPHYS_PAGES)
  const long pages = sysconf(_SC_AVPHYS_PAGES);
  if (pages > 0) return double(pages) * double(sysconf(_SC_PAGE_SIZE));
#endif
  return HUGE_VAL;
}

double group_available() {
  const char* const files[][2] = {
      {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (const auto& pair : files) {
    const double limit = number_in(pair[0]), used = number_in(pair[1]);
    if (limit >= 0 && used >= 0) return std::max(0.0, limit - used);
  }
  return HUGE_VAL;
}

double address_space_left() {
  rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return HUGE_VAL;
  const double pages = number_in("/proc/self/statm");
  return pages < 0 ? HUGE_VAL : std::max(0.0, double(limit.rlim_cur) - pages * double(sysconf(_SC_PAGE_SIZE)));
}

}  // namespace

void check_memory(double bytes, std::uint64_t limit, const std::string& what) {
  if (limit != 0) {
    if (bytes > double(limit))
      throw Error(QSIM_ERROR_MEMORY, what + " needs " + bytes_text(bytes) + ", but `max_memory` is " +
                                         bytes_text(double(limit)) + ".");
    return;
  }
  if (bytes <= kAlwaysFine) return;
  const double free = std::min({system_available(), group_available(), address_space_left()});
  if (bytes > free)
    throw Error(QSIM_ERROR_MEMORY, what + " needs " + bytes_text(bytes) + ", " + bytes_text(free) + " is free.");
}

}  // namespace qsim::capi
