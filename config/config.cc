#include "autobreaker/config/config.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/breaker/options.h"
#include "autobreaker/config/convert.h"

namespace autobreaker {
namespace {

using google::protobuf::Value;

absl::Status InvalidConfig(absl::string_view source, absl::string_view what) {
  // The text that was refused may be any bytes, and parts of it are in `what`.
  return absl::InvalidArgumentError(ReplaceInvalidUtf8(
      source.empty() ? std::string(what) : absl::StrCat(source, ": ", what)));
}

// Of protobuf, whose messages show a part of the text on lines of its own and
// point into it from the next.
template <typename Status>
absl::Status JsonError(absl::string_view source, const Status& status) {
  const std::string message(status.message());
  const std::vector<std::string> words = absl::StrSplit(
      message, absl::ByAnyChar(" \t\r\n"), absl::SkipWhitespace());
  const std::string line = absl::StrJoin(words, " ");
  return InvalidConfig(source, absl::StripSuffix(line, " ^"));
}

// By reflection, since protobuf's maps have another layout in a program that is
// built for ThreadSanitizer than in a library that is not.
std::map<std::string, const Value*> FieldsOf(
    const google::protobuf::Struct& object) {
  std::map<std::string, const Value*> fields;
  const google::protobuf::Reflection* const reflection = object.GetReflection();
  const google::protobuf::FieldDescriptor* const field =
      object.GetDescriptor()->FindFieldByNumber(
          google::protobuf::Struct::kFieldsFieldNumber);
  const google::protobuf::Descriptor* const type = field->message_type();
  for (int i = 0; i < reflection->FieldSize(object, field); ++i) {
    const google::protobuf::Message& entry =
        reflection->GetRepeatedMessage(object, field, i);
    const google::protobuf::Reflection* const parts = entry.GetReflection();
    fields.emplace(parts->GetString(entry, type->map_key()),
                   static_cast<const Value*>(
                       &parts->GetMessage(entry, type->map_value())));
  }
  return fields;
}

// What protobuf reads over, as it was when it was said first: a null in a list,
// which would shift the entries after it, a list in a list, of which it takes
// the elements, and a field that is given by both of its names. Empty if there
// is none.
std::string Overlooked(const Value& value, const std::string& path) {
  if (value.has_list_value()) {
    for (int i = 0; i < value.list_value().values_size(); ++i) {
      const Value& element = value.list_value().values(i);
      const std::string at = absl::StrCat(path, "[", i, "]");
      if (element.has_list_value()) {
        return absl::StrCat(at, " is a list, must be an object or a value");
      }
      if (element.kind_case() == Value::kNullValue) {
        return absl::StrCat(at, " is null, must be given or left out");
      }
      if (std::string found = Overlooked(element, at); !found.empty()) {
        return found;
      }
    }
  }
  // The keys are fields of the configuration: half_open and halfOpen.
  std::set<std::string> fields;
  for (const auto& [key, field] : FieldsOf(value.struct_value())) {
    std::string name = absl::AsciiStrToLower(key);
    name.erase(std::remove(name.begin(), name.end(), '_'), name.end());
    const std::string at = path.empty() ? key : absl::StrCat(path, ".", key);
    if (!fields.insert(std::move(name)).second) {
      return absl::StrCat(at, " is given twice, must be once");
    }
    if (std::string found = Overlooked(*field, at); !found.empty()) {
      return found;
    }
  }
  return "";
}

absl::Status ParseJson(const std::string& text, absl::string_view source,
                       v1::Config* config) {
  const auto parsed = google::protobuf::util::JsonStringToMessage(text, config);
  if (!parsed.ok()) return JsonError(source, parsed);
  // A key that is there twice goes unnoticed in a message, but not in a map.
  Value value;
  const auto mapped = google::protobuf::util::JsonStringToMessage(text, &value);
  if (!mapped.ok()) return JsonError(source, mapped);
  if (std::string found = Overlooked(value, ""); !found.empty()) {
    return InvalidConfig(source, found);
  }
  return absl::OkStatus();
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
