// CommandSender: starts a program for each notification, with the webhook's JSON on its standard input.
//
// The program runs in a process group of its own, without descriptors of this process and without its environment, and
// is killed with everything that it has started at the end of its time or when it exits. Exit status 0: sent; 65 (the
// data is wrong): refused; anything else is tried again. What it prints is kept up to 4 KiB, and read up to its end.
#pragma once

#include "notify/sender.h"

namespace monitor::notify {

class CommandSender final : public Sender {
 public:
  explicit CommandSender(const Integration& integration) : integration_(integration) {}
  Outcome send(const Notification& notification, const std::atomic<bool>& stop) override;

 private:
  const Integration integration_;
};

}  // namespace monitor::notify
