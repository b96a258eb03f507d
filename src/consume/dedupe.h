// Dedupe: which batches of a partition were seen, by (agent, incarnation, sequence), for as long as a copy may arrive.
// For some batches of each run it also knows the content and the offset, so that another batch with the same sequence
// is a conflict instead of a copy (docs/decisions/130-*.md). Not thread-safe: a reader has one object per partition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/interval_set.h"
#include "base/random.h"
#include "base/result.h"
#include "consume/digest.h"
#include "consume/known_batches.h"
#include "consume/log_time.h"

namespace monitor::analysis {

class Dedupe {
 public:
  // Agents drop older batches, so no copy arrives later than this.
  static constexpr int64_t kKeepNs = int64_t{7} * 24 * 3600 * kNanosPerSecond;
  // Limits on the digests of one run and of all runs (about 8 bytes each in a snapshot). Half of a run's digests are
  // those of its newest sequences; the other half is a random sample of all earlier ones. So every range of sequences
  // has some, and a forger of batches cannot know which.
  static constexpr size_t kMostOfRun = 256;
  static constexpr size_t kMostOfAll = 16'384;

  // One incarnation of an agent.
  struct Run {
    IntervalSet sequences;
    int64_t last_time_ns = 0;
    KnownBatches known = {};
    uint64_t added = 0;  // number of digests ever added
  };
  struct Verdict {
    enum class Kind { kNew, kCopy, kConflict };
    Kind kind = Kind::kNew;
    int64_t first_offset = -1;  // of a conflict: offset of the batch that was seen first
    Run* run = nullptr;         // for add(), which then need not look it up again; valid until prune()
  };
  Verdict look(std::string_view agent, std::string_view incarnation, uint64_t sequence, Digest digest);
  bool seen(std::string_view agent, std::string_view incarnation, uint64_t sequence) const;
  struct Place {
    int64_t offset = 0;
    int64_t log_time_ns = 0;
  };
  void add(std::string_view agent, std::string_view incarnation, uint64_t sequence, Digest digest, Place place,
           Run* run = nullptr);

  // Forgets incarnations whose last record is more than kKeepNs older than the log's time (log_time.h).
  void prune();
  size_t incarnations() const { return seen_.size(); }
  size_t digests() const { return digests_; }

  void encode(std::string& out) const;
  static Result<Dedupe> decode(std::string_view bytes);

 private:
  static bool contains(const Run& run, uint64_t sequence);
  // Ordered, and can be looked up without creating a string.
  using Key = std::pair<std::string, std::string>;
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return std::pair<std::string_view, std::string_view>(a) < std::pair<std::string_view, std::string_view>(b);
    }
  };

  void shrink(Run& run);
  void shrink_all();
  static void encode_known(const KnownBatches& known, std::string& out);
  static bool decode_known(std::string_view bytes, KnownBatches& known);

  std::map<Key, Run, Less> seen_;
  LogTime now_;
  size_t digests_ = 0;
  size_t most_of_run_ = kMostOfRun;
  SeededRandom random_{0};  // its state depends on what was added
};

}  // namespace monitor::analysis
