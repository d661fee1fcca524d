// From matrix entries to the coefficients the kernels read.
#include <cmath>
#include <cstring>

#include "bits.hpp"
#include "plan.hpp"

namespace qsim {
namespace {

using Complex = std::complex<double>;

bool is_pattern(const PlannedOp& op, Pattern pattern) { return Pattern(op.instruction->pattern) == pattern; }

/// Matrix index bits of group member g.
int entry_of_member(const PlannedOp& op, int g) {
  int entry = 0;
  for (int i = 0; i < op.tile.num_high; ++i) entry |= ((g >> i) & 1) << op.high_entry[i];
  return entry;
}

template <class T>
struct Writer {
  T* out;
  int lanes;
  void uniform(Complex value) {
    out[0] = T(value.real());
    out[1] = T(value.imag());
    out += 2;
  }
  void lane(int i, Complex value) {
    out[i] = T(value.real());
    out[lanes + i] = T(value.imag());
  }
  void next() { out += 2 * lanes; }
};

template <class T>
void write_diagonal(const PlannedOp& op, const OuterTarget* outer_targets, const Complex* entries, Writer<T> to) {
  const int members = 1 << op.tile.num_high;
  for (int o = 0; o < (1 << op.num_outer); ++o) {
    int outer = 0;
    for (int i = 0; i < op.num_outer; ++i) outer |= ((o >> i) & 1) << outer_targets[i].entry_bit;
    for (int g = 0; g < members; ++g) {
      const int entry = outer | entry_of_member(op, g);
      if (op.tile.uniform) {
        to.uniform(entries[entry]);
        continue;
      }
      for (int lane = 0; lane < to.lanes; ++lane)
        to.lane(lane, (op.lanes_off >> lane) & 1 ? Complex(1) : entries[entry | op.lane_entry[lane]]);
      to.next();
    }
  }
}

template <class T>
void write_dense(const PlannedOp& op, const Complex* entries, Writer<T> to) {
  const int k = op.instruction->num_targets, members = 1 << op.tile.num_high, patterns = 1 << op.tile.num_low;
  int entry[kMaxGroup];
  for (int g = 0; g < members; ++g) entry[g] = entry_of_member(op, g);
  for (int g = 0; g < members; ++g)
    for (int h = 0; h < members; ++h)
      for (int x = 0; x < patterns; ++x) {
        if (op.tile.uniform) {
          to.uniform(entries[(entry[g] << k) | entry[h]]);
          continue;
        }
        for (int lane = 0; lane < to.lanes; ++lane) {
          if ((op.lanes_off >> lane) & 1) {
            to.lane(lane, Complex(g == h && x == 0));
          } else {
            const int row = entry[g] | op.lane_entry[lane];
            const int column = entry[h] | op.lane_entry[lane ^ op.tile.lane_xors[x]];
            to.lane(lane, entries[(row << k) | column]);
          }
        }
        to.next();
      }
}

template <class T>
void write_permutation(const Tape& tape, const PlannedOp& op, int lanes, T* out) {
  using Integer = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  MoveList list;
  find_moves(tape, op, lanes, list);
  for (int m = 0; m < list.count; ++m) {
    Integer words[3 * kMaxLanes] = {};
    std::memcpy(words, &list.moves[m], sizeof(Move));
    for (int lane = 0; lane < lanes; ++lane) {
      words[lanes + lane] = list.lanes[m][lane];
      words[2 * lanes + lane] = (list.masks[m] >> lane) & 1 ? -1 : 0;
    }
    std::memcpy(out, words, 3 * lanes * sizeof(T));
    out += 3 * lanes;
  }
  if (!op.tile.has_phases) return;
  const Complex* phases = tape.constants.data() + op.instruction->data;
  Writer<T> to{out, lanes};
  for (int m = 0; m < list.num_members; ++m) {
    const int g = entry_of_member(op, list.members[m]);
    for (int lane = 0; lane < lanes; ++lane)
      to.lane(lane, (op.lanes_off >> lane) & 1 ? Complex(1) : phases[g | op.lane_entry[lane]]);
    to.next();
  }
}

/// exp(-i angle/2 P) = c + s(b) X^x with s(b) = -i sin(angle/2) (-i)^popcount(x & z) (-1)^popcount(b & z).
template <class T>
void write_pauli(const PlannedOp& op, int lanes, double angle, T* out) {
  const double c = std::cos(angle / 2), sine = std::sin(angle / 2);
  const int power = popcount(op.instruction->x_mask & op.instruction->z_mask) & 3;  // of -i
  const Complex units[4] = {{0, -1}, {-1, 0}, {0, 1}, {1, 0}};                       // -i * (-i)^power
  const Complex s = sine * units[power];
  for (int lane = 0; lane < lanes; ++lane) {
    const bool off = (op.lanes_off >> lane) & 1;
    const double sign = op.lane_entry[lane] ? -1 : 1;
    out[lane] = off ? T(1) : T(c);
    out[lanes + lane] = off ? T(0) : T(sign * s.real());
    out[2 * lanes + lane] = off ? T(0) : T(sign * s.imag());
  }
}

/// Rows in registers: for every column the real parts of one register of rows, then the imaginary parts.
template <class T>
void write_packed_matrix(const PlannedOp& op, const Complex* entries, int lanes, T* out) {
  const std::size_t dim = std::size_t{1} << op.instruction->num_targets;
  for (std::size_t first = 0; first < dim; first += lanes)
    for (std::size_t column = 0; column < dim; ++column, out += 2 * lanes)
      for (int lane = 0; lane < lanes; ++lane) {
        const Complex value = entries[(first + lane) * dim + column];
        out[lane] = T(value.real());
        out[lanes + lane] = T(value.imag());
      }
}

}  // namespace

void find_moves(const Tape& tape, const PlannedOp& op, int lanes, MoveList& out) {
  const std::int32_t* sources = tape.targets(*op.instruction) + op.instruction->num_targets;
  const Complex* phases = tape.constants.data() + op.instruction->data;
  const int members = 1 << op.tile.num_high;
  const int low_lanes = op.tile.lane_xors[(1 << op.tile.num_low) - 1];  // all lane bits that are targets
  int member_of[kMaxGroup], lane_of[kMaxGroup];  // of each matrix index: its member and its lane's target bits
  for (int g = 0; g < members; ++g)
    for (int x = 0; x < (1 << op.tile.num_low); ++x) {
      const int entry = entry_of_member(op, g) | op.lane_entry[op.tile.lane_xors[x]];
      member_of[entry] = g;
      lane_of[entry] = op.tile.lane_xors[x];
    }

  int from_member[kMaxGroup][kMaxLanes], from_lane[kMaxGroup][kMaxLanes], place[kMaxGroup];
  out.num_members = out.count = 0;
  for (int g = 0; g < members; ++g) {
    bool changes = false;
    for (int lane = 0; lane < lanes; ++lane) {
      const int entry = entry_of_member(op, g) | op.lane_entry[lane];
      const bool off = (op.lanes_off >> lane) & 1;
      from_member[g][lane] = off ? g : member_of[sources[entry]];
      from_lane[g][lane] = off ? lane : (lane & ~low_lanes) | lane_of[sources[entry]];
      changes |= from_member[g][lane] != g || from_lane[g][lane] != lane || (!off && phases[entry] != 1.0);
    }
    place[g] = out.num_members;
    if (changes) out.members[out.num_members++] = std::uint8_t(g);
  }
  for (int d = 0; d < out.num_members; ++d) {
    const int g = out.members[d];
    for (int h = 0; h < members; ++h) {
      const int m = out.count;
      std::uint16_t mask = 0;
      bool keeps = true;
      for (int lane = 0; lane < lanes; ++lane) {
        out.lanes[m][lane] = std::uint8_t(lane);
        if (from_member[g][lane] != h) continue;
        mask |= std::uint16_t(1u << lane);
        out.lanes[m][lane] = std::uint8_t(from_lane[g][lane]);
        keeps &= from_lane[g][lane] == lane;
      }
      if (mask == 0 || (h == g && keeps)) continue;
      out.masks[m] = mask;
      out.moves[m] = {std::uint8_t(d), std::uint8_t(place[h]), std::uint8_t(keeps),
                      std::uint8_t(mask == (1u << lanes) - 1)};
      ++out.count;
    }
  }
}

template <class T>
std::size_t coefficient_bytes(const PlannedOp& op, int lanes) {
  const TileOp& tile = op.tile;
  const int k = op.instruction->num_targets;
  const std::size_t one = (tile.uniform ? 2 : 2 * lanes) * sizeof(T);
  const bool fast = op.kernel != nullptr;
  switch (Pattern(op.instruction->pattern)) {
    case Pattern::kDiagonal:
      if (op.is_table) return op.instruction->num_terms == 0 ? 0 : sizeof(Complex) << k;
      return one << (op.num_outer + tile.num_high);
    case Pattern::kDense:
      return fast ? one << (2 * tile.num_high + tile.num_low) : (2 * sizeof(T)) << (2 * k);
    case Pattern::kPermutation:
      if (!fast) return 0;
      return (tile.num_moves * 3 + (tile.has_phases ? 2 * tile.num_members : 0)) * std::size_t(lanes) * sizeof(T);
    case Pattern::kPauliRotation: return 3 * lanes * sizeof(T);
    case Pattern::kPrepare: return 0;
  }
  return 0;
}

const Complex* evaluate_entries(const Tape& tape, const Instruction& instruction, double angle, Complex* scratch) {
  if (Pattern(instruction.pattern) == Pattern::kPauliRotation) return nullptr;
  const Complex* data = tape.constants.data() + instruction.data;
  if (instruction.num_terms == 0) return data;
  const int k = instruction.num_targets;
  const std::size_t entries = std::size_t{1} << (Pattern(instruction.pattern) == Pattern::kDense ? 2 * k : k);
  std::memcpy(static_cast<void*>(scratch), data, entries * sizeof(Complex));
  data += entries;
  for (int t = 0; t < instruction.num_terms; ++t) {
    const double phase = data[0].real() * angle;
    const double c = std::cos(phase), s = std::sin(phase);
    const Complex* cosines = data + 1;
    const Complex* sines = cosines + entries;
    for (std::size_t i = 0; i < entries; ++i) scratch[i] += c * cosines[i] + s * sines[i];
    data = sines + entries;
  }
  return scratch;
}

template <class T>
void write_coefficients(const Tape& tape, const Plan& plan, const PlannedOp& op, int lanes, double angle,
                        const Complex* entries, void* out) {
  T* const to = static_cast<T*>(out);
  if (is_pattern(op, Pattern::kPauliRotation)) {
    write_pauli(op, lanes, angle, to);
  } else if (is_pattern(op, Pattern::kDiagonal)) {
    write_diagonal(op, plan.outer_targets.data() + op.first_outer, entries, Writer<T>{to, lanes});
  } else if (is_pattern(op, Pattern::kPermutation)) {
    if (op.kernel != nullptr) write_permutation(tape, op, lanes, to);
  } else if (is_pattern(op, Pattern::kDense)) {
    if (op.kernel != nullptr)
      write_dense(op, entries, Writer<T>{to, lanes});
    else
      write_packed_matrix(op, entries, lanes, to);
  }
}

template <class T>
void bind_op(const Tape& tape, const Plan& plan, const PlannedOp& op, int lanes, double angle, Complex* scratch,
             void* out) {
  const Instruction& instruction = *op.instruction;
  if (op.is_table) {
    evaluate_entries(tape, instruction, angle, static_cast<Complex*>(out));
    return;
  }
  const Complex* entries = evaluate_entries(tape, instruction, angle, scratch);
  write_coefficients<T>(tape, plan, op, lanes, angle, entries, out);
}

template <class T>
void bind_row(const Tape& tape, const Plan& plan, int lanes, const double* angles, void* bound) {
  if (plan.bound_bytes == 0) return;
  Complex* const scratch = workspace().entries.array<Complex>(plan.bound_entries);
  for (const PlannedOp& op : plan.ops) {
    if (op.constant) continue;
    const Instruction& instruction = *op.instruction;
    bind_op<T>(tape, plan, op, lanes, instruction.scale * angles[instruction.slot] + instruction.shift, scratch,
               static_cast<char*>(bound) + op.coefficients);
  }
}

#define QSIM_INSTANTIATE(T)                                                                                       \
  template std::size_t coefficient_bytes<T>(const PlannedOp&, int);                                               \
  template void bind_op<T>(const Tape&, const Plan&, const PlannedOp&, int, double, Complex*, void*);             \
  template void bind_row<T>(const Tape&, const Plan&, int, const double*, void*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
