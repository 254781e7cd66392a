#include "autobreaker/interceptor/internal/method_table.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "autobreaker/breaker/clock.h"

namespace autobreaker {
namespace {

// Every call pays for this. absl::Hash, which is out of line for strings, took
// half of a look-up. Whoever makes up method names can make them collide; the
// registry's max_breakers bounds what that costs.
size_t HashOf(absl::string_view method) {
  uint64_t hash = method.size();
  const auto add = [&hash](uint64_t word) {
    hash ^= word;
    hash = hash << 29 | hash >> 35;  // or the high bits would stay high
    hash *= 0x9E3779B97F4A7C15;      // 2^64 / the golden ratio
  };
  const auto add_eight = [&add](const char* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    add(word);
  };
  if (method.size() < 8) {
    for (const char c : method) add(static_cast<unsigned char>(c));
    return hash ^ hash >> 32;
  }
  const char* const last = method.data() + method.size() - 8;
  for (const char* bytes = method.data(); bytes < last; bytes += 8) {
    add_eight(bytes);
  }
  add_eight(last);
  return hash ^ hash >> 32;
}

}  // namespace

BreakerKey KeyForMethod(absl::string_view name, absl::string_view method) {
  method = absl::StripPrefix(method, "/");
  const size_t slash = method.rfind('/');
  if (slash == absl::string_view::npos) {
    return {std::string(name), "", std::string(method)};
  }
  return {std::string(name), std::string(method.substr(0, slash)),
          std::string(method.substr(slash + 1))};
}

bool MatchesMethod(absl::string_view pattern, absl::string_view method) {
  if (absl::ConsumeSuffix(&pattern, "*")) {
    return absl::StartsWith(method, pattern);
  }
  return absl::ConsumePrefix(&method, pattern) &&
         (method.empty() ||
          (method.front() == '/' && !absl::StrContains(pattern, '/')));
}

std::string PartitionText(absl::string_view method,
                          absl::string_view partition) {
  return absl::StrCat(method.size(), ":", method, partition);
}

BreakerKey KeyForPartition(absl::string_view name, absl::string_view text) {
  const size_t colon = text.find(':');
  size_t size = 0;
  // As PartitionText() wrote it.
  (void)absl::SimpleAtoi(text.substr(0, colon), &size);
  text.remove_prefix(colon + 1);
  BreakerKey key = KeyForMethod(name, text.substr(0, size));
  key.partition = std::string(text.substr(size));
  return key;
}

MethodTable::MethodTable(std::shared_ptr<BreakerRegistry> registry,
                         std::string name, std::vector<std::string> unguarded,
                         KeyFor key_for, int64_t most)
    : registry_(std::move(registry)),
      name_(std::move(name)),
      unguarded_(std::move(unguarded)),
      key_for_(key_for),
      most_(most) {
  MutexLock lock(&mu_);
  all_slots_.push_back(std::make_unique<Slots>(16));
  slots_.store(all_slots_.back().get(), std::memory_order_release);
}

MethodTable::~MethodTable() {
  const MonotonicTime now = registry_->instruments().clock->CoarseNow();
  MutexLock lock(&mu_);
  for (const auto& breaker : breakers_) breaker->handling().NoteHeld(now);
}

inline MethodTable::Entry* MethodTable::FindIn(const Slots& slots,
                                               absl::string_view method,
                                               size_t hash) {
  for (size_t i = hash;; ++i) {
    Entry* const entry = slots.at(i).load(std::memory_order_acquire);
    if (entry == nullptr) return nullptr;
    if (entry->hash == hash && entry->method == method) return entry;
  }
}

RegisteredBreaker* MethodTable::Find(absl::string_view method) {
  const size_t hash = HashOf(method);
  Entry* const entry =
      FindIn(*slots_.load(std::memory_order_acquire), method, hash);
  if (entry != nullptr) {
    RegisteredBreaker* const breaker =
        entry->breaker.load(std::memory_order_acquire);
    if (breaker->handling().asks()) return breaker;
    if (!breaker->removed()) return nullptr;
  }
  // Not in the table, so that their number does not matter.
  if (IsUnguarded(method)) return nullptr;
  RegisteredBreaker* const breaker = FindSlowly(method, hash);
  return breaker == nullptr || breaker->handling().unguarded() ? nullptr
                                                               : breaker;
}

bool MethodTable::IsUnguarded(absl::string_view method) const {
  method = absl::StripPrefix(method, "/");
  return std::any_of(unguarded_.begin(), unguarded_.end(),
                     [method](absl::string_view pattern) {
                       return MatchesMethod(pattern, method);
                     });
}

RegisteredBreaker* MethodTable::FindSlowly(absl::string_view method,
                                           size_t hash) {
  // One that was removed has a place already.
  const bool is_new =
      FindIn(*slots_.load(std::memory_order_acquire), method, hash) == nullptr;
  if (is_new && size_.fetch_add(1) >= most_ && !method.empty()) {
    size_.fetch_sub(1);
    return key_for_ == &KeyForMethod ? Find("") : nullptr;
  }
  std::shared_ptr<RegisteredBreaker> breaker =
      registry_->GetOrCreate(key_for_(name_, method));
  if (breaker == nullptr) {
    if (is_new) size_.fetch_sub(1);
    return nullptr;
  }
  RegisteredBreaker* const found = breaker.get();
  MutexLock lock(&mu_);
  Slots* slots = all_slots_.back().get();
  if (Entry* const entry = FindIn(*slots, method, hash)) {
    if (is_new) size_.fetch_sub(1);
    // Either another thread was here first, or the old one was removed.
    if (entry->breaker.load(std::memory_order_relaxed) != found) {
      breakers_.push_back(std::move(breaker));
      entry->breaker.store(found, std::memory_order_release);
    }
    return found;
  }
  const size_t size = slots->mask + 1;
  if (2 * (entries_.size() + 1) > size) {
    all_slots_.push_back(std::make_unique<Slots>(2 * size));
    slots = all_slots_.back().get();
    for (const std::unique_ptr<Entry>& entry : entries_) {
      InsertIn(slots, entry.get());
    }
  }
  breakers_.push_back(std::move(breaker));
  entries_.emplace_back(new Entry{std::string(method), hash, {found}});
  InsertIn(slots, entries_.back().get());
  slots_.store(slots, std::memory_order_release);
  return found;
}

void MethodTable::InsertIn(Slots* slots, Entry* entry) {
  size_t i = entry->hash;
  while (slots->at(i).load(std::memory_order_relaxed) != nullptr) ++i;
  slots->at(i).store(entry, std::memory_order_release);
}

}  // namespace autobreaker
