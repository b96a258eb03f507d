// AlertStore: silences, and who changed them.
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "notify/store_impl.h"

namespace monitor::notify {

namespace {

constexpr const char* kColumns = "id, matchers, starts_ms, ends_ms, created_ms, updated_ms, author, reason";

Result<Silence> silence_of(const sqlite::Statement& row) {
  Silence silence;
  silence.id = row.bytes(0);
  auto matchers = parse_matcher_list(row.bytes(1));
  if (!matchers) return matchers.error().with_context("the stored silence " + silence.id);
  silence.matchers = std::move(*matchers);
  silence.starts_ms = row.integer(2);
  silence.ends_ms = row.integer(3);
  silence.created_ms = row.integer(4);
  silence.updated_ms = row.integer(5);
  silence.author = row.bytes(6);
  silence.reason = row.bytes(7);
  return silence;
}

// The clock of the host that made the last change may be ahead.
int64_t updated_after(const Silence& before, int64_t now_ms) { return std::max(now_ms, before.updated_ms + 1); }

}  // namespace

Result<std::vector<Silence>> AlertStore::silences() {
  std::vector<Silence> silences;
  const Status read = impl_->run(fmt::format("SELECT {} FROM silences ORDER BY ends_ms DESC, id", kColumns), {},
                                 [&](const auto& row) -> Status {
                                   auto silence = silence_of(row);
                                   if (!silence) return silence.error();
                                   silences.push_back(std::move(*silence));
                                   return {};
                                 });
  if (!read) return read.error();
  return silences;
}

Result<Silence> AlertStore::set_silence(Silence silence, const SilenceEditor& editor) {
  if (Status good = check_silence(silence); !good) return good.error();
  const int64_t now = impl_->now_ms();
  const Status done = impl_->transaction([&]() -> Status {
    const auto known = silences();
    if (!known) return known.error();
    std::string before;
    silence.created_ms = silence.updated_ms = now;
    if (silence.id.empty()) {
      if (known->size() >= kMaxSilences) {
        return Error(Code::kResourceExhausted,
                     fmt::format("there are {} silences already, the most allowed", kMaxSilences));
      }
      if (silence.ends_ms <= now) return Error(Code::kInvalidArgument, "the silence: it has ended already");
      silence.id = fmt::format("{:016x}", SystemRandom().next());
    } else {
      const auto old = std::ranges::find(*known, silence.id, &Silence::id);
      if (old == known->end()) return Error(Code::kNotFound, "there is no silence " + silence.id);
      if (old->state(now) == Silence::State::kExpired) {
        return Error(Code::kFailedPrecondition, "the silence " + silence.id + " has expired; create a new one");
      }
      before = silence_json(*old, now);
      silence.created_ms = old->created_ms;
      silence.updated_ms = updated_after(*old, now);
    }
    if (Status good = impl_->write_silence(silence); !good) return good;
    return impl_->note_change({.time_ms = now,
                               .event = before.empty() ? "silence.created" : "silence.changed",
                               .id = silence.id,
                               .editor = editor,
                               .before = before,
                               .after = silence_json(silence, now)});
  });
  if (!done) return done.error();
  return silence;
}

Result<Silence> AlertStore::expire_silence(const std::string& id, const SilenceEditor& editor) {
  const int64_t now = impl_->now_ms();
  Silence result;
  const Status done = impl_->transaction([&]() -> Status {
    const auto known = silences();
    if (!known) return known.error();
    const auto old = std::ranges::find(*known, id, &Silence::id);
    if (old == known->end()) return Error(Code::kNotFound, "there is no silence " + id);
    if (old->state(now) == Silence::State::kExpired) {
      return Error(Code::kFailedPrecondition, "the silence " + id + " has expired already");
    }
    result = *old;
    result.ends_ms = now;
    result.starts_ms = std::min(result.starts_ms, now);
    result.updated_ms = updated_after(*old, now);
    if (Status good = impl_->write_silence(result); !good) return good;
    return impl_->note_change({.time_ms = now,
                               .event = "silence.expired",
                               .id = id,
                               .editor = editor,
                               .before = silence_json(*old, now),
                               .after = silence_json(result, now)});
  });
  if (!done) return done.error();
  return result;
}

Result<bool> AlertStore::import_silence(const Silence& silence, const SilenceEditor& editor) {
  const int64_t now = impl_->now_ms();
  bool taken = false;
  const Status done = impl_->transaction([&]() -> Status {
    const auto known = silences();
    if (!known) return known.error();
    const auto old = std::ranges::find(*known, silence.id, &Silence::id);
    const bool is_known = old != known->end();
    if (is_known && !is_newer(silence, *old)) return {};
    if (!is_known && known->size() >= kMaxSilences) {
      return Error(Code::kResourceExhausted,
                   fmt::format("there are {} silences already, the most allowed", known->size()));
    }
    taken = true;
    if (Status good = impl_->write_silence(silence); !good) return good;
    const bool ended = silence.state(now) == Silence::State::kExpired;
    return impl_->note_change({.time_ms = now,
                               .event = ended      ? "silence.expired"
                                        : is_known ? "silence.changed"
                                                   : "silence.created",
                               .id = silence.id,
                               .editor = editor,
                               .before = is_known ? silence_json(*old, now) : "",
                               .after = silence_json(silence, now)});
  });
  if (!done) return done.error();
  return taken;
}

Result<SilenceEditor> AlertStore::last_editor(const std::string& id) {
  SilenceEditor editor;
  const Status read = impl_->run("SELECT who, by FROM silence_changes WHERE id = ?1 ORDER BY number DESC LIMIT 1", {id},
                                 [&](const auto& row) -> Status {
                                   editor.who = row.bytes(0);
                                   editor.by = row.bytes(1);
                                   return {};
                                 });
  if (!read) return read.error();
  return editor;
}

Status AlertStore::Impl::write_silence(const Silence& silence) {
  return run("INSERT OR REPLACE INTO silences VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
             {silence.id, to_string(silence.matchers), silence.starts_ms, silence.ends_ms, silence.created_ms,
              silence.updated_ms, silence.author, silence.reason});
}

Status AlertStore::Impl::note_change(const SilenceChange& change) {
  const SilenceEditor& editor = change.editor;
  if (Status good = run("INSERT INTO silence_changes (time_ms, event, id, who, by, before, after) VALUES (?1, ?2, ?3, "
                        "?4, ?5, ?6, ?7)",
                        {change.time_ms, change.event, change.id, editor.who, editor.by, change.before, change.after});
      !good) {
    return good;
  }
  return run("INSERT OR REPLACE INTO silence_origins VALUES (last_insert_rowid(), ?1, ?2, ?3)",
             {editor.role, editor.address, editor.forwarded_for});
}

Result<std::vector<SilenceChange>> AlertStore::silence_changes(int64_t number) {
  std::vector<SilenceChange> changes;
  const Status read = impl_->run(
      "SELECT c.number, time_ms, event, id, who, by, before, after, role, address, forwarded_for FROM silence_changes "
      "c LEFT JOIN silence_origins o ON o.number = c.number WHERE c.number > ?1 ORDER BY c.number",
      {number}, [&](const auto& row) -> Status {
        SilenceChange one;
        one.number = row.integer(0);
        one.time_ms = row.integer(1);
        one.event = row.bytes(2);
        one.id = row.bytes(3);
        one.editor.who = row.bytes(4);
        one.editor.by = row.bytes(5);
        one.before = row.bytes(6);
        one.after = row.bytes(7);
        one.editor.role = row.bytes(8);
        one.editor.address = row.bytes(9);
        one.editor.forwarded_for = row.bytes(10);
        changes.push_back(std::move(one));
        return {};
      });
  if (!read) return read.error();
  return changes;
}

Status AlertStore::audit_silence_changes(const std::function<void(const SilenceChange& change)>& audit) {
  constexpr const char* kWaiting =
      "SELECT (SELECT coalesce(max(number), 0) FROM silence_changes) > (SELECT CAST(value AS INTEGER) FROM meta WHERE "
      "name = 'silences_audited')";
  const auto waiting = impl_->integer(kWaiting);
  if (!waiting) return waiting.error();
  if (*waiting == 0) return {};  // without a lock, which a notifier may hold
  return impl_->transaction([&]() -> Status {
    const auto audited = impl_->integer("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'silences_audited'");
    if (!audited) return audited.error();
    const auto changes = silence_changes(*audited);
    if (!changes) return changes.error();
    if (changes->empty()) return {};  // another process was faster
    for (const SilenceChange& one : *changes) audit(one);
    return impl_->run("UPDATE meta SET value = ?1 WHERE name = 'silences_audited'",
                      {std::to_string(changes->back().number)});
  });
}

}  // namespace monitor::notify
