#include "config/etcd/etcd_update.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "config/document.h"
#include "config/etcd/messages.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

using Repeat = BlockingEtcdClient::Repeat;

void compare_revision(pb::TxnRequest& request, const std::string& key, int64_t revision) {
  pb::Compare& compare = *request.add_compare();
  compare.set_result(pb::Compare::EQUAL);
  compare.set_target(pb::Compare::MOD);
  compare.set_key(key);
  compare.set_mod_revision(revision);
}

void put(pb::TxnRequest& request, const std::string& key, const std::string& value, int64_t lease = 0) {
  pb::PutRequest& put = *request.add_success()->mutable_request_put();
  put.set_key(key);
  put.set_value(value);
  put.set_lease(lease);
}

}  // namespace

std::optional<std::string> EtcdUpdate::text() const { return current_ ? std::optional(current_->value) : std::nullopt; }

// Reads the document and, if the change is recorded, the newest record, at the same revision.
Status EtcdUpdate::look() {
  newest_.reset();
  newest_number_ = 0;
  if (note_ != nullptr) {
    pb::TxnRequest request;
    request.add_success()->mutable_request_range()->set_key(key_);
    pb::RangeRequest& records = *request.add_success()->mutable_request_range();
    records.set_key(history_prefix(key_));
    records.set_range_end(history_end(key_));
    records.set_sort_target(pb::RangeRequest::KEY);
    records.set_sort_order(pb::RangeRequest::DESCEND);
    records.set_limit(1);
    const auto response = ask_etcd<pb::TxnResponse>(client_, kTxnPath, request, deadline_, Repeat::kYes);
    if (response && response->responses_size() == 2) {
      take_document(response->responses(0).response_range());
      take_record(response->responses(1).response_range());
      return {};
    }
    if (response) return Error(Code::kInternal, "etcd sent a malformed message");
    if (response.error().code() != Code::kPermissionDenied) return response.error();
    log_warning(
        "this change is not recorded: the etcd user may not use the history; `monitor-config init-roles` updates "
        "the roles",
        {{"key", key_}});
    note_ = nullptr;
  }
  pb::RangeRequest request;
  request.set_key(key_);
  const auto response = ask_etcd<pb::RangeResponse>(client_, kRangePath, request, deadline_, Repeat::kYes);
  if (!response) return response.error();
  take_document(*response);
  return {};
}

void EtcdUpdate::take_document(const pb::RangeResponse& range) {
  current_.reset();
  if (!range.kvs().empty()) current_ = Stored{range.kvs(0).value(), range.kvs(0).mod_revision()};
}

void EtcdUpdate::take_record(const pb::RangeResponse& range) {
  if (range.kvs().empty()) return;
  const auto place = place_of_record(range.kvs(0).key());
  auto record = parse_record(range.kvs(0).value());
  newest_number_ = place ? place->number : 0;
  if (record && record->number == newest_number_) newest_ = std::move(*record);
}

Status EtcdUpdate::check_next(const std::optional<std::string>& next) const {
  if (!next || next->size() <= kMaxDocumentBytes) return {};
  return Error(Code::kInvalidArgument,
               fmt::format("document: {} bytes, the limit is {}", next->size(), kMaxDocumentBytes));
}

Result<bool> EtcdUpdate::too_many_records() {
  if (newest_number_ < kMostChangesOfMany) return false;  // it makes no difference
  pb::RangeRequest request;
  request.set_key(std::string(kHistoryRoot));
  request.set_range_end(prefix_end(std::string(kHistoryRoot)));
  request.set_count_only(true);
  const auto response = ask_etcd<pb::RangeResponse>(client_, kRangePath, request, deadline_, Repeat::kYes);
  if (response) return static_cast<uint64_t>(response->count()) > kMostRecordsInAll;
  // A user that may only write some documents cannot count all.
  if (response.error().code() == Code::kPermissionDenied) return false;
  return response.error();
}

Status EtcdUpdate::add_records(pb::TxnRequest& request, const std::optional<std::string>& next) {
  const auto many = too_many_records();
  if (!many) return many.error();
  auto newest = newest_;
  if (!newest && newest_number_ > 0) {
    newest.emplace();
    newest->number = newest_number_;
    newest->mark = "damaged";  // equals no document
  }
  const TrailStep step = next_step(newest, {text(), revision()}, next, *note_, *many);
  for (const ChangeRecord& record : step.added) {
    const std::string key = history_key(key_, record.number);
    compare_revision(request, key, 0);
    put(request, key, to_json(record));
  }
  if (step.dropped_through > 0) {
    pb::DeleteRangeRequest& dropped = *request.add_success()->mutable_request_delete_range();
    dropped.set_key(history_prefix(key_));
    dropped.set_range_end(history_key(key_, step.dropped_through + 1));
  }
  return {};
}

Result<pb::TxnRequest> EtcdUpdate::request_for(const std::optional<std::string>& next) {
  pb::TxnRequest request;
  compare_revision(request, key_, revision());
  if (next) {
    put(request, key_, *next, lease_);
  } else {
    request.add_success()->mutable_request_delete_range()->set_key(key_);
  }
  if (note_ != nullptr) {
    if (Status added = add_records(request, next); !added) return added.error();
  }
  return request;
}

Result<int64_t> EtcdUpdate::run(const ConfigStore::Change& change) {
  if (Status seen = look(); !seen) return seen.error();
  // Set if an earlier attempt without an answer may have succeeded.
  std::optional<std::optional<std::string>> unknown;
  while (true) {
    if (unknown && text() == *unknown) return revision();
    const auto next = change(current_);
    if (!next) return next.error();
    if (Status good = check_next(*next); !good) return good.error();
    if (*next == text() && lease_ == 0) return revision();
    const auto request = request_for(*next);
    if (!request) return request.error();
    const auto done = ask_etcd<pb::TxnResponse>(client_, kTxnPath, *request, deadline_, Repeat::kNo);
    if (done && done->succeeded()) return done->header().revision();
    unknown.reset();
    if (!done) {
      if (!client_.may_pass(done.error(), deadline_)) return done.error();
      unknown = *next;
      client_.wait_a_moment();
    }
    // Another client was faster, or the outcome is unknown.
    if (Status seen = look(); !seen) return seen.error();
  }
}

}  // namespace monitor::config
