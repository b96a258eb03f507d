#include "inputs/proc/user_names.h"

#include "base/clock.h"
#include "base/text.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

constexpr int64_t kReadEvery = 60 * kNanosPerSecond;

}  // namespace

std::unordered_map<uint32_t, std::string> parse_passwd(std::string_view text) {
  std::unordered_map<uint32_t, std::string> names;
  while (!text.empty()) {
    const auto fields = split(next_line(text), ':');
    if (fields.size() < 3 || fields[0].empty()) continue;
    const auto user = parse_u64(fields[2]);
    if (user && *user <= UINT32_MAX) names.emplace(static_cast<uint32_t>(*user), fields[0]);
  }
  return names;
}

std::string UserNames::name(uint32_t user, int64_t mono_ns) {
  if (!read_ || mono_ns - read_at_ >= kReadEvery) {
    read_ = true;
    read_at_ = mono_ns;
    // Without the file, users are shown by their numbers.
    KernelFile file(path_);
    const auto text = file.read();
    names_ = text ? parse_passwd(*text) : std::unordered_map<uint32_t, std::string>();
  }
  const auto found = names_.find(user);
  return found == names_.end() ? std::to_string(user) : found->second;
}

}  // namespace monitor::agent
