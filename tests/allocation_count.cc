#include "tests/allocation_count.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace autobreaker {
namespace {

thread_local int64_t allocations = 0;

}  // namespace

int64_t AllocationsOfThisThread() { return allocations; }

}  // namespace autobreaker

// All of them, or the sanitizers' own stand in for the rest and miss these.
void* operator new(size_t size) {
  ++autobreaker::allocations;
  if (void* const made = std::malloc(size)) return made;
  throw std::bad_alloc();
}
void* operator new[](size_t size) { return operator new(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++autobreaker::allocations;
  return std::malloc(size);
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
