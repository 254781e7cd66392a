// A small value that many threads read while one replaces it.
//
// Readers take no lock and never wait for a writer, not even for one that is
// suspended halfway: the value is kept twice, the writer writes the copy that
// is not in use and then says that it is. A reader that finds its copy replaced
// meanwhile reads again; so it repeats only if somebody else got ahead.
//
// This is a sequence lock with two copies, such as Linux's seqcount_latch_t.
// See H. Boehm, "Can seqlocks get along with programming language memory
// models?", MSPC 2012. The words are read with acquire in place of a fence,
// which ThreadSanitizer understands.
//
// Thread-safety: Read() may be called from any thread at once; writers take
// turns.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_PUBLISHED_H_
#define AUTOBREAKER_BREAKER_INTERNAL_PUBLISHED_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace autobreaker {

template <typename T>
class Published {
  static_assert(std::is_trivially_copyable<T>::value, "copied word by word");

 public:
  void Publish(const T& value) noexcept {
    uint64_t words[kWords];
    static_assert(sizeof(words) == sizeof(value), "whole words");
    std::memcpy(words, &value, sizeof(value));
    const uint64_t next = sequence_.load(std::memory_order_relaxed) + 1;
    std::atomic<uint64_t>* const copy = copies_[next % 2];
    for (size_t i = 0; i < kWords; ++i) {
      // Release: who sees this word of the value after next sees the sequence
      // of the next.
      copy[i].store(words[i], std::memory_order_release);
    }
    sequence_.store(next, std::memory_order_release);
  }

  T Read() const {
    T value;
    ReadWords<kWords>(0, &value);
    return value;
  }

  // One member of the value, of which the others need not be read.
  template <typename Member>
  Member Read(Member T::*member) const {
    static_assert(sizeof(Member) % sizeof(uint64_t) == 0, "whole words");
    // Where the member is in any T: a constant once it is compiled.
    static const T any = {};
    const auto offset =
        static_cast<size_t>(reinterpret_cast<const char*>(&(any.*member)) -
                            reinterpret_cast<const char*>(&any));
    Member value;
    ReadWords<sizeof(Member) / sizeof(uint64_t)>(offset / sizeof(uint64_t),
                                                 &value);
    return value;
  }

 private:
  static constexpr size_t kWords = sizeof(T) / sizeof(uint64_t);

  template <size_t kCount>
  void ReadWords(size_t first, void* value) const {
    uint64_t before;
    do {
      before = sequence_.load(std::memory_order_acquire);
      const std::atomic<uint64_t>* const copy = copies_[before % 2] + first;
#pragma GCC unroll 4
      for (size_t i = 0; i < kCount; ++i) {
        const uint64_t word = copy[i].load(std::memory_order_acquire);
        std::memcpy(static_cast<char*>(value) + i * sizeof(word), &word,
                    sizeof(word));
      }
    } while (sequence_.load(std::memory_order_relaxed) != before);
  }

  std::atomic<uint64_t> sequence_{0};
  std::atomic<uint64_t> copies_[2][kWords] = {};
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_PUBLISHED_H_
