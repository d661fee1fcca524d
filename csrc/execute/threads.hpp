// A small thread pool. The calling thread takes part; a call made while the pool serves another one runs alone.
#pragma once

#include <cstdint>
#include <type_traits>

namespace qsim {

/// Thrown out of parallel_for and checkpoint after Ctrl-C; all threads have left the loop by then.
struct Interrupted {};

/// Installed by the bindings: true if the interpreter has a pending exception (Ctrl-C) for this thread.
void set_interrupt_check(bool (*check)());

using ChunkBody = void (*)(void* context, std::int64_t chunk);
/// body(context, chunk) for every chunk in [0, num_chunks), on at most `threads` threads, in any order.
/// An exception in the body ends the loop and is thrown again here.
void parallel_for(std::int64_t num_chunks, int threads, ChunkBody body, void* context);

template <class Body>
void parallel_for(std::int64_t num_chunks, int threads, Body&& body) {
  parallel_for(
      num_chunks, threads,
      [](void* context, std::int64_t chunk) { (*static_cast<std::remove_reference_t<Body>*>(context))(chunk); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

/// To be called every now and then (at least every few ms) inside long bodies: throws Interrupted after Ctrl-C.
void checkpoint();

}  // namespace qsim
