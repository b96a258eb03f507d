// A test plugin that starts threads, idle or spinning, according to its options.
#include <atomic>
#include <chrono>
#include <thread>

#include "plugin.hpp"

namespace {

class Crowd final : public monitor::sdk::Plugin {
 public:
  void initialize(monitor::sdk::Options& options) override {
    threads_ = static_cast<int>(options.number("threads", 0));
    spin_ = options.boolean("spin", false);
    catch_ = options.boolean("catch", false);
  }
  bool run(monitor::sdk::Batch&) override {
    for (; threads_ > 0; --threads_) {
      try {
        std::thread([spin = spin_] {
          static std::atomic<long> count{0};
          while (true) {
            if (spin) {
              ++count;
            } else {
              std::this_thread::sleep_for(std::chrono::hours(1));
            }
          }
        }).detach();
      } catch (const std::system_error&) {
        threads_ = 0;
        if (!catch_) throw;
      }
    }
    return true;
  }

 private:
  int threads_ = 0;
  bool spin_ = false;
  bool catch_ = false;
};

}  // namespace

MONITOR_PLUGIN(Crowd, "crowd", "1.0")
