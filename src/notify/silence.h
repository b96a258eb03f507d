// Silence: suppresses notifications of matching alerts for a period; it has an author and a reason. A value type.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "notify/matchers.h"

namespace monitor::notify {

struct Silence {
  enum class State : uint8_t { kPending, kActive, kExpired };

  std::string id;  // 16 hexadecimal digits
  Matchers matchers;
  int64_t starts_ms = 0;  // wall clock
  int64_t ends_ms = 0;    // the first moment after it
  int64_t created_ms = 0;
  int64_t updated_ms = 0;
  std::string author;
  std::string reason;

  State state(int64_t now_ms) const;
};
std::string_view to_string(Silence::State state);

inline constexpr size_t kMaxSilences = 10'000;
inline constexpr size_t kMaxReasonBytes = 1024;

// Checks a silence that somebody wants to set: matchers, times, author and reason. At least one matcher must require a
// label, because the silence would match every alert otherwise. Errors: kInvalidArgument.
Status check_silence(const Silence& silence);

// Whether the silence is a later version of the other one, which has the same id. Instances that have both keep the
// same.
bool is_newer(const Silence& silence, const Silence& other);

// The ids of the silences that apply to the labels at this moment.
std::vector<std::string> silences_of(std::span<const Silence> silences, const query::Labels& labels, int64_t now_ms);

// {"id":...,"matchers":["agent=~\"web-.*\""],"startsAt":...,"endsAt":...,"state":...}
std::string silence_json(const Silence& silence, int64_t now_ms);

// Who changes a silence, and how.
struct SilenceEditor {
  std::string who;
  std::string by;         // "command of" and the user's name on this host, or how the page's user has proved it
  std::string role = {};  // this and what follows: of the page's user
  std::string address = {};
  std::string forwarded_for = {};
};

// A silence, and who changed it last, as instances share it: JSON, and back. kInvalidArgument: it is something else, or
// has faults that check_silence() finds.
std::string encode_silence(const Silence& silence, const SilenceEditor& editor);
struct SharedSilence {
  Silence silence;
  SilenceEditor editor;
};
Result<SharedSilence> decode_silence(std::string_view text);
inline constexpr size_t kMaxSharedSilenceBytes = size_t{64} << 10;

}  // namespace monitor::notify
