#include "config/etcd/etcd_status_publisher.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "config/etcd/messages.h"

namespace monitor::config {

namespace {

constexpr int64_t kPutTimeout = 30 * kNanosPerSecond;  // long, since a timeout drops the connection

LeasedKeyOptions leased_key_options(const std::string& agent_id) {
  LeasedKeyOptions options;
  options.key = status_key(agent_id);
  return options;
}

}  // namespace

EtcdStatusPublisher::EtcdStatusPublisher(Timers& timers, Random& random, EtcdClient& client,
                                         const std::string& agent_id)
    : client_(client),
      status_(timers, random, client, leased_key_options(agent_id)),
      inventory_key_(inventory_key(agent_id)) {}

EtcdStatusPublisher::~EtcdStatusPublisher() = default;

// An inventory that could not be put is retried with every status report, so at most 10 s later.
void EtcdStatusPublisher::put_status(std::string json) {
  status_.set(std::move(json));
  put_waiting();
}

void EtcdStatusPublisher::put_inventory(std::string json) {
  inventory_ = std::move(json);
  put_waiting();
}

void EtcdStatusPublisher::put_waiting() {
  if (inventory_.empty() || call_ != nullptr) return;
  pb::PutRequest request;
  request.set_key(inventory_key_);
  request.set_value(inventory_);
  call_ = call_etcd<pb::PutResponse>(client_, kPutPath, request, kPutTimeout,
                                     [this, put = inventory_](const Result<pb::PutResponse>& response) {
                                       call_.reset();
                                       if (response && inventory_ == put) inventory_.clear();
                                       if (!response) {
                                         log_debug("inventory cannot be written to etcd; retrying",
                                                   {{"key", inventory_key_}, {"reason", response.error()}});
                                       }
                                     });
}

void EtcdStatusPublisher::stop(std::string inventory, std::function<void()> done) {
  call_.reset();
  inventory_.clear();
  pb::PutRequest request;
  request.set_key(inventory_key_);
  request.set_value(std::move(inventory));
  // Both calls run concurrently; stop() waits for the inventory as well.
  auto left = std::make_shared<std::pair<int, std::function<void()>>>(2, std::move(done));
  const auto one_done = [left] {
    if (--left->first == 0 && left->second) left->second();
  };
  call_ = call_etcd<pb::PutResponse>(client_, kPutPath, request, kPutTimeout,
                                     [one_done](const Result<pb::PutResponse>&) { one_done(); });
  status_.stop(one_done);
}

}  // namespace monitor::config
