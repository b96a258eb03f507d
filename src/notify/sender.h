// Sender: delivers a notification to one integration of a receiver. Implementations may block, at most for the
// integration's timeout; each is used by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "notify/config.h"
#include "notify/notification.h"

namespace monitor::notify {

struct Outcome {
  enum class Kind : uint8_t {
    kSent,     // the receiver has accepted it
    kRetry,    // not delivered, or unknown; the same notification is sent again
    kRefused,  // the receiver will never accept it
  };

  Kind kind = Kind::kRetry;
  std::string answer;          // of the receiver, or why it failed; without secrets, for people
  int64_t retry_after_ms = 0;  // what the receiver asked for; 0: nothing
};

class Sender {
 public:
  virtual ~Sender() = default;
  // Ends early, with kRetry, once `stop` is true; waiters for that are woken.
  virtual Outcome send(const Notification& notification, const std::atomic<bool>& stop) = 0;
};

using SenderFactory = std::function<std::unique_ptr<Sender>(const Integration& integration)>;

// At most 200 bytes of an answer, on one line and printable.
std::string short_answer(std::string_view text);

}  // namespace monitor::notify
