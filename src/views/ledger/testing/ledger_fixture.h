// A ledger that a test feeds with batches, at a time that the test advances.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "views/ledger/ledger.h"
#include "views/ledger/report.h"
#include "views/ledger/testing/ledger_world.h"

namespace monitor::analysis {

inline constexpr int64_t kStart = 1'700'000'000 * kNanosPerSecond;

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() { ledger_.fresh(0, {}); }

  // The log stores it at `now_`.
  void take(const metrics::Batch& batch) {
    metriclog::Record record;
    record.time_ns = now_;
    record.offset = ++offset_;
    ledger_.apply(record, batch);
  }
  metrics::Batch fresh(char run, uint64_t sequence) const { return batch_of(run, sequence, now_); }
  void pass(int64_t seconds) { now_ += seconds * kNanosPerSecond; }

  std::vector<LedgerRow> rows(int64_t missing_after_ns = 0) {
    // A ledger restored from a snapshot must be judged like the one that was built.
    std::string bytes;
    ledger_.encode(0, bytes);
    Ledger other;
    EXPECT_TRUE(other.decode(0, 1, bytes).ok());
    std::string again;
    other.encode(0, again);
    EXPECT_EQ(bytes, again);
    return report(other, {"", now_, missing_after_ns, log_});
  }
  LedgerRow row(char run = 'x', int64_t missing_after_ns = 0) {
    for (LedgerRow& one : rows(missing_after_ns)) {
      if (one.incarnation == run_id(run)) return one;
    }
    return {};
  }
  static metrics::IncarnationEnd end_of(char run, uint64_t last, bool clean = false) {
    return {run_id(run), last, kStart, clean};
  }

  Ledger ledger_;
  int64_t now_ = kStart;
  int64_t offset_ = 0;
  std::string log_ = "sqlite:this";
};

}  // namespace monitor::analysis
