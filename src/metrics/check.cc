#include "metrics/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "metrics/batch_walker.h"
#include "metrics/claims.h"

namespace monitor::metrics {

namespace {

using wire::BatchWalker;
using wire::FrameView;
using wire::LabelView;
using wire::SeriesView;

// Stores the claims and checks them at the end, because a claim may precede the fields that bound it.
class CheckSink {
 public:
  Status other(const protowire::Field& field) {
    return wire::read_other(field, [this](auto part) { keep(std::move(part)); });
  }
  void resource(const LabelView&) {}
  Status series(const SeriesView&, const BatchLimits&) { return {}; }
  void frame(const FrameView& view, std::string_view, const SeriesMemory::Types&) {
    latest_ns_ = std::max({latest_ns_, view.time_ns, view.rates_since_ns});
  }

  Result<BatchView> finish(Result<BatchView> walked) const {
    if (!walked) return walked;
    if (latest_ns_ > kMaxTimeNs) {
      return Error(Code::kInvalidArgument, fmt::format("batch: the time of a frame is {} ns, the limit is {} (the year "
                                                       "2200)",
                                                       latest_ns_, kMaxTimeNs));
    }
    const Status claims = check_claims({walked->incarnation, walked->sequence, walked->first_unacked,
                                        walked->appended_ns, counters_, drops_, ended_, older_, elsewhere_});
    if (!claims) return claims.error();
    walked->ticks_due = counters_.ticks_due;
    walked->ticks_missed = counters_.ticks_missed;
    return walked;
  }

 private:
  void keep(Counters counters) { counters_ = std::move(counters); }
  void keep(Drop drop) { drops_.push_back(std::move(drop)); }
  void keep(IncarnationEnd end) { ended_.push_back(std::move(end)); }
  void keep(OlderIncarnation older) { older_.push_back(std::move(older)); }
  void keep(Elsewhere elsewhere) { elsewhere_.push_back(std::move(elsewhere)); }

  int64_t latest_ns_ = 0;
  Counters counters_;
  std::vector<Drop> drops_;
  std::vector<IncarnationEnd> ended_;
  std::vector<OlderIncarnation> older_;
  std::vector<Elsewhere> elsewhere_;
};

}  // namespace

Result<BatchView> check_batch(std::string_view bytes, const BatchLimits& limits) {
  CheckSink sink;
  SeriesMemory::Types types;
  return sink.finish(BatchWalker<CheckSink>(limits, sink, types).walk(bytes));
}

Result<BatchView> BatchChecker::check(std::string_view bytes) {
  CheckSink sink;
  return sink.finish(BatchWalker<CheckSink>(limits_, sink, types_, &memory_).walk(bytes));
}

}  // namespace monitor::metrics
