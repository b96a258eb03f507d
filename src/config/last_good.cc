#include "config/last_good.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

#include "base/crc32c.h"
#include "base/log.h"
#include "config/document.h"

namespace monitor::config {

namespace {

constexpr size_t kMostBytes = 64 * kMaxDocumentBytes;

std::optional<KeySet> parse(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("keys") || !json.at("keys").is_object()) return std::nullopt;
  KeySet keys;
  for (const auto& [key, value] : json.at("keys").items()) {
    if (!value.is_string()) return std::nullopt;
    keys.entries[key].value = value.get<std::string>();
  }
  return keys;
}

}  // namespace

LastGood::LastGood(Disk& disk, Worker& worker, std::string path)
    : disk_(disk), path_(std::move(path)), file_(worker, disk, path_, [](const Status& saved) {
        if (!saved) log_warning("last good configuration cannot be saved", {{"reason", saved.error()}});
      }) {}

std::optional<KeySet> LastGood::load() const {
  const auto text = disk_.read_file(path_, kMostBytes);
  if (!text) {
    if (text.error().code() != Code::kNotFound) {
      log_warning("last good configuration cannot be read", {{"reason", text.error()}});
    }
    return std::nullopt;
  }
  // The first line is the checksum of the rest.
  const size_t end = text->find('\n');
  const std::string_view body = end == std::string::npos ? std::string_view() : std::string_view(*text).substr(end + 1);
  std::optional<KeySet> keys;
  if (text->substr(0, end) == fmt::format("crc32c {:08x}", crc32c(body))) keys = parse(body);
  if (!keys) log_warning("last good configuration is damaged and ignored", {{"file", path_}});
  return keys;
}

void LastGood::keep(const KeySet& keys) {
  nlohmann::json entries = nlohmann::json::object();
  for (const auto& [key, entry] : keys.entries) entries[key] = entry.value;
  const nlohmann::json json = {{"keys", std::move(entries)}};
  const std::string body = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  file_.put(fmt::format("crc32c {:08x}\n{}", crc32c(body), body));
}

}  // namespace monitor::config
