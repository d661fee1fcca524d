#include "dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#if defined(QSIM_X86)
#include <cpuid.h>
#endif

namespace qsim {
namespace {

struct CpuFeature {
  const char* name;
  bool present;
};

#if defined(QSIM_X86)
struct CpuidLeaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(unsigned leaf, unsigned subleaf) {
  CpuidLeaf r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
  return r;
}

/// Register state the operating system saves; a CPU flag alone does not make wide registers usable.
std::uint64_t saved_state() {
  const bool osxsave = (cpuid(1, 0).ecx >> 27) & 1;
  if (!osxsave) return 0;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t(high) << 32) | low;
}

std::vector<CpuFeature> detect() {
  const CpuidLeaf one = cpuid(1, 0), seven = cpuid(7, 0);
  const std::uint64_t saved = saved_state();
  const bool ymm = (saved & 0x6) == 0x6, zmm = (saved & 0xe6) == 0xe6;
  const auto bit = [](unsigned word, int position) { return bool((word >> position) & 1); };
  return {{"fma", ymm && bit(one.ecx, 12)},
          {"avx2", ymm && bit(seven.ebx, 5)},
          {"avx512f", zmm && bit(seven.ebx, 16)},
          {"avx512dq", zmm && bit(seven.ebx, 17)},
          {"avx512bw", zmm && bit(seven.ebx, 30)},
          {"avx512vl", zmm && bit(seven.ebx, 31)}};
}
#else
std::vector<CpuFeature> detect() { return {}; }
#endif

const KernelTable* const kTables[] = {
    &kernels_baseline,
#if defined(QSIM_X86)
    &kernels_avx2, &kernels_avx512,
#endif
};
constexpr int kNumTables = int(sizeof(kTables) / sizeof(kTables[0]));

/// How many of kTables this CPU runs; each needs what the one before needs.
int num_available() {
  bool avx2 = true, avx512 = true;
  bool any = false;
  for (const CpuFeature& feature : detect()) {
    any = true;
    const bool wide = std::string(feature.name).rfind("avx512", 0) == 0;
    (wide ? avx512 : avx2) &= feature.present;
  }
  if (!any || !avx2) return 1;
  return avx512 ? kNumTables : 2;
}

std::atomic<int> current{0};

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

int find_isa(const std::string& name) {
  for (int i = 0; i < num_available(); ++i)
    if (name == kTables[i]->name) return i;
  return -1;
}

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (int i = 0; i < num_available(); ++i) names.emplace_back(kTables[i]->name);
  return names;
}

std::vector<std::string> cpu_features() {
  std::vector<std::string> names;
  for (const CpuFeature& feature : detect())
    if (feature.present) names.emplace_back(feature.name);
  return names;
}

void set_isa(const std::string& name) {
  const int isa = find_isa(name);
  if (isa < 0)
    throw std::runtime_error("Instruction set '" + name + "' was asked for, but this CPU runs: " +
                             list_of(available_isas()) + ".");
  current.store(isa, std::memory_order_relaxed);
}

void choose_isa() {
  const char* wanted = std::getenv("QSIM_ISA");
  if (wanted == nullptr || *wanted == '\0') {
    current.store(num_available() - 1, std::memory_order_relaxed);
    return;
  }
  const int isa = find_isa(wanted);
  if (isa < 0)
    throw std::runtime_error("QSIM_ISA='" + std::string(wanted) +
                             "' was asked for, but this CPU runs: " + list_of(available_isas()) + ".");
  current.store(isa, std::memory_order_relaxed);
}

int current_isa() { return current.load(std::memory_order_relaxed); }
const KernelTable& kernel_table(int isa) { return *kTables[isa]; }

}  // namespace qsim
