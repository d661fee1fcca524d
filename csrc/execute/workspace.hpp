// Aligned memory that grows and is reused: one set of buffers per thread, so that a call allocates nothing
// once the thread has run one like it.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#include "../kernel_table.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace qsim {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t bytes) { ensure(bytes); }
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~AlignedBuffer() { std::free(data_); }

  /// At least `bytes` bytes; what was in them before is lost when the buffer grows.
  void* ensure(std::size_t bytes) {
    if (bytes <= size_) return data_;
    std::free(data_);
    data_ = nullptr;
    size_ = 0;
    const std::size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
    if (posix_memalign(&data_, alignment, bytes) != 0) {
      data_ = nullptr;
      throw std::bad_alloc();
    }
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= kHugePage) madvise(data_, bytes, MADV_HUGEPAGE);
#endif
    size_ = bytes;
    return data_;
  }
  template <class T>
  T* array(std::size_t count) {
    if (count > ~std::size_t{0} / sizeof(T)) throw std::bad_alloc();
    return static_cast<T*>(ensure(count * sizeof(T)));
  }
  void* data() const { return data_; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20;
  void swap(AlignedBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

struct Workspace {
  AlignedBuffer tile;          // re, im of the tile
  AlignedBuffer other_tile;    // where a permutation of the tile goes to
  AlignedBuffer coefficients;  // of the angles of one row
  AlignedBuffer entries;       // matrix entries on their way to coefficients
  AlignedBuffer group;         // gathered sub-amplitudes of big instructions
  AlignedBuffer block;         // reductions
  AlignedBuffer values;        // reductions
  AlignedBuffer sums;          // of Pauli strings, by lane
  AlignedBuffer flips;         // of strings that are one X
};

inline Workspace& workspace() {
  thread_local Workspace buffers;
  return buffers;
}

}  // namespace qsim
