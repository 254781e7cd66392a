#include "autobreaker/admin/internal/options_mask.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// The parts of a request that decide about options that can be off.
struct Request {
  const FieldMask& mask;
  const v1::BreakerOptions& message;
  v1::BreakerOptions taken;    // what of `message` the mask takes
  v1::BreakerOptions base;     // with every field
  v1::BreakerOptions current;  // with every field
};

bool Takes(const FieldMask& mask, const std::string& field,
           const std::string& subfield) {
  return std::any_of(
      mask.paths().begin(), mask.paths().end(), [&](const std::string& path) {
        return path == field || path == absl::StrCat(field, ".", subfield);
      });
}

// Whether `field`, which can be, is off afterwards.
bool IsOff(const Request& r, const FieldDescriptor* field,
           const FieldDescriptor* off) {
  const auto off_in = [&](const v1::BreakerOptions& options) {
    const Message& part = options.GetReflection()->GetMessage(options, field);
    return part.GetReflection()->GetBool(part, off);
  };
  const Reflection* const reflection = r.message.GetReflection();
  if (Takes(r.mask, std::string(field->name()), std::string(off->name()))) {
    return off_in(reflection->HasField(r.message, field) ? r.message : r.base);
  }
  const Message& taken = reflection->GetMessage(r.taken, field);
  return taken.ByteSizeLong() == 0 && off_in(r.current);
}

// What of `options` can be off, with the field that says so.
template <typename F>
void ForEachSwitch(F f) {
  const Descriptor* const options = v1::BreakerOptions::descriptor();
  for (int i = 0; i < options->field_count(); ++i) {
    const FieldDescriptor* const field = options->field(i);
    if (!HasOptions(field)) continue;
    f(field, field->message_type()->FindFieldByName("off"));
  }
}

}  // namespace

absl::Status MergeMaskedOptions(const v1::BreakerOptions& message,
                                const FieldMask& mask,
                                const BreakerOptions& base,
                                BreakerOptions* options) {
  if (mask.paths().empty()) return MergeOptions(message, options);
  FieldMask fields;  // without "*"
  for (const std::string& path : mask.paths()) {
    if (path == "*") {
      fields.MergeFrom(
          FieldMaskUtil::GetFieldMaskForAllFields<v1::BreakerOptions>());
      continue;
    }
    if (!IsField(path)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "update_mask has \"", path, "\", must be a field of options"));
    }
    fields.add_paths(path);
  }

  Request r{fields, message, message, ToProto(base), ToProto(*options)};
  FieldMaskUtil::TrimMessage(fields, &r.taken);

  // All that is taken: as given, else as in the base, else as by default.
  v1::BreakerOptions changes = ToProto(BreakerOptions());
  Overlay(r.base, &changes);
  Overlay(message, &changes);
  FieldMaskUtil::TrimMessage(fields, &changes);

  ForEachSwitch([&](const FieldDescriptor* field, const FieldDescriptor* off) {
    const Reflection* const reflection = changes.GetReflection();
    Message* const part = reflection->MutableMessage(&changes, field);
    const bool is_off = IsOff(r, field, off);
    // Beside it only what the message gives, which is refused then.
    if (is_off) part->CopyFrom(reflection->GetMessage(r.taken, field));
    part->GetReflection()->SetBool(part, off, is_off);
  });
  return MergeOptions(changes, options);
}

}  // namespace autobreaker
