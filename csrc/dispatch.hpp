// Which instruction set's kernels run: the best the CPU has, QSIM_ISA, or what a test asks for.
#pragma once

#include <string>
#include <vector>

#include "kernel_table.hpp"

namespace qsim {

constexpr int kNumIsas = 3;

/// Names this build holds and this CPU runs, slowest first.
std::vector<std::string> available_isas();
/// Flags of this CPU that the dispatch looks at.
std::vector<std::string> cpu_features();
/// Throws std::runtime_error if the name is unknown or not available.
void set_isa(const std::string& name);
/// Reads QSIM_ISA; called once, at import.
void choose_isa();
/// Index of the table in use, 0 .. kNumIsas - 1, and the table itself.
int current_isa();
const KernelTable& kernel_table(int isa);

}  // namespace qsim
