#include "autobreaker/tests/support/allocation_count.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace autobreaker {
namespace {

thread_local int64_t allocations = 0;
thread_local int64_t failing_allocation = -1;

// Counts one more, and answers whether it may be made.
bool Allow() { return ++allocations != failing_allocation; }

}  // namespace

int64_t AllocationsOfThisThread() { return allocations; }

void FailAllocationOfThisThread(int64_t number) {
  failing_allocation = allocations + number + 1;
}

void FailNoAllocationOfThisThread() { failing_allocation = -1; }

bool AllocationFailed() { return allocations >= failing_allocation; }

}  // namespace autobreaker

// All of them, or the sanitizers' own stand in for the rest and miss these.
void* operator new(size_t size) {
  void* const made = autobreaker::Allow() ? std::malloc(size) : nullptr;
  if (made == nullptr) throw std::bad_alloc();
  return made;
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return autobreaker::Allow() ? std::malloc(size) : nullptr;
}
void* operator new[](size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
void operator delete(void* made) noexcept { std::free(made); }
void operator delete[](void* made) noexcept { std::free(made); }
void operator delete(void* made, size_t) noexcept { std::free(made); }
void operator delete[](void* made, size_t) noexcept { std::free(made); }
void operator delete(void* made, const std::nothrow_t&) noexcept {
  std::free(made);
}
void operator delete[](void* made, const std::nothrow_t&) noexcept {
  std::free(made);
}

// Those of over-aligned types, such as a breaker.
void* operator new(size_t size, std::align_val_t alignment) {
  const auto align = static_cast<size_t>(alignment);
  void* const made =
      autobreaker::Allow()
          ? std::aligned_alloc(align, (size + align - 1) / align * align)
          : nullptr;
  if (made == nullptr) throw std::bad_alloc();
  return made;
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return operator new(size, alignment);
}
void operator delete(void* made, std::align_val_t) noexcept { std::free(made); }
void operator delete[](void* made, std::align_val_t) noexcept {
  std::free(made);
}
void operator delete(void* made, size_t, std::align_val_t) noexcept {
  std::free(made);
}
void operator delete[](void* made, size_t, std::align_val_t) noexcept {
  std::free(made);
}
