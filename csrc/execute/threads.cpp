#include "threads.hpp"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "workspace.hpp"

namespace qsim {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kCheckPeriod = std::chrono::milliseconds(50);
// How long a thread looks out for what it waits for before it sleeps: waking it up takes about as long, and the passes
// over a small state follow each other faster.
constexpr auto kWatchPeriod = std::chrono::microseconds(50);

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

template <class Condition>
void watch_for(const Condition& condition) {
  const auto end = Clock::now() + kWatchPeriod;
  do {
    for (int i = 0; i < 32; ++i) {
      if (condition()) return;
      pause();
    }
  } while (Clock::now() < end);
}

struct Job {
  ChunkBody body;
  void* context;
  std::int64_t num_chunks;
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> cancelled{false};
  std::mutex error_mutex;
  std::exception_ptr error;
};

struct Pool {
  std::atomic_flag busy = ATOMIC_FLAG_INIT;
  std::mutex mutex;
  std::condition_variable wake, done;
  Job* job = nullptr;
  std::atomic<int> tickets{0};  // workers the job still takes; changed under the mutex, as the next
  std::atomic<int> active{0};   // workers inside the job
  int num_workers = 0;
};

std::atomic<bool (*)()> interrupt_check{nullptr};
std::atomic<Pool*> the_pool{nullptr};
std::atomic<int> num_forks{0};
thread_local Job* current_job = nullptr;  // the job this thread works on
thread_local bool is_worker = false;
thread_local Clock::time_point last_check{};

/// True after Ctrl-C; asks the interpreter at most every kCheckPeriod, and only on threads that came from it.
bool interrupted() {
  if (is_worker) return false;
  const auto now = Clock::now();
  if (now - last_check < kCheckPeriod) return false;
  last_check = now;
  const auto check = interrupt_check.load(std::memory_order_relaxed);
  if (check == nullptr) return false;
  // A signal handler may itself compute on this thread: its buffers and its job are its own.
  Workspace ours = std::move(workspace());
  Job* const our_job = std::exchange(current_job, nullptr);
  const bool found = check();
  current_job = our_job;
  workspace() = std::move(ours);
  return found;
}

void record_error(Job& job) {
  std::lock_guard<std::mutex> lock(job.error_mutex);
  if (!job.error) job.error = std::current_exception();
  job.cancelled.store(true, std::memory_order_relaxed);
}

void work(Job& job) {
  Job* const outer_job = current_job;
  current_job = &job;
  try {
    while (!job.cancelled.load(std::memory_order_relaxed)) {
      const std::int64_t chunk = job.next.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= job.num_chunks) break;
      job.body(job.context, chunk);
      if (interrupted()) throw Interrupted{};
    }
  } catch (...) {
    record_error(job);
  }
  current_job = outer_job;
}

void run_worker(Pool* pool) {
  is_worker = true;
  std::unique_lock<std::mutex> lock(pool->mutex);
  for (;;) {
    lock.unlock();
    watch_for([pool] { return pool->tickets.load(std::memory_order_relaxed) > 0; });
    lock.lock();
    pool->wake.wait(lock, [pool] { return pool->tickets > 0; });
    --pool->tickets;
    ++pool->active;
    Job* const job = pool->job;
    lock.unlock();
    work(*job);
    lock.lock();
    if (--pool->active == 0) pool->done.notify_one();
  }
}

/// The pool is never destroyed: its threads wait in it until the process ends. A forked child has none of the
/// threads, so it forgets the parent's pool (whose locks may be held) and builds its own when it needs one.
Pool& pool() {
  static const bool registered = [] {
    pthread_atfork(nullptr, nullptr, [] {
      the_pool.store(nullptr);
      num_forks.fetch_add(1);
    });
    return true;
  }();
  (void)registered;
  Pool* found = the_pool.load();
  if (found == nullptr) {
    Pool* const created = new Pool;
    if (the_pool.compare_exchange_strong(found, created))
      found = created;
    else
      delete created;
  }
  return *found;
}

/// Called by the owner of the pool. Fewer threads than asked for is no error.
void grow(Pool& pool, int wanted) {
  while (pool.num_workers < wanted) {
    try {
      std::thread(run_worker, &pool).detach();
    } catch (const std::exception&) {
      return;
    }
    ++pool.num_workers;
  }
}

void run_alone(std::int64_t num_chunks, ChunkBody body, void* context) {
  for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk) {
    body(context, chunk);
    if (num_chunks > 1) checkpoint();
  }
}

}  // namespace

void set_interrupt_check(bool (*check)()) { interrupt_check.store(check); }

void checkpoint() {
  if (current_job != nullptr && current_job->cancelled.load(std::memory_order_relaxed)) throw Interrupted{};
  if (interrupted()) throw Interrupted{};
}

void parallel_for(std::int64_t num_chunks, int threads, ChunkBody body, void* context) {
  if (threads <= 1 || num_chunks <= 1) return run_alone(num_chunks, body, context);
  Pool& shared = pool();
  if (shared.busy.test_and_set(std::memory_order_acquire)) return run_alone(num_chunks, body, context);
  const int helpers = int(num_chunks < threads ? num_chunks : threads) - 1;
  const int forks = num_forks.load();
  Job job{body, context, num_chunks, {}, {}, {}, {}};
  grow(shared, helpers);
  {
    std::lock_guard<std::mutex> lock(shared.mutex);
    shared.job = &job;
    shared.tickets = helpers < shared.num_workers ? helpers : shared.num_workers;
  }
  shared.wake.notify_all();
  work(job);
  if (num_forks.load() != forks)  // a signal handler forked inside the loop: the helpers are in the parent
    throw std::runtime_error("The process was forked inside a running computation.");
  {
    std::unique_lock<std::mutex> lock(shared.mutex);
    shared.tickets = 0;  // late workers find nothing to do
    lock.unlock();
    watch_for([&shared] { return shared.active.load(std::memory_order_relaxed) == 0; });
    lock.lock();
    while (shared.active > 0) {
      shared.done.wait_for(lock, kCheckPeriod);
      if (shared.active > 0 && !job.cancelled.load(std::memory_order_relaxed)) {
        lock.unlock();
        if (interrupted()) {
          try {
            throw Interrupted{};
          } catch (...) {
            record_error(job);
          }
        }
        lock.lock();
      }
    }
    shared.job = nullptr;
  }
  shared.busy.clear(std::memory_order_release);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace qsim
