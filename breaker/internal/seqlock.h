// A small value that is read without a lock while it may be written.
//
// A sequence lock: a reader copies the words and then looks whether a writer
// was at work meanwhile. See H. Boehm, "Can seqlocks get along with programming
// language memory models?", MSPC 2012. The words are atomic and read with
// acquire instead of a fence, which ThreadSanitizer understands.
//
// Thread-safety: TryRead() may be called from any thread at once; writers take
// turns.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_SEQLOCK_H_
#define AUTOBREAKER_BREAKER_INTERNAL_SEQLOCK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace autobreaker {

template <typename T>
class SeqLock {
  static_assert(std::is_trivially_copyable<T>::value, "copied word by word");
  static_assert(sizeof(T) % sizeof(uint64_t) == 0, "whole words");

 public:
  void Write(const T& value) {
    uint64_t words[kWords];
    std::memcpy(words, &value, sizeof(T));
    const uint64_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    for (size_t i = 0; i < kWords; ++i) {
      words_[i].store(words[i], std::memory_order_release);
    }
    sequence_.store(sequence + 2, std::memory_order_release);
  }

  // False, and `value` is unspecified, if a writer was at work.
  bool TryRead(T* value) const {
    uint64_t words[kWords];
    const uint64_t before = sequence_.load(std::memory_order_acquire);
    for (size_t i = 0; i < kWords; ++i) {
      words[i] = words_[i].load(std::memory_order_acquire);
    }
    const uint64_t after = sequence_.load(std::memory_order_relaxed);
    std::memcpy(static_cast<void*>(value), words, sizeof(T));
    return before == after && before % 2 == 0;
  }

 private:
  static constexpr size_t kWords = sizeof(T) / sizeof(uint64_t);

  std::atomic<uint64_t> sequence_{0};
  std::atomic<uint64_t> words_[kWords] = {};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_SEQLOCK_H_
