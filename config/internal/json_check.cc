#include "autobreaker/config/internal/json_check.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "autobreaker/breaker/internal/utf8.h"

namespace autobreaker {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

// Of a name or value that may be as long as the text.
std::string Quoted(absl::string_view text) {
  constexpr size_t kMost = 100;
  return absl::StrCat("\"", Escape(text.substr(0, kMost)),
                      text.size() > kMost ? "..." : "", "\"");
}

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() == "google.protobuf.Duration";
}

bool IsObject(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         !IsDuration(field);
}

bool AreDigits(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool IsInteger(absl::string_view text, int64_t* value) {
  absl::string_view digits = text;
  absl::ConsumePrefix(&digits, "-");
  return AreDigits(digits) && absl::SimpleAtoi(text, value);
}

// One that JSON could have without the quotes; abseil would take "nan", too.
bool IsNumber(absl::string_view text) {
  double value = 0;
  return text.find_first_not_of("0123456789.eE+-") == absl::string_view::npos &&
         !text.empty() && text[0] != '+' && text[0] != '.' &&
         text.back() != '.' && absl::SimpleAtod(text, &value) &&
         std::isfinite(value);
}

// As protobuf writes one in JSON: up to 10,000 years, in seconds with at most
// nine digits of nanoseconds.
bool IsDurationText(absl::string_view text) {
  constexpr int64_t kMostSeconds = 315'576'000'000;
  if (!absl::ConsumeSuffix(&text, "s")) return false;
  const size_t point = std::min(text.find('.'), text.size());
  int64_t seconds = 0;
  if (!IsInteger(text.substr(0, point), &seconds) ||
      std::abs(seconds) > kMostSeconds) {
    return false;
  }
  const size_t places = text.size() - point;  // with the point
  return places == 0 || (places <= 10 && AreDigits(text.substr(point + 1)));
}

// Of one with a point or an exponent, which is read as a double: below 2^53 it
// is the number that was written. protobuf 36 takes no more than 2^53, either.
bool IsWholeNumber(double value) {
  return std::trunc(value) == value && std::abs(value) < 0x1p53;
}

bool FitsInteger(const FieldDescriptor& field, int64_t value) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_ENUM:
      return value >= std::numeric_limits<int32_t>::min() &&
             value <= std::numeric_limits<int32_t>::max();
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return true;
    default:
      return false;
  }
}

bool FitsNumber(const FieldDescriptor& field, double value) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE) return true;
  return field.cpp_type() != FieldDescriptor::CPPTYPE_ENUM &&
         IsWholeNumber(value) &&
         FitsInteger(field, static_cast<int64_t>(value));
}

bool FitsText(const FieldDescriptor& field, const std::string& text) {
  int64_t integer = 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return true;
    case FieldDescriptor::CPPTYPE_ENUM:
      return field.enum_type()->FindValueByName(text) != nullptr;
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return IsInteger(text, &integer) && FitsInteger(field, integer);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return IsNumber(text);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return IsDuration(field) && IsDurationText(text);
    default:
      return false;
  }
}

// What the values of a field must be.
std::string Wanted(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return "a string";
    case FieldDescriptor::CPPTYPE_ENUM: {
      std::string names = "one of ";
      const EnumDescriptor& values = *field.enum_type();
      for (int i = 0; i < values.value_count(); ++i) {
        absl::StrAppend(&names, i > 0 ? ", " : "", values.value(i)->name());
      }
      return names;
    }
    case FieldDescriptor::CPPTYPE_INT32:
      return "a whole number of 32 bits";
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number of 64 bits, written without an exponent";
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    default:
      return IsDuration(field) ? "a duration such as \"1.5s\"" : "an object";
  }
}

// Hears of the text from its beginning to its end, as nlohmann's parser wants
// it; a false ends the parsing.
class Checker {
 public:
  using Json = nlohmann::json;

  Checker(const std::string& text, absl::string_view source,
          const Descriptor& type)
      : text_(text), source_(source), type_(type) {}

  const absl::Status& status() const { return status_; }

  bool null() {
    // Elsewhere it is as if the field were left out.
    if (objects_.empty()) return Fail("is null, must be an object");
    if (!objects_.back().in_list) return true;
    ++objects_.back().index;
    return Fail(absl::StrCat(Path(), " is null, must be given or left out"));
  }
  bool boolean(bool value) {
    return Take(value ? "true" : "false", [](const FieldDescriptor& field) {
      return field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
    });
  }
  bool number_integer(Json::number_integer_t value) {
    return Take(absl::StrCat(value), [value](const FieldDescriptor& field) {
      return FitsInteger(field, value);
    });
  }
  bool number_unsigned(Json::number_unsigned_t value) {
    return Take(absl::StrCat(value), [value](const FieldDescriptor& field) {
      constexpr auto kMost = std::numeric_limits<int64_t>::max();
      return value <= static_cast<uint64_t>(kMost)
                 ? FitsInteger(field, static_cast<int64_t>(value))
                 : field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
    });
  }
  bool number_float(Json::number_float_t value, const std::string& text) {
    return Take(text.substr(0, 30), [value](const FieldDescriptor& field) {
      return FitsNumber(field, value);
    });
  }
  bool string(std::string& value) {
    return Take(Quoted(value), [&value](const FieldDescriptor& field) {
      return FitsText(field, value);
    });
  }
  bool binary(Json::binary_t&) { return false; }  // JSON has none

  bool start_object(size_t) {
    if (objects_.empty()) {
      objects_.push_back({&type_, ""});
      return true;
    }
    if (!Take("an object", IsObject)) return false;
    const Descriptor* const type = objects_.back().field->message_type();
    objects_.push_back({type, absl::StrCat(Path(), ".")});
    return true;
  }
  bool key(std::string& name) {
    Object& object = objects_.back();
    object.field = object.type->FindFieldByName(name);
    if (object.field == nullptr) {
      object.field = object.type->FindFieldByCamelcaseName(name);
    }
    if (object.field == nullptr) {
      std::string names;
      for (int i = 0; i < object.type->field_count(); ++i) {
        absl::StrAppend(&names, i > 0 ? ", " : "",
                        object.type->field(i)->name());
      }
      return Fail(absl::StrCat(object.prefix, Quoted(name),
                               " is no field, must be one of ", names));
    }
    if (!object.seen.insert(object.field).second) {
      return Fail(absl::StrCat(Path(), " is given twice, must be once"));
    }
    return true;
  }
  bool end_object() {
    objects_.pop_back();
    return true;
  }

  bool start_array(size_t) {
    if (objects_.empty() || objects_.back().in_list ||
        !objects_.back().field->is_repeated()) {
      return Take("a list", [](const auto&) { return false; });
    }
    objects_.back().in_list = true;
    objects_.back().index = -1;
    return true;
  }
  bool end_array() {
    objects_.back().in_list = false;
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const Json::exception& error) {
    // Of "[json.exception...] parse error at line 1, column 2: what it is". It
    // counts bytes up to and with the one that it does not like.
    absl::string_view what = error.what();
    what.remove_prefix(std::min(what.find("] ") + 2, what.size()));
    if (absl::StartsWith(what, "parse error at")) {
      what.remove_prefix(std::min(what.find(": ") + 2, what.size()));
    }
    const absl::string_view before =
        absl::string_view(text_).substr(0, position > 0 ? position - 1 : 0);
    const size_t line_end = before.rfind('\n');
    const size_t column = line_end == absl::string_view::npos
                              ? before.size()
                              : before.size() - line_end - 1;
    status_ = absl::InvalidArgumentError(
        absl::StrCat(source_, source_.empty() ? "" : ":",
                     std::count(before.begin(), before.end(), '\n') + 1, ":",
                     column + 1, ": ", what.substr(0, 300)));
    return false;
  }

 private:
  // One that has begun and not ended.
  struct Object {
    const Descriptor* type;
    std::string prefix;  // of its fields, as "breakers[1]."
    std::set<const FieldDescriptor*> seen = {};
    const FieldDescriptor* field = nullptr;  // of the last key
    bool in_list = false;
    int index = -1;  // in the list
  };

  // Of the value that comes, or came last.
  std::string Path() const {
    const Object& object = objects_.back();
    std::string path = absl::StrCat(object.prefix, object.field->name());
    if (object.in_list) absl::StrAppend(&path, "[", object.index, "]");
    return path;
  }

  // Whether the value that comes, which is `what`, may be there.
  template <typename Fits>
  bool Take(absl::string_view what, Fits fits) {
    if (objects_.empty()) {
      return Fail(absl::StrCat("is ", what, ", must be an object"));
    }
    Object& object = objects_.back();
    const bool lacks_list = object.field->is_repeated() && !object.in_list;
    if (object.in_list) ++object.index;
    if (!lacks_list && fits(*object.field)) return true;
    return Fail(absl::StrCat(Path(), " is ", what, ", must be ",
                             lacks_list ? "a list" : Wanted(*object.field)));
  }

  bool Fail(absl::string_view what) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat(source_, source_.empty() ? "" : ": ", what));
    return false;
  }

  const std::string& text_;
  const absl::string_view source_;
  const Descriptor& type_;
  std::vector<Object> objects_;  // each in the one before
  absl::Status status_;
};

}  // namespace

absl::Status CheckJson(const std::string& text, absl::string_view source,
                       const Descriptor& type) {
  Checker checker(text, source, type);
  nlohmann::json::sax_parse(text, &checker);
  return checker.status();
}

}  // namespace autobreaker
