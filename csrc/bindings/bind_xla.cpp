// What qsim.jax needs of the core: programs that compiled functions find by a number, and the functions themselves.
#include "../ffi/bound_program.hpp"
#include "../ffi/xla_handlers.hpp"
#include "array_checks.hpp"

namespace qsim {
namespace {

/// A tape of the other module's making, and what its instructions are; None: no slot is read.
ReverseSweep sweep_of(py::handle given) {
  if (given.is_none()) return {};
  const auto parts = py::cast<py::tuple>(given);
  return {parts[0].cast<std::shared_ptr<Tape>>(),
          {vector_of<std::int32_t>(parts[1], "slots"), vector_of<double>(parts[2], "weights")}};
}

VelocityColumns columns_of(py::handle given) {
  const auto parts = py::cast<py::tuple>(given);
  return {vector_of<std::int32_t>(parts[0], "slots"), vector_of<double>(parts[1], "scales"),
          vector_of<double>(parts[2], "shifts"), vector_of<double>(parts[3], "levels"),
          vector_of<std::uint8_t>(parts[4], "sines")};
}

std::shared_ptr<const BoundProgram> bound_program(std::int64_t number, std::shared_ptr<Tape> tape,
                                                  std::shared_ptr<PauliSums> sums, py::handle lanes,
                                                  std::int64_t least_rows, std::int64_t least_rows_back,
                                                  py::handle back, py::handle second, bool single,
                                                  std::int64_t threads, double largest) {
  auto made = std::make_shared<BoundProgram>();
  made->tape = std::move(tape);
  made->sums = std::move(sums);
  if (!lanes.is_none()) {
    const auto parts = py::cast<py::tuple>(lanes);
    made->lanes = parts[0].cast<std::shared_ptr<LaneProgram>>();
    made->lane_observables = parts[1].cast<std::shared_ptr<LaneObservables>>();
  }
  made->least_rows = least_rows;
  made->least_rows_back = least_rows_back;
  made->back = sweep_of(back);
  if (!second.is_none()) {
    const auto parts = py::cast<py::tuple>(second);
    made->dual = parts[0].cast<std::shared_ptr<Tape>>();
    made->dual_columns = columns_of(parts[1]);
    made->dual_back = sweep_of(parts[2]);
    made->dual_back_columns = columns_of(parts[3]);
  }
  made->single = single;
  made->threads = checked_threads(threads);
  made->largest_angle = largest;
  made->check();
  return publish(number, std::move(made));
}

/// The interpreter raises KeyboardInterrupt when it goes on; until then no exception may be pending.
void report_interrupt() {
  const PyGILState_STATE state = take_gil([] { return PyGILState_Ensure(); });
  PyErr_Clear();
  PyErr_SetInterrupt();
  PyGILState_Release(state);
}

py::dict xla_handlers() {
  py::dict out;
  for (const XlaFunction& function : xla_functions()) {
    py::dict stages;
    stages["instantiate"] = py::capsule(reinterpret_cast<void*>(function.instantiate));
    stages["execute"] = py::capsule(reinterpret_cast<void*>(function.execute));
    out[function.name] = stages;
  }
  return out;
}

}  // namespace

void bind_xla(py::module_& m) {
  py::class_<BoundProgram, std::shared_ptr<BoundProgram>>(m, "BoundProgram",
                                                          "A program that functions compiled by XLA find by a number.");
  m.def(
      "bound_program",
      [](std::int64_t number, std::shared_ptr<Tape> tape, std::shared_ptr<PauliSums> sums, py::handle lanes,
         std::int64_t least_rows, std::int64_t least_rows_back, py::handle back, py::handle second, bool single,
         std::int64_t threads, double largest) {
        return std::const_pointer_cast<BoundProgram>(bound_program(number, std::move(tape), std::move(sums), lanes,
                                                                   least_rows, least_rows_back, back, second, single,
                                                                   threads, largest));
      },
      py::arg("number"), py::arg("tape"), py::arg("paulis"), py::arg("lanes"), py::arg("least_rows"),
      py::arg("least_rows_back"), py::arg("back"), py::arg("second"), py::arg("single"), py::arg("threads"),
      py::arg("largest"), "Make a program known by a number as long as somebody holds it; the known one if there is one.");
  m.def("xla_handlers", &xla_handlers, "Handlers of XLA's foreign functions: name -> stage -> capsule.");
  set_interrupt_report(&report_interrupt);
}

}  // namespace qsim
