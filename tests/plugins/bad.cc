// A test plugin that misbehaves: option "how" selects the fault, option "when" the phase.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "plugin.hpp"

namespace {

// Hidden from the optimizer, so that it does not remove the fault.
char* volatile target = nullptr;
volatile int sink = 0;

int overflow_stack(int depth) {
  volatile char room[1024];
  room[0] = static_cast<char>(depth);
  return depth > 1 << 30 ? 0 : overflow_stack(depth + 1) + room[0];
}

class Bad final : public monitor::sdk::Plugin {
 public:
  void initialize(monitor::sdk::Options& options) override {
    how_ = options.text("how", "");
    when_ = options.text("when", "run");
    if (when_ == "initialize") act(nullptr);
  }

  bool run(monitor::sdk::Batch& batch) override {
    if (when_ == "run") act(&batch);
    return true;
  }

  std::string save() override {
    if (when_ == "save") act(nullptr);
    return "state";
  }
  void restore(std::string_view) override {
    if (when_ == "restore") act(nullptr);
  }
  void finalize() override {
    if (when_ == "finalize") act(nullptr);
  }

 private:
  void act(monitor::sdk::Batch* batch) {
    if (how_ == "segfault") *target = 1;
    if (how_ == "abort") std::abort();
    if (how_ == "exit") std::exit(0);
    if (how_ == "loop") {
      while (true) sink = sink + 1;
    }
    if (how_ == "sleep") sleep(3600);
    if (how_ == "memory") {
      char* const block = static_cast<char*>(std::malloc(10'000'000'000ULL));
      std::memset(block, 1, 10'000'000'000ULL);
    }
    if (how_ == "new_memory") target = new char[10'000'000'000ULL];
    if (how_ == "stack") sink = overflow_stack(sink);
    if (how_ == "double_free") {
      char* const block = static_cast<char*>(std::malloc(100));
      target = block;
      std::free(target);
      std::free(target);
    }
    if (how_ == "heap_overflow") {
      target = static_cast<char*>(std::malloc(16));
      for (size_t i = 0; i < 1'000'000; ++i) target[i] = 'x';
      std::free(target);
    }
    if (how_ == "stdout") {
      for (int i = 0; i < 1000; ++i) std::puts("0123456789 this goes nowhere in particular");
      std::fflush(stdout);
    }
    if (how_ == "close_all") {
      for (int fd = 0; fd < 1024; ++fd) close(fd);
    }
    if (how_ == "fork") {
      while (true) sink = fork();
    }
    if (how_ == "kill_parent") kill(getppid(), SIGKILL);
    if (how_ == "kill_all") kill(-1, SIGKILL);
    if (how_ == "socket") sink = socket(AF_INET, SOCK_STREAM, 0);
    if (how_ == "exec") execl("/bin/sh", "sh", "-c", "true", nullptr);
    if (how_ == "passwd") {
      std::FILE* const file = std::fopen("/etc/passwd", "r");
      char line[256] = "unread";
      if (file != nullptr && std::fgets(line, sizeof line, file) != nullptr && batch != nullptr) {
        for (auto point : *batch) point.set_label("leak", line);
      }
    }
    if (how_ == "write_file") {
      const int fd = open("/tmp/monitor-bad-plugin", O_CREAT | O_WRONLY, 0600);
      sink = fd;
    }
    if (how_ == "throw") throw std::runtime_error("I always throw");
    if (how_ == "throw_int") throw 42;
    if (how_ == "threads") {
      for (int i = 0; i < 4; ++i) {
        std::thread([] {
          while (true) sink = sink + 1;
        }).detach();
      }
      how_ = "threads are there";
    }
    if (how_ == "thread_segfault") {
      std::thread([] { *target = 1; }).detach();
      sleep(3600);
    }
    if (how_ == "garbage") {
      // Descriptor 3 is the host's channel.
      const char packet[] = "this is no message, whatever it may look like";
      sink = static_cast<int>(send(3, packet, sizeof packet, 0));
    }
    if (how_ == "flood") {
      char packet[4096] = {};
      while (send(3, packet, sizeof packet, 0) > 0) {
      }
    }
    if (how_ == "uncatchable") raise(SIGKILL);
    if (how_ == "exec_memory") {
      void* const code = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (code == MAP_FAILED) throw std::runtime_error("no memory for new code");
    }
    if (how_ == "series") {
      // Too many series, with new ones in every tick.
      for (int i = 0; batch != nullptr && i < 500; ++i) {
        monitor::sdk::Series series;
        series.name = "bad.series." + std::to_string(count_++);
        series.unit = "1";
        batch->add(host().intern(series), 1);
      }
    }
  }

  std::string how_;
  std::string when_;
  int count_ = 0;
};

}  // namespace

MONITOR_PLUGIN(Bad, "bad", "1.0")
