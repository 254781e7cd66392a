// Holds an enum and that of a message together when they are compiled: each
// value of one is a value of the other, with the same number.
//
//   constexpr v1::Mode MessageOf(Mode mode) {
//     switch (mode) {  // names each value; without one it does not compile
//       case Mode::kAutomatic:
//         return v1::AUTOMATIC;
//       ...
//     }
//     return kNone<v1::Mode>;
//   }
//   static_assert(HaveSameNumbers<Mode>(MessageOf, v1::Mode_MIN,
//   v1::Mode_MAX));
//
// So either can be made from the other by its number.
#ifndef AUTOBREAKER_CONFIG_ENUM_NUMBERS_H_
#define AUTOBREAKER_CONFIG_ENUM_NUMBERS_H_

namespace autobreaker {

// What is no value of the message's enum.
template <typename MessageEnum>
inline constexpr MessageEnum kNone = static_cast<MessageEnum>(-1);

// Whether the values of the message's enum, which are from `min` to `max`, are
// 0 and up, and each is what `message_of` makes of the same number. That each
// value of Enum has a name there is for -Wswitch to find.
template <typename Enum, typename MessageEnum>
constexpr bool HaveSameNumbers(MessageEnum (*message_of)(Enum), MessageEnum min,
                               MessageEnum max) {
  if (static_cast<int>(min) != 0) return false;
  for (int i = 0; i <= static_cast<int>(max); ++i) {
    if (static_cast<int>(message_of(static_cast<Enum>(i))) != i) return false;
  }
  return true;
}

}  // namespace autobreaker

#endif  // AUTOBREAKER_CONFIG_ENUM_NUMBERS_H_
