// The methods called through one channel and the breakers that guard them. (Or
// the partitions of its methods, each of them as a text.)
//
// Looking up a known method takes no lock and writes nothing: the table only
// ever grows, and what it has handed out stays in place until it is destroyed.
// A removed breaker is replaced at the next look-up and kept all the same, for
// the calls that still use it.
//
// Thread-safety: Find() may be called from any thread at once. What it answers
// lives as long as the table.
#ifndef AUTOBREAKER_INTERCEPTOR_INTERNAL_METHOD_TABLE_H_
#define AUTOBREAKER_INTERCEPTOR_INTERNAL_METHOD_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "autobreaker/breaker/internal/mutex.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/registered_breaker.h"
#include "autobreaker/breaker/registry.h"

namespace autobreaker {

// "/package.Service/Method" under `name`. A string without a slash, but for a
// leading one, is all method.
BreakerKey KeyForMethod(absl::string_view name, absl::string_view method);

// Whether `pattern` means `method`, both without a leading slash: a service
// ("package.Service"), a method ("package.Service/Method"), or, with a * at its
// end, everything that begins as it does.
bool MatchesMethod(absl::string_view pattern, absl::string_view method);

// A text for a partition of a method that no other partition has, and its key.
std::string PartitionText(absl::string_view method,
                          absl::string_view partition);
BreakerKey KeyForPartition(absl::string_view name, absl::string_view text);

class MethodTable {
 public:
  // The key of a method's breaker: KeyForMethod(), or KeyForPartition().
  using KeyFor = BreakerKey (*)(absl::string_view name,
                                absl::string_view method);

  // Methods that `unguarded` matches get no breaker; see InterceptorOptions. At
  // most `most` methods do. With KeyForMethod(), others share one, that of the
  // method of no name.
  // REQUIRES: registry != nullptr.
  MethodTable(std::shared_ptr<BreakerRegistry> registry, std::string name,
              std::vector<std::string> unguarded = {},
              KeyFor key_for = &KeyForMethod,
              int64_t most = std::numeric_limits<int64_t>::max());

  ~MethodTable();
  MethodTable(const MethodTable&) = delete;
  MethodTable& operator=(const MethodTable&) = delete;

  // The breaker of the method as gRPC spells it. Null if it is to have none,
  // the registry has none to give, or with KeyForPartition() so many others
  // have one.
  RegisteredBreaker* Find(absl::string_view method);

 private:
  struct Entry {
    const std::string method;
    const size_t hash;
    std::atomic<RegisteredBreaker*> breaker;
  };
  // Open addressing, at most half full.
  struct Slots {
    // REQUIRES: size is a power of two.
    explicit Slots(size_t size)
        : mask(size - 1), entries(new std::atomic<Entry*>[size]()) {}
    std::atomic<Entry*>& at(size_t i) const { return entries[i & mask]; }

    const size_t mask;
    const std::unique_ptr<std::atomic<Entry*>[]> entries;
  };

  static Entry* FindIn(const Slots& slots, absl::string_view method,
                       size_t hash);
  static void InsertIn(Slots* slots, Entry* entry);
  bool IsUnguarded(absl::string_view method) const;
  RegisteredBreaker* FindSlowly(absl::string_view method, size_t hash);

  const std::shared_ptr<BreakerRegistry> registry_;
  const std::string name_;
  const std::vector<std::string> unguarded_;
  const KeyFor key_for_;
  const int64_t most_;
  std::atomic<const Slots*> slots_;
  std::atomic<int64_t> size_{0};  // with those being made

  Mutex mu_;
  std::vector<std::unique_ptr<Entry>> entries_ ABSL_GUARDED_BY(mu_);
  // The last is slots_; the smaller ones before it may still be read.
  std::vector<std::unique_ptr<Slots>> all_slots_ ABSL_GUARDED_BY(mu_);
  std::vector<std::shared_ptr<RegisteredBreaker>> breakers_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_INTERCEPTOR_INTERNAL_METHOD_TABLE_H_
