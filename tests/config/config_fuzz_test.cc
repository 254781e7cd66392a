// Configurations that went through many hands: whatever a text has become, it
// is applied as a whole or changes nothing, and never ends the program.
//
// The texts come from good ones, by seeded mutations, so a run is the same
// every time. CONFIG_FUZZ_INPUTS asks for another number of them, up to 10^9,
// and CONFIG_FUZZ_SEED for others.
#include <google/protobuf/text_format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autobreaker/breaker/circuit_breaker.h"
#include "autobreaker/breaker/policy.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/config/config.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

// Of each format. The sanitizers, which build with asserts, take about ten
// times as long for each.
#ifdef NDEBUG
constexpr int64_t kInputs = 500'000;
#else
constexpr int64_t kInputs = 20'000;
#endif

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* const text = std::getenv(name);
  int64_t value = otherwise;
  if (text != nullptr &&
      (!absl::SimpleAtoi(text, &value) || value < 0 || value > 1'000'000'000)) {
    ADD_FAILURE() << name << " is " << text << ", must be in [0, 10^9]";
  }
  return value;
}

// Each field of a configuration is in one of these.
const std::vector<std::string>& GoodJson() {
  static const auto* texts = new std::vector<std::string>{
      R"({"breakers": [{"names": [{}]}]})",
      R"({"breakers": [{"names": [{}],
          "options": {"open": {"duration": "0.2s"}}}]})",
      R"({"breakers":[{"names":[{"service":"s"},{"service":"s","method":"m"}],
          "options":{"trip":{"evidence":{"toleratedBurst":"0.1s","off":false,
          "normalFailureRate":0.01,"breakEvenFailureRate":0.3,
          "callsPerFalseOpening":"1000"}}},
          "classification":{"failures":["UNAVAILABLE","INTERNAL"],
          "ignored":["CANCELLED"]}}]})",
      R"({"breakers":[{"names":[{"name":"n"}],"mode":"SHADOW"},
          {"names":[{"service":"t"}],"unguarded":true},
          {"names":[{}],"mode":"FORCED_OPEN"}]})",
      R"({"breakers":[{"names":[{"name":"n","service":"s","method":"m"}],
          "options":{"trip":{"failureRateThreshold":0.5,"minimumCalls":"12",
          "window":"60s","windowBuckets":6,"consecutiveFailures":5,
          "slowCallDuration":"1s","slowCallRateThreshold":0.5}}}]})",
      R"({"breakers":[{"names":[{"name":"n","service":"s"}],
          "options":{"open":{"paceByCalls":{"probeShare":0.2},"duration":"1s",
          "durationMultiplier":2,"durationMax":"30s","durationJitter":0.1},
          "halfOpen":{"successesToClose":"3","maxCalls":"2","lease":"9s"}}},
          {"names":[{"name":"o"}],
          "options":{"open":{"paceByCalls":{"off":true}}}}]})"};
  return *texts;
}

// The same in the other format.
std::vector<std::string> GoodTextproto() {
  std::vector<std::string> texts;
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  for (const std::string& json : GoodJson()) {
    printer.PrintToString(ParseConfig(json, ConfigFormat::kJson, "").value(),
                          &texts.emplace_back());
  }
  return texts;
}

class Mutator {
 public:
  // `words` are put in one another's place.
  Mutator(std::vector<std::string> pool, std::vector<absl::string_view> words,
          uint64_t seed)
      : good_(pool.size()), pool_(std::move(pool)), words_(std::move(words)) {
    random_.seed(seed);
  }

  std::string Next() {
    // From a good one half of the time, or they would all become trivial.
    std::string text = pool_[Below(Below(2) == 0 ? good_ : pool_.size())];
    do {
      Mutate(text);
    } while (Below(3) == 0);
    return text;
  }

  // A text that was accepted and from which others may come.
  void Keep(std::string text) {
    constexpr size_t kMostTexts = 64;
    constexpr size_t kLongest = 700;
    if (text.size() > kLongest) return;
    if (pool_.size() < kMostTexts) {
      pool_.push_back(std::move(text));
    } else {
      pool_[good_ + Below(pool_.size() - good_)] = std::move(text);
    }
  }

 private:
  size_t Below(size_t n) { return random_() % n; }
  char Byte() { return static_cast<char>(Below(256)); }

  void Mutate(std::string& text) {
    const size_t at = Below(text.size() + 1);
    const size_t length = Below(std::min<size_t>(text.size() - at, 40) + 1);
    switch (Below(16)) {
      case 0:
        if (at < text.size()) text[at] ^= static_cast<char>(1 << Below(8));
        return;
      case 1:
        text.erase(at, length);
        return;
      case 2:
        text.insert(at, text.substr(at, length));
        return;
      case 3:
        text.insert(at, 1, Byte());
        return;
      case 4:
        text.resize(at);
        return;
      case 5: {
        const std::string& other = pool_[Below(pool_.size())];
        text.replace(at, std::string::npos, other, Below(other.size() + 1),
                     std::string::npos);
        return;
      }
      case 6:
      case 7:
      case 8:
        return SwapWord(text);
      case 9:
        return RepeatGroup(text, at);
      default:
        return SwapNumber(text, at);
    }
  }

  void SwapWord(std::string& text) {
    // One that is in the text, if a few tries find it.
    for (int i = 0; i < 20; ++i) {
      const absl::string_view word = words_[Below(words_.size())];
      const size_t at = text.find(std::string(word), Below(text.size() + 1));
      if (at == std::string::npos) continue;
      text.replace(at, word.size(), std::string(words_[Below(words_.size())]));
      return;
    }
  }

  // What stands in braces, once more.
  void RepeatGroup(std::string& text, size_t from) {
    const size_t begin = text.find('{', from);
    if (begin == std::string::npos) return;
    int depth = 0;
    for (size_t i = begin; i < text.size(); ++i) {
      if (text[i] == '{') ++depth;
      if (text[i] == '}' && --depth == 0) {
        const std::string group = text.substr(begin, i + 1 - begin);
        if (group.size() < 300) text.insert(begin, absl::StrCat(group, ","));
        return;
      }
    }
  }

  void SwapNumber(std::string& text, size_t from) {
    static constexpr const char* kNumbers[] = {
        "0",  "1",    "2",   "3",   "0.5",        "0.01",  "1e-9", "-1", "60",
        "61", "1000", "1e9", "nan", "2147483648", "1e400", "00",   "-0", "7.5"};
    const size_t begin = text.find_first_of("0123456789", from);
    if (begin == std::string::npos) return;
    size_t end = text.find_first_not_of("0123456789.", begin);
    if (end == std::string::npos) end = text.size();
    // One that fits often enough, so that the others are mostly alone.
    const size_t which = Below(2) == 0 ? Below(std::size(kNumbers)) : Below(6);
    text.replace(begin, end - begin, kNumbers[which]);
  }

  const size_t good_;
  std::vector<std::string> pool_;
  const std::vector<absl::string_view> words_;
  std::mt19937_64 random_;
};

std::shared_ptr<BreakerRegistry> MakeRegistry() {
  auto registry = BreakerRegistry::Create().value();
  BreakerOptions options;
  options.trip.minimum_calls = 77;
  EXPECT_TRUE(registry->SetOptions({"", "s", ""}, options).ok());
  return registry;
}

// One for every kind of scope there is in the good texts.
const std::array<BreakerKey, 6>& Keys() {
  static const auto* keys = new std::array<BreakerKey, 6>{{{"n", "s", "m"},
                                                           {"x", "s", "m"},
                                                           {"n", "s", "x"},
                                                           {"x", "t", "x"},
                                                           {"n", "x", "x"},
                                                           {}}};
  return *keys;
}

using Policies = std::array<BreakerPolicy, 6>;

Policies PoliciesOf(const BreakerRegistry& registry) {
  Policies policies;
  for (size_t i = 0; i < policies.size(); ++i) {
    policies[i] = registry.PolicyFor(Keys()[i]);
  }
  return policies;
}

absl::Status Apply(const std::string& text, ConfigFormat format,
                   BreakerRegistry* registry, bool* parsed) {
  const absl::StatusOr<v1::Config> config = ParseConfig(text, format, "f");
  *parsed = config.ok();
  if (!config.ok()) return config.status();
  return ApplyConfig(*config, registry, "f");
}

void Fuzz(Mutator mutator, ConfigFormat format, int64_t inputs) {
  const std::shared_ptr<BreakerRegistry> registry = MakeRegistry();
  const auto breaker = registry->GetOrCreate(Keys()[0]);
  Policies before = PoliciesOf(*registry);
  int64_t all_parsed = 0;
  int64_t all_applied = 0;
  int64_t all_changed = 0;
  for (int64_t i = 0; i < inputs; ++i) {
    std::string text = mutator.Next();
    bool parsed;
    const absl::Status status = Apply(text, format, registry.get(), &parsed);
    all_parsed += parsed;
    if (!parsed) {
      // It had no hand in the registry. A look at one key now and then will do.
      const size_t key = i % Keys().size();
      ASSERT_TRUE(registry->PolicyFor(Keys()[key]) == before[key]) << text;
      continue;
    }
    if (!status.ok()) {
      ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
      ASSERT_TRUE(PoliciesOf(*registry) == before) << text;
      continue;
    }
    ++all_applied;
    // As if there had been no other before it.
    const std::shared_ptr<BreakerRegistry> fresh = MakeRegistry();
    ASSERT_TRUE(Apply(text, format, fresh.get(), &parsed).ok()) << text;
    Policies after = PoliciesOf(*fresh);
    all_changed += after != before;
    before = std::move(after);
    ASSERT_TRUE(PoliciesOf(*registry) == before) << text;
    const RegisteredSnapshot s = breaker->Snapshot();
    ASSERT_TRUE(s.options == before[0].options && s.mode == before[0].mode &&
                s.unguarded == before[0].unguarded &&
                s.status_classes == before[0].status_classes)
        << text;
    mutator.Keep(std::move(text));
  }
  const double percent = 100.0 / static_cast<double>(inputs);
  std::printf("%lld texts: %.1f %% parsed, %.1f %% applied, %.1f %% new\n",
              static_cast<long long>(inputs), all_parsed * percent,
              all_applied * percent, all_changed * percent);
  // Else it would test little beyond the parser.
  EXPECT_GT(all_changed * percent, 10);
  EXPECT_GT((all_parsed - all_applied) * percent, 2);
}

constexpr absl::string_view kWords[] = {
    "AUTOMATIC", "FORCED_OPEN", "FORCED_CLOSED",
    "SHADOW",    "UNAVAILABLE", "INTERNAL",
    "CANCELLED", "OK",          "true",
    "false",     "\"s\"",       "\"n\"",
    "\"m\"",     "\"t\"",       "{}",
    "name",      "service",     "method",
    "unguarded", "mode"};

std::vector<absl::string_view> Words(
    std::initializer_list<absl::string_view> more) {
  std::vector<absl::string_view> words(std::begin(kWords), std::end(kWords));
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(ConfigFuzzTest, Json) {
  Fuzz(Mutator(GoodJson(),
               Words({"\"0.2s\"", "\"1s\"", "\"60s\"", "window", "duration",
                      "durationMax", "lease", "slowCallDuration", "trip",
                      "open", "halfOpen", "windowBuckets", "minimumCalls",
                      "consecutiveFailures", "null", "[]", ","}),
               FromEnvironment("CONFIG_FUZZ_SEED", 1)),
       ConfigFormat::kJson, FromEnvironment("CONFIG_FUZZ_INPUTS", kInputs));
}

TEST(ConfigFuzzTest, Textproto) {
  Fuzz(Mutator(GoodTextproto(),
               Words({"seconds", "nanos", "window", "duration", "duration_max",
                      "lease", "trip", "open", "half_open",
                      "slow_call_duration", "window_buckets", "minimum_calls",
                      "consecutive_failures", "#", "[", ":", "breakers"}),
               FromEnvironment("CONFIG_FUZZ_SEED", 1)),
       ConfigFormat::kTextproto,
       FromEnvironment("CONFIG_FUZZ_INPUTS", kInputs));
}

}  // namespace
}  // namespace autobreaker
