// Asks mounts from a process beside the agent, so that one that hangs keeps only that process.
//
// A thread inside statfs(2) of a FUSE daemon that took the request and does not answer, or of a disk that is gone,
// cannot be killed, and a process with such a thread cannot end. Each of MountProber's threads has a process of its
// own: this program again, without the agent's descriptors. It ends when the agent has gone, as soon as the kernel lets
// it.
#pragma once

#include <string>
#include <string_view>

#include "inputs/proc/mount_facts.h"

namespace monitor::agent {

// As probe_mount(), answered by the calling thread's process, which is started when there is none. Where none can be
// started, probe_mount() itself. From any thread.
Result<MountFacts> probe_mount_apart(const Mount& mount, const MountOrigin& origin);

// For main(), before anything else: whether this is such a process. Then it serves, and its status is returned.
bool is_probe_process(int argc, const char* const* argv);
int serve_probes();

// What goes between them; fields end with NUL.
std::string encode_question(const Mount& mount, const MountOrigin& origin);
Result<std::pair<Mount, MountOrigin>> decode_question(std::string_view text);
std::string encode_answer(const Result<MountFacts>& answer);
Result<MountFacts> decode_answer(std::string_view text);

}  // namespace monitor::agent
