#include "plugins/host/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace monitor::plugin_host {

namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the plugin host's sandbox supports only x86-64 and arm64"
#endif
// Little-endian: the low half of an argument comes first.
constexpr uint32_t low_of(int argument) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args) + 8 * static_cast<size_t>(argument));
}

constexpr sock_filter load(uint32_t offset) { return {BPF_LD | BPF_W | BPF_ABS, 0, 0, offset}; }
constexpr sock_filter jump_if_equal(uint32_t value, uint8_t yes, uint8_t no) {
  return {BPF_JMP | BPF_JEQ | BPF_K, yes, no, value};
}
constexpr sock_filter give(uint32_t action) { return {BPF_RET | BPF_K, 0, 0, action}; }

}  // namespace

SeccompFilter::SeccompFilter() {
  add(load(offsetof(seccomp_data, arch)));
  add(jump_if_equal(kArchitecture, 1, 0));
  add(give(SECCOMP_RET_KILL_PROCESS));
  add(load(offsetof(seccomp_data, nr)));
}

uint32_t SeccompFilter::otherwise(int error) {
  return error == 0 ? SECCOMP_RET_TRAP : SECCOMP_RET_ERRNO | static_cast<uint32_t>(error);
}

// The accumulator contains the call's number here, and must contain it again after the body.
void SeccompFilter::begin(int call, size_t body) {
  add(jump_if_equal(static_cast<uint32_t>(call), 0, static_cast<uint8_t>(body)));
}

void SeccompFilter::allow(int call) {
  begin(call, 1);
  add(give(SECCOMP_RET_ALLOW));
}

void SeccompFilter::refuse(int call, int error) {
  begin(call, 1);
  add(give(otherwise(error)));
}

void SeccompFilter::allow_if(int call, int argument, uint32_t mask, uint32_t value, int error) {
  allow_if_any(call, argument, mask, {value}, error);
}

void SeccompFilter::allow_if_any(int call, int argument, uint32_t mask, const std::vector<uint32_t>& values,
                                 int error) {
  begin(call, 3 + 2 * values.size());
  add(load(low_of(argument)));
  add({BPF_ALU | BPF_AND | BPF_K, 0, 0, mask});
  for (const uint32_t value : values) {
    add(jump_if_equal(value, 0, 1));
    add(give(SECCOMP_RET_ALLOW));
  }
  add(give(otherwise(error)));
}

void SeccompFilter::when(int call, const std::vector<Condition>& conditions, uint32_t action) {
  begin(call, 3 * conditions.size() + 2);
  for (size_t i = 0; i < conditions.size(); ++i) {
    const Condition& one = conditions[i];
    add(load(low_of(one.argument) + (one.high ? 4 : 0)));
    add({BPF_ALU | BPF_AND | BPF_K, 0, 0, one.mask});
    add(jump_if_equal(one.value, 0, static_cast<uint8_t>(3 * (conditions.size() - i - 1) + 1)));
  }
  add(give(action));
  add(load(offsetof(seccomp_data, nr)));
}

void SeccompFilter::allow_when(int call, const std::vector<Condition>& conditions) {
  when(call, conditions, SECCOMP_RET_ALLOW);
}

void SeccompFilter::refuse_when(int call, const std::vector<Condition>& conditions, int error) {
  when(call, conditions, otherwise(error));
}

Status SeccompFilter::install() {
  add(give(SECCOMP_RET_TRAP));
  sock_fprog program = {static_cast<unsigned short>(program_.size()), program_.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
    return errno_error(errno, "seccomp");
  }
  return {};
}

}  // namespace monitor::plugin_host
