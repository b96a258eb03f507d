// The history's file: its tables, and how it is opened. SQLite's objects are those of the metric log's folder.
//
//   agents(id, name, info)                    who there is; info is JSON for people and for a restart
//   series(agent, idx, ...)                   an agent's series by small numbers, which the rows name
//   points(agent, time_ns, n, points)         a tick a row, as it came; n tells apart ticks of one time
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

// Makes file and tables when missing. A file that is damaged, or no history, is moved aside first: all of it can be
// read again from the log, as far as that reaches.
Result<Database> open_for_writing(const std::string& path);
// kNotFound: not there yet.
Result<Database> open_for_reading(const std::string& path);

}  // namespace monitor::analysis::history
