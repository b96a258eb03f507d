// Desk: where requests wait that must block: a thread of its own, and a queue that is bounded. Thread contract:
// submit() on the loop; the work runs on the desk's thread, one after another, and its reply goes out on the loop.
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

class Desk {
 public:
  Desk(EventLoop& loop, std::string name, size_t most) : worker_(loop), name_(std::move(name)), most_(most) {}

  void submit(const WebServer::Responder& responder, std::function<Reply()> work) {
    if (waiting_ >= most_) {
      responder.reply(error_reply(503, "too many questions about the " + name_ + " at once; ask again in a moment"));
      return;
    }
    ++waiting_;
    auto reply = std::make_shared<Reply>();
    worker_.submit([reply, work = std::move(work)] { *reply = work(); },
                   [this, reply, responder] {
                     --waiting_;
                     responder.reply(std::move(*reply));
                   });
  }
  // Work of its own, that answers nobody.
  void run(std::function<void()> work, std::function<void()> done) { worker_.submit(std::move(work), std::move(done)); }

 private:
  ThreadWorker worker_;
  const std::string name_;
  const size_t most_;
  size_t waiting_ = 0;
};

}  // namespace monitor::analysis::web
