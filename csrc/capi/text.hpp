// Numbers and quantities from text and as messages show them, whatever the program's locale is.
#pragma once

#include <cstdint>
#include <string>

namespace qsim::capi {

/// The number that all of `text` writes out; NaN if it is none, infinity if a double cannot hold it.
double read_number(const std::string& text);
std::string number_text(double value);
/// Bytes with a unit, as in "16 GiB".
std::string bytes_text(double bytes);
/// "1 qubit", "2 qubits".
std::string counted(std::int64_t count, const char* noun);

}  // namespace qsim::capi
