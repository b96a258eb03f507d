#include "config/etcd/blocking_etcd_client.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace monitor::config {

namespace {

constexpr int64_t kBetweenAttempts = 100 * kNanosPerMilli;

}  // namespace

BlockingEtcdClient::BlockingEtcdClient(Timers& timers, EtcdClient& client, std::function<void()> turn,
                                       BlockingEtcdOptions options)
    : timers_(timers), client_(client), turn_(std::move(turn)), options_(options) {}

bool BlockingEtcdClient::may_pass(const Error& error, int64_t deadline) const {
  const bool passes = error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded;
  return passes && timers_.clock().mono_ns() < deadline;
}

void BlockingEtcdClient::wait_a_moment() {
  bool over = false;
  timers_.call_after(kBetweenAttempts, [&over] { over = true; });
  while (!over) turn_();
}

Result<std::string> BlockingEtcdClient::ask_once(std::string_view path, const std::string& request, int64_t deadline) {
  const int64_t left = deadline - timers_.clock().mono_ns();
  if (left <= 0) return Error(Code::kDeadlineExceeded, "no answer within the time limit");
  std::optional<Result<std::string>> answer;
  const auto call = client_.call(path, request, std::min(left, options_.call_timeout_ns),
                                 [&answer](Result<std::string> got) { answer = std::move(got); });
  while (!answer) turn_();
  return std::move(*answer);
}

Result<std::string> BlockingEtcdClient::ask(std::string_view path, const std::string& request, int64_t deadline,
                                            Repeat repeat) {
  const size_t attempts = repeat == Repeat::kYes ? 2 * client_.endpoints() : 1;
  for (size_t i = 1;; ++i) {
    const std::string endpoint = client_.endpoint();
    auto answer = ask_once(path, request, deadline);
    if (answer) return answer;
    const Error error = answer.error().with_context("etcd at " + endpoint);
    if (i >= attempts || !may_pass(error, deadline)) return error;
    wait_a_moment();
  }
}

}  // namespace monitor::config
