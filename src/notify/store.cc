#include "notify/store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "notify/store_impl.h"
#include "sqlite/versioned_file.h"

namespace monitor::notify {

namespace {

// Version 2: origins of the changes of silences, and which of them have been audited.
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alerts (fingerprint TEXT PRIMARY KEY, settled INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pending (fingerprint TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receivers (receiver TEXT, integration TEXT, waiting INTEGER NOT NULL, trouble TEXT NOT NULL,
                        PRIMARY KEY (receiver, integration)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log (group_key TEXT, receiver TEXT, integration TEXT, id TEXT NOT NULL, time_ms INTEGER NOT NULL,
                  firing TEXT NOT NULL, resolved TEXT NOT NULL,
                  PRIMARY KEY (group_key, receiver, integration)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL,
                         integration TEXT NOT NULL, group_key TEXT NOT NULL, decided_ms INTEGER NOT NULL,
                         firing INTEGER NOT NULL, resolved INTEGER NOT NULL, fingerprints TEXT NOT NULL, body TEXT,
                         finished_ms INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
                         result TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deliveries_open ON deliveries (number) WHERE body IS NOT NULL;
CREATE INDEX IF NOT EXISTS deliveries_time ON deliveries (decided_ms);
CREATE TABLE IF NOT EXISTS episodes (fingerprint TEXT, fired_ms INTEGER, resolved_ms INTEGER NOT NULL, json TEXT NOT NULL,
                       PRIMARY KEY (fingerprint, fired_ms)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS episodes_time ON episodes (fired_ms);
CREATE TABLE IF NOT EXISTS silences (id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_ms INTEGER NOT NULL, ends_ms INTEGER NOT NULL,
                       created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, author TEXT NOT NULL,
                       reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS silence_changes (number INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, event TEXT NOT NULL,
                              id TEXT NOT NULL, who TEXT NOT NULL, by TEXT NOT NULL, before TEXT NOT NULL,
                              after TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS silence_origins (number INTEGER PRIMARY KEY, role TEXT NOT NULL, address TEXT NOT NULL,
                                            forwarded_for TEXT NOT NULL);
INSERT OR IGNORE INTO meta SELECT 'silences_audited', coalesce(max(number), 0) FROM silence_changes;
)sql";

constexpr sqlite::FileKind kAlerts = {.name = "the alerts' file",
                                      .version = 2,
                                      .tables = kSchema,
                                      .pragmas = "PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF",
                                      .loss = nullptr};

std::string text(const sqlite::Statement& row, int column) { return std::string(row.bytes(column)); }

std::string key_of(const query::Labels& labels) { return fingerprint_text(fingerprint(labels)); }

}  // namespace

std::string join_fingerprints(const std::vector<uint64_t>& fingerprints) {
  std::vector<std::string> texts;
  texts.reserve(fingerprints.size());
  for (const uint64_t one : fingerprints) texts.push_back(fingerprint_text(one));
  return join(texts, ",");
}

std::vector<uint64_t> split_fingerprints(std::string_view text) {
  std::vector<uint64_t> result;
  for (const std::string_view one : split(text, ',')) {
    uint64_t value = 0;
    constexpr int kHex = 16;
    if (std::from_chars(one.data(), one.data() + one.size(), value, kHex).ec == std::errc()) result.push_back(value);
  }
  return result;
}

Status AlertStore::Impl::run(const std::string& sql, const std::vector<Value>& values,
                             const std::function<Status(const Row& row)>& row) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    found = statements_.emplace(sql, std::move(*prepared)).first;
  }
  sqlite::Statement& statement = found->second;
  const sqlite::ResetLater reset(statement);
  for (size_t i = 0; i < values.size(); ++i) {
    const int index = static_cast<int>(i) + 1;
    if (const auto* const number = std::get_if<int64_t>(&values[i])) {
      statement.bind(index, *number);
    } else {
      statement.bind_text(index, std::get<std::string>(values[i]));
    }
  }
  while (true) {
    const int rc = statement.step();
    if (rc == SQLITE_DONE) return {};
    if (rc != SQLITE_ROW) return db_.error(rc, "using");
    if (!row) continue;
    if (Status good = row(statement); !good) return good;
  }
}

Status AlertStore::Impl::transaction(const std::function<Status()>& work) {
  if (Status begun = exec("BEGIN IMMEDIATE"); !begun) return begun;
  Status done = work();
  if (done) done = exec("COMMIT");
  if (!done) (void)exec("ROLLBACK");
  return done;
}

namespace {

template <typename Store>
Status insert_delivery(Store& store, const Notification& told) {
  std::vector<uint64_t> about;
  for (const rules::Alert& alert : told.alerts) about.push_back(fingerprint(alert.labels));
  const auto firing = static_cast<int64_t>(told.firing());
  return store.run(
      "INSERT OR IGNORE INTO deliveries (id, receiver, integration, group_key, decided_ms, firing, resolved, "
      "fingerprints, "
      "body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      {told.id, told.receiver, told.integration, told.group_key, told.decided_ms, firing,
       static_cast<int64_t>(told.alerts.size()) - firing, join_fingerprints(about), webhook_json(told)});
}

template <typename Store>
Status save_changes(Store& store, const Changes& changes) {
  for (const Tracked& one : changes.alerts) {
    const std::string json = alert_json(one.alert);
    if (Status good = store.run("INSERT OR REPLACE INTO alerts VALUES (?1, ?2, ?3)",
                                {key_of(one.alert.labels), int64_t{one.settled}, json});
        !good) {
      return good;
    }
    // One that has gone on under another group of rules.
    if (Status good = store.run("UPDATE episodes SET resolved_ms = max(fired_ms, ?2) WHERE fingerprint = ?1 AND "
                                "resolved_ms = 0 AND fired_ms <> ?2",
                                {key_of(one.alert.labels), one.alert.fired_at_ms});
        !good) {
      return good;
    }
    const int64_t resolved = one.alert.state == rules::AlertState::kResolved ? one.alert.resolved_at_ms : 0;
    if (Status good = store.run("INSERT OR REPLACE INTO episodes VALUES (?1, ?2, ?3, ?4)",
                                {key_of(one.alert.labels), one.alert.fired_at_ms, resolved, json});
        !good) {
      return good;
    }
  }
  for (const query::Labels& labels : changes.forgotten) {
    if (Status good = store.run("DELETE FROM alerts WHERE fingerprint = ?1", {key_of(labels)}); !good) return good;
  }
  for (const LogKey& key : changes.expired) {
    if (Status good = store.run("DELETE FROM log WHERE group_key = ?1 AND receiver = ?2 AND integration = ?3",
                                {key.group_key, key.receiver, key.integration});
        !good) {
      return good;
    }
  }
  return {};
}

}  // namespace

AlertStore::AlertStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AlertStore::~AlertStore() = default;
const std::string& AlertStore::path() const { return impl_->path(); }

Result<std::unique_ptr<AlertStore>> AlertStore::open(const std::string& path, Open mode, const Clock& clock) {
  if (mode != Open::kCreate && access(path.c_str(), F_OK) != 0) {
    return Error(Code::kNotFound,
                 "there is no " + path +
                     ": no program has evaluated rules in this data folder yet; name another one with --data, or "
                     "start `monitor-analysis serve` or `monitor up` with --rules");
  }
  // Also with kReadOnly: a read-only connection could not read a WAL that it must recover.
  auto db = sqlite::open_versioned(path, kAlerts);
  if (!db) return db.error();
  std::unique_ptr<AlertStore> store(new AlertStore(std::make_unique<Impl>(std::move(*db), clock)));
  return store;
}

bool AlertStore::Step::empty() const {
  return changes.alerts.empty() && changes.forgotten.empty() && changes.expired.empty() && decisions.empty() &&
         forwarded.empty() && finished.empty();
}

Result<AlertStore::Loaded> AlertStore::load() {
  Loaded loaded;
  Status read = impl_->run("SELECT json, settled FROM alerts", {}, [&](const auto& row) -> Status {
    auto alert = parse_alert(row.bytes(0));
    if (!alert) return alert.error();
    loaded.alerts.push_back({std::move(*alert), row.integer(1) != 0});
    return {};
  });
  if (!read) return read.error();
  read = impl_->run("SELECT group_key, receiver, integration, id, time_ms, firing, resolved FROM log", {},
                    [&](const auto& row) -> Status {
                      loaded.log[{text(row, 0), text(row, 1), text(row, 2)}] = {text(row, 3), row.integer(4),
                                                                                split_fingerprints(row.bytes(5)),
                                                                                split_fingerprints(row.bytes(6))};
                      return {};
                    });
  if (!read) return read.error();
  read = impl_->run("SELECT body FROM deliveries WHERE body IS NOT NULL ORDER BY number", {},
                    [&](const auto& row) -> Status {
                      auto notification = parse_notification(row.bytes(0));
                      if (!notification) return notification.error();
                      loaded.outbox.push_back(std::move(*notification));
                      return {};
                    });
  if (!read) return read.error();
  return loaded;
}

Status AlertStore::save(const Step& step) {
  return impl_->transaction([&]() -> Status {
    if (Status good = save_changes(*impl_, step.changes); !good) return good;
    for (const Decision& one : step.decisions) {
      if (Status good =
              impl_->run("INSERT OR REPLACE INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         {one.key.group_key, one.key.receiver, one.key.integration, one.entry.id, one.entry.time_ms,
                          join_fingerprints(one.entry.firing), join_fingerprints(one.entry.resolved)});
          !good) {
        return good;
      }
      if (!one.notification) continue;
      if (Status good = insert_delivery(*impl_, *one.notification); !good) return good;
    }
    for (const Notification& one : step.forwarded) {
      if (Status good = insert_delivery(*impl_, one); !good) return good;
    }
    for (const Delivery& one : step.finished) {
      if (Status good = impl_->run("UPDATE deliveries SET body = NULL, finished_ms = ?2, attempts = ?3, result = ?4, "
                                   "answer = ?5 WHERE id = ?1",
                                   {one.id, one.finished_ms, one.attempts, one.result, one.answer});
          !good) {
        return good;
      }
    }
    return {};
  });
}

Status AlertStore::save_pending(std::span<const rules::Alert> pending) {
  return impl_->transaction([&]() -> Status {
    if (Status good = impl_->exec("DELETE FROM pending"); !good) return good;
    for (const rules::Alert& alert : pending) {
      if (Status good =
              impl_->run("INSERT OR REPLACE INTO pending VALUES (?1, ?2)", {key_of(alert.labels), alert_json(alert)});
          !good) {
        return good;
      }
    }
    return {};
  });
}

Status AlertStore::note_config(const std::string& path, const std::string& external_url) {
  return impl_->run("INSERT OR REPLACE INTO meta VALUES ('config', ?1), ('external_url', ?2)", {path, external_url});
}

Result<std::string> AlertStore::Impl::noted(const std::string& name) {
  std::string value;
  const Status read = run("SELECT value FROM meta WHERE name = ?1", {name}, [&](const auto& row) -> Status {
    value = row.bytes(0);
    return {};
  });
  if (!read) return read.error();
  return value;
}

Result<std::string> AlertStore::config_path() { return impl_->noted("config"); }
Result<std::string> AlertStore::external_url() { return impl_->noted("external_url"); }

Result<int64_t> AlertStore::data_version() { return impl_->integer("PRAGMA data_version"); }

}  // namespace monitor::notify
