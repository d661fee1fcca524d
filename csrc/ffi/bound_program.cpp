#include "bound_program.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include "../execute/workspace.hpp"

namespace qsim {
namespace {

/// States, images and cotangents of a piece of the batch, as gradients in Python take them: about a cache for each thread.
constexpr std::int64_t kPieceBytes = std::int64_t{1} << 20;
/// The same where lanes serve, or states are pushed forward.
constexpr std::int64_t kBigPieceBytes = std::int64_t{1} << 24;

template <class T>
using Complex = std::complex<T>;

template <class T>
std::int64_t rows_of_piece(std::int64_t batch, std::int64_t copies, int num_qubits, std::int64_t bytes) {
  const double row = double(copies) * sizeof(Complex<T>) * std::ldexp(1.0, num_qubits);
  return std::clamp<std::int64_t>(std::int64_t(double(bytes) / row), 1, std::max<std::int64_t>(batch, 1));
}

/// body(first row, number of rows) for pieces of the batch.
template <class Body>
void in_pieces(std::int64_t batch, std::int64_t rows, const Body& body) {
  for (std::int64_t first = 0; first < batch; first += rows) body(first, std::min(rows, batch - first));
}

/// Sums over observables of weight times image: from images (rows, count, dim) to rows that lie `stride` apart.
template <class T>
void mix(const Complex<T>* images, const double* weights, std::int64_t rows, std::int64_t count, std::int64_t dim,
         Complex<T>* out, std::int64_t stride) {
  for (std::int64_t row = 0; row < rows; ++row) {
    Complex<T>* const sum = out + row * stride;
    std::fill(sum, sum + dim, Complex<T>{});
    for (std::int64_t k = 0; k < count; ++k) {
      const T weight = T(weights[row * count + k]);
      const Complex<T>* const image = images + (row * count + k) * dim;
      for (std::int64_t i = 0; i < dim; ++i) sum[i] += weight * image[i];
    }
  }
}

/// Angles of a dual tape: those of the slots, and what its velocity columns make of velocities of at most 1.
std::vector<double> dual_angles(const VelocityColumns& columns, const double* angles, const double* velocities,
                                std::int64_t rows, int num_slots) {
  const std::size_t width = std::size_t(num_slots) + columns.size();
  std::vector<double> out(std::size_t(rows) * width);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double *const own = angles + row * num_slots, *const speed = velocities + row * num_slots;
    double* const to = out.data() + std::size_t(row) * width;
    std::copy(own, own + num_slots, to);
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const int slot = columns.slots[k];
      double factor = speed[slot];
      if (columns.levels[k] != 0 || columns.sines[k]) {
        const double inner = columns.levels[k] * (columns.scales[k] * own[slot] + columns.shifts[k]);
        factor *= columns.sines[k] ? std::sin(inner) : std::cos(inner);
      }
      to[std::size_t(num_slots) + k] = std::asin(std::clamp(factor, -1.0, 1.0));
    }
  }
  return out;
}

/// States and their tangents: halves of the states of a dual tape, (rows, 2, dim).
template <class T>
struct DualStates {
  AlignedBuffer buffer, halves;
  Complex<T>* both;    // (rows, 2, dim)
  Complex<T>* states;  // (rows, dim)
  Complex<T>* tangents;
  std::vector<double> unit, sizes;  // velocities divided by the largest of each row, and that one

  DualStates(const BoundProgram& program, const double* angles, const double* velocities, std::int64_t rows) {
    const int num_slots = program.num_slots();
    const std::int64_t dim = std::int64_t{1} << program.tape->num_qubits;
    unit.assign(velocities, velocities + rows * num_slots);
    sizes.resize(std::size_t(rows));
    for (std::int64_t row = 0; row < rows; ++row) {
      double size = 0;
      double* const own = unit.data() + row * num_slots;
      for (int i = 0; i < num_slots; ++i) size = std::max(size, std::abs(own[i]));
      sizes[std::size_t(row)] = size = size == 0 ? 1 : size;
      for (int i = 0; i < num_slots; ++i) own[i] /= size;
    }
    both = buffer.array<Complex<T>>(std::size_t(2 * rows * dim));
    states = halves.array<Complex<T>>(std::size_t(2 * rows * dim));
    tangents = states + rows * dim;
    const auto wide = dual_angles(program.dual_columns, angles, unit.data(), rows, num_slots);
    run(*program.dual, both, rows, wide.data(), rows, program.threads);
    for (std::int64_t row = 0; row < rows; ++row) {
      const Complex<T>* const from = both + 2 * row * dim;
      std::copy(from, from + dim, states + row * dim);
      std::copy(from + dim, from + 2 * dim, tangents + row * dim);
    }
  }
};

template <class T>
void slopes_of(const BoundProgram& p, const double* angles, std::int64_t batch, double* values, double* slopes) {
  const std::int64_t count = p.num_observables(), dim = std::int64_t{1} << p.tape->num_qubits;
  const std::int64_t slots = p.num_slots();
  if (p.lanes && batch >= p.least_rows_back) {
    const std::vector<std::uint8_t> wanted(std::size_t(slots), 1);
    gradient_lanes<T>(*p.lanes, *p.lane_observables, wanted, batch, angles, batch, p.threads, values, slopes);
    return;
  }
  const auto rows = rows_of_piece<T>(batch, count + 2, p.tape->num_qubits, p.threads * kPieceBytes);
  AlignedBuffer state_buffer, image_buffer;
  in_pieces(batch, rows, [&](std::int64_t first, std::int64_t some) {
    const double* const own = angles + first * slots;
    Complex<T>* const states = state_buffer.array<Complex<T>>(std::size_t(some * dim));
    run(*p.tape, states, some, own, some, p.threads);
    expectation(*p.sums, states, some, p.threads, values + first * count);
    double* const to = slopes + first * count * slots;
    if (!p.back.tape) {
      std::fill(to, to + some * count * slots, 0.0);
      return;
    }
    Complex<T>* const images = image_buffer.array<Complex<T>>(std::size_t(some * count * dim));
    apply_paulis(*p.sums, states, some, p.threads, images);
    sweep_back(*p.back.tape, p.back.reverse, states, images, some, count, own, some, p.threads, to);
  });
}

template <class T>
void products_of(const BoundProgram& p, const double* angles, const double* cotangents, std::int64_t batch,
                 double* out) {
  const std::int64_t count = p.num_observables(), dim = std::int64_t{1} << p.tape->num_qubits;
  const std::int64_t slots = p.num_slots();
  const bool in_lanes = p.lanes && batch > 1 && batch >= p.least_rows_back;
  if (!in_lanes && !p.back.tape) {
    std::fill(out, out + batch * slots, 0.0);
    return;
  }
  const std::vector<std::uint8_t> wanted(std::size_t(slots), 1);
  const auto rows = rows_of_piece<T>(batch, count + 2, p.tape->num_qubits,
                                     in_lanes ? kBigPieceBytes : p.threads * kPieceBytes);
  AlignedBuffer state_buffer, image_buffer, mixed_buffer;
  in_pieces(batch, rows, [&](std::int64_t first, std::int64_t some) {
    const double* const own = angles + first * slots;
    Complex<T>* const states = state_buffer.array<Complex<T>>(std::size_t(some * dim));
    if (in_lanes)
      run_lanes<T>(*p.lanes, nullptr, some, some, own, some, p.threads, states);
    else
      run(*p.tape, states, some, own, some, p.threads);
    Complex<T>* const images = image_buffer.array<Complex<T>>(std::size_t(some * count * dim));
    Complex<T>* const mixed = mixed_buffer.array<Complex<T>>(std::size_t(some * dim));
    apply_paulis(*p.sums, states, some, p.threads, images);
    mix(images, cotangents + first * count, some, count, dim, mixed, dim);
    double* const to = out + first * slots;
    if (in_lanes)
      sweep_lanes<T>(*p.lanes, states, mixed, wanted, some, 1, own, some, p.threads, to);
    else
      sweep_back(*p.back.tape, p.back.reverse, states, mixed, some, 1, own, some, p.threads, to);
  });
}

template <class T>
void pushed_of(const BoundProgram& p, const double* angles, const double* tangents, std::int64_t batch, double* out) {
  const std::int64_t count = p.num_observables(), dim = std::int64_t{1} << p.tape->num_qubits;
  const std::int64_t slots = p.num_slots();
  const auto rows = rows_of_piece<T>(batch, count + 4, p.tape->num_qubits, kBigPieceBytes);
  AlignedBuffer image_buffer;
  in_pieces(batch, rows, [&](std::int64_t first, std::int64_t some) {
    const DualStates<T> dual(p, angles + first * slots, tangents + first * slots, some);
    Complex<T>* const images = image_buffer.array<Complex<T>>(std::size_t(some * count * dim));
    apply_paulis(*p.sums, dual.states, some, p.threads, images);
    for (std::int64_t row = 0; row < some; ++row)
      for (std::int64_t k = 0; k < count; ++k) {
        std::complex<double> overlap;
        inner_products(images + (row * count + k) * dim, dual.tangents + row * dim, p.tape->num_qubits, 1, p.threads,
                       &overlap);
        out[(first + row) * count + k] = 2 * overlap.real() * dual.sizes[std::size_t(row)];
      }
  });
}

template <class T>
void curvature_of(const BoundProgram& p, const double* angles, const double* tangents, const double* cotangents,
                  std::int64_t batch, double* out) {
  const std::int64_t count = p.num_observables(), dim = std::int64_t{1} << p.tape->num_qubits;
  const std::int64_t slots = p.num_slots();
  if (!p.dual_back.tape) {
    std::fill(out, out + batch * slots, 0.0);
    return;
  }
  const std::int64_t width = p.dual_back.tape->num_slots;
  const auto rows = rows_of_piece<T>(batch, count + 6, p.tape->num_qubits, kBigPieceBytes);
  AlignedBuffer image_buffer, mixed_buffer;
  std::vector<double> found;
  in_pieces(batch, rows, [&](std::int64_t first, std::int64_t some) {
    const double* const own = angles + first * slots;
    const DualStates<T> dual(p, own, tangents + first * slots, some);
    Complex<T>* const images = image_buffer.array<Complex<T>>(std::size_t(some * count * dim));
    Complex<T>* const mixed = mixed_buffer.array<Complex<T>>(std::size_t(2 * some * dim));
    for (const int half : {0, 1}) {  // the cotangent of the state is linear in it, so it changes as the state does
      apply_paulis(*p.sums, half == 0 ? dual.states : dual.tangents, some, p.threads, images);
      mix(images, cotangents + first * count, some, count, dim, mixed + half * dim, 2 * dim);
    }
    const auto wide = dual_angles(p.dual_back_columns, own, dual.unit.data(), some, int(slots));
    found.resize(std::size_t(some * width));
    sweep_back(*p.dual_back.tape, p.dual_back.reverse, dual.both, mixed, some, 1, wide.data(), some, p.threads,
               found.data());
    for (std::int64_t row = 0; row < some; ++row)
      for (std::int64_t i = 0; i < slots; ++i)
        out[(first + row) * slots + i] = found[std::size_t(row * width + i)] * dual.sizes[std::size_t(row)];
  });
}

struct Registry {
  std::mutex mutex;
  std::unordered_map<std::int64_t, std::weak_ptr<const BoundProgram>> programs;
};

Registry& registry() {
  static Registry* const made = new Registry;  // never destroyed: compiled functions may outlive the module
  return *made;
}

void check_columns(const VelocityColumns& columns, int num_slots) {
  const std::size_t size = columns.size();
  bool good = columns.scales.size() == size && columns.shifts.size() == size && columns.levels.size() == size &&
              columns.sines.size() == size;
  for (const std::int32_t slot : columns.slots) good &= slot >= 0 && slot < num_slots;
  if (!good) throw std::invalid_argument("The velocity columns do not fit the tape.");
}

void check_sweep(const ReverseSweep& sweep, int num_qubits, std::int64_t num_slots) {
  if (!sweep.tape) return;
  const std::size_t size = sweep.tape->instructions.size();
  bool good = sweep.tape->num_qubits == num_qubits && sweep.tape->num_slots == num_slots &&
              sweep.reverse.slots.size() == size && sweep.reverse.weights.size() == size;
  for (const std::int32_t slot : sweep.reverse.slots) good &= slot < num_slots;
  if (!good) throw std::invalid_argument("A reverse tape does not fit the tape.");
}

}  // namespace

void BoundProgram::check() const {
  if (!tape || !sums || sums->num_qubits != tape->num_qubits)
    throw std::invalid_argument("A program needs a tape, and observables of as many qubits.");
  if (lanes && (!lane_observables || lanes->num_qubits != tape->num_qubits || lanes->num_slots != tape->num_slots ||
                lane_observables->num_qubits != tape->num_qubits ||
                lane_observables->num_observables != num_observables()))
    throw std::invalid_argument("The lanes do not fit the tape and its observables.");
  check_sweep(back, tape->num_qubits, num_slots());
  if (!dual) return;
  check_columns(dual_columns, num_slots());
  check_columns(dual_back_columns, num_slots());
  if (dual->num_qubits != tape->num_qubits + 1 || dual->num_slots != num_slots() + std::int64_t(dual_columns.size()))
    throw std::invalid_argument("The dual tape does not fit the tape.");
  check_sweep(dual_back, tape->num_qubits + 1, num_slots() + std::int64_t(dual_back_columns.size()));
}

void BoundProgram::values(const double* angles, std::int64_t batch, double* out) const {
  if (lanes && batch >= least_rows) {
    const auto function = single ? &expectation_lanes<float> : &expectation_lanes<double>;
    return function(*lanes, *lane_observables, batch, angles, batch, threads, out);
  }
  const auto function = single ? &run_expectation<float> : &run_expectation<double>;
  function(*tape, *sums, batch, angles, batch, threads, out);
}

void BoundProgram::slopes(const double* angles, std::int64_t batch, double* values, double* slopes) const {
  (single ? &slopes_of<float> : &slopes_of<double>)(*this, angles, batch, values, slopes);
}

void BoundProgram::products(const double* angles, const double* cotangents, std::int64_t batch, double* out) const {
  (single ? &products_of<float> : &products_of<double>)(*this, angles, cotangents, batch, out);
}

void BoundProgram::pushed(const double* angles, const double* tangents, std::int64_t batch, double* out) const {
  (single ? &pushed_of<float> : &pushed_of<double>)(*this, angles, tangents, batch, out);
}

void BoundProgram::curvature(const double* angles, const double* tangents, const double* cotangents,
                             std::int64_t batch, double* out) const {
  (single ? &curvature_of<float> : &curvature_of<double>)(*this, angles, tangents, cotangents, batch, out);
}

std::shared_ptr<const BoundProgram> publish(std::int64_t number, std::shared_ptr<const BoundProgram> program) {
  Registry& known = registry();
  const std::lock_guard<std::mutex> lock(known.mutex);
  for (auto entry = known.programs.begin(); entry != known.programs.end();)
    entry = entry->second.expired() ? known.programs.erase(entry) : std::next(entry);
  auto& place = known.programs[number];
  if (auto same = place.lock()) return same;
  place = program;
  return program;
}

std::shared_ptr<const BoundProgram> published(std::int64_t number) {
  Registry& known = registry();
  const std::lock_guard<std::mutex> lock(known.mutex);
  const auto found = known.programs.find(number);
  return found == known.programs.end() ? nullptr : found->second.lock();
}

}  // namespace qsim
