#include <memory>

#include "../execute/lanes.hpp"
#include "array_checks.hpp"

namespace qsim {
namespace {

struct LaneAngles {
  py::array array;
  const double* data;
  std::int64_t rows;
};

/// Angles of one row, or of `batch` rows.
LaneAngles lane_angles_of(py::handle object, const LaneProgram& program, std::int64_t batch) {
  py::array array = array_of<double>(object, "angles", 2);
  if (array.shape(1) != program.num_slots || (array.shape(0) != 1 && array.shape(0) != batch))
    argument_error("angles", "must have shape (1 or " + std::to_string(batch) + ", " +
                                 std::to_string(program.num_slots) + "), but has shape " + shape_text(array) + ".");
  return {array, static_cast<const double*>(array.data()), array.shape(0)};
}

std::shared_ptr<LaneProgram> compile_lanes(std::int64_t num_qubits, std::int64_t num_slots, py::handle constants,
                                           py::handle first, py::handle slots, py::handle weights, py::handle steps,
                                           py::handle turns, py::handle phases, py::handle bases, py::handle matrices,
                                           py::handle matrix_qubits, py::handle entries, py::handle columns,
                                           std::uint32_t origin) {
  LaneArrays arrays;
  arrays.constants = vector_of<double>(constants, "constants");
  arrays.first = vector_of<std::int32_t>(first, "first");
  arrays.slots = vector_of<std::int32_t>(slots, "slots");
  arrays.weights = vector_of<double>(weights, "weights");
  arrays.steps = vector_of<std::int32_t>(steps, "steps");
  arrays.turns = vector_of<std::uint32_t>(turns, "turns");
  arrays.phases = vector_of<std::uint32_t>(phases, "phases");
  arrays.bases = vector_of<std::uint32_t>(bases, "bases");
  arrays.matrices = vector_of<std::int32_t>(matrices, "matrices");
  arrays.matrix_qubits = vector_of<std::uint32_t>(matrix_qubits, "matrix_qubits");
  arrays.entries = vector_of<std::complex<double>>(entries, "entries");
  arrays.columns = vector_of<std::uint32_t>(columns, "columns");
  arrays.origin = origin;
  return std::make_shared<LaneProgram>(num_qubits, num_slots, std::move(arrays));
}

void run_lanes_of(const LaneProgram& program, py::handle initial_object, py::handle out_object, py::handle angles_object,
                  std::int64_t threads) {
  const States out = states_of(out_object, "out", 2, true);
  check_num_qubits(out, "out", program.num_qubits);
  const bool given = !initial_object.is_none();
  const States initial = given ? states_of(initial_object, "initial", 2, false) : out;
  check_num_qubits(initial, "initial", program.num_qubits);
  if (initial.single != out.single || (initial.batch != 1 && initial.batch != out.batch))
    argument_error("initial", "must have 1 or " + std::to_string(out.batch) + " states of dtype " +
                                  dtype_text(out.array) + ".");
  const LaneAngles angles = lane_angles_of(angles_object, program, out.batch);
  const int num_threads = checked_threads(threads);
  without_gil([&] {
    with_precision(out.single, [&](auto amplitude) {
      using Amplitude = decltype(amplitude);
      run_lanes(program, given ? static_cast<const Amplitude*>(initial.data) : nullptr, initial.batch, out.batch,
                angles.data, angles.rows, num_threads, static_cast<Amplitude*>(out.data));
    });
  });
}

void check_observables(const LaneProgram& program, const LaneObservables& observables) {
  if (program.num_qubits != observables.num_qubits)
    throw py::value_error("The observables are of " + std::to_string(observables.num_qubits) +
                          " qubits, but the program has " + std::to_string(program.num_qubits) + ".");
}

py::array_t<double> expectation_lanes_of(const LaneProgram& program, const LaneObservables& observables,
                                         py::handle angles_object, bool single, std::int64_t threads) {
  check_observables(program, observables);
  const std::int64_t batch = array_of<double>(angles_object, "angles", 2).shape(0);
  const LaneAngles angles = lane_angles_of(angles_object, program, batch);
  const int num_threads = checked_threads(threads);
  py::array_t<double> out({py::ssize_t(batch), py::ssize_t(observables.num_observables)});
  double* const data = out.mutable_data();
  without_gil([&] {
    const auto function = single ? &expectation_lanes<float> : &expectation_lanes<double>;
    function(program, observables, batch, angles.data, angles.rows, num_threads, data);
  });
  return out;
}

std::vector<std::uint8_t> wanted_of(py::handle object, const LaneProgram& program) {
  auto wanted = vector_of<std::uint8_t>(object, "wanted");
  if (wanted.size() != std::size_t(program.num_slots))
    argument_error("wanted", "must have one number for each slot.");
  return wanted;
}

py::array_t<double> sweep_lanes_of(const LaneProgram& program, py::handle states_object, py::handle cotangents_object,
                                   py::handle wanted_object, py::handle angles_object, std::int64_t threads) {
  const auto wanted = wanted_of(wanted_object, program);
  const States states = states_of(states_object, "states", 2, false);
  check_num_qubits(states, "states", program.num_qubits);
  const States cotangents = cotangents_of(cotangents_object, states);
  const LaneAngles angles = lane_angles_of(angles_object, program, states.batch);
  const int num_threads = checked_threads(threads);
  const std::int64_t count = cotangents.array.shape(1);
  py::array_t<double> out({py::ssize_t(states.batch), py::ssize_t(count), py::ssize_t(program.num_slots)});
  double* const data = out.mutable_data();
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      using Amplitude = decltype(amplitude);
      sweep_lanes(program, static_cast<const Amplitude*>(states.data), static_cast<const Amplitude*>(cotangents.data),
                  wanted, states.batch, count, angles.data, angles.rows, num_threads, data);
    });
  });
  return out;
}

py::tuple gradient_lanes_of(const LaneProgram& program, const LaneObservables& observables, py::handle wanted_object,
                            py::handle angles_object, bool single, std::int64_t threads) {
  check_observables(program, observables);
  const auto wanted = wanted_of(wanted_object, program);
  const std::int64_t batch = array_of<double>(angles_object, "angles", 2).shape(0);
  const LaneAngles angles = lane_angles_of(angles_object, program, batch);
  const int num_threads = checked_threads(threads);
  py::array_t<double> values({py::ssize_t(batch), py::ssize_t(observables.num_observables)});
  py::array_t<double> slopes(
      {py::ssize_t(batch), py::ssize_t(observables.num_observables), py::ssize_t(program.num_slots)});
  double *const values_data = values.mutable_data(), *const slopes_data = slopes.mutable_data();
  without_gil([&] {
    const auto function = single ? &gradient_lanes<float> : &gradient_lanes<double>;
    function(program, observables, wanted, batch, angles.data, angles.rows, num_threads, values_data, slopes_data);
  });
  return py::make_tuple(values, slopes);
}

}  // namespace

void bind_lanes(py::module_& m) {
  py::class_<LaneProgram, std::shared_ptr<LaneProgram>>(m, "CompiledLanes", "A checked lane program; immutable.")
      .def_readonly("num_qubits", &LaneProgram::num_qubits)
      .def_readonly("num_slots", &LaneProgram::num_slots);
  py::class_<LaneObservables, std::shared_ptr<LaneObservables>>(m, "CompiledLaneObservables",
                                                                "Checked tables of observables; immutable.")
      .def_readonly("num_qubits", &LaneObservables::num_qubits)
      .def_readonly("num_observables", &LaneObservables::num_observables);
  m.def("compile_lanes", &compile_lanes, py::arg("num_qubits"), py::arg("num_slots"), py::arg("constants"),
        py::arg("first"), py::arg("slots"), py::arg("weights"), py::arg("steps"), py::arg("turns"), py::arg("phases"),
        py::arg("bases"), py::arg("matrices"), py::arg("matrix_qubits"), py::arg("entries"), py::arg("columns"),
        py::arg("origin"), "Check a lane program and keep a copy of it.");
  m.def(
      "compile_lane_observables",
      [](std::int64_t num_qubits, std::int64_t num_observables, py::handle observables, py::handle x_masks,
         py::handle tables) {
        return std::make_shared<LaneObservables>(num_qubits, num_observables,
                                                 vector_of<std::int32_t>(observables, "observables"),
                                                 vector_of<std::uint32_t>(x_masks, "x_masks"),
                                                 vector_of<std::complex<double>>(tables, "tables"));
      },
      py::arg("num_qubits"), py::arg("num_observables"), py::arg("observables"), py::arg("x_masks"), py::arg("tables"),
      "Observables as tables of 2**n numbers for each set of strings that flip the same qubits.");
  m.def("run_lanes", &run_lanes_of, py::arg("program"), py::arg("initial"), py::arg("out"), py::arg("angles"),
        py::arg("threads"), "Write the states made from `initial` (None: |0...0>) to `out`.");
  m.def("expectation_lanes", &expectation_lanes_of, py::arg("program"), py::arg("observables"), py::arg("angles"),
        py::arg("single"), py::arg("threads"), "Values (batch, num_observables).");
  m.def("sweep_lanes", &sweep_lanes_of, py::arg("program"), py::arg("states"), py::arg("cotangents"), py::arg("wanted"),
        py::arg("angles"), py::arg("threads"),
        "Derivatives (batch, count, num_slots) from the states a program makes and their cotangents.");
  m.def("gradient_lanes", &gradient_lanes_of, py::arg("program"), py::arg("observables"), py::arg("wanted"),
        py::arg("angles"), py::arg("single"), py::arg("threads"),
        "Values, and derivatives (batch, num_observables, num_slots).");
}

}  // namespace qsim
