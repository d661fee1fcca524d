#include "text.hpp"

#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <locale>
#include <sstream>

namespace qsim::capi {
namespace {

std::string formatted(double value, int digits) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(digits);
  out << value;
  return out.str();
}

}  // namespace

double read_number(const std::string& text) {
#if defined(__cpp_lib_to_chars)
  double quick = 0;
  const char* const stop = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), stop, quick);
  if (error == std::errc() && end == stop) return quick;
#endif
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  double value = 0;
  in >> value;
  if (in.fail() && std::abs(value) == std::numeric_limits<double>::max()) return HUGE_VAL;
  return !in.fail() && in.peek() == std::char_traits<char>::eof() ? value : std::nan("");
}

std::string number_text(double value) { return formatted(value, 12); }

std::string bytes_text(double bytes) {
  const char* const units[] = {" bytes", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB", " ZiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit) bytes /= 1024;
  return formatted(bytes, 4) + units[unit];
}

std::string counted(std::int64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace qsim::capi
