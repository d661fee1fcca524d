// A program with all that its answers need but the angles: for callers that have no Python at hand.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../execute/execute.hpp"
#include "../execute/lanes.hpp"

namespace qsim {

/// A tape read backwards, and what its instructions are; see sweep_back. Null: no slot is read.
struct ReverseSweep {
  std::shared_ptr<Tape> tape;
  Reverse reverse;
};

/// The columns of a dual tape behind those of the slots (qsim/program/dual.py): arc sines of
/// velocity[slot] * f(level * (scale * angle[slot] + shift)), f being a sine or a cosine.
struct VelocityColumns {
  std::vector<std::int32_t> slots;
  std::vector<double> scales, shifts, levels;
  std::vector<std::uint8_t> sines;
  std::size_t size() const { return slots.size(); }
};

/// Answers for rows of angles (batch, num_slots), from |0...0>. All arrays are in double precision. With E (batch,
/// num_observables) the values, c a cotangent of E and t a tangent of the angles.
class BoundProgram {
 public:
  std::shared_ptr<Tape> tape;
  std::shared_ptr<PauliSums> sums;
  std::shared_ptr<LaneProgram> lanes;  // null: rows run one by one
  std::shared_ptr<LaneObservables> lane_observables;
  std::int64_t least_rows, least_rows_back;  // from which on lanes serve, forwards, and back and forth
  ReverseSweep back;
  std::shared_ptr<Tape> dual;  // null: `pushed` and `curvature` are not asked for
  VelocityColumns dual_columns;
  ReverseSweep dual_back;
  VelocityColumns dual_back_columns;
  bool single;
  int threads;
  double largest_angle;

  int num_slots() const { return tape->num_slots; }
  std::int64_t num_observables() const { return sums->num_observables(); }
  /// Throws std::invalid_argument if the parts do not fit each other.
  void check() const;

  /// E.
  void values(const double* angles, std::int64_t batch, double* out) const;
  /// E, and dE/dx (batch, num_observables, num_slots).
  void slopes(const double* angles, std::int64_t batch, double* values, double* slopes) const;
  /// c . dE/dx (batch, num_slots).
  void products(const double* angles, const double* cotangents, std::int64_t batch, double* out) const;
  /// dE/dx . t (batch, num_observables).
  void pushed(const double* angles, const double* tangents, std::int64_t batch, double* out) const;
  /// c . d2E/dx2 . t (batch, num_slots).
  void curvature(const double* angles, const double* tangents, const double* cotangents, std::int64_t batch,
                 double* out) const;
};

/// Makes a program known by a number. If another one is, and somebody holds it, that one is returned.
std::shared_ptr<const BoundProgram> publish(std::int64_t number, std::shared_ptr<const BoundProgram> program);
/// The program of a number; null if nobody holds it any more.
std::shared_ptr<const BoundProgram> published(std::int64_t number);

}  // namespace qsim
