#include "consume/dead_letters.h"

#include <fmt/format.h>

#include <utility>

#include "base/clock.h"
#include "base/log.h"

namespace monitor::analysis {

namespace {

constexpr int64_t kLook = 10 * kNanosPerMilli;
constexpr size_t kMaxWaiting = 1000;  // bounds the memory that a flood of undecodable records can take

void log_rejected(const metriclog::Record& record, const std::string& reason) {
  log_warning("record cannot be copied", {{"from", record.header("skipped-from")}, {"reason", reason}});
}

}  // namespace

DeadLetters::DeadLetters(metriclog::LogWriter* writer) {
  if (writer != nullptr) queue_.emplace(*writer, log_rejected);
}

void DeadLetters::add(const metriclog::Record& record, const Error& why) {
  if (!queue_) return;
  if (queue_->waiting() >= kMaxWaiting && !settle(kLook)) {
    log_warning("record is not copied: too many copies are pending",
                {{"partition", record.partition}, {"offset", record.offset}});
    return;
  }
  metriclog::Record copy = record;
  copy.headers.emplace_back("skipped-because", why.message());
  copy.headers.emplace_back("skipped-from", fmt::format("{}/{}", record.partition, record.offset));
  queue_->add(std::move(copy));
}

Status DeadLetters::settle(int64_t timeout_ns) { return queue_ ? queue_->settle(timeout_ns) : Status(); }

}  // namespace monitor::analysis
