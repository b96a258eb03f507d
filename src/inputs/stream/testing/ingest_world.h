// For tests of Ingest: agents that the test drives message by message, on a fake clock, with a log in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "inputs/stream/ingest.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"
#include "stream/messages.h"

namespace monitor::server {

// A call whose client is the test.
class FakeCall final : public grpc::ServerCall {
 public:
  explicit FakeCall(std::string peer) : peer_(std::move(peer)) {}
  std::string_view path() const override { return Ingest::kPublishPath; }
  const grpc::Metadata& metadata() const override { return metadata_; }
  const std::string& peer() const override { return peer_; }
  const PeerCertificate* peer_certificate() const override { return nullptr; }
  int64_t deadline_ns() const override { return INT64_MAX; }
  void send_headers(const grpc::Metadata&) override {}
  void write(std::string_view message) override { written.emplace_back(message); }
  void finish(const grpc::CallStatus& status, const grpc::Metadata&) override { finished = status; }
  size_t unsent_bytes() const override { return unsent; }
  void consumed(size_t bytes) override { consumed_bytes += bytes; }

  std::vector<std::string> written;
  std::optional<grpc::CallStatus> finished;
  size_t unsent = 0;
  size_t consumed_bytes = 0;

 private:
  std::string peer_;
  grpc::Metadata metadata_;
};

inline std::string incarnation(char c) { return std::string(metrics::kIncarnationBytes, c); }

inline std::string batch(uint64_t sequence, const std::string& agent = "a1", char inc = 'i') {
  metrics::Batch b;
  b.agent_id = agent;
  b.hostname = "host";
  b.incarnation = incarnation(inc);
  b.sequence = sequence;
  b.config_revision = 42;
  b.appended_ns = 5;
  b.series.push_back({.name = "system.cpu.utilization", .labels = {}, .unit = "1"});
  metrics::Frame frame{.time_ns = 4};
  frame.points.emplace_back();
  frame.points.back().real = 0.5;
  b.frames.push_back(frame);
  return metrics::encode_batch(b);
}

// An agent whose stream the test drives message by message.
struct Agent {
  explicit Agent(Ingest& ingest, const std::string& peer = "ipv4:10.0.0.1:1") : call(peer) {
    handler = ingest.factory()(call);
  }
  void hello(const std::string& id = "a1", char inc = 'i', const std::string& host = "host") {
    handler->on_message(stream::encode(stream::Hello{id, incarnation(inc), "1.0", host}));
  }
  void publish(uint64_t number, const std::string& bytes) {
    const std::string message = stream::encode(stream::Publish{number, bytes});
    sent += message.size();
    handler->on_message(message);
  }
  // The messages since the last call: "ack 3", "reject 2", "rewind 1", "hello", "drain".
  std::vector<std::string> heard() {
    std::vector<std::string> out;
    for (const std::string& text : std::exchange(call.written, {})) {
      const auto message = stream::parse_server_message(text);
      EXPECT_TRUE(message.ok());
      if (const auto* ack = std::get_if<stream::Ack>(&*message)) {
        out.push_back("ack " + std::to_string(ack->through));
        if (!ack->log.empty()) log = ack->log;
      }
      if (const auto* rewind = std::get_if<stream::Rewind>(&*message)) {
        out.push_back("rewind " + std::to_string(rewind->to));
      }
      if (const auto* reject = std::get_if<stream::Reject>(&*message)) {
        out.push_back("reject " + std::to_string(reject->number));
        reason = reject->reason;
      }
      if (const auto* reply = std::get_if<stream::HelloReply>(&*message)) {
        out.emplace_back("hello");
        log = reply->log;
      }
      if (std::holds_alternative<stream::Drain>(*message)) out.emplace_back("drain");
      if (const auto* notice = std::get_if<stream::Notice>(&*message))
        out.push_back(notice->code + ": " + notice->text);
    }
    return out;
  }

  FakeCall call;
  std::unique_ptr<grpc::ServerCallHandler> handler;
  std::string reason;
  std::string log;  // the identity in the server's last message
  size_t sent = 0;
};

class IngestTest : public ::testing::Test {
 protected:
  std::unique_ptr<Ingest> make(const IngestOptions& options = {}) {
    memories_.push_back(std::make_unique<MemoryBudget>(options.memory_limit));
    memory_ = memories_.back().get();
    tables_.push_back(std::make_unique<IdentityTable>(options.agent_limits, random_));
    return beside(options);
  }
  // Another loop of the same server.
  std::unique_ptr<Ingest> beside(const IngestOptions& options) {
    return std::make_unique<Ingest>(
        IngestEnvironment{timers_, [this](auto work) { posted_.push_back(std::move(work)); }, log_.writer(), streams_,
                          *memory_, held_, *tables_.back(), registry_, random_},
        options);
  }
  // A turn of the loop: runs what other threads have posted.
  void turn() {
    while (!posted_.empty()) {
      auto work = std::exchange(posted_, {});
      for (auto& one : work) one();
    }
  }
  bool shows(const std::string& line) const { return registry_.text().find("\n" + line + "\n") != std::string::npos; }

  FakeTimers timers_;
  metriclog::MemoryLog log_{timers_.clock()};
  StreamTable streams_;
  telemetry::Registry registry_;
  SeededRandom random_{1};
  HeldBatches held_{random_};
  std::vector<std::function<void()>> posted_;
  std::vector<std::unique_ptr<MemoryBudget>> memories_;
  std::vector<std::unique_ptr<IdentityTable>> tables_;
  MemoryBudget* memory_ = nullptr;  // of the ingest created last
  std::unique_ptr<Ingest> ingest_ = make();
};

}  // namespace monitor::server
