// A sliding window over lifetime totals.
//
// It remembers what the totals were at the last few step boundaries; what the
// window holds is the totals now less those at its far edge. Nothing is counted
// twice and nothing is cleared.
//
// The window covers the step under way and `buckets` whole steps before it:
// at least its length and at most one step more. So no burst of events
// shorter than the window is ever cut in two, even with one bucket.
//
// It takes memory for its marks with the first step that ends after a judged
// call; breakers that are never called need none. Without the memory, it goes
// on covering all since it was restarted, until there is some.
//
// Thread-compatible. Pure arithmetic: `now` is an argument.
#ifndef AUTOBREAKER_BREAKER_INTERNAL_WINDOW_H_
#define AUTOBREAKER_BREAKER_INTERNAL_WINDOW_H_

#include <cstdint>
#include <memory>

#include "autobreaker/breaker/call_counts.h"
#include "autobreaker/breaker/clock.h"

namespace autobreaker {

class SlidingWindow {
 public:
  // Forgets everything before `now`. REQUIRES: length > 0, buckets >= 1.
  void Restart(MonotonicTime::duration length, int buckets,
               const CallCounts& totals, MonotonicTime now);

  // Forgets everything before `now`, keeping length and buckets.
  void Restart(const CallCounts& totals, MonotonicTime now);

  // Moves on to `now`, for which the totals are `totals`. Costs at most
  // `buckets` steps however long ago the last call was.
  void Advance(const CallCounts& totals, MonotonicTime now) noexcept;

  // The totals at the far edge of the window.
  const CallCounts& base() const;

  // What base() would be after Advance(totals, now).
  CallCounts BaseAt(const CallCounts& totals, MonotonicTime now) const;

  // How far back that is.
  MonotonicTime::duration Covers(MonotonicTime now) const;

  // Until then, Advance() has nothing to do.
  MonotonicTime next_boundary() const;

 private:
  MonotonicTime::duration step_{1};
  MonotonicTime start_;  // of step 0
  int64_t steps_ = 0;    // the number of the step under way
  int64_t size_ = 1;     // of marks_: `buckets` and one more
  CallCounts first_;     // totals at start_
  // Totals at the start of the step under way and of the `buckets` before it;
  // that of step k is at k modulo the size. Null while all are first_.
  std::unique_ptr<CallCounts[]> marks_;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_BREAKER_INTERNAL_WINDOW_H_
