// Progress: how far the data of a partition has come in event time. Windows that end before it are complete, as far as
// anybody can know.
//
// The watermark is the time up to which every active agent of the partition has sent its data. Each batch, also a
// heartbeat without values, shows that the agent has closed all earlier ones. An agent is not waited for
//   - when it has stopped in order,
//   - when nothing has come from it for kIdle and two of its sending intervals (by the log's time),
//   - while its data is more than kMaxLag behind, because it sends a backlog.
// Its data may then be late. The watermark never goes back.
//
// All times are nanoseconds since 1970. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "metrics/batch.h"

namespace monitor::analysis {

class Progress {
 public:
  static constexpr int64_t kIdle = 30 * kNanosPerSecond;
  static constexpr int64_t kMaxLag = 120 * kNanosPerSecond;
  static constexpr int64_t kForgetAfter = int64_t{24} * 3600 * kNanosPerSecond;
  static constexpr size_t kMaxAgents = 20'000;

  // `off_ns`: the error of the agent's clock (clock_error_ns).
  void note(const metriclog::Record& record, const metrics::Batch& batch, int64_t off_ns);
  // Nothing has come for this long since the last record, and the log is readable.
  void set_silence(int64_t silence_ns) { silence_ns_ = silence_ns; }
  // INT64_MIN before the first batch. Never exceeds the newest data by more than `beyond_ns`, so that a wrong clock of
  // the log does harm to few windows.
  int64_t watermark(int64_t beyond_ns);

  size_t agents() const { return agents_.size(); }

  // What is known of one agent; valid until the next call of note() or expect().
  struct AgentTime {
    const std::string& name;
    int64_t reached_ns = INT64_MIN;  // it has sent its data up to here
    int64_t seen_ns = 0;             // its last record, by the log's time
    bool stopped = false;
    bool active = false;  // it is waited for
  };
  void for_each(const std::function<void(const AgentTime& agent)>& visit) const;
  // An agent of which nothing has come yet, but whose last record is known from elsewhere: it is waited for as if its
  // data had come up to `reached_ns`.
  void expect(const std::string& agent, int64_t reached_ns, int64_t seen_ns);
  // Removes an agent that was not seen after that time.
  void forget(std::string_view agent, int64_t seen_until_ns = INT64_MAX);
  // By the log's time: that of the last record, and the silence since. 0: there was none.
  int64_t now_ns() const;
  // INT64_MIN: no data has come.
  int64_t newest_ns() const { return newest_ns_; }

  void encode(std::string& out) const;
  Status decode(std::string_view bytes);

 private:
  struct Agent {
    int64_t reached_ns = INT64_MIN;
    int64_t seen_ns = 0;  // by the log's time
    int64_t send_every_ns = 0;
    bool stopped = false;
  };
  bool is_active(const Agent& agent, int64_t now_ns) const;

  std::map<std::string, Agent, std::less<>> agents_;
  int64_t log_now_ns_ = 0;  // of the last record
  int64_t newest_ns_ = INT64_MIN;
  int64_t watermark_ns_ = INT64_MIN;
  int64_t silence_ns_ = 0;
};

}  // namespace monitor::analysis
