#include "autobreaker/benchmarks/all_allocations.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace autobreaker {
namespace {

std::atomic<bool> counting{false};
std::atomic<int64_t> allocations{0};

}  // namespace

void StartCountingAllocations() {
  allocations.store(0);
  counting.store(true);
}

int64_t StopCountingAllocations() {
  counting.store(false);
  return allocations.load();
}

}  // namespace autobreaker

// The other kinds of operator new come here too, but that of over-aligned
// types, of which a call makes none.
void* operator new(size_t size) {
  if (autobreaker::counting.load(std::memory_order_relaxed)) {
    autobreaker::allocations.fetch_add(1, std::memory_order_relaxed);
  }
  void* const made = std::malloc(size);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, size_t) noexcept { std::free(made); }
