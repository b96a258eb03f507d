#include "notify/silence_watch.h"

#include <utility>

#include "base/log.h"

namespace monitor::notify {

Status SilenceWatch::begin() {
  const auto changes = store_.silence_changes(0);
  if (!changes) return changes.error();
  if (!changes->empty()) change_ = changes->back().number;
  return {};
}

std::optional<std::vector<Silence>> SilenceWatch::look() {
  const auto version = store_.data_version();
  if (!version || *version == version_) return std::nullopt;
  log_changes();
  auto silences = store_.silences();
  if (!silences) {
    log_warning("the silences cannot be read; those known before apply", {{"reason", silences.error()}});
    return std::nullopt;
  }
  version_ = *version;
  return std::move(*silences);
}

void SilenceWatch::log_changes() {
  const auto changes = store_.silence_changes(change_);
  if (!changes) return;
  for (const SilenceChange& one : *changes) {
    change_ = one.number;
    log_info("a silence was changed",
             {{"change", one.event}, {"silence", one.id}, {"who", one.editor.who}, {"by", one.editor.by}});
  }
}

}  // namespace monitor::notify
