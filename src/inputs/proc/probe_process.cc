#include "inputs/proc/probe_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr const char* kArgument = "--serve-mount-probes";
constexpr int kSocket = 3;
constexpr size_t kMostBytes = size_t{128} << 10;
constexpr size_t kQuestionFields = 7;
constexpr size_t kFactFields = 10;

void add_field(std::string& out, std::string_view field) {
  out += field;
  out += '\0';
}

bool send_all(int fd, const std::string& text) {
  return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// Returns an empty string if the other side has closed the socket.
std::string receive(int fd) {
  std::string text(kMostBytes, '\0');
  ssize_t size = 0;
  do {
    size = recv(fd, text.data(), text.size(), 0);
  } while (size < 0 && errno == EINTR);
  text.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return text;
}

// The helper process of one thread.
class ProbeProcess {
 public:
  ProbeProcess() = default;
  ~ProbeProcess() { end(); }
  ProbeProcess(const ProbeProcess&) = delete;
  ProbeProcess& operator=(const ProbeProcess&) = delete;

  Result<MountFacts> ask(const Mount& mount, const MountOrigin& origin) {
    if (!socket_.valid() && !start()) return probe_mount(mount, origin);
    if (send_all(socket_.get(), encode_question(mount, origin))) {
      if (const std::string answer = receive(socket_.get()); !answer.empty()) return decode_answer(answer);
    }
    end();
    return Error(Code::kUnavailable, "the process that queries mounts ended during the query of " + mount.mount_point);
  }

 private:
  bool start() {
    std::array<int, 2> pair{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return false;
    socket_ = Fd(pair[0]);
    const Fd theirs(pair[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), kSocket);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    // A process group of its own, so that Ctrl-C reaches only the agent.
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    std::string program = "monitor-agent";
    std::string argument = kArgument;
    const std::array<char*, 3> argv{program.data(), argument.data(), nullptr};
    const int error = posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0) return true;
    pid_ = -1;
    socket_.reset();
    return false;
  }

  // The process ends when it notices that the socket is closed.
  void end() {
    socket_.reset();
    if (pid_ > 0) waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

  Fd socket_;
  pid_t pid_ = -1;
};

}  // namespace

std::string encode_question(const Mount& mount, const MountOrigin& origin) {
  std::string out;
  add_field(out, fmt::format("{}", static_cast<int>(origin.check)));
  add_field(out, origin.rootfs);
  add_field(out, fmt::format("{}", mount.id));
  for (const std::string* field : {&mount.device, &mount.mount_point, &mount.type, &mount.source})
    add_field(out, *field);
  return out;
}

Result<std::pair<Mount, MountOrigin>> decode_question(std::string_view text) {
  const auto fields = split(text, '\0');
  const auto check = parse_u64(fields[0]);
  const auto id = fields.size() == kQuestionFields + 1 ? parse_u64(fields[2]) : std::nullopt;
  if (!check || !id || *check > static_cast<uint64_t>(MountOrigin::Check::kNone)) {
    return Error(Code::kInvalidArgument, "malformed question with " + std::to_string(fields.size()) + " fields");
  }
  std::pair<Mount, MountOrigin> question;
  question.second.check = static_cast<MountOrigin::Check>(*check);
  question.second.rootfs = fields[1];
  question.first.id = *id;
  question.first.device = fields[3];
  question.first.mount_point = fields[4];
  question.first.type = fields[5];
  question.first.source = fields[6];
  return question;
}

std::string encode_answer(const Result<MountFacts>& answer) {
  std::string out;
  if (!answer) {
    add_field(out, fmt::format("{}", static_cast<int>(answer.error().code())));
    add_field(out, answer.error().message());
    return out;
  }
  const MountFacts& facts = *answer;
  add_field(out, "0");
  for (const uint64_t number : {facts.block_bytes, facts.blocks, facts.blocks_free, facts.blocks_available, facts.files,
                                facts.files_free, facts.fsid, uint64_t{facts.directory}}) {
    add_field(out, fmt::format("{}", number));
  }
  add_field(out, facts.source_device);
  return out;
}

Result<MountFacts> decode_answer(std::string_view text) {
  const auto fields = split(text, '\0');
  const auto code = parse_u64(fields[0]);
  if (code && *code != 0 && *code <= static_cast<uint64_t>(Code::kUnauthenticated) && fields.size() == 3) {
    return Error(static_cast<Code>(*code), std::string(fields[1]));
  }
  MountFacts facts;
  uint64_t directory = 0;
  const std::array<uint64_t*, 8> numbers = {
      &facts.block_bytes, &facts.blocks,     &facts.blocks_free, &facts.blocks_available,
      &facts.files,       &facts.files_free, &facts.fsid,        &directory};
  bool valid = code == uint64_t{0} && fields.size() == kFactFields + 1;
  for (size_t i = 0; valid && i < numbers.size(); ++i) {
    const auto number = parse_u64(fields[i + 1]);
    valid = number.has_value();
    if (valid) *numbers.at(i) = *number;
  }
  if (!valid) return Error(Code::kDataLoss, "malformed answer with " + std::to_string(fields.size()) + " fields");
  facts.directory = directory != 0;
  facts.source_device = fields[kFactFields - 1];
  return facts;
}

Result<MountFacts> probe_mount_apart(const Mount& mount, const MountOrigin& origin) {
  thread_local ProbeProcess process;
  return process.ask(mount, origin);
}

bool is_probe_process(int argc, const char* const* argv) { return argc == 2 && std::string_view(argv[1]) == kArgument; }

int serve_probes() {
  // Descriptors of the agent (its lock, its spool) must not stay open here after the agent has ended.
  syscall(SYS_close_range, kSocket + 1, ~0U, 0);
  while (true) {
    const std::string text = receive(kSocket);
    if (text.empty()) return 0;
    const auto question = decode_question(text);
    const Result<MountFacts> answer =
        question ? probe_mount(question->first, question->second) : Result<MountFacts>(question.error());
    if (!send_all(kSocket, encode_answer(answer))) return 0;
  }
}

}  // namespace monitor::agent
