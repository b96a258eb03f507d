// BlockingExecutor: runs blocking work off the event loop, on one thread with a bounded queue. Call submit() and run()
// on the loop's thread. Work runs in order on the executor's thread; replies and `done` run on the loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/event_loop.h"
#include "base/worker.h"
#include "ui/web/server.h"

namespace monitor::analysis::web {

class BlockingExecutor {
 public:
  BlockingExecutor(EventLoop& loop, std::string name, size_t most)
      : worker_(loop), name_(std::move(name)), most_(most) {}

  // True if the next submit() will be refused.
  bool full() const { return waiting_ >= most_; }
  Reply refusal() const {
    return error_reply(503, "too many requests for the " + name_ + " at once; try again in a moment");
  }

  void submit(const WebServer::Responder& responder, std::function<Reply()> work) {
    if (full()) return responder.reply(refusal());
    ++waiting_;
    auto reply = std::make_shared<Reply>();
    worker_.submit([reply, work = std::move(work)] { *reply = work(); },
                   [this, reply, responder] {
                     --waiting_;
                     responder.reply(std::move(*reply));
                   });
  }
  // The same for work whose result is needed on the loop's thread to form the reply.
  void submit(const WebServer::Responder& responder, std::function<void()> work, std::function<Reply()> finish) {
    if (full()) return responder.reply(refusal());
    ++waiting_;
    worker_.submit(std::move(work), [this, responder, finish = std::move(finish)] {
      --waiting_;
      responder.reply(finish());
    });
  }
  // Work that answers no request; not bounded by the queue's limit.
  void run(std::function<void()> work, std::function<void()> done) { worker_.submit(std::move(work), std::move(done)); }

 private:
  ThreadWorker worker_;
  const std::string name_;
  const size_t most_;
  size_t waiting_ = 0;
};

}  // namespace monitor::analysis::web
