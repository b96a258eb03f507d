// AlertStore: what people look at.
#include "base/text.h"
#include "notify/store_impl.h"

namespace monitor::notify {

namespace {

using rules::Alert;

// `select` gives the JSON of one alert per row.
template <typename Impl>
Result<std::vector<Alert>> read_alerts(Impl& impl, const char* select) {
  std::vector<Alert> alerts;
  const Status read = impl.run(select, {}, [&](const auto& row) -> Status {
    auto alert = parse_alert(row.bytes(0));
    if (!alert) return alert.error();
    alerts.push_back(std::move(*alert));
    return {};
  });
  if (!read) return read.error();
  return alerts;
}

}  // namespace

Result<std::vector<Alert>> AlertStore::alerts() { return read_alerts(*impl_, "SELECT json FROM alerts"); }

Result<std::vector<Alert>> AlertStore::pending() { return read_alerts(*impl_, "SELECT json FROM pending"); }

Status AlertStore::save_receivers(std::span<const ReceiverState> states) {
  return impl_->transaction([&]() -> Status {
    if (Status good = impl_->exec("DELETE FROM receivers"); !good) return good;
    for (const ReceiverState& one : states) {
      if (Status good = impl_->run("INSERT INTO receivers VALUES (?1, ?2, ?3, ?4)",
                                   {one.receiver, one.integration, one.waiting, one.trouble});
          !good) {
        return good;
      }
    }
    return {};
  });
}

Result<std::vector<ReceiverState>> AlertStore::receivers() {
  std::vector<ReceiverState> states;
  const Status read =
      impl_->run("SELECT receiver, integration, waiting, trouble FROM receivers", {}, [&](const auto& row) -> Status {
        states.push_back(
            {std::string(row.bytes(0)), std::string(row.bytes(1)), row.integer(2), std::string(row.bytes(3))});
        return {};
      });
  if (!read) return read.error();
  return states;
}

Result<std::vector<Episode>> AlertStore::episodes(int64_t since_ms, size_t most) {
  std::vector<Episode> episodes;
  const Status read =
      impl_->run("SELECT json FROM episodes WHERE resolved_ms = 0 OR resolved_ms >= ?1 ORDER BY fired_ms DESC LIMIT ?2",
                 {since_ms, static_cast<int64_t>(most)}, [&](const auto& row) -> Status {
                   auto alert = parse_alert(row.bytes(0));
                   if (!alert) return alert.error();
                   episodes.push_back({std::move(*alert)});
                   return {};
                 });
  if (!read) return read.error();
  return episodes;
}

Result<std::vector<Delivery>> AlertStore::deliveries(int64_t since_ms, size_t most) {
  std::vector<Delivery> deliveries;
  const Status read = impl_->run(
      "SELECT id, receiver, integration, group_key, result, answer, decided_ms, finished_ms, attempts, firing, "
      "resolved, "
      "fingerprints FROM deliveries WHERE decided_ms >= ?1 ORDER BY number DESC LIMIT ?2",
      {since_ms, static_cast<int64_t>(most)}, [&](const auto& row) -> Status {
        Delivery one;
        one.id = row.bytes(0);
        one.receiver = row.bytes(1);
        one.integration = row.bytes(2);
        one.group_key = row.bytes(3);
        one.result = row.bytes(4);
        one.answer = row.bytes(5);
        one.decided_ms = row.integer(6);
        one.finished_ms = row.integer(7);
        one.attempts = row.integer(8);
        one.firing = row.integer(9);
        one.resolved = row.integer(10);
        for (const std::string_view part : split(row.bytes(11), ',')) one.fingerprints.emplace_back(part);
        deliveries.push_back(std::move(one));
        return {};
      });
  if (!read) return read.error();
  return deliveries;
}

Status AlertStore::prune(int64_t before_ms) {
  return impl_->transaction([&]() -> Status {
    for (const char* const sql :
         {"DELETE FROM episodes WHERE resolved_ms > 0 AND resolved_ms < ?1",
          "DELETE FROM deliveries WHERE body IS NULL AND decided_ms < ?1", "DELETE FROM silences WHERE ends_ms < ?1",
          "DELETE FROM silence_origins WHERE number IN (SELECT number FROM silence_changes WHERE time_ms < ?1)",
          "DELETE FROM silence_changes WHERE time_ms < ?1"}) {
      if (Status good = impl_->run(sql, {before_ms}); !good) return good;
    }
    // However much happens, the file stays small.
    constexpr const char* kMost = "200000";
    return impl_->exec(std::string("DELETE FROM deliveries WHERE body IS NULL AND number <= (SELECT MAX(number) FROM "
                                   "deliveries) - ") +
                       kMost);
  });
}

}  // namespace monitor::notify
