#include "autobreaker/admin/internal/options_mask.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autobreaker/breaker/internal/utf8.h"
#include "autobreaker/config/convert.h"

namespace autobreaker {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldMask;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::FieldMaskUtil;

// A message of fields, and not one value like a Duration.
bool HasOptions(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field->message_type()->file() ==
             v1::BreakerOptions::descriptor()->file();
}

// Whether it is one of BreakerOptions or of a message of options in it.
bool IsField(const std::string& path) {
  std::vector<const FieldDescriptor*> fields;
  if (!FieldMaskUtil::GetFieldDescriptors(v1::BreakerOptions::descriptor(),
                                          path, &fields)) {
    return false;
  }
  // Of empty names it takes no notice.
  std::vector<std::string> names;
  for (const FieldDescriptor* const field : fields) {
    names.emplace_back(field->name());
  }
  return !fields.empty() && absl::StrJoin(names, ".") == path &&
         std::all_of(fields.begin(), fields.end() - 1, HasOptions);
}

// Lays what `given` has over `*to`, value by value.
void Overlay(const Message& given, Message* to) {
  const Reflection* const reflection = given.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(given, &fields);
  for (const FieldDescriptor* const field : fields) {
    if (HasOptions(field)) {
      Overlay(reflection->GetMessage(given, field),
              reflection->MutableMessage(to, field));
    } else {
      // Merging would mix the seconds and the nanoseconds of two durations.
      reflection->ClearField(to, field);
    }
  }
  to->MergeFrom(given);
}

// Whether the mask has the path, or one of a group that it is in.
bool Takes(const FieldMask& mask, const std::string& path) {
  return std::any_of(mask.paths().begin(), mask.paths().end(),
                     [&path](const std::string& taken) {
                       return taken == path ||
                              absl::StartsWith(path, absl::StrCat(taken, "."));
                     });
}

// What decides whether options that can be off are. All of one type.
struct Sources {
  const Message& given;
  const Message& taken;    // what of `given` the mask takes
  const Message& base;     // with every field
  const Message& current;  // with every field
};

Sources In(const FieldDescriptor* field, const Sources& s) {
  const auto in = [field](const Message& message) -> const Message& {
    return message.GetReflection()->GetMessage(message, field);
  };
  return {in(s.given), in(s.taken), in(s.base), in(s.current)};
}

// Settles what can be off in `*changes`, the group of this path. `is_given` is
// whether the message has the group.
void Settle(const FieldMask& mask, const std::string& path, bool is_given,
            const Sources& s, Message* changes) {
  const Reflection* const reflection = changes->GetReflection();
  const Descriptor* const descriptor = changes->GetDescriptor();
  const auto path_of = [&path](const FieldDescriptor* field) {
    return absl::StrCat(path, path.empty() ? "" : ".",
                        std::string(field->name()));
  };
  if (const FieldDescriptor* const off = descriptor->FindFieldByName("off");
      off != nullptr) {
    const bool is_off =
        Takes(mask, path_of(off))
            ? reflection->GetBool(is_given ? s.given : s.base, off)
            : s.taken.ByteSizeLong() == 0 &&
                  reflection->GetBool(s.current, off);
    // Beside it only what the message gives, which is refused then.
    if (is_off) changes->CopyFrom(s.taken);
    reflection->SetBool(changes, off, is_off);
  }
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* const field = descriptor->field(i);
    if (!HasOptions(field)) continue;
    Settle(mask, path_of(field), reflection->HasField(s.given, field),
           In(field, s), reflection->MutableMessage(changes, field));
  }
}

}  // namespace

absl::Status MergeMaskedOptions(const v1::BreakerOptions& message,
                                const FieldMask& mask,
                                const BreakerOptions& base,
                                BreakerOptions* options) {
  if (mask.paths().empty()) return MergeOptions(message, options);
  // Twice as many as there are fields.
  constexpr int kMostPaths = 64;
  if (mask.paths_size() > kMostPaths) {
    return absl::InvalidArgumentError(
        absl::StrCat("update_mask has ", mask.paths_size(),
                     " paths, must have at most ", kMostPaths));
  }
  FieldMask fields;  // without "*"
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      fields.MergeFrom(
          FieldMaskUtil::GetFieldMaskForAllFields<v1::BreakerOptions>());
      continue;
    }
    if (!IsField(path)) {
      return absl::InvalidArgumentError(
          absl::StrCat("update_mask has \"", Escape(path),
                       "\", must be a field of options"));
    }
    fields.add_paths(path);
  }

  v1::BreakerOptions taken = message;
  FieldMaskUtil::TrimMessage(fields, &taken);
  const v1::BreakerOptions base_message = ToProto(base);
  const v1::BreakerOptions current = ToProto(*options);

  // All that is taken: as given, else as in the base, else as by default.
  v1::BreakerOptions changes = ToProto(BreakerOptions());
  Overlay(base_message, &changes);
  Overlay(message, &changes);
  FieldMaskUtil::TrimMessage(fields, &changes);

  Settle(fields, "", true, {message, taken, base_message, current}, &changes);
  return MergeOptions(changes, options);
}

}  // namespace autobreaker
