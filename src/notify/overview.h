// The current alerts, with what suppresses them, and the history of alerts, as JSON. For the command `alert` and the
// page's API. Reads the store; otherwise pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "notify/config.h"
#include "notify/store.h"

namespace monitor::notify {

struct AlertRow {
  rules::Alert alert;                    // pending or firing
  std::vector<std::string> silenced_by;  // ids of silences
  std::vector<query::Labels> inhibited_by;
  std::vector<std::string> receivers;  // of the routes that it takes
};

// Firing alerts first, then by start, the newest first. Without a configuration, inhibition and receivers are unknown.
Result<std::vector<AlertRow>> overview(AlertStore& store, const Config* config, int64_t now_ms);

struct HistoryRow {
  rules::Alert alert;                // firing or resolved
  std::vector<Delivery> deliveries;  // about it, in its time
};

Result<std::vector<HistoryRow>> history(AlertStore& store, int64_t since_ms, size_t most);

// JSON arrays.
std::string overview_json(std::span<const AlertRow> rows);
std::string history_json(std::span<const HistoryRow> rows);
std::string deliveries_json(std::span<const Delivery> deliveries);
std::string receivers_json(std::span<const ReceiverState> states);
std::string silences_json(std::span<const Silence> silences, int64_t now_ms);

// The notification that `alert test-notification` sends.
Notification test_notification(const std::string& receiver, const std::string& integration, int64_t now_ms,
                               const std::string& external_url = {});

}  // namespace monitor::notify
