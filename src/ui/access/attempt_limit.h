// AttemptLimit: a token bucket for each key (an address, a user name): `burst` attempts at once, then one every
// `one_every_ns`. Holds a bounded number of keys. When all of them are in use, the others share one
// allowance: to forget an exhausted key would give it a new one.
//
// On one thread. The clock must outlive the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"

namespace monitor::access {

class AttemptLimit {
 public:
  AttemptLimit(const Clock& clock, int burst, int64_t one_every_ns, size_t most_keys = 4096)
      : clock_(clock), burst_(burst), one_every_ns_(one_every_ns), most_keys_(most_keys) {}

  // Takes an attempt. Returns 0 if it is allowed, else the seconds until the next one is.
  int take(const std::string& key);
  // The attempt was legitimate and does not count.
  void give_back(const std::string& key);
  size_t keys() const { return buckets_.size(); }

 private:
  struct Bucket {
    int64_t credit_ns = 0;  // an attempt costs one_every_ns_
    int64_t filled_ns = 0;
  };
  void forget_idle(int64_t now_ns);
  const std::string& bucket_of(const std::string& key) const;

  const Clock& clock_;
  const int burst_;
  const int64_t one_every_ns_;
  const size_t most_keys_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace monitor::access
