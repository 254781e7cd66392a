#include "autobreaker/tools/breakerctl/config_command.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/key.h"
#include "autobreaker/breaker/registry.h"
#include "autobreaker/config/config.h"
#include "autobreaker/config/config_file.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/tools/breakerctl/key.h"
#include "autobreaker/tools/breakerctl/options.h"

namespace autobreaker::breakerctl {
namespace {

std::string Count(size_t number, const char* one, const char* many) {
  return absl::StrCat(number, " ", number == 1 ? one : many);
}

std::string ScopeText(const BreakerKey& scope) {
  return Printable(ToString(scope));
}

// By field, "off" left out.
std::map<std::string, std::string> Values(const v1::BreakerOptions& options) {
  std::map<std::string, std::string> values;
  for (const std::string& assignment : Assignments(options)) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(assignment, absl::MaxSplits('=', 1));
    values.insert(parts);
  }
  return values;
}

std::string ValueOf(const std::map<std::string, std::string>& values,
                    const std::string& field) {
  const auto found = values.find(field);
  return found != values.end() ? found->second : "off";
}

// A registry with the options that the breakers' program set for them.
absl::StatusOr<std::shared_ptr<BreakerRegistry>> ProgramOf(
    const std::vector<v1::Breaker>& breakers) {
  std::map<BreakerKey, BreakerOptions> program;
  for (const v1::Breaker& breaker : breakers) {
    const v1::Policy& policy = breaker.policy();
    const absl::Status status = MergeOptions(
        policy.program_options(), &program[MakeKey(policy.program_for())]);
    if (!status.ok()) return status;
  }
  auto registry = BreakerRegistry::Create();
  for (const auto& [scope, options] : program) {
    const absl::Status status = (*registry)->SetOptions(scope, options);
    if (!status.ok()) return status;
  }
  return registry;
}

}  // namespace

absl::StatusOr<v1::Config> CheckConfig(const std::string& path) {
  absl::StatusOr<v1::Config> config = ReadConfigFile(path);
  if (!config.ok()) {
    return absl::InvalidArgumentError(config.status().message());
  }
  const auto registry = BreakerRegistry::Create().value();
  const absl::Status status = ApplyConfig(*config, registry.get(), path);
  if (!status.ok()) return status;
  return config;
}

std::string GoodLine(const std::string& path, const v1::Config& config) {
  size_t names = 0;
  for (const v1::Entry& entry : config.breakers()) {
    names += entry.names_size();
  }
  return absl::StrCat(Printable(path), " is good: ",
                      Count(config.breakers_size(), "entry", "entries"),
                      " for ", Count(names, "name", "names"), "\n");
}

absl::StatusOr<std::string> Matches(const v1::Config& config,
                                    const std::vector<v1::Breaker>& breakers) {
  const auto registry = ProgramOf(breakers);
  if (!registry.ok()) return registry.status();
  const absl::Status status = ApplyConfig(config, registry->get());
  if (!status.ok()) return status;
  std::map<BreakerKey, std::string> lines;  // by scope
  for (const v1::Breaker& breaker : breakers) {
    const BreakerKey key = MakeKey(breaker.key());
    const PolicyOrigin origin = (*registry)->OriginFor(key);
    if (!origin.configured_scope.has_value()) continue;
    absl::StrAppend(&lines[*origin.configured_scope], "    ",
                    KeyText(breaker.key()), "\n");
  }
  std::string text;
  for (int i = 0; i < config.breakers_size(); ++i) {
    for (const v1::BreakerKey& name : config.breakers(i).names()) {
      const BreakerKey scope = MakeKey(name);
      const auto found = lines.find(scope);
      absl::StrAppend(&text, "breakers[", i, "] ", ScopeText(scope), ":\n",
                      found != lines.end() ? found->second : "    none\n");
    }
  }
  return text;
}

std::string Explanation(const v1::Breaker& breaker) {
  const v1::Policy& policy = breaker.policy();
  const auto now = Values(breaker.options());
  const auto should = Values(policy.options());
  const auto program = Values(policy.program_options());
  const auto library = Values(policy.default_options());
  std::set<std::string> fields;
  size_t width = 0;
  for (const auto* values : {&now, &should}) {
    for (const auto& [field, value] : *values) {
      fields.insert(field);
      width = std::max(width, field.size() + 1 + ValueOf(now, field).size());
    }
  }
  std::string text = absl::StrCat(KeyText(breaker.key()), "\n");
  for (const std::string& field : fields) {
    const std::string value = ValueOf(now, field);
    std::string who = "library";
    if (value != ValueOf(should, field)) {
      who = absl::StrCat("by hand; else ", ValueOf(should, field));
    } else if (policy.has_configured_for() &&
               value != ValueOf(program, field)) {
      who = absl::StrCat("configuration, for ",
                         ScopeText(MakeKey(policy.configured_for())));
    } else if (value != ValueOf(library, field)) {
      who = absl::StrCat("program, for ",
                         ScopeText(MakeKey(policy.program_for())));
    }
    std::string assignment = absl::StrCat(field, "=", value);
    assignment.resize(std::max(assignment.size(), width), ' ');
    absl::StrAppend(&text, "  ", assignment, "  ", who, "\n");
  }
  return text;
}

}  // namespace autobreaker::breakerctl
