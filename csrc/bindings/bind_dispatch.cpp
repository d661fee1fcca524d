#include <pybind11/stl.h>

#include "../dispatch.hpp"
#include "../execute/execute.hpp"
#include "array_checks.hpp"

namespace qsim {

void bind_dispatch(py::module_& m) {
  choose_isa();
  m.def("available_isas", &available_isas, "Instruction sets this build holds and this CPU runs, slowest first.");
  m.def("cpu_features", &cpu_features, "CPU flags found, of those the choice of instruction set depends on.");
  m.def("isa", [] { return std::string(kernel_table(current_isa()).name); }, "Instruction set in use.");
  m.def("set_isa", &set_isa, py::arg("name"), "Use another instruction set from now on (for tests).");
  m.def(
      "copy_bandwidth",
      [](std::int64_t bytes, std::int64_t threads) {
        if (bytes < 1024) argument_error("bytes", "must be at least 1024, but is " + std::to_string(bytes) + ".");
        const int num_threads = checked_threads(threads);
        double result = 0;
        without_gil([&] { result = copy_bandwidth(std::size_t(bytes), num_threads); });
        return result;
      },
      py::arg("bytes"), py::arg("threads"),
      "Bytes read and written per second when copying one array onto another, `bytes` in total.");
  m.def(
      "peak_flops",
      [](bool single, std::int64_t threads) {
        const int num_threads = checked_threads(threads);
        double result = 0;
        without_gil([&] { result = single ? peak_flops<float>(num_threads) : peak_flops<double>(num_threads); });
        return result;
      },
      py::arg("single"), py::arg("threads"),
      "Additions and multiplications per second in registers; a multiply-add counts as two.");
}

}  // namespace qsim
