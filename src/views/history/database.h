// The history's file: its tables, and how it is opened. Uses the SQLite wrappers of the metric log.
//
//   agents(id, name, info)                    the agents; info is JSON, for people and for a restart
//   series(agent, idx, ...)                   an agent's series, by small numbers that the rows refer to
//   points(agent, time_ns, n, points)         one tick per row; n distinguishes ticks with the same time
//   reduced(width, agent, bucket, cells)      10 s, 1 min, 1 h
//   positions(log, partition, ...)            how far each log was read, with the reader's state
#pragma once

#include <string>

#include "base/result.h"
#include "metriclog/sqlite/database.h"

namespace monitor::analysis::history {

using metriclog::sqlite::Database;
using metriclog::sqlite::ResetLater;
using metriclog::sqlite::Statement;

// Creates file and tables if they are missing. A file that is damaged, or not a history, is moved aside first:
// everything can be read from the log again, as far as the log reaches back.
Result<Database> open_for_writing(const std::string& path);
// kNotFound: the file does not exist yet.
Result<Database> open_for_reading(const std::string& path);

}  // namespace monitor::analysis::history
