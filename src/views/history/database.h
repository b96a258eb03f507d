// The history's file: its tables, and how it is opened. docs/history-format.md describes them in full.
//
//   agents(id, name, info)                    the agents; info is JSON, for people and for a restart
//   series(agent, idx, ...)                   an agent's series, by small numbers that the rows refer to
//   open_ticks(id, oldest_ns, ticks)          the newest ticks, of several agents a row (open_ticks.h)
//   blocks(agent, begin_ns, part, id, ...)    which blocks there are: five minutes of an agent each
//   block_rows(id, bytes)                     their times, and their values by series (block.h)
//   reduced(width, agent, bucket, cells)      10 s, 1 min, 1 h; without the open ticks
//   kept(name, from_ns)                       by resolution: what is older has expired
//   points(agent, time_ns, n, points)         one tick per row, as version 1 wrote them; nothing is added
//   positions(log, partition, ...)            how far each log was read, with the reader's state
#pragma once

#include <string>

#include "base/result.h"
#include "sqlite/database.h"

namespace monitor::analysis::history {

using sqlite::Database;
using sqlite::ResetLater;
using sqlite::Statement;

// The version of the file's format (PRAGMA user_version). Version 1 had `points` in place of blocks and open ticks.
inline constexpr int64_t kFileVersion = 2;

// Creates file and tables if they are missing, and adds those of this version to a file of version 1. A file of a newer
// version is refused (kFailedPrecondition) and left as it is. A file that is damaged, or not a history, is moved aside
// first: everything can be read from the log again, as far as the log reaches back.
Result<Database> open_for_writing(const std::string& path);
// The file's version. kFailedPrecondition: a newer version wrote it.
Result<int64_t> file_version(Database& db);
// kNotFound: the file does not exist yet. Its version may be older, and may change while it is open.
Result<Database> open_for_reading(const std::string& path);

}  // namespace monitor::analysis::history
