// How the end of a host is reported, using programs that end at once.
#include "plugins/hosted/host_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/testing/manual_worker.h"
#include "plugins/hosted/plugin_hosts.h"

namespace monitor::agent {
namespace {

struct Told final : HostLink::Listener {
  void on_message(const plugin_wire::MessageView&) override {}
  void on_end(const std::string& why, bool is_guilty) override {
    ++ends;
    reason = why;
    guilty = is_guilty;
    if (then) then();
  }
  int ends = 0;
  std::string reason;
  bool guilty = false;
  std::function<void()> then;
};

struct World {
  explicit World(const std::string& program = "/bin/false") {
    auto made = HostProcess::start(loop, worker, program, "p");
    host = made ? *made : nullptr;
  }
  void until_gone() {
    while (!host->gone()) loop.run_once(-1);
  }
  SystemClock clock;
  EventLoop loop{clock};
  ThreadWorker worker{loop};
  std::shared_ptr<HostProcess> host;
};

TEST(HostProcess, ProgramIsBesideTheAgentOrInLibexec) {
  const std::string prefix = ::testing::TempDir() + "/host-program-" + std::to_string(getpid());
  const std::string bin = prefix + "/bin";
  const std::string libexec = prefix + "/libexec/monitor";
  std::filesystem::create_directories(bin);
  std::filesystem::create_directories(libexec);
  EXPECT_EQ(plugin_host_near(bin), bin + "/monitor-plugin-host") << "the error then names the usual place";
  std::ofstream(libexec + "/monitor-plugin-host") << "#!/bin/sh\n";
  EXPECT_EQ(plugin_host_near(bin), bin + "/monitor-plugin-host") << "it cannot be executed";
  chmod((libexec + "/monitor-plugin-host").c_str(), 0755);
  EXPECT_EQ(plugin_host_near(bin), bin + "/../libexec/monitor/monitor-plugin-host");
  std::ofstream(bin + "/monitor-plugin-host") << "#!/bin/sh\n";
  chmod((bin + "/monitor-plugin-host").c_str(), 0755);
  EXPECT_EQ(plugin_host_near(bin), bin + "/monitor-plugin-host");
  std::filesystem::remove_all(prefix);
}

TEST(HostProcess, ReportsHowTheProcessEnded) {
  World w;
  ASSERT_NE(w.host, nullptr);
  Told told;
  w.host->add(told);
  w.until_gone();
  EXPECT_EQ(told.ends, 1);
  EXPECT_EQ(told.reason, "it ended its process with status 1");
  EXPECT_TRUE(told.guilty) << "it was alone in the host";
  EXPECT_TRUE(w.host->ended());
}

TEST(HostProcess, ReadsPrintedOutputToItsEnd) {
  const std::string program = ::testing::TempDir() + "/prints";
  {
    std::ofstream file(program);
    file << "#!/bin/sh\necho first\nprintf '%05000d\\n' 7\nprintf 'no end' >&2\n";
  }
  chmod(program.c_str(), 0700);
  testing::internal::CaptureStderr();
  {
    World w(program);
    ASSERT_NE(w.host, nullptr);
    w.until_gone();
  }
  const std::string text = testing::internal::GetCapturedStderr();
  unlink(program.c_str());
  EXPECT_NE(text.find("plugin printed plugin=p line=first"), std::string::npos) << text;
  EXPECT_NE(text.find("line=000"), std::string::npos) << "a line that is too long must be truncated";
  EXPECT_EQ(text.find("007"), std::string::npos) << "the rest of it must not count as a line";
  EXPECT_NE(text.find("line=\"no end\""), std::string::npos) << text;
}

// Few but long messages. Without the limit, the plugin would keep the agent's loop busy with reading.
TEST(HostProcess, EndsAHostThatFloodsTheAgent) {
  const std::string program = ::testing::TempDir() + "/floods";
  {
    std::ofstream file(program);
    file << "#!/usr/bin/python3\n"
            "import socket, struct\n"
            "s = socket.socket(fileno=3)\n"
            "text = bytes(60000)\n"
            "body = struct.pack('<II', 1, len(text)) + text\n"
            "packet = struct.pack('<4H4I', 0x504d, 1, 33, 0, 1, 0, len(body), 0) + body\n"
            "while True: s.send(packet)\n";
  }
  chmod(program.c_str(), 0700);
  World w(program);
  ASSERT_NE(w.host, nullptr);
  Told told;
  w.host->add(told);
  w.until_gone();
  unlink(program.c_str());
  EXPECT_EQ(told.reason, "it sent more than 20000 unsolicited messages, or 78 MiB, in one second");
}

// Starting a process blocks the caller until it runs, so the worker does it.
struct Unstarted {
  explicit Unstarted(const std::string& program = "/bin/cat") {
    auto made = HostProcess::start(loop, worker, program, "p");
    host = made ? *made : nullptr;
    if (host != nullptr) host->add(told);
  }
  SystemClock clock;
  EventLoop loop{clock};
  ManualWorker worker;
  std::shared_ptr<HostProcess> host;
  Told told;
};

TEST(HostProcess, AcceptsMessagesBeforeItRuns) {
  Unstarted u;
  ASSERT_NE(u.host, nullptr);
  EXPECT_EQ(u.host->pid(), 0);
  EXPECT_FALSE(u.host->gone());
  EXPECT_FALSE(u.host->ended());
  u.worker.run_all();
  EXPECT_NE(u.host->pid(), 0);
}

TEST(HostProcess, KilledBeforeItRunsIsNeverStarted) {
  Unstarted u;
  ASSERT_NE(u.host, nullptr);
  u.host->kill("it is late");
  EXPECT_EQ(u.told.ends, 0);
  u.worker.run_all();
  EXPECT_EQ(u.told.ends, 1);
  EXPECT_EQ(u.told.reason, "it is late");
  EXPECT_TRUE(u.host->gone());
}

TEST(HostProcess, EndsIfTheProcessCannotBeStarted) {
  const std::string program = ::testing::TempDir() + "/no-program";
  {
    std::ofstream file(program);
    file << std::string(4, '\0');
  }
  chmod(program.c_str(), 0700);
  Unstarted u(program);
  ASSERT_NE(u.host, nullptr);
  u.worker.run_all();
  EXPECT_EQ(u.told.ends, 1);
  EXPECT_NE(u.told.reason.find("starting " + program), std::string::npos) << u.told.reason;
  unlink(program.c_str());
}

TEST(HostProcess, DestructionBeforeItRunsLeavesNoProcess) {
  Unstarted u;
  ASSERT_NE(u.host, nullptr);
  u.host.reset();
  u.worker.run_all();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a child process is left";
}

// The callback for one plugin's end may apply another configuration, to which the other plugins do not belong.
TEST(HostProcess, PluginReleasedDuringTheNotificationIsNotNotified) {
  World w;
  ASSERT_NE(w.host, nullptr);
  Told first;
  auto second = std::make_unique<Told>();
  Told third;
  w.host->add(first);
  const uint32_t instance = w.host->add(*second);
  w.host->add(third);
  first.then = [&] {
    w.host->remove(instance);
    second.reset();
  };
  w.until_gone();
  EXPECT_EQ(first.ends, 1);
  EXPECT_EQ(third.ends, 1);
  EXPECT_FALSE(first.guilty) << "it is unknown which plugin did it";
}

TEST(HostProcess, ReportsAMissingProgram) {
  SystemClock clock;
  EventLoop loop(clock);
  ManualWorker worker;
  const auto made = HostProcess::start(loop, worker, "/no/such/program", "p");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("starting /no/such/program"), std::string::npos);
}

}  // namespace
}  // namespace monitor::agent
