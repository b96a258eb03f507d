// A server of the stream for tests: keeps the received batches, and acknowledges them on request.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grpc/server.h"
#include "stream/receiver.h"

namespace monitor::load {

class TestingServer {
 public:
  explicit TestingServer(EventLoop& loop) : loop_(loop) { port = listen_on(0); }

  // Starts another server of the same kind.
  uint16_t listen_on(uint16_t at) {
    servers_.push_back(std::make_unique<grpc::Server>(loop_, grpc::ServerOptions{}));
    servers_.back()->add_method("/monitor.v1.Ingest/Publish",
                                [this](grpc::ServerCall& call) { return std::make_unique<Call>(*this, call); });
    return *servers_.back()->listen("127.0.0.1", at);
  }
  // A port on which nobody listens any more.
  uint16_t closed_port() {
    grpc::Server short_lived(loop_, {});
    return *short_lived.listen("127.0.0.1", 0);
  }
  void acknowledge_all() {
    for (Call* call : calls_) call->acknowledge();
  }
  // Ends every stream with an error.
  void break_all() {
    for (Call* call : std::set<Call*>(calls_)) call->fail();
  }

  uint16_t port = 0;
  bool at_once = true;
  size_t reject_next = 0;
  std::set<std::string> agents;
  uint64_t batches = 0;             // received
  std::vector<std::string> stored;  // acknowledged

 private:
  class Call final : public grpc::ServerCallHandler {
   public:
    Call(TestingServer& owner, grpc::ServerCall& call)
        : owner_(owner), call_(call), receiver_({.version = "1", .limits = {}}) {
      owner_.calls_.insert(this);
    }
    ~Call() override { owner_.calls_.erase(this); }
    void on_message(std::string_view message) override {
      const auto event = receiver_.receive(message);
      ASSERT_TRUE(event.ok());
      if (receiver_.welcomed()) owner_.agents.insert(receiver_.hello().agent_id);
      if (event->kind == stream::Receiver::Event::Kind::kBatch) {
        ++owner_.batches;
        open_.emplace_back(event->token, event->batch);
      }
      if (owner_.at_once) acknowledge();
      answer();
    }
    void acknowledge() {
      for (auto& [token, bytes] : open_) {
        if (owner_.reject_next > 0) {
          --owner_.reject_next;
          receiver_.reject(token, "too_large: for a test");
          continue;
        }
        receiver_.stored(token);
        owner_.stored.push_back(std::move(bytes));
      }
      open_.clear();
      answer();
    }
    void fail() {
      open_.clear();
      call_.finish({Code::kUnavailable, "broken for a test"});
    }

   private:
    void answer() {
      while (const auto message = receiver_.next()) call_.write(*message);
    }

    TestingServer& owner_;
    grpc::ServerCall& call_;
    stream::Receiver receiver_;
    std::vector<std::pair<uint64_t, std::string>> open_;
  };

  EventLoop& loop_;
  std::set<Call*> calls_;
  std::vector<std::unique_ptr<grpc::Server>> servers_;
};

}  // namespace monitor::load
