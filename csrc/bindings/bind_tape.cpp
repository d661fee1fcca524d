#include <pybind11/stl.h>

#include <memory>

#include "../execute/bits.hpp"
#include "../execute/execute.hpp"
#include "../fuse/fused_plan.hpp"
#include "array_checks.hpp"

namespace qsim {
namespace {

template <class Record>
std::vector<Record> records_of(py::handle object, const char* name) {
  const py::array array = array_of<Record>(object, name, 1);
  const Record* const data = static_cast<const Record*>(array.data());
  return std::vector<Record>(data, data + array.shape(0));
}

struct Angles {
  py::array array;
  const double* data;
  std::int64_t rows;
};

Angles angles_of(py::handle object, const Tape& tape) {
  py::array array = array_of<double>(object, "angles", 2);
  if (array.shape(1) != tape.num_slots)
    argument_error("angles", "must have shape (batch, " + std::to_string(tape.num_slots) + "), but has shape " +
                                 shape_text(array) + ".");
  return {array, static_cast<const double*>(array.data()), array.shape(0)};
}

std::shared_ptr<Tape> compile(std::int64_t num_qubits, std::int64_t num_slots, py::handle instructions,
                              py::handle integers, py::handle constants, py::handle segments, bool fuse,
                              int tile_low, int tile_active) {
  return std::make_shared<Tape>(num_qubits, num_slots, records_of<Instruction>(instructions, "instructions"),
                                vector_of<std::int32_t>(integers, "integers"),
                                vector_of<std::complex<double>>(constants, "constants"),
                                records_of<Segment>(segments, "segments"),
                                Fusion{fuse, TileShape{tile_low, tile_active}});
}

/// `from_zero`: the states are written without being read.
void apply_tape(const Tape& tape, py::handle states_object, py::handle angles_object, std::int64_t threads,
                bool from_zero) {
  const States states = states_of(states_object, "states", 2, true);
  check_num_qubits(states, "states", tape.num_qubits);
  const Angles angles = angles_of(angles_object, tape);
  if (angles.rows != 1 && angles.rows != states.batch)
    argument_error("angles", "must have 1 or " + std::to_string(states.batch) + " rows, one for each state, but has " +
                                 std::to_string(angles.rows) + ".");
  const int num_threads = checked_threads(threads);
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      using Amplitude = decltype(amplitude);
      using Real = typename Amplitude::value_type;
      const auto function = from_zero ? &run<Real> : &apply<Real>;
      function(tape, static_cast<Amplitude*>(states.data), states.batch, angles.data, angles.rows,
                                num_threads);
    });
  });
}

py::array_t<double> run_expectation_of(const Tape& tape, const PauliSums& sums, py::handle angles_object, bool single,
                                       std::int64_t threads) {
  const Angles angles = angles_of(angles_object, tape);
  if (sums.num_qubits != tape.num_qubits)
    throw py::value_error("The observables are of " + std::to_string(sums.num_qubits) + " qubits, but the tape has " +
                          std::to_string(tape.num_qubits) + ".");
  const int num_threads = checked_threads(threads);
  py::array_t<double> out({py::ssize_t(angles.rows), py::ssize_t(sums.num_observables())});
  double* const data = out.mutable_data();
  without_gil([&] {
    if (single)
      run_expectation<float>(tape, sums, angles.rows, angles.data, angles.rows, num_threads, data);
    else
      run_expectation<double>(tape, sums, angles.rows, angles.data, angles.rows, num_threads, data);
  });
  return out;
}

void apply_paulis_of(const PauliSums& sums, py::handle states_object, py::handle out_object, std::int64_t threads) {
  const States states = states_of(states_object, "states", 2, false);
  check_num_qubits(states, "states", sums.num_qubits);
  const States out = cotangents_of(out_object, states);
  if (out.array.shape(1) != sums.num_observables())
    argument_error("cotangents", "must have " + std::to_string(sums.num_observables()) +
                                     " states in a row, one for each observable, but has shape " +
                                     shape_text(out.array) + ".");
  const int num_threads = checked_threads(threads);
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      using Amplitude = decltype(amplitude);
      apply_paulis(sums, static_cast<const Amplitude*>(states.data), states.batch, num_threads,
                   static_cast<Amplitude*>(out.data));
    });
  });
}

py::array_t<double> sweep_back_of(const Tape& tape, py::handle slots, py::handle weights, py::handle states_object,
                                  py::handle cotangents_object, py::handle angles_object, std::int64_t threads) {
  const Reverse reverse{vector_of<std::int32_t>(slots, "slots"), vector_of<double>(weights, "weights")};
  if (reverse.slots.size() != tape.instructions.size() || reverse.weights.size() != tape.instructions.size())
    argument_error("slots", "and `weights` must have one number for each instruction of the tape.");
  for (const std::int32_t slot : reverse.slots)
    if (slot >= tape.num_slots) argument_error("slots", "must be below the number of slots of the tape.");
  const States states = states_of(states_object, "states", 2, true);
  check_num_qubits(states, "states", tape.num_qubits);
  const States cotangents = cotangents_of(cotangents_object, states);
  const Angles angles = angles_of(angles_object, tape);
  if (angles.rows != 1 && angles.rows != states.batch)
    argument_error("angles", "must have 1 or " + std::to_string(states.batch) + " rows, one for each state, but has " +
                                 std::to_string(angles.rows) + ".");
  const int num_threads = checked_threads(threads);
  const std::int64_t count = cotangents.array.shape(1);
  py::array_t<double> out({py::ssize_t(states.batch), py::ssize_t(count), py::ssize_t(tape.num_slots)});
  double* const data = out.mutable_data();
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      using Amplitude = decltype(amplitude);
      sweep_back(tape, reverse, static_cast<Amplitude*>(states.data), static_cast<Amplitude*>(cotangents.data),
                 states.batch, count, angles.data, angles.rows, num_threads, data);
    });
  });
  return out;
}

py::array_t<double> expectation_of(const PauliSums& sums, py::handle states_object, std::int64_t threads) {
  const States states = states_of(states_object, "states", 2, false);
  check_num_qubits(states, "states", sums.num_qubits);
  const int num_threads = checked_threads(threads);
  py::array_t<double> out({py::ssize_t(states.batch), py::ssize_t(sums.num_observables())});
  double* const data = out.mutable_data();
  without_gil([&] {
    with_precision(states.single, [&](auto amplitude) {
      using Amplitude = decltype(amplitude);
      expectation(sums, static_cast<const Amplitude*>(states.data), states.batch, num_threads, data);
    });
  });
  return out;
}

/// Multiplications of a complex number by another, or of a row by a column: real multiply-adds per amplitude.
double multiply_adds_of(const Instruction& op) {
  const double share = 1.0 / double(std::uint64_t{1} << popcount(op.ctrl_mask));
  switch (Pattern(op.pattern)) {
    case Pattern::kPermutation: return 0;
    case Pattern::kDense: return share * 4.0 * double(std::uint64_t{1} << op.num_targets);
    case Pattern::kPrepare: return share * 8;
    default: return share * 4;
  }
}

/// The same of a step; where it depends on the angles, what is usual.
double multiply_adds_of(const FusedPlan& plan, const FusedStep& step) {
  switch (step.kind) {
    case FusedKind::kMixes: {
      const MixPlan& mix = plan.mixes[std::size_t(step.index)];
      double sum = 0;
      for (int k = 0; k < mix.count; ++k) {
        sum += mix.in_lanes ? 4 : mix.phased ? 3 : 2;
        if (!mix.phases[k].empty()) sum += mix.in_lanes ? 4 : 2;
      }
      return sum;
    }
    case FusedKind::kPhases: {
      const PhasePlan& phase = plan.phases[std::size_t(step.index)];
      return phase.has_table && phase.has_products ? 8 : 4;
    }
    case FusedKind::kGeneric: return multiply_adds_of(*plan.generic.ops[std::size_t(step.index)].instruction);
    default: return 0;
  }
}

/// What a fused plan does, segment by segment; empty if the tape is not fused.
template <class T>
py::list plan_of(const Tape& tape, bool from_zero) {
  py::list out;
  if (!tape.is_fused(from_zero)) return out;
  const FusedPlan* found = nullptr;
  without_gil([&] { found = &tape.fused_plan<T>(current_isa(), from_zero); });
  const FusedPlan& plan = *found;
  for (const FusedSegment& segment : plan.segments) {
    int steps[4] = {}, rotations = 0, lane_rotations = 0;
    double multiply_adds = 0;
    py::list patterns;
    for (std::int32_t i = segment.first; i < segment.last; ++i) {
      const FusedStep& step = plan.steps[std::size_t(i)];
      ++steps[int(step.kind)];
      multiply_adds += multiply_adds_of(plan, step);
      if (step.kind == FusedKind::kMixes) {
        const MixPlan& mix = plan.mixes[std::size_t(step.index)];
        (mix.in_lanes ? lane_rotations : rotations) += mix.count;
      } else if (step.kind == FusedKind::kGeneric) {
        patterns.append(int(plan.generic.ops[std::size_t(step.index)].instruction->pattern));
      }
    }
    py::dict entry;
    entry["inside"] = segment.planned.layout.inside;
    entry["whole"] = segment.planned.whole || segment.planned.streamed;
    entry["rotations"] = rotations;
    entry["lane_rotations"] = lane_rotations;
    entry["phases"] = steps[int(FusedKind::kPhases)];
    entry["permutes"] = steps[int(FusedKind::kPermute)];
    entry["generic"] = patterns;
    entry["multiply_adds"] = multiply_adds;
    out.append(entry);
  }
  return out;
}

/// What was planned, for tests: all nodes in the tape's order as (kind, active, diagonal), for each qubit those that
/// make its part of the product state, and the segments as (active, whole, steps), a step being a list of nodes.
py::tuple schedule_of(const Tape& tape, bool from_zero) {
  if (!tape.is_fused(from_zero)) return py::make_tuple(py::list(), py::list(), py::list());
  const FusedPlan* found = nullptr;
  without_gil([&] { found = &tape.fused_plan<double>(current_isa(), from_zero); });
  const FusedPlan& plan = *found;
  const NormalForm& form = plan.form;
  const char* const names[] = {"mix", "phase", "generic", "whole"};
  py::list nodes;
  std::vector<std::size_t> of_word(form.words.size()), of_factor(form.factors.size()), of_generic(form.generic.size());
  for (std::size_t i = 0; i < form.nodes.size(); ++i) {
    const Node& node = form.nodes[i];
    nodes.append(py::make_tuple(names[int(node.kind)], node.active, node.diagonal));
    (node.kind == Node::Kind::kMix ? of_word : node.kind == Node::Kind::kPhase ? of_factor : of_generic)[node.index] = i;
  }
  py::list segments;
  for (const ScheduledSegment& segment : plan.schedule.segments) {
    py::list steps;
    for (std::int32_t s = segment.first; s < segment.last; ++s) {
      const Step& step = plan.schedule.steps[s];
      const auto& places =
          step.kind == Step::Kind::kMixes ? of_word : step.kind == Step::Kind::kPhases ? of_factor : of_generic;
      py::list members;
      for (std::int32_t k = step.first; k < step.last; ++k) members.append(places[plan.schedule.items[k]]);
      steps.append(members);
    }
    segments.append(py::make_tuple(segment.active, segment.whole, steps));
  }
  return py::make_tuple(nodes, plan.schedule.product, segments);
}

}  // namespace

void bind_tape(py::module_& m) {
  PYBIND11_NUMPY_DTYPE(Instruction, pattern, num_targets, num_terms, slot, ctrl_mask, ctrl_value, x_mask, z_mask,
                       targets, reserved, data, scale, shift);
  PYBIND11_NUMPY_DTYPE(Segment, start, stop, active, whole, reserved);
  m.attr("INSTRUCTION") = py::dtype::of<Instruction>();
  m.attr("SEGMENT") = py::dtype::of<Segment>();

  py::class_<Tape, std::shared_ptr<Tape>>(m, "CompiledTape", "A checked tape; immutable, shared freely by threads.")
      .def_readonly("num_qubits", &Tape::num_qubits)
      .def_readonly("num_slots", &Tape::num_slots)
      .def(
          "plan",
          [](const Tape& tape, bool single, bool from_zero) {
            return single ? plan_of<float>(tape, from_zero) : plan_of<double>(tape, from_zero);
          },
          py::arg("single"), py::arg("from_zero"), "What the fused program does in each segment; empty if there is none.")
      .def("schedule", &schedule_of, py::arg("from_zero"),
           "Nodes of the normal form, the product state's, and the segments, for tests.")
      .def(
          "is_swept",
          [](const Tape& tape, py::handle slots) {
            const auto all = vector_of<std::int32_t>(slots, "slots");
            if (all.size() != tape.instructions.size())
              argument_error("slots", "must have one number for each instruction of the tape.");
            return tape.sweep_plan<double>(current_isa(), all) != nullptr;
          },
          py::arg("slots"), "Whether this reverse tape is swept in fused tiles, for tests.");
  py::class_<PauliSums, std::shared_ptr<PauliSums>>(m, "CompiledPaulis", "Checked and sorted sums of Pauli strings.")
      .def_readonly("num_qubits", &PauliSums::num_qubits)
      .def_property_readonly("num_observables", &PauliSums::num_observables);

  m.def("compile", &compile, py::arg("num_qubits"), py::arg("num_slots"), py::arg("instructions"),
        py::arg("integers"), py::arg("constants"), py::arg("segments"), py::arg("fuse") = false,
        py::arg("tile_low") = kTileLowBits, py::arg("tile_active") = 0,
        "Check a tape and keep a copy of it.");
  m.def("apply", &apply_tape, py::arg("tape"), py::arg("states"), py::arg("angles"), py::arg("threads"),
        py::arg("from_zero") = false,
        "Run a tape on (batch, 2**n) states in place, or from |0...0> whatever they hold.");
  m.def(
      "compile_paulis",
      [](std::int64_t num_qubits, py::handle x_masks, py::handle z_masks, py::handle coefficients,
         py::handle offsets) {
        return std::make_shared<PauliSums>(
            num_qubits, vector_of<std::uint64_t>(x_masks, "x_masks"), vector_of<std::uint64_t>(z_masks, "z_masks"),
            vector_of<double>(coefficients, "coefficients"), vector_of<std::int64_t>(offsets, "offsets"));
      },
      py::arg("num_qubits"), py::arg("x_masks"), py::arg("z_masks"), py::arg("coefficients"), py::arg("offsets"),
      "Observables: terms offsets[k]:offsets[k+1] belong to observable k.");
  m.def("expectation", &expectation_of, py::arg("paulis"), py::arg("states"), py::arg("threads"),
        "Values (batch, num_observables) in given states.");
  m.def("apply_paulis", &apply_paulis_of, py::arg("paulis"), py::arg("states"), py::arg("out"), py::arg("threads"),
        "Write every observable applied to every state to `out`, (batch, num_observables, 2**n).");
  m.def("sweep_back", &sweep_back_of, py::arg("tape"), py::arg("slots"), py::arg("weights"), py::arg("states"),
        py::arg("cotangents"), py::arg("angles"), py::arg("threads"),
        "Derivatives (batch, count, num_slots) by a reverse tape; overwrites states and cotangents.");
  m.def("run_expectation", &run_expectation_of, py::arg("tape"), py::arg("paulis"), py::arg("angles"),
        py::arg("single"), py::arg("threads"),
        "Values (batch, num_observables) in the states a tape makes from |0...0>.");
}

}  // namespace qsim
