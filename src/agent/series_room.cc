#include "agent/series_room.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace monitor::agent {

namespace {

// A series is needed for this many intervals after its last value, and for at least a second.
constexpr int64_t kIntervalsKept = 3;
constexpr int64_t kLongestInterval = 86'400 * kNanosPerSecond;
// Fractions of the table: if less is free, unneeded series are evicted until this much is free.
constexpr size_t kLittleRoom = 10;
constexpr size_t kMuchRoom = 4;
// How often plugin hosts are restarted to release series.
constexpr int64_t kLetGoEvery = 600 * kNanosPerSecond;
// How often a lasting problem is logged, and how much of a series' name is shown.
constexpr int64_t kLogEvery = 60 * kNanosPerSecond;
constexpr size_t kMostShown = 200;

}  // namespace

void SeriesRoom::keep(const metrics::Tick& tick) {
  // The first tick has no rates, and is followed within a second.
  const int64_t interval =
      tick.rates_since_ns == 0 ? 0 : std::clamp<int64_t>(tick.time_ns - tick.rates_since_ns, 0, kLongestInterval);
  const int64_t until = clock_.mono_ns() + std::max(kIntervalsKept * interval, kNanosPerSecond);
  for (const metrics::Point& point : tick.points) table_.keep_until(point.series, until);
}

std::vector<metrics::SeriesId> SeriesRoom::unneeded(Chain& chain) {
  const size_t room = table_.room();
  if (room >= table_.limit() / kLittleRoom + 1 || !chain.idle()) return {};
  const size_t wanted = std::max<size_t>(table_.limit() / kMuchRoom, 1);
  auto gone = table_.unneeded(clock_.mono_ns(), wanted - std::min(wanted, room), chain.held_series());
  if (gone.empty()) {
    let_go(chain);
  } else {
    log_debug("unused series evicted", {{"series", gone.size()}, {"of", table_.size()}});
  }
  return gone;
}

// Only series that plugin hosts refer to could be evicted.
void SeriesRoom::let_go(Chain& chain) {
  const int64_t now = clock_.mono_ns();
  if (table_.room() > 0 || table_.unneeded(now, 1, {}).empty()) return;
  if (let_go_ns_ != 0 && now - let_go_ns_ < kLetGoEvery) return;
  let_go_ns_ = now;
  chain.let_series_go();
}

bool SeriesRoom::look(uint64_t dropped) {
  const bool refused = std::exchange(refusals_seen_, table_.refusals()) != table_.refusals() || dropped > 0;
  const bool full = table_.room() == 0 && (full_ || refused);
  if (full == full_) return false;
  full_ = full;
  const int64_t now = clock_.mono_ns();
  if (full && (full_logged_ns_ == 0 || now - full_logged_ns_ >= kLogEvery)) {
    full_logged_ns_ = now;
    log_warning("no room for more series; points of new series are dropped; select fewer metrics or details",
                {{"limit", table_.limit()}, {"points", dropped}});
  }
  if (!full) log_info("there is room for new series again", {{"series", table_.size()}, {"limit", table_.limit()}});
  return true;
}

size_t SeriesRoom::take_unfit(metrics::Tick& tick) {
  if (table_.unfit() == 0) return 0;
  const auto is_unfit = [this](const metrics::Point& point) { return !table_.fault(point.series).empty(); };
  const auto first = std::ranges::find_if(tick.points, is_unfit);
  if (first == tick.points.end()) return 0;
  const metrics::SeriesId example = first->series;
  const size_t dropped = std::erase_if(tick.points, is_unfit);
  const int64_t now = clock_.mono_ns();
  if (unfit_logged_ns_ != 0 && now - unfit_logged_ns_ < kLogEvery) return dropped;
  unfit_logged_ns_ = now;
  log_warning("invalid series are dropped; the rest of the tick is kept; check labels and plugins",
              {{"points", dropped},
               {"series", json_quote(metrics::to_string(table_.at(example)).substr(0, kMostShown))},
               {"reason", table_.fault(example)}});
  return dropped;
}

}  // namespace monitor::agent
