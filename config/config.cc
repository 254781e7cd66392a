#include "autobreaker/config/config.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/config/internal/json_check.h"

namespace autobreaker {
namespace {

absl::Status InvalidConfig(absl::string_view source, absl::string_view what) {
  // The text that was refused may be any bytes, and parts of it are in `what`.
  return absl::InvalidArgumentError(ReplaceInvalidUtf8(
      source.empty() ? std::string(what) : absl::StrCat(source, ": ", what)));
}

absl::Status ParseJson(const std::string& text, absl::string_view source,
                       v1::Config* config) {
  if (const absl::Status status =
          CheckJson(text, source, *v1::Config::descriptor());
      !status.ok()) {
    return InvalidConfig("", status.message());
  }
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, config);
  if (parsed.ok()) return absl::OkStatus();
  return InvalidConfig(source, absl::string_view(parsed.message().data(),
                                                 parsed.message().size()));
}

// Keeps the first errors, each with its place. Both functions are there since
// protobuf renamed the one that it calls.
class Errors final : public google::protobuf::io::ErrorCollector {
 public:
  explicit Errors(absl::string_view source) : source_(source) {}

  void AddError(int line, int column, const std::string& message) {
    RecordError(line, column, message);
  }
  void RecordError(int line, int column, absl::string_view message) {
    constexpr size_t kMost = 10;
    if (errors_.size() >= kMost) return;
    // As editors count.
    errors_.push_back(absl::StrCat(source_, source_.empty() ? "" : ":",
                                   line + 1, ":", column + 1, ": ", message));
  }

  std::string Text() const { return absl::StrJoin(errors_, "; "); }

 private:
  const absl::string_view source_;
  std::vector<std::string> errors_;
};

absl::Status ParseTextproto(const std::string& text, absl::string_view source,
                            v1::Config* config) {
  Errors errors(source);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  if (!parser.ParseFromString(text, config)) {
    return InvalidConfig("", errors.Text());
  }
  return absl::OkStatus();
}

// A service or method, which has no wildcards, and is no path.
absl::Status CheckPart(const BreakerKey& scope, absl::string_view field,
                       absl::string_view part, absl::string_view not_in_it) {
  const size_t found = part.find_first_of(not_in_it);
  if (found == absl::string_view::npos) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "is ", ToString(scope), ", must have no '", part.substr(found, 1),
      "' in its ", field,
      part[found] == '*'
          ? ": there are no wildcards, leave it out for all"
          : ": \"/a.B/C\" is the service \"a.B\" and the method \"C\""));
}

absl::Status CheckScope(const BreakerKey& scope) {
  if (!scope.partition.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("is ", ToString(scope),
                     ", must have no partition: an entry is for all of them"));
  }
  const size_t length =
      scope.name.size() + scope.service.size() + scope.method.size();
  if (length > BreakerRegistry::kMaxKeyLength) {
    return absl::InvalidArgumentError(
        absl::StrCat("is ", length, " bytes long, must be at most ",
                     BreakerRegistry::kMaxKeyLength));
  }
  absl::Status status = CheckPart(scope, "name", scope.name, "*");
  if (status.ok()) status = CheckPart(scope, "service", scope.service, "*/");
  if (status.ok()) status = CheckPart(scope, "method", scope.method, "*/");
  if (!status.ok()) return status;
  if (!scope.method.empty() && scope.service.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is ", ToString(scope), ", must have a service with a method"));
  }
  return absl::OkStatus();
}

// All of the policy but its options, which depend on the scope.
absl::Status MakeHandling(const v1::Entry& entry, BreakerPolicy* policy) {
  policy->unguarded = entry.unguarded();
  if (entry.has_classification()) {
    absl::Status status = MakeStatusClasses(entry.classification(),
                                            &policy->status_classes.emplace());
    if (!status.ok()) return status;
  }
  return MakeMode(entry.mode(), &policy->mode);
}

absl::Status MakeOptions(const v1::BreakerOptions& message,
                         BreakerOptions* options) {
  absl::Status status = MergeOptions(message, options);
  return status.ok() ? options->Validate() : status;
}

}  // namespace

absl::StatusOr<v1::Config> ParseConfig(const std::string& text,
                                       ConfigFormat format,
                                       absl::string_view source) {
  v1::Config config;
  // As editors write it. It cannot be seen in what a parser says of it.
  if (absl::StartsWith(text, "\xEF\xBB\xBF")) {
    return InvalidConfig(
        source, "begins with a byte order mark, must be UTF-8 without");
  }
  const absl::Status status = format == ConfigFormat::kJson
                                  ? ParseJson(text, source, &config)
                                  : ParseTextproto(text, source, &config);
  if (!status.ok()) return status;
  if (config.breakers().empty()) {
    return InvalidConfig(
        source, absl::StrCat("breakers is empty, must hold an entry; ",
                             format == ConfigFormat::kJson
                                 ? R"({"breakers": [{"names": [{}]}]})"
                                 : "\"breakers { names {} }\"",
                             " leaves everything as the program has it"));
  }
  return config;
}

absl::StatusOr<std::map<BreakerKey, BreakerPolicy>> MakePolicies(
    const v1::Config& config, const BreakerRegistry& registry) {
  std::map<BreakerKey, BreakerPolicy> policies;
  std::map<BreakerKey, std::string> places;
  for (int i = 0; i < config.breakers_size(); ++i) {
    const v1::Entry& entry = config.breakers(i);
    const std::string at = absl::StrCat("breakers[", i, "]");
    if (entry.names().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          at, ": names is empty, must hold a name; {} is every breaker"));
    }
    BreakerPolicy policy;
    const absl::Status handling = MakeHandling(entry, &policy);
    for (int j = 0; j < entry.names_size(); ++j) {
      const BreakerKey scope = MakeKey(entry.names(j));
      const std::string name = absl::StrCat("names[", j, "]");
      if (absl::Status status = CheckScope(scope); !status.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(at, ": ", name, " ", status.message()));
      }
      const auto [place, is_new] =
          places.emplace(scope, absl::StrCat(at, ".", name));
      if (!is_new) {
        return absl::InvalidArgumentError(
            absl::StrCat(at, ": ", name, " is ", ToString(scope), " as is ",
                         place->second, ", must be given only once"));
      }
      policy.options = registry.ProgramOptions(scope);
      const absl::Status options =
          MakeOptions(entry.options(), &policy.options);
      if (!handling.ok() || !options.ok()) {
        return absl::InvalidArgumentError(absl::StrCat(
            at, " ", ToString(scope), ": ",
            handling.ok() ? absl::StrCat("options: ", options.message())
                          : std::string(handling.message())));
      }
      policies.emplace(scope, policy);
    }
  }
  return policies;
}

absl::Status ApplyConfig(const v1::Config& config, BreakerRegistry* registry,
                         absl::string_view source) {
  const auto policies = MakePolicies(config, *registry);
  if (!policies.ok()) {
    return InvalidConfig(source, policies.status().message());
  }
  return registry->Apply(*policies);
}

}  // namespace autobreaker
