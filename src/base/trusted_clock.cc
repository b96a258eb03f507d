#include "base/trusted_clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <vector>

#include "base/log.h"
#include "base/text.h"

namespace monitor {

namespace {

constexpr int64_t kMostConfirm = int64_t{3600} * kNanosPerSecond;
constexpr size_t kMostFile = 256;
constexpr int64_t kMostTime = int64_t{1} << 62;

std::optional<int64_t> number_in(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < -kMostTime || value > kMostTime) {
    return std::nullopt;
  }
  return value;
}

std::string boot_of_machine() {
  const auto text = PosixDisk().read_file("/proc/sys/kernel/random/boot_id", kMostFile);
  return text ? std::string(trim(*text)) : "unknown";
}

}  // namespace

int64_t TrustedClock::confirm_for(int64_t kept_ns) { return std::clamp<int64_t>(kept_ns / 10, 0, kMostConfirm); }

TrustedClock::TrustedClock(const Clock& clock, Options options) : clock_(clock), options_(std::move(options)) {
  if (options_.boot_id.empty()) options_.boot_id = boot_of_machine();
  restore();
  begin();
}

void TrustedClock::begin() {
  candidate_ = clock_.wall_ns() - clock_.mono_ns();
  candidate_since_ns_ = clock_.mono_ns();
  looks_ = 1;
  if (known_ || options_.start == Start::kUnknown) return;
  known_ = true;
  offset_ = candidate_;
}

int64_t TrustedClock::now_ns() {
  const int64_t mono = clock_.mono_ns();
  const int64_t offset = clock_.wall_ns() - mono;
  if (std::abs(offset - candidate_) > kSlack) {
    if (known_ && std::abs(offset - offset_) > kSlack) {
      log_warning("wall clock jumped; deletion by age waits until the new time is confirmed",
                  {{"by_s", (offset - offset_) / kNanosPerSecond}, {"held_s", options_.confirm_ns / kNanosPerSecond}});
    }
    candidate_ = offset;
    candidate_since_ns_ = mono;
    looks_ = 0;
  }
  looks_ = std::min(looks_ + 1, kLeastLooks);
  if (looks_ >= kLeastLooks && mono - candidate_since_ns_ >= options_.confirm_ns) {
    known_ = true;
    offset_ = offset;
  }
  if (!known_) return 0;
  store(mono);
  return std::max<int64_t>(0, mono + std::min(offset, offset_));
}

// "1 BOOT OFFSET WALL": the offset is valid within that boot, the time is a lower bound for any boot.
void TrustedClock::restore() {
  if (options_.disk == nullptr || options_.file.empty()) return;
  const auto text = options_.disk->read_file(options_.file, kMostFile);
  if (!text) return;
  const auto words = split(trim(*text), ' ');
  if (words.size() != 4 || words[0] != "1") return;
  const auto offset = number_in(words[2]);
  const auto wall = number_in(words[3]);
  if (!offset || !wall) return;
  known_ = true;
  offset_ = words[1] == options_.boot_id ? *offset : *wall - clock_.mono_ns();
}

void TrustedClock::store(int64_t mono_ns) {
  if (options_.disk == nullptr || options_.file.empty()) return;
  // Small drifts of the offset are not worth a write.
  if (stored_ && mono_ns - stored_at_ns_ < kStoreEvery && std::abs(stored_offset_ - offset_) <= kSlack) return;
  stored_ = true;
  stored_at_ns_ = mono_ns;
  stored_offset_ = offset_;
  const Status written = options_.disk->write_file(
      options_.file, fmt::format("1 {} {} {}\n", options_.boot_id, offset_, mono_ns + offset_));
  if (!written) log_debug("storing the trusted time failed", {{"error", written.error()}});
}

}  // namespace monitor
