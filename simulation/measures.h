// What a breaker did in a scenario, in numbers.
#ifndef AUTOBREAKER_SIMULATION_MEASURES_H_
#define AUTOBREAKER_SIMULATION_MEASURES_H_

#include <cstdint>
#include <vector>

#include "autobreaker/simulation/simulated_breaker.h"
#include "autobreaker/simulation/world.h"

namespace autobreaker::decisions {

// A refusal is an opening if so many calls in a row were admitted before; one
// that comes sooner belongs to the opening before.
inline constexpr int64_t kApart = 20;

// Of one episode: a while in which all is well, an incident, and recovery.
class EpisodeTally {
 public:
  explicit EpisodeTally(Nanos recovers) : recovers_(recovers) {}

  void Note(const Call& call, bool admitted, bool fails);

  // Whether nothing more is to be expected: after the recovery no call has been
  // refused for long enough, or far too many have.
  bool Over(Nanos now) const;

  // While something was wrong: asked for, and answered well.
  int64_t asked() const { return asked_; }
  int64_t answered() const { return answered_; }
  // After something went wrong.
  bool opened() const { return opened_; }
  int64_t failed_before_opening() const { return failed_before_opening_; }
  int64_t failed_admitted() const { return failed_admitted_; }
  int64_t good_refused_during() const { return good_refused_during_; }
  int64_t good_refused_after() const { return good_refused_after_; }
  // Calls to a dead server, and for how long it was dead: since the opening.
  int64_t dead_calls() const { return dead_calls_; }
  Nanos dead_time() const { return dead_time_; }
  // From recovery to full service.
  Nanos recovery() const { return recovery_; }

 private:
  void NoteDead(const Call& call, bool admitted);

  const Nanos recovers_;
  int64_t admitted_ = kApart;  // in a row
  int64_t asked_ = 0;
  int64_t answered_ = 0;
  bool opened_ = false;
  int64_t failed_before_opening_ = 0;
  int64_t failed_admitted_ = 0;
  int64_t good_refused_during_ = 0;
  int64_t good_refused_after_ = 0;
  int64_t dead_calls_ = 0;
  Nanos dead_time_ = 0;
  Nanos recovery_ = 0;

  Nanos last_dead_ = -1;  // the last call, if it was to a dead server
  int64_t after_ = 0;     // calls asked for after the recovery
  int64_t quiet_ = 0;     // of them, since the last that was refused
  int64_t failed_in_quiet_ = 0;
};

// Of a scenario in which nothing should ever be refused.
class NoiseTally {
 public:
  void Note(bool admitted);

  int64_t calls() const { return calls_; }
  int64_t openings() const { return openings_; }

 private:
  int64_t calls_ = 0;
  int64_t admitted_ = kApart;  // in a row
  int64_t openings_ = 0;
};

// Of a breaker in a scenario. Means are per episode.
struct Measures {
  double false_openings = 0;
  double false_openings_per_million = 0;
  double failed_before_opening_median = 0;
  double failed_before_opening_p90 = 0;
  double failed_admitted = 0;
  double good_refused_during = 0;
  double good_refused_after = 0;
  double dead_calls_per_minute = 0;
  double recovery_seconds = 0;
  double opened_share = 0;
  double answered_share = 0;  // of calls asked for while something was wrong

  // Calls that failed, or were refused when all was well again.
  double cost_after() const { return failed_admitted + good_refused_after; }
  // Calls that failed, or were refused though they would have succeeded.
  double lost() const { return cost_after() + good_refused_during; }
};

Measures Summarize(const NoiseTally& tally);
Measures Summarize(const std::vector<EpisodeTally>& tallies);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_MEASURES_H_
