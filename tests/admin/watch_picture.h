// What the reader of a watch knows, and whether what it reads makes sense.
#ifndef AUTOBREAKER_TESTS_ADMIN_WATCH_PICTURE_H_
#define AUTOBREAKER_TESTS_ADMIN_WATCH_PICTURE_H_

#include <cstdint>
#include <map>
#include <string>

#include "autobreaker/admin/internal/breaker_messages.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/proto/admin.pb.h"
#include "gtest/gtest.h"

namespace autobreaker {

class WatchPicture {
 public:
  struct Known {
    v1::State state = v1::CLOSED;
    uint64_t number = 0;  // of its last transition
  };

  // Expects that a change of state follows the last one known, that nothing is
  // known twice, and that a snapshot comes first and after what was missed.
  void Add(const v1::WatchResponse& response) {
    switch (response.event_case()) {
      case v1::WatchResponse::kSnapshot:
        EXPECT_TRUE(in_snapshot_);
        for (const v1::Breaker& breaker : response.snapshot().breakers()) {
          AddBreaker(breaker);
        }
        in_snapshot_ = !response.snapshot().complete();
        if (!in_snapshot_) ++snapshots_;
        break;
      case v1::WatchResponse::kTransition:
        EXPECT_FALSE(in_snapshot_);
        AddTransition(response.transition());
        break;
      case v1::WatchResponse::kMissed:
        EXPECT_FALSE(in_snapshot_);
        EXPECT_GT(response.missed().transitions(), 0);
        missed_ += response.missed().transitions();
        in_snapshot_ = true;
        break;
      case v1::WatchResponse::EVENT_NOT_SET:
        ADD_FAILURE() << "the stream is over";
    }
  }

  // Whether it knows of every transition that there was.
  bool IsUpToDate(const BreakerRegistry& registry) const {
    if (in_snapshot_) return false;
    for (const auto& breaker : registry.Breakers()) {
      const auto known = known_.find(Name(ToProto(breaker->key())));
      if (known == known_.end() ||
          known->second.number < breaker->Snapshot().transition_count) {
        return false;
      }
    }
    return true;
  }

  void ExpectStatesOf(const BreakerRegistry& registry) const {
    EXPECT_EQ(known_.size(), registry.Breakers().size());
    for (const auto& breaker : registry.Breakers()) {
      const BreakerSnapshot snapshot = breaker->Snapshot();
      const auto known = known_.find(Name(ToProto(breaker->key())));
      ASSERT_NE(known, known_.end());
      EXPECT_EQ(known->second.state, ToProto(snapshot.state));
      EXPECT_EQ(known->second.number, snapshot.transition_count);
    }
  }

  bool in_snapshot() const { return in_snapshot_; }
  int snapshots() const { return snapshots_; }
  // Changes that were read, that the reader was told it missed, and that were
  // in a snapshot and not read.
  int64_t read() const { return read_; }
  int64_t missed() const { return missed_; }
  int64_t in_snapshots() const { return in_snapshots_; }

 private:
  static std::string Name(const v1::BreakerKey& key) {
    return key.name() + '/' + key.service() + '/' + key.method();
  }

  void AddBreaker(const v1::Breaker& breaker) {
    uint64_t number = 0;
    for (const v1::TransitionCount& count : breaker.counts().transitions()) {
      number += count.count();
    }
    Known& known = known_[Name(breaker.key())];
    EXPECT_GE(number, known.number);
    in_snapshots_ += static_cast<int64_t>(number - known.number);
    known = {breaker.state(), number};
  }

  void AddTransition(const v1::Transition& transition) {
    ++read_;
    Known& known = known_[Name(transition.key())];
    EXPECT_EQ(transition.number(), known.number + 1);
    EXPECT_EQ(transition.from(), known.state);
    known = {transition.to(), transition.number()};
  }

  std::map<std::string, Known> known_;
  bool in_snapshot_ = true;
  int snapshots_ = 0;
  int64_t read_ = 0;
  int64_t missed_ = 0;
  int64_t in_snapshots_ = 0;
};

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_ADMIN_WATCH_PICTURE_H_
