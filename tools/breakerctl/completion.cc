#include "autobreaker/tools/breakerctl/completion.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "autobreaker/config/convert.h"
#include "autobreaker/tools/breakerctl/command.h"
#include "autobreaker/tools/breakerctl/options.h"

namespace autobreaker::breakerctl {
namespace {

// bash takes "=", ":" and "@" for the ends of words. So what it calls the word
// is the end of what is one here. And it puts what it is told into the line as
// it is, where "$(...)" in the name of a breaker would be a command: so that is
// quoted.
constexpr char kScript[] = R"(_breakerctl() {
  local line=${COMP_LINE:0:COMP_POINT} cur=${COMP_WORDS[COMP_CWORD]} word
  local -a words
  read -ra words <<<"$line"
  if [[ $line == *[[:space:]] ]]; then words+=(""); fi
  local whole=${words[-1]}
  if [[ $cur == [=:@] ]]; then cur=; fi
  local stem=${whole%"$cur"}
  COMPREPLY=()
  while IFS= read -r word; do
    if [[ $word == "$whole"* && $word != "$stem" ]]; then
      printf -v word %q "${word#"$stem"}"
      COMPREPLY+=("$word")
    fi
  done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
  if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -F _breakerctl breakerctl
)";

struct Before {
  std::string verb;
  std::vector<std::string> others;        // after the verb
  std::string flag;                       // whose value comes next
  std::vector<std::string> common_flags;  // of all commands, as "--tls"
};

bool IsCommon(absl::string_view flag) {
  const std::vector<FlagWords> common = FlagsOf("");
  return std::any_of(common.begin(), common.end(),
                     [flag](const FlagWords& f) { return f.name == flag; });
}

// What the whole words are.
Before Sort(std::vector<std::string>::const_iterator begin,
            std::vector<std::string>::const_iterator end) {
  const std::vector<std::string> verbs = VerbWords();
  Before before;
  for (; begin != end; ++begin) {
    absl::string_view word = *begin;
    const std::string flag = std::exchange(before.flag, "");
    if (!flag.empty()) {  // this is its value
      if (IsCommon(flag)) {
        before.common_flags.push_back(absl::StrCat("--", flag, "=", word));
      }
    } else if (absl::ConsumePrefix(&word, "--")) {
      const absl::string_view name = word.substr(0, word.find('='));
      for (const FlagWords& known : FlagsOf(before.verb)) {
        if (known.has_value && known.name == word) before.flag = known.name;
      }
      if (before.flag.empty() && IsCommon(name)) {
        before.common_flags.push_back(*begin);
      }
    } else if (before.verb.empty()) {
      before.verb = *begin;
    } else if (std::find(verbs.begin(), verbs.end(),
                         absl::StrCat(before.verb, " ", *begin)) !=
               verbs.end()) {
      absl::StrAppend(&before.verb, " ", *begin);
    } else {
      before.others.push_back(*begin);
    }
  }
  return before;
}

std::vector<std::string> ValuesOf(absl::string_view verb,
                                  absl::string_view flag) {
  for (const FlagWords& words : FlagsOf(verb)) {
    if (words.name == flag) return words.values;
  }
  return {};
}

// "list", and of "config check" what follows `verb`.
std::vector<std::string> NextVerbWords(absl::string_view verb) {
  std::vector<std::string> next;
  for (const std::string& words : VerbWords()) {
    absl::string_view rest = words;
    if (!verb.empty() && !absl::ConsumePrefix(&rest, absl::StrCat(verb, " "))) {
      continue;
    }
    const std::string word(rest.substr(0, rest.find(' ')));
    if (std::find(next.begin(), next.end(), word) == next.end()) {
      next.push_back(word);
    }
  }
  return next;
}

std::vector<std::string> FieldWords() {
  std::vector<std::string> words;
  for (const std::string& assignment : Assignments(ToProto(BreakerOptions()))) {
    words.push_back(
        absl::StrCat(assignment.substr(0, assignment.find('=')), "="));
  }
  return words;
}

}  // namespace

absl::string_view BashScript() { return kScript; }

std::vector<std::string> Completions(const std::vector<std::string>& words,
                                     const KeyLookup& keys) {
  if (words.empty()) return {};
  const Before before = Sort(words.begin(), std::prev(words.end()));
  absl::string_view last = words.back();
  std::vector<std::string> found;
  if (!before.flag.empty()) {
    found = ValuesOf(before.verb, before.flag);
  } else if (absl::ConsumePrefix(&last, "--")) {
    const size_t equals = last.find('=');
    if (equals != absl::string_view::npos) {
      const absl::string_view flag = last.substr(0, equals);
      for (const std::string& value : ValuesOf(before.verb, flag)) {
        found.push_back(absl::StrCat("--", flag, "=", value));
      }
    } else {
      for (const FlagWords& flag : FlagsOf(before.verb)) {
        found.push_back(
            absl::StrCat("--", flag.name, flag.has_value ? "=" : ""));
      }
    }
  } else if (const auto verbs = NextVerbWords(before.verb); !verbs.empty()) {
    found = verbs;
  } else if (before.verb == "completion") {
    found = {"bash"};
  } else if (before.others.empty() && before.verb != "help" &&
             before.verb != "config check") {
    found = keys(before.common_flags);
  } else if (before.verb == "set-mode" && before.others.size() == 1) {
    found = ModeWords();
  } else if (before.verb == "update") {
    found = FieldWords();
  }
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](const std::string& word) {
                               return !absl::StartsWith(word, words.back());
                             }),
              found.end());
  return found;
}

}  // namespace autobreaker::breakerctl
