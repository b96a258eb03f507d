#include "bin/analysis/silence_exchange.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "config/keys.h"

namespace monitor {

using notify::Silence;

Result<config::ConfigStore*> SilenceExchange::store() {
  if (!store_) {
    auto opened = open_();
    if (!opened) return opened.error();
    store_ = std::move(*opened);
  }
  return store_.get();
}

Status SilenceExchange::take(const std::map<std::string, std::string>& documents) {
  shared_.clear();
  offered_ = false;
  std::erase_if(refused_, [&](const auto& one) { return !documents.contains(one.first); });
  for (const auto& [id, text] : documents) {
    if (Status taken = take_one(id, text); !taken) return taken;
  }
  return {};
}

Status SilenceExchange::take_one(const std::string& id, const std::string& text) {
  const auto refuse = [&](const Error& why) {
    if (std::exchange(refused_[id], text) == text) return;
    log_error("a silence of another instance does not apply here",
              {{"document", config::silence_key(id)}, {"reason", why}});
  };
  auto read = notify::decode_silence(text);
  if (!read || read->silence.id != id) {
    refuse(read ? Error(Code::kInvalidArgument, "its id is not that of its key") : read.error());
    return {};
  }
  const auto taken = alerts_.import_silence(read->silence, read->editor);
  if (!taken && taken.error().code() != Code::kResourceExhausted) return taken.error();
  if (!taken) {
    refuse(taken.error());
    return {};
  }
  shared_.insert_or_assign(id, std::move(read->silence));
  return {};
}

Status SilenceExchange::offer() {
  const auto version = alerts_.data_version();
  if (!version) return version.error();
  if (offered_ && *version == version_) return {};
  const auto silences = alerts_.silences();
  if (!silences) return silences.error();
  const int64_t now = now_ms();
  for (const Silence& one : *silences) {
    const auto known = shared_.find(one.id);
    const bool ended = one.state(now) == Silence::State::kExpired;
    if (known == shared_.end() ? ended : !is_newer(one, known->second)) continue;
    if (Status written = write(one); !written) return written;
    shared_.insert_or_assign(one.id, one);
  }
  for (auto one = shared_.begin(); one != shared_.end();) {
    const auto next = std::next(one);
    if (now - one->second.ends_ms > kKeepEndedMs) {
      if (Status removed = remove(one->first); !removed) return removed;
      shared_.erase(one);
    }
    one = next;
  }
  version_ = *version;
  offered_ = true;
  return {};
}

Status SilenceExchange::write(const Silence& silence) {
  const auto store = this->store();
  if (!store) return store.error();
  auto editor = alerts_.last_editor(silence.id);
  if (!editor) return editor.error();
  if (editor->who.empty()) editor->who = silence.author;
  editor->by += (editor->by.empty() ? "on " : " on ") + host_;
  const auto change = [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
    if (current) {
      const auto theirs = notify::decode_silence(current->value);
      // The watch will bring it.
      if (theirs && !is_newer(silence, theirs->silence)) return std::optional(current->value);
    }
    return std::optional(notify::encode_silence(silence, *editor));
  };
  const auto done = (*store)->update(config::silence_key(silence.id), change);
  return done ? Status() : done.error();
}

Status SilenceExchange::remove(const std::string& id) {
  const auto store = this->store();
  if (!store) return store.error();
  const auto change = [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
    if (!current) return std::optional<std::string>();
    const auto theirs = notify::decode_silence(current->value);
    if (theirs && now_ms() - theirs->silence.ends_ms <= kKeepEndedMs) return std::optional(current->value);
    return std::optional<std::string>();
  };
  const auto done = (*store)->update(config::silence_key(id), change);
  return done ? Status() : done.error();
}

}  // namespace monitor
