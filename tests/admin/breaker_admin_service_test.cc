#include "autobreaker/admin/breaker_admin_service.h"

#include <grpcpp/support/status.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/tests/admin/admin_server.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

void ExpectStatus(const grpc::Status& status, grpc::StatusCode code,
                  const std::string& message) {
  EXPECT_EQ(status.error_code(), code);
  EXPECT_EQ(status.error_message(), message);
}

void ExpectInvalid(const grpc::Status& status, const std::string& message) {
  ExpectStatus(status, grpc::StatusCode::INVALID_ARGUMENT, message);
}

v1::BreakerKey KeyOf(const std::string& name) {
  v1::BreakerKey key;
  key.set_name(name);
  return key;
}

class BreakerAdmin : public testing::Test {
 protected:
  grpc::Status List(const v1::ListRequest& request,
                    v1::ListResponse* response) {
    return admin_.stub->List(AdminContext().get(), request, response);
  }
  // The names of all breakers listed for a filter, on one page.
  std::vector<std::string> Listed(const v1::Filter& filter) {
    v1::ListRequest request;
    *request.mutable_filter() = filter;
    v1::ListResponse response;
    EXPECT_TRUE(List(request, &response).ok());
    EXPECT_EQ(response.next_page_token(), "");
    std::vector<std::string> names;
    for (const v1::Breaker& breaker : response.breakers()) {
      names.push_back(breaker.key().name());
    }
    return names;
  }
  grpc::Status Get(const v1::BreakerKey& key, v1::Breaker* response) {
    v1::GetRequest request;
    *request.mutable_key() = key;
    return admin_.stub->Get(AdminContext().get(), request, response);
  }
  v1::Breaker Get(const std::string& name) {
    v1::Breaker breaker;
    EXPECT_TRUE(Get(KeyOf(name), &breaker).ok());
    return breaker;
  }
  grpc::Status Update(const v1::UpdateRequest& request,
                      v1::Breaker* response = nullptr) {
    v1::Breaker unused;
    return admin_.stub->Update(AdminContext().get(), request,
                               response != nullptr ? response : &unused);
  }
  grpc::Status SetMode(const v1::SetModeRequest& request,
                       v1::Breaker* response = nullptr) {
    v1::Breaker unused;
    return admin_.stub->SetMode(AdminContext().get(), request,
                                response != nullptr ? response : &unused);
  }
  grpc::Status Reset(const std::string& name, v1::Breaker* response = nullptr) {
    v1::ResetRequest request;
    *request.mutable_key() = KeyOf(name);
    v1::Breaker unused;
    return admin_.stub->Reset(AdminContext().get(), request,
                              response != nullptr ? response : &unused);
  }

  Watchdog watchdog_{"a call of the admin service"};
  AdminServer admin_;
};

v1::SetModeRequest ModeRequest(const std::string& name, int mode) {
  v1::SetModeRequest request;
  *request.mutable_key() = KeyOf(name);
  request.set_mode(static_cast<v1::Mode>(mode));
  return request;
}

v1::UpdateRequest UpdateOf(const std::string& name,
                           const std::vector<std::string>& mask = {}) {
  v1::UpdateRequest request;
  *request.mutable_key() = KeyOf(name);
  for (const std::string& path : mask) {
    request.mutable_update_mask()->add_paths(path);
  }
  return request;
}

// ----------------------------------------------------------------------- List

TEST_F(BreakerAdmin, ListsNothingWhereThereIsNothing) {
  v1::ListResponse response;
  EXPECT_TRUE(List({}, &response).ok());
  EXPECT_EQ(response.breakers_size(), 0);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(BreakerAdmin, ListsInTheOrderOfKeys) {
  for (const auto name : {"c", "a", "b"}) admin_.Make(name);
  EXPECT_EQ(Listed({}), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(BreakerAdmin, ListsAHundredBreakersPerPageByDefault) {
  for (int i = 0; i < 101; ++i) admin_.Make(absl::StrCat(i));
  v1::ListResponse response;
  EXPECT_TRUE(List({}, &response).ok());
  EXPECT_EQ(response.breakers_size(), 100);
  EXPECT_NE(response.next_page_token(), "");
}

TEST_F(BreakerAdmin, TheLastPageIsTheLastEvenIfItIsFull) {
  for (int i = 0; i < 100; ++i) admin_.Make(absl::StrCat(i));
  v1::ListResponse response;
  EXPECT_TRUE(List({}, &response).ok());
  EXPECT_EQ(response.breakers_size(), 100);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(BreakerAdmin, ListsNoBreakerTwiceWhileBreakersComeAndGo) {
  const auto name = [](int i) { return absl::StrFormat("b%03d", i); };
  for (int i = 0; i < 250; ++i) admin_.Make(name(i), "a.B", "C");
  v1::ListRequest request;
  request.set_page_size(60);
  std::vector<std::string> listed;
  for (int page = 0;; ++page) {
    ASSERT_LT(page, 10);
    v1::ListResponse response;
    ASSERT_TRUE(List(request, &response).ok());
    for (const v1::Breaker& breaker : response.breakers()) {
      listed.push_back(breaker.key().name());
    }
    if (response.next_page_token().empty()) break;
    request.set_page_token(response.next_page_token());
    // The one listed last, one before it and one after it go, and one comes.
    const int next = 60 * (page + 1);
    for (const int gone : {next - 1, next - 30, next + 30}) {
      admin_.registry->Remove({name(gone), "a.B", "C"});
    }
    admin_.Make(absl::StrCat("a", page), "a.B", "C");
  }
  EXPECT_EQ(std::set<std::string>(listed.begin(), listed.end()).size(),
            listed.size());
  EXPECT_TRUE(std::is_sorted(listed.begin(), listed.end()));
  // All but those that went before they were listed.
  for (int i = 0; i < 250; ++i) {
    const bool gone = i == 90 || i == 150 || i == 210;
    EXPECT_EQ(std::binary_search(listed.begin(), listed.end(), name(i)), !gone)
        << name(i);
  }
}

TEST_F(BreakerAdmin, APageTokenHoldsAnyKey) {
  const std::vector<BreakerKey> keys = {
      {"\xFF.\"", "", ""}, {"a.b", "c", ""}, {"a.b", "c", "\xEF\xBF\xBD"}};
  for (const BreakerKey& key : keys) admin_.registry->GetOrCreate(key);
  v1::ListRequest request;
  request.set_page_size(1);
  std::set<std::string> listed;
  for (size_t page = 0; page < keys.size(); ++page) {
    v1::ListResponse response;
    ASSERT_TRUE(List(request, &response).ok());
    ASSERT_EQ(response.breakers_size(), 1);
    listed.insert(response.breakers(0).key().SerializeAsString());
    EXPECT_EQ(response.next_page_token().empty(), page + 1 == keys.size());
    request.set_page_token(response.next_page_token());
  }
  EXPECT_EQ(listed.size(), keys.size());
}

TEST_F(BreakerAdmin, ListsWhatAgreesWithEveryPartOfTheKey) {
  admin_.Make("a", "x.Y", "M");
  admin_.Make("b", "x.Y", "N");
  admin_.Make("c", "x.Z", "M");
  v1::Filter filter;
  filter.mutable_key()->set_service("x.Y");
  EXPECT_EQ(Listed(filter), (std::vector<std::string>{"a", "b"}));
  filter.mutable_key()->set_method("M");
  EXPECT_EQ(Listed(filter), (std::vector<std::string>{"a"}));
  filter.mutable_key()->set_name("c");
  EXPECT_EQ(Listed(filter), (std::vector<std::string>{}));
}

TEST_F(BreakerAdmin, ListsByStateAndMode) {
  admin_.Make("closed");
  admin_.Make("forced open")->SetMode(Mode::kForcedOpen);
  admin_.Make("shadow")->SetMode(Mode::kShadow);
  v1::Filter open;
  open.add_states(v1::OPEN);
  EXPECT_EQ(Listed(open), (std::vector<std::string>{"forced open"}));
  v1::Filter modes;
  modes.add_modes(v1::AUTOMATIC);
  modes.add_modes(v1::SHADOW);
  EXPECT_EQ(Listed(modes), (std::vector<std::string>{"closed", "shadow"}));
  modes.add_states(v1::OPEN);
  EXPECT_EQ(Listed(modes), (std::vector<std::string>{}));
}

TEST_F(BreakerAdmin, PagesThroughWhatAFilterLeaves) {
  for (int i = 0; i < 9; ++i) {
    admin_.Make(absl::StrCat(i))
        ->SetMode(i % 3 == 0 ? Mode::kShadow : Mode::kAutomatic);
  }
  v1::ListRequest request;
  request.set_page_size(2);
  request.mutable_filter()->add_modes(v1::SHADOW);
  v1::ListResponse first;
  ASSERT_TRUE(List(request, &first).ok());
  ASSERT_EQ(first.breakers_size(), 2);
  request.set_page_token(first.next_page_token());
  v1::ListResponse second;
  ASSERT_TRUE(List(request, &second).ok());
  ASSERT_EQ(second.breakers_size(), 1);
  EXPECT_EQ(second.breakers(0).key().name(), "6");
  EXPECT_EQ(second.next_page_token(), "");
}

TEST_F(BreakerAdmin, APageSizeOutOfRangeIsRefused) {
  v1::ListResponse response;
  v1::ListRequest request;
  request.set_page_size(-1);
  ExpectInvalid(List(request, &response),
                "page_size is -1, must be in [0, 1000]");
  request.set_page_size(1001);
  ExpectInvalid(List(request, &response),
                "page_size is 1001, must be in [0, 1000]");
  request.set_page_size(1000);
  EXPECT_TRUE(List(request, &response).ok());
}

TEST_F(BreakerAdmin, APageTokenThatIsNoneIsRefused) {
  for (const std::string token : {"x", "a.b", "YQ.YQ.!", "YQ.YQ.YQ.YQ.YQ"}) {
    v1::ListRequest request;
    request.set_page_token(token);
    v1::ListResponse response;
    ExpectInvalid(List(request, &response),
                  "page_token is \"" + token +
                      "\", must be the next_page_token of an answer");
  }
}

// gRPC's clients take no more than 8 KiB of headers.
TEST_F(BreakerAdmin, WhatAnErrorShowsIsCutShort) {
  v1::ListRequest request;
  request.set_page_token(std::string(9000, '!'));
  v1::ListResponse response;
  grpc::Status status = List(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_LT(status.error_message().size(), 1100u);
  status = Reset(std::string(9000, 'n'));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_LT(status.error_message().size(), 1100u);
  admin_.Make("x");
  status = Update(UpdateOf("x", {std::string(9000, 'f')}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_LT(status.error_message().size(), 1100u);
}

TEST_F(BreakerAdmin, WhatAnErrorShowsOnlyShowsAndFitsWhateverItIs) {
  std::string replaced;  // three bytes each, and nine in a header
  for (int i = 0; i < 3000; ++i) replaced += "\uFFFD";
  v1::ListRequest request;
  request.set_page_token(replaced);
  v1::ListResponse response;
  const grpc::Status status = List(request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_LT(status.error_message().size(), 1100u);

  request.set_page_token("\x1b[2J");
  ExpectInvalid(List(request, &response),
                "page_token is \"\\033[2J\", must be the next_page_token of an "
                "answer");
  admin_.Make("x");
  ExpectInvalid(Update(UpdateOf("x", {"a\x1b"})),
                "update_mask has \"a\\033\", must be a field of options");
}

TEST_F(BreakerAdmin, AFilterOfMoreThanThereCanBeIsRefused) {
  v1::ListResponse response;
  v1::ListRequest request;
  for (int i = 0; i < 17; ++i) request.mutable_filter()->add_states(v1::OPEN);
  ExpectInvalid(List(request, &response),
                "filter.states has 17 elements, must have at most 16");
  request.mutable_filter()->clear_states();
  for (int i = 0; i < 17; ++i) request.mutable_filter()->add_modes(v1::SHADOW);
  ExpectInvalid(List(request, &response),
                "filter.modes has 17 elements, must have at most 16");
}

TEST_F(BreakerAdmin, APageIsNoLargerThanAClientTakes) {
  const std::string long_name(900, 'n');
  for (int i = 0; i < 1000; ++i) {
    const auto breaker = admin_.registry->GetOrCreate(
        {absl::StrCat(long_name, i), "service", "method"});
    for (int j = 0; j < 8; ++j) {
      breaker->TryAcquire().Record(Outcome::kFailure, absl::ZeroDuration(),
                                   absl::StrCat(std::string(900, 'p'), j));
    }
  }
  v1::ListRequest request;
  request.set_page_size(1000);
  int listed = 0;
  do {
    v1::ListResponse response;
    ASSERT_TRUE(List(request, &response).ok());
    EXPECT_LE(response.ByteSizeLong(), size_t{3} << 20);
    listed += response.breakers_size();
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, 1000);
}

TEST_F(BreakerAdmin, AFilterByAStateThatIsNoneIsRefused) {
  v1::ListResponse response;
  v1::ListRequest request;
  request.mutable_filter()->add_states(v1::OPEN);
  request.mutable_filter()->add_states(static_cast<v1::State>(7));
  ExpectInvalid(List(request, &response),
                "filter.states[1] is 7, must be CLOSED, OPEN or HALF_OPEN");
  request.mutable_filter()->set_states(0, static_cast<v1::State>(-1));
  ExpectInvalid(List(request, &response),
                "filter.states[0] is -1, must be CLOSED, OPEN or HALF_OPEN");
}

TEST_F(BreakerAdmin, AFilterByAModeThatIsNoneIsRefused) {
  v1::ListResponse response;
  v1::ListRequest request;
  request.mutable_filter()->add_modes(static_cast<v1::Mode>(-1));
  ExpectInvalid(List(request, &response),
                "filter.modes[0] is -1, must be AUTOMATIC, FORCED_OPEN, "
                "FORCED_CLOSED or SHADOW");
}

// ------------------------------------------------------------------------ Get

TEST_F(BreakerAdmin, GetTellsFromWhomTheOptionsAre) {
  admin_.Make("x");
  BreakerPolicy policy;
  policy.options = RateOptions();
  policy.options.trip.minimum_calls = 7;
  policy.mode = Mode::kShadow;
  ASSERT_TRUE(admin_.registry->Apply({{BreakerKey{"x"}, policy}}).ok());
  v1::Breaker breaker;
  ASSERT_TRUE(Get(KeyOf("x"), &breaker).ok());
  const v1::Policy& told = breaker.policy();
  EXPECT_EQ(told.configured_for().name(), "x");
  EXPECT_EQ(told.options().trip().minimum_calls(), 7);
  EXPECT_EQ(told.mode(), v1::SHADOW);
  EXPECT_EQ(told.program_for().name(), "");
  EXPECT_EQ(told.program_options().trip().minimum_calls(),
            RateOptions().trip.minimum_calls);
  EXPECT_EQ(told.default_options().trip().minimum_calls(),
            BreakerOptions().trip.minimum_calls);
}

TEST_F(BreakerAdmin, GetsTheBreakerOfExactlyThatKey) {
  admin_.Make("x");
  admin_.Make("x", "y", "z")->SetMode(Mode::kShadow);
  v1::BreakerKey key = KeyOf("x");
  v1::Breaker breaker;
  ASSERT_TRUE(Get(key, &breaker).ok());
  EXPECT_EQ(breaker.mode(), v1::AUTOMATIC);
  key.set_service("y");
  key.set_method("z");
  ASSERT_TRUE(Get(key, &breaker).ok());
  EXPECT_EQ(breaker.mode(), v1::SHADOW);
}

TEST_F(BreakerAdmin, ABreakerThatIsNotThereIsNotFound) {
  admin_.Make("x");
  v1::BreakerKey key = KeyOf("x");
  key.set_service("y");
  key.set_method("z");
  v1::Breaker breaker;
  ExpectStatus(Get(key, &breaker), grpc::StatusCode::NOT_FOUND,
               "no breaker {name \"x\", service \"y\", method \"z\"}");
}

TEST_F(BreakerAdmin, ABreakerIsFoundByTheKeyThatAListShows) {
  admin_.Make("\xFF\xEF\xBF\xBD");
  const std::string shown = Listed({}).at(0);
  EXPECT_EQ(Get(shown).key().name(), shown);
  v1::Filter filter;
  filter.mutable_key()->set_name(shown);
  EXPECT_EQ(Listed(filter).size(), 1u);
}

// --------------------------------------------------------------------- Update

TEST_F(BreakerAdmin, UpdatesTheOptionsThatAreGiven) {
  const auto breaker = admin_.Make("x");
  v1::UpdateRequest request = UpdateOf("x");
  request.mutable_options()->mutable_trip()->set_minimum_calls(7);
  v1::Breaker response;
  ASSERT_TRUE(Update(request, &response).ok());
  BreakerOptions expected = RateOptions();
  expected.trip.minimum_calls = 7;
  EXPECT_EQ(breaker->options(), expected);
  EXPECT_EQ(response.options().trip().minimum_calls(), 7);
}

TEST_F(BreakerAdmin, WhatIsTakenAndNotGivenGoesBackToTheConfiguration) {
  const auto breaker = admin_.Make("x");
  BreakerPolicy policy;
  policy.options = RateOptions();
  policy.options.trip.minimum_calls = 33;
  ASSERT_TRUE(admin_.registry->Apply({{BreakerKey(), policy}}).ok());
  v1::UpdateRequest request = UpdateOf("x");
  request.mutable_options()->mutable_trip()->set_minimum_calls(7);
  ASSERT_TRUE(Update(request).ok());
  ASSERT_TRUE(Update(UpdateOf("x", {"trip.minimum_calls"})).ok());
  EXPECT_EQ(breaker->options().trip.minimum_calls, 33);
}

TEST_F(BreakerAdmin, EvidenceIsTurnedOnAndOffAgain) {
  const auto breaker = admin_.Make("x");
  v1::UpdateRequest on = UpdateOf("x", {"trip.evidence.tolerated_burst"});
  on.mutable_options()
      ->mutable_trip()
      ->mutable_evidence()
      ->mutable_tolerated_burst()
      ->set_seconds(1);
  ASSERT_TRUE(Update(on).ok());
  ASSERT_TRUE(breaker->options().trip.evidence.has_value());
  EXPECT_EQ(breaker->options().trip.evidence->tolerated_burst,
            absl::Seconds(1));
  v1::UpdateRequest off = UpdateOf("x", {"trip.evidence.off"});
  off.mutable_options()->mutable_trip()->mutable_evidence()->set_off(true);
  ASSERT_TRUE(Update(off).ok());
  EXPECT_EQ(breaker->options(), RateOptions());
}

TEST_F(BreakerAdmin, AnOptionOutOfRangeIsRefusedAndChangesNothing) {
  const auto breaker = admin_.Make("x");
  v1::UpdateRequest request = UpdateOf("x");
  request.mutable_options()->mutable_trip()->set_minimum_calls(7);
  request.mutable_options()->mutable_trip()->set_window_buckets(61);
  ExpectInvalid(Update(request),
                "trip.window_buckets is 61, must be in [1, 60]");
  EXPECT_EQ(breaker->options(), RateOptions());
}

TEST_F(BreakerAdmin, ADurationThatIsNoneIsRefused) {
  admin_.Make("x");
  v1::UpdateRequest request = UpdateOf("x");
  request.mutable_options()->mutable_trip()->mutable_window()->set_nanos(
      1'000'000'000);
  ExpectInvalid(Update(request),
                "trip.window is {seconds 0, nanos 1000000000}, must be at most "
                "10,000 years, and both parts of one sign");
}

TEST_F(BreakerAdmin, AMaskOfWhatIsNoFieldIsRefused) {
  admin_.Make("x");
  ExpectInvalid(Update(UpdateOf("x", {"trip.window", "foo"})),
                "update_mask has \"foo\", must be a field of options");
}

TEST_F(BreakerAdmin, AMaskOfFarMoreThanThereAreFieldsIsRefused) {
  admin_.Make("x");
  ExpectInvalid(Update(UpdateOf("x", std::vector<std::string>(65, "*"))),
                "update_mask has 65 paths, must have at most 64");
}

TEST_F(BreakerAdmin, UpdatesAtOnceLoseNoField) {
  struct Field {
    const char* name;
    void (*set)(v1::BreakerOptions* options, int value);
    int64_t (*get)(const BreakerOptions& options);
  };
  constexpr Field kFields[] = {
      {"trip.minimum_calls",
       [](v1::BreakerOptions* o, int value) {
         o->mutable_trip()->set_minimum_calls(value);
       },
       [](const BreakerOptions& o) { return o.trip.minimum_calls; }},
      {"half_open.max_calls",
       [](v1::BreakerOptions* o, int value) {
         o->mutable_half_open()->set_max_calls(value);
       },
       [](const BreakerOptions& o) { return o.half_open.max_calls; }},
      {"half_open.successes_to_close",
       [](v1::BreakerOptions* o, int value) {
         o->mutable_half_open()->set_successes_to_close(value);
       },
       [](const BreakerOptions& o) {
         return o.half_open.successes_to_close.value_or(0);
       }},
  };
  const auto breaker = admin_.Make("x");
  std::vector<std::thread> threads;
  for (const Field& field : kFields) {
    threads.emplace_back([&] {
      for (int i = 1; i <= 500; ++i) {
        v1::UpdateRequest request = UpdateOf("x", {field.name});
        field.set(request.mutable_options(), i);
        EXPECT_TRUE(Update(request).ok());
        EXPECT_EQ(field.get(breaker->options()), i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// ------------------------------------------------------- SetMode and Reset

TEST_F(BreakerAdmin, SetsAModeForGood) {
  admin_.Make("x");
  v1::Breaker response;
  ASSERT_TRUE(SetMode(ModeRequest("x", v1::FORCED_OPEN), &response).ok());
  EXPECT_EQ(response.state(), v1::OPEN);
  EXPECT_EQ(response.mode(), v1::FORCED_OPEN);
  EXPECT_FALSE(response.has_mode_remaining());
  admin_.clock.Advance(absl::Hours(10'000));
  EXPECT_EQ(Get("x").mode(), v1::FORCED_OPEN);
}

TEST_F(BreakerAdmin, AModeForATimeEndsByItself) {
  admin_.Make("x");
  v1::SetModeRequest request = ModeRequest("x", v1::FORCED_OPEN);
  request.mutable_duration()->set_seconds(10);
  v1::Breaker response;
  ASSERT_TRUE(SetMode(request, &response).ok());
  EXPECT_EQ(response.mode_remaining().seconds(), 10);
  EXPECT_EQ(response.next_mode(), v1::AUTOMATIC);
  admin_.clock.Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_EQ(Get("x").mode(), v1::FORCED_OPEN);
  admin_.clock.Advance(absl::Nanoseconds(1));
  const v1::Breaker after = Get("x");
  EXPECT_EQ(after.mode(), v1::AUTOMATIC);
  EXPECT_EQ(after.state(), v1::HALF_OPEN);
  EXPECT_FALSE(after.has_mode_remaining());
}

// AUTOMATIC is 0, and what is left out must not be taken for it.
TEST_F(BreakerAdmin, AModeThatIsNotGivenIsRefused) {
  admin_.Make("x")->SetMode(Mode::kForcedOpen);
  v1::SetModeRequest request;
  *request.mutable_key() = KeyOf("x");
  ExpectInvalid(SetMode(request),
                "mode is not given, must be AUTOMATIC, FORCED_OPEN, "
                "FORCED_CLOSED or SHADOW");
  EXPECT_EQ(Get("x").mode(), v1::FORCED_OPEN);
  ASSERT_TRUE(SetMode(ModeRequest("x", v1::AUTOMATIC)).ok());
  EXPECT_EQ(Get("x").mode(), v1::AUTOMATIC);
}

TEST_F(BreakerAdmin, AModeThatIsNoneIsRefused) {
  admin_.Make("x");
  ExpectInvalid(
      SetMode(ModeRequest("x", 9)),
      "mode is 9, must be AUTOMATIC, FORCED_OPEN, FORCED_CLOSED or SHADOW");
}

TEST_F(BreakerAdmin, ADurationOutOfRangeIsRefused) {
  admin_.Make("x");
  v1::SetModeRequest request = ModeRequest("x", v1::SHADOW);
  request.mutable_duration();
  ExpectInvalid(SetMode(request),
                "duration is 0, must be above 0 and at most 365 days");
  request.mutable_duration()->set_nanos(-1);
  ExpectInvalid(SetMode(request),
                "duration is -1ns, must be above 0 and at most 365 days");
  request.mutable_duration()->set_seconds(365 * 24 * 3600);
  request.mutable_duration()->set_nanos(1);
  ExpectInvalid(
      SetMode(request),
      "duration is 8760h0.000000001s, must be above 0 and at most 365 days");
  request.mutable_duration()->set_nanos(1'000'000'000);
  ExpectInvalid(SetMode(request),
                "duration is {seconds 31536000, nanos 1000000000}, must be at "
                "most 10,000 years, and both parts of one sign");
  EXPECT_EQ(Get("x").mode(), v1::AUTOMATIC);
  request.mutable_duration()->set_nanos(0);
  EXPECT_TRUE(SetMode(request).ok());
}

TEST_F(BreakerAdmin, ResetClosesABreaker) {
  const auto breaker = admin_.Make("x");
  for (int i = 0; i < 20; ++i) breaker->TryAcquire().Record(Outcome::kFailure);
  ASSERT_EQ(Get("x").state(), v1::OPEN);
  v1::Breaker response;
  ASSERT_TRUE(Reset("x", &response).ok());
  EXPECT_EQ(response.state(), v1::CLOSED);
  EXPECT_EQ(response.window().calls(), 0u);
  EXPECT_EQ(response.counts().failures(), 20u);
}

TEST_F(BreakerAdmin, AForcedOpenBreakerIsNotReset) {
  admin_.Make("x")->SetMode(Mode::kForcedOpen);
  ExpectStatus(Reset("x"), grpc::StatusCode::FAILED_PRECONDITION,
               "mode is FORCED_OPEN, must be another for a reset");
  EXPECT_EQ(Get("x").state(), v1::OPEN);
}

TEST_F(BreakerAdmin, ChangesOfABreakerThatIsNotThereAreNotFound) {
  const std::string message = "no breaker {name \"x\"}";
  const auto code = grpc::StatusCode::NOT_FOUND;
  ExpectStatus(Update(UpdateOf("x")), code, message);
  ExpectStatus(SetMode(ModeRequest("x", v1::SHADOW)), code, message);
  ExpectStatus(Reset("x"), code, message);
  EXPECT_TRUE(admin_.registry->Breakers().empty());
}

// -------------------------------------------------------- Without permission

TEST(BreakerAdminPermission, NothingIsChangedUnlessTheProgramAllowsIt) {
  Watchdog watchdog("a call of the admin service");
  AdminServer admin((BreakerAdminOptions()));
  const auto breaker = admin.Make("x");
  const auto expect_denied = [](const grpc::Status& status) {
    ExpectStatus(status, grpc::StatusCode::PERMISSION_DENIED,
                 "this program lets nobody change its breakers");
  };
  // Whether or not they make sense: first of all comes the permission.
  v1::Breaker response;
  v1::UpdateRequest update = UpdateOf("x");
  update.mutable_options()->mutable_trip()->set_minimum_calls(7);
  expect_denied(admin.stub->Update(AdminContext().get(), update, &response));
  expect_denied(admin.stub->SetMode(AdminContext().get(),
                                    ModeRequest("x", v1::SHADOW), &response));
  expect_denied(admin.stub->Update(AdminContext().get(), UpdateOf("y", {"foo"}),
                                   &response));
  expect_denied(admin.stub->SetMode(AdminContext().get(), {}, &response));
  expect_denied(admin.stub->Reset(AdminContext().get(), {}, &response));
  EXPECT_EQ(breaker->options(), RateOptions());
  EXPECT_EQ(breaker->Snapshot().mode, Mode::kAutomatic);

  v1::ListResponse list;
  EXPECT_TRUE(admin.stub->List(AdminContext().get(), {}, &list).ok());
  EXPECT_EQ(list.breakers_size(), 1);
}

TEST(BreakerAdminPermission, IsAskedByWhatACallWouldDo) {
  BreakerAdminOptions options = ChangesAllowed();
  options.authorize = [](const grpc::ServerContextBase& context,
                         AdminAccess access) -> absl::Status {
    EXPECT_NE(context.peer(), "");
    if (access == AdminAccess::kRead) return absl::OkStatus();
    return absl::UnauthenticatedError("who are you?");
  };
  AdminServer admin(options);
  admin.Make("x");
  v1::ListResponse list;
  EXPECT_TRUE(admin.stub->List(AdminContext().get(), {}, &list).ok());
  v1::Breaker response;
  ExpectStatus(admin.stub->SetMode(AdminContext().get(),
                                   ModeRequest("x", v1::SHADOW), &response),
               grpc::StatusCode::UNAUTHENTICATED, "who are you?");
  EXPECT_EQ(admin.registry->Find({"x"})->Snapshot().mode, Mode::kAutomatic);
}

TEST(BreakerAdminPermission, MayBeDeniedForEveryCall) {
  BreakerAdminOptions options = ChangesAllowed();
  options.authorize = [](const grpc::ServerContextBase&,
                         AdminAccess) -> absl::Status { throw 1; };
  AdminServer admin(options);
  admin.Make("x");
  const std::string message = "whether this is allowed cannot be told";
  v1::ListResponse list;
  ExpectStatus(admin.stub->List(AdminContext().get(), {}, &list),
               grpc::StatusCode::INTERNAL, message);
  v1::Breaker response;
  v1::GetRequest get;
  *get.mutable_key() = KeyOf("x");
  ExpectStatus(admin.stub->Get(AdminContext().get(), get, &response),
               grpc::StatusCode::INTERNAL, message);
  AdminWatch watch(*admin.stub);
  v1::WatchResponse none;
  EXPECT_FALSE(watch.reader->Read(&none));
  ExpectStatus(watch.reader->Finish(), grpc::StatusCode::INTERNAL, message);
  for (const auto& change :
       {admin.stub->Update(AdminContext().get(), UpdateOf("x"), &response),
        admin.stub->SetMode(AdminContext().get(), ModeRequest("x", v1::SHADOW),
                            &response),
        admin.stub->Reset(AdminContext().get(), {}, &response)}) {
    ExpectStatus(change, grpc::StatusCode::INTERNAL, message);
  }
}

TEST(BreakerAdminAudit, TellsOfEachChangeThatWasMade) {
  std::vector<std::string> lines;
  BreakerAdminOptions options = ChangesAllowed();
  options.audit = [&lines](const AdminChange& change) {
    EXPECT_TRUE(absl::StartsWith(change.peer, "ipv4:127.0.0.1:"));
    lines.push_back(
        absl::StrReplaceAll(ToString(change), {{change.peer, "somebody"}}));
    throw 1;  // is dropped
  };
  AdminServer admin(options);
  admin.Make("x");
  v1::Breaker response;
  v1::UpdateRequest update = UpdateOf("x");
  update.mutable_options()->mutable_trip()->set_minimum_calls(7);
  EXPECT_TRUE(admin.stub->Update(AdminContext().get(), update, &response).ok());
  EXPECT_TRUE(admin.stub
                  ->SetMode(AdminContext().get(),
                            ModeRequest("x", v1::FORCED_OPEN), &response)
                  .ok());
  // Not made.
  v1::ResetRequest reset;
  *reset.mutable_key() = KeyOf("x");
  EXPECT_FALSE(admin.stub->Reset(AdminContext().get(), reset, &response).ok());
  const int64_t before = RateOptions().trip.minimum_calls;
  EXPECT_EQ(
      lines,
      std::vector<std::string>(
          {absl::StrCat("Update of {name \"x\"} by somebody: "
                        "options.trip.minimum_calls: ",
                        before, " -> 7"),
           "SetMode of {name \"x\"} by somebody: state: CLOSED -> OPEN, mode: "
           "AUTOMATIC -> FORCED_OPEN"}));
}

}  // namespace
}  // namespace autobreaker
