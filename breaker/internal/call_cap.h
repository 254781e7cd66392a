// How many calls of one breaker are under way at once, at most.
//
// A call that the cap lets through holds a place until it ends. Calls that hold
// none may be under way too: those that were when the cap was set, and those
// that shadow mode let through. They are `others` here. Who asks for a place
// finds out now and then how few of them are left.
//
//   if (cap.Take()) { ... the call ... cap.GiveBack(); }
//
// Places are counted by two numbers that only grow, those taken and those given
// back. So a thread that was held up between two reads refuses, but never lets
// one call too many through.
//
// Thread-safety: every method may be called from any thread at once, except
// Set(), whose callers take turns.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_CALL_CAP_H_
#define AUTOBREAKER_BREAKER_INTERNAL_CALL_CAP_H_

#include <atomic>
#include <cstdint>

namespace autobreaker {

// All in one cache line, which the calls of other breakers do not touch.
class alignas(64) CallCap {
 public:
  // From here on at most `limit` calls are let through at once, those under way
  // among them. `others_count`: so are the others. Once they do, no call goes
  // before somebody has counted them, see LowerOthers().
  void Set(int64_t limit, bool others_count) {
    limit_.store(limit, std::memory_order_relaxed);
    if (others_count == others_count_) return;
    others_count_ = others_count;
    // Another number each time, so that what was counted before is not taken
    // for now.
    others_.store(others_count ? kUnknown + ++times_unknown_ : 0,
                  std::memory_order_release);
  }

  bool HasRoom() const {
    return HasRoomBeside(taken_.load(std::memory_order_relaxed));
  }

  // Takes a place if there is one.
  bool Take() {
    uint64_t taken = taken_.load(std::memory_order_relaxed);
    do {
      if (!HasRoomBeside(taken)) return false;
    } while (!taken_.compare_exchange_weak(taken, taken + 1,
                                           std::memory_order_release,
                                           std::memory_order_relaxed));
    return true;
  }

  // Before the end of the call is counted anywhere else.
  void GiveBack() { given_back_.fetch_add(1, std::memory_order_release); }

  int64_t others() const { return others_.load(std::memory_order_acquire); }
  // There are no more than `now`, if there were `before` when they were
  // counted. Does nothing if that is no longer so.
  void LowerOthers(int64_t before, int64_t now) {
    others_.compare_exchange_strong(before, now, std::memory_order_release,
                                    std::memory_order_relaxed);
  }

  // Lifetime totals.
  uint64_t taken() const { return taken_.load(std::memory_order_acquire); }
  uint64_t given_back() const {
    return given_back_.load(std::memory_order_acquire);
  }

  // Calls for which there was no place: refused, and let through by shadow
  // mode.
  void CountRefused(bool shadow) {
    (shadow ? shadow_refused_ : refused_)
        .fetch_add(1, std::memory_order_relaxed);
  }
  uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
  uint64_t shadow_refused() const {
    return shadow_refused_.load(std::memory_order_relaxed);
  }

 private:
  // More than any limit, and far from where 64 bits end.
  static constexpr int64_t kUnknown = int64_t{1} << 62;

  // `taken` must have been read before.
  bool HasRoomBeside(uint64_t taken) const {
    // Acquire: the calls that gave their places back are over.
    const auto held = static_cast<int64_t>(
        taken - given_back_.load(std::memory_order_acquire));
    return held + others() < limit_.load(std::memory_order_relaxed);
  }

  std::atomic<uint64_t> taken_{0};
  std::atomic<uint64_t> given_back_{0};
  std::atomic<int64_t> others_{0};
  std::atomic<int64_t> limit_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint64_t> shadow_refused_{0};
  // Of Set() alone.
  bool others_count_ = false;
  int64_t times_unknown_ = 0;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_CALL_CAP_H_
