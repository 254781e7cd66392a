#include "autobreaker/tools/breakerctl/options.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/tools/breakerctl/key.h"

namespace autobreaker::breakerctl {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// A group of options, such as `trip` or `trip.evidence`.
bool IsGroup(const FieldDescriptor* field) {
  return field->message_type() != nullptr &&
         field->message_type() != google::protobuf::Duration::descriptor();
}

// Of a group: the field that turns it off, if it can be.
const FieldDescriptor* OffField(const FieldDescriptor* group) {
  return group->message_type()->FindFieldByName("off");
}

void AppendNames(const Descriptor* descriptor, const std::string& prefix,
                 std::vector<std::string>* names) {
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* const field = descriptor->field(i);
    names->push_back(absl::StrCat(prefix, std::string(field->name())));
    if (IsGroup(field)) {
      AppendNames(field->message_type(), absl::StrCat(names->back(), "."),
                  names);
    }
  }
}

// Names those that end in the same word, or else all.
absl::Status NoSuchOption(absl::string_view name) {
  std::vector<std::string> all;
  AppendNames(v1::BreakerOptions::descriptor(), "", &all);
  const absl::string_view word = name.substr(name.rfind('.') + 1);
  std::vector<std::string> meant;
  for (const std::string& one : all) {
    if (absl::EndsWith(one, absl::StrCat(".", word))) meant.push_back(one);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("no option \"", Printable(name), "\"; there ",
                   meant.size() == 1 ? "is " : "are ",
                   absl::StrJoin(meant.empty() ? all : meant, ", ")));
}

// The fields that lead to the one of this name, from the outermost.
absl::StatusOr<std::vector<const FieldDescriptor*>> FindField(
    absl::string_view name) {
  const Descriptor* descriptor = v1::BreakerOptions::descriptor();
  std::vector<const FieldDescriptor*> path;
  for (const absl::string_view part : absl::StrSplit(name, '.')) {
    const FieldDescriptor* const field =
        descriptor != nullptr ? descriptor->FindFieldByName(std::string(part))
                              : nullptr;
    if (field == nullptr) return NoSuchOption(name);
    path.push_back(field);
    descriptor = IsGroup(field) ? field->message_type() : nullptr;
  }
  return path;
}

absl::Status AddPath(absl::string_view name, v1::UpdateRequest* request) {
  const auto& paths = request->update_mask().paths();
  if (std::find(paths.begin(), paths.end(), name) != paths.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is named more than once"));
  }
  request->mutable_update_mask()->add_paths(std::string(name));
  return absl::OkStatus();
}

bool SetDuration(absl::string_view value, const FieldDescriptor* field,
                 Message* message) {
  google::protobuf::Duration parsed;
  if (!ParseDuration(value, &parsed)) return false;
  message->GetReflection()->MutableMessage(message, field)->CopyFrom(parsed);
  return true;
}

bool SetGroup(absl::string_view value, const FieldDescriptor* field,
              Message* message) {
  const FieldDescriptor* const off = OffField(field);
  if (off == nullptr || (value != "on" && value != "off")) return false;
  Message* const group =
      message->GetReflection()->MutableMessage(message, field);
  if (value == "off") {
    group->GetReflection()->SetBool(group, off, true);
  }
  return true;
}

// By way of JSON, which knows how every type is written.
bool SetScalar(absl::string_view value, const FieldDescriptor* field,
               Message* message) {
  if (value.empty()) return false;
  std::string json(value);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL) {
    if (value != "true" && value != "false") return false;
  } else {
    google::protobuf::Value text;
    text.set_string_value(json);
    json.clear();
    if (!google::protobuf::util::MessageToJsonString(text, &json).ok()) {
      return false;
    }
  }
  const std::unique_ptr<Message> parsed(message->New());
  json = absl::StrCat("{\"", std::string(field->name()), "\":", json, "}");
  if (!google::protobuf::util::JsonStringToMessage(json, parsed.get()).ok()) {
    return false;
  }
  message->MergeFrom(*parsed);
  return true;
}

absl::string_view WhatItTakes(const FieldDescriptor* field) {
  if (IsGroup(field)) {
    return OffField(field) != nullptr ? "on or off" : "its options one by one";
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "a duration such as 100ms or 1m30s";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    default:
      return "a whole number";
  }
}

// Of every field that is given: its name and its value.
void AppendAssignments(const Message& message, const std::string& prefix,
                       std::vector<std::pair<std::string, std::string>>* out) {
  const Reflection* const reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    const std::string name = absl::StrCat(prefix, std::string(field->name()));
    if (!IsGroup(field)) {
      std::string value;
      if (field->message_type() != nullptr) {
        google::protobuf::Duration given;
        given.CopyFrom(reflection->GetMessage(message, field));
        absl::Duration duration;
        MakeDuration(given, &duration).IgnoreError();
        value = absl::FormatDuration(duration);
      } else {
        google::protobuf::TextFormat::PrintFieldValueToString(message, field,
                                                              -1, &value);
      }
      out->emplace_back(name, value);
      continue;
    }
    const Message& group = reflection->GetMessage(message, field);
    const FieldDescriptor* const off = OffField(field);
    if (off != nullptr && group.GetReflection()->GetBool(group, off)) {
      out->emplace_back(name, "off");
    } else {
      const size_t before = out->size();
      AppendAssignments(group, absl::StrCat(name, "."), out);
      if (off != nullptr && out->size() == before)
        out->emplace_back(name, "on");
    }
  }
}

// Whether the option of this name is, contains or is in that of the path.
bool Concerns(absl::string_view path, absl::string_view name) {
  return path == name || absl::StartsWith(name, absl::StrCat(path, ".")) ||
         absl::StartsWith(path, absl::StrCat(name, "."));
}

}  // namespace

absl::Status AddAssignment(absl::string_view assignment,
                           v1::UpdateRequest* request) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(assignment, absl::MaxSplits('=', 1));
  const auto& [name, value] = parts;
  if (!absl::StrContains(assignment, '=')) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", Printable(assignment), "\" is not of the form field=value"));
  }
  const auto path = FindField(name);
  if (!path.ok()) return path.status();
  if (const absl::Status status = AddPath(name, request); !status.ok()) {
    return status;
  }
  Message* message = request->mutable_options();
  for (const FieldDescriptor* const group : *path) {
    if (group == path->back()) break;
    message = message->GetReflection()->MutableMessage(message, group);
  }
  const FieldDescriptor* const field = path->back();
  const auto set = IsGroup(field)                     ? SetGroup
                   : field->message_type() != nullptr ? SetDuration
                                                      : SetScalar;
  if (!set(value, field, message)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " takes ", WhatItTakes(field), ", not \"",
                     Printable(value), "\""));
  }
  return absl::OkStatus();
}

absl::Status AddReset(absl::string_view field, v1::UpdateRequest* request) {
  const auto path = FindField(field);
  return path.ok() ? AddPath(field, request) : path.status();
}

std::vector<std::string> Assignments(const v1::BreakerOptions& options) {
  google::protobuf::FieldMask all;
  for (int i = 0; i < v1::BreakerOptions::descriptor()->field_count(); ++i) {
    all.add_paths(
        std::string(v1::BreakerOptions::descriptor()->field(i)->name()));
  }
  return Assignments(options, all);
}

std::vector<std::string> Assignments(
    const v1::BreakerOptions& options,
    const google::protobuf::FieldMask& fields) {
  std::vector<std::pair<std::string, std::string>> given;
  AppendAssignments(options, "", &given);
  std::vector<std::string> assignments;
  for (const auto& [name, value] : given) {
    if (std::any_of(fields.paths().begin(), fields.paths().end(),
                    [&name = name](const std::string& path) {
                      return Concerns(path, name);
                    })) {
      assignments.push_back(absl::StrCat(name, "=", value));
    }
  }
  return assignments;
}

bool ParseDuration(absl::string_view text,
                   google::protobuf::Duration* message) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration)) return false;
  *message = ToProto(duration);
  absl::Duration back;
  return MakeDuration(*message, &back).ok() && back == duration;
}

}  // namespace autobreaker::breakerctl
