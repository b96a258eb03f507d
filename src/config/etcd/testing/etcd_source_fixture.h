// A source that watches an etcd in memory. Time only passes when the test advances it.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "config/etcd/etcd_client.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/fake_etcd.h"

namespace monitor::config {

inline const std::string kOwn = "/monitor/config/a";
inline const std::string kDefaults = "/monitor/defaults";

class EtcdSourceTest : public ::testing::Test, protected ConfigListener {
 protected:
  void start(size_t endpoints = 1, EtcdCredentials credentials = {}) {
    client_ = std::make_unique<EtcdClient>(timers_, etcd_.connector(endpoints), std::move(credentials));
    EtcdSourceOptions options;
    options.in_step_after_ns = 10 * kNanosPerSecond;
    source_ = std::make_unique<EtcdSource>(timers_, random_, *client_, options);
    source_->watch({{kOwn, kDefaults}}, *this);
    advance(1);
  }
  void advance(int64_t ms) { timers_.advance(ms * kNanosPerMilli); }
  void on_keys(const KeySet& keys) override {
    heard_ = keys;
    ++calls_;
  }
  void on_source_lost(const Error& reason) override { lost_.push_back(reason); }
  std::string value(const std::string& key = kOwn) const {
    const auto found = heard_.entries.find(key);
    return found == heard_.entries.end() ? "-" : found->second.value;
  }
  pb::WatchResponse event(const std::string& text, int64_t mod_revision) const {
    pb::WatchResponse response;
    *response.mutable_header() = etcd_.header();
    pb::KeyValue& kv = *response.add_events()->mutable_kv();
    kv.set_key(kOwn);
    kv.set_value(text);
    kv.set_mod_revision(mod_revision);
    return response;
  }
  const EtcdSource::State& state() const { return source_->state(); }

  FakeTimers timers_;
  SeededRandom random_{7};
  FakeEtcd etcd_{timers_};
  std::unique_ptr<EtcdClient> client_;
  std::unique_ptr<EtcdSource> source_;
  KeySet heard_;
  int calls_ = 0;
  int others_ = 0;  // changes of other keys
  std::vector<Error> lost_;
};

}  // namespace monitor::config
