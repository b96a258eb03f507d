#include "ui/top/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "base/escape.h"
#include "base/text.h"
#include "metrics/human.h"
#include "ui/top/layout.h"

namespace monitor::analysis::top {

namespace {

constexpr double kMega = 1024.0 * 1024.0;
constexpr std::array<const char*, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<const char*, 9> kMarks = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};
constexpr std::array<const char*, 7> kSorts = {"state", "agent", "CPU", "memory", "disk", "net", "tick"};
constexpr size_t kByName = 1;  // of kSorts
constexpr size_t kRowsForTotals = 8;
constexpr size_t kColumnOfValues = 90;  // of an agent

std::string cut(std::string_view text, size_t columns) {
  // What is not ASCII is counted a column a character: names are made of letters and digits.
  std::string out;
  size_t count = 0;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    if (count++ == columns) return out;
    out.append(text.substr(i, end - i));
    i = end;
  }
  out.append(columns - count, ' ');
  return out;
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// What is wider than the screen would go on in the next line.
void clip(Line& line, size_t columns) {
  for (Span& span : line) {
    const size_t wide = columns_of(span.text);
    if (wide > columns) span.text = cut(span.text, columns);
    columns -= std::min(wide, columns);
  }
}

std::string right(std::string_view text, size_t columns) {
  return text.size() >= columns ? std::string(text.substr(0, columns))
                                : std::string(columns - text.size(), ' ') + std::string(text);
}

std::string percent(std::optional<double> share) { return share ? fmt::format("{:.1f}", *share * 100) : "-"; }

std::optional<double> sum(std::optional<double> a, std::optional<double> b) {
  if (!a && !b) return std::nullopt;
  return a.value_or(0) + b.value_or(0);
}

std::string megabytes(std::optional<double> bytes) {
  if (!bytes) return "-";
  const double mega = *bytes / kMega;
  return mega < 1000 ? fmt::format("{:.2f}", mega) : fmt::format("{:.0f}", mega);
}

std::string age(int64_t ns) {
  const auto seconds = std::max<int64_t>(ns, 0) / kNanosPerSecond;
  if (seconds < 120) return fmt::format("{}s", seconds);
  if (seconds < 7200) return fmt::format("{}m", seconds / 60);
  if (seconds < 172'800) return fmt::format("{}h", seconds / 3600);
  return fmt::format("{}d", seconds / 86'400);
}

Paint paint_of(Health health) {
  if (health == Health::kAlive) return Paint::kGood;
  if (health == Health::kGone) return Paint::kBad;
  return health == Health::kSilent ? Paint::kDim : Paint::kWarn;
}

// Of the agent's configuration.
std::string labels_of(const LiveAgent& agent) {
  std::string out;
  for (const auto& [key, value] : agent.labels) out += "  " + key + "=" + value;
  return printable(out);
}

std::vector<float> past_of(const LiveAgent& agent, size_t figure) {
  const auto& steps = agent.past.steps(figure);
  return {steps.begin(), steps.end()};
}

std::vector<float> sum(std::vector<float> found, const std::vector<float>& more) {
  for (size_t i = 0; i < found.size() && i < more.size(); ++i) {
    const float other = more[i];
    if (std::isnan(found[i])) {
      found[i] = other;
    } else if (!std::isnan(other)) {
      found[i] += other;
    }
  }
  return found;
}

}  // namespace

std::string sparkline(const std::vector<float>& values, size_t columns, float top, bool utf8) {
  const auto& marks = utf8 ? kBlocks : kMarks;
  const size_t first = values.size() > columns ? values.size() - columns : 0;
  float most = top;
  if (most <= 0) {
    for (size_t i = first; i < values.size(); ++i) most = std::isfinite(values[i]) ? std::max(most, values[i]) : most;
  }
  std::string out(columns - (values.size() - first), ' ');
  for (size_t i = first; i < values.size(); ++i) {
    if (!std::isfinite(values[i]) || most <= 0) {
      out += ' ';
      continue;
    }
    const auto step = static_cast<size_t>(std::lround(std::clamp(values[i] / most, 0.0F, 1.0F) * 7.0F));
    out += marks[1 + std::min<size_t>(step, 7)];
  }
  return out;
}

bool View::filter_key(int key) {
  if (key == kEnter || key == kEscape) {
    if (key == kEscape) filter_.clear();
    mode_ = Mode::kTable;
  } else if (key == kBackspace) {
    // A whole character of UTF-8.
    while (!filter_.empty() && (static_cast<unsigned char>(filter_.back()) & 0xC0) == 0x80) filter_.pop_back();
    if (!filter_.empty()) filter_.pop_back();
  } else if (key >= ' ' && key < 127 && filter_.size() < 64) {
    filter_ += static_cast<char>(key);
  }
  return true;
}

void View::move(int by) {
  if (mode_ == Mode::kDetail) {
    scroll_ = std::max(0L, scroll_ + by);
    return;
  }
  if (order_.empty()) {  // sorted anew, and not drawn yet
    place_ = std::max(0L, place_ + by);
    return;
  }
  place_ = std::clamp(place_ + by, 0L, static_cast<long>(order_.size()) - 1);
  chosen_ = order_[static_cast<size_t>(place_)];
}

bool View::key(int key) {
  if (mode_ == Mode::kFilter) return filter_key(key);
  if (key == 'q') return false;
  if (!mode_key(key) && !sort_key(key)) move_key(key);
  return true;
}

// What is shown. False: the key is not for that.
bool View::mode_key(int key) {
  switch (key) {
    case '?':
    case 'h':
      if (mode_ != Mode::kHelp) before_help_ = mode_;
      mode_ = mode_ == Mode::kHelp ? before_help_ : Mode::kHelp;
      return true;
    case kEscape:
      mode_ = mode_ == Mode::kHelp ? before_help_ : Mode::kTable;
      if (mode_ == Mode::kTable) scroll_ = 0;
      return true;
    case kEnter:
      if (mode_ != Mode::kTable) return true;
      mode_ = Mode::kDetail;
      scroll_ = 0;
      return true;
    case '/':
      mode_ = Mode::kFilter;
      return true;
    case 'p':
    case ' ':
      paused_ = !paused_;
      return true;
    default:
      return false;
  }
}

bool View::sort_key(int key) {
  switch (key) {
    case 's':
    case '>':
    case kRight:
      sort_ = (sort_ + 1) % kSorts.size();
      break;
    case '<':
    case kLeft:
      sort_ = (sort_ + kSorts.size() - 1) % kSorts.size();
      break;
    case 'r':
      break;
    default:
      return false;
  }
  down_ = key == 'r' ? !down_ : sort_ != kByName;  // the worst, the most, the oldest first
  // Who sorts wants the first: it is chosen, not the one that was and is now elsewhere.
  if (mode_ != Mode::kTable) return true;
  chosen_.clear();
  order_.clear();
  place_ = 0;
  scroll_ = 0;
  return true;
}

void View::move_key(int key) {
  constexpr int kFar = 1'000'000;
  switch (key) {
    case kUp:
    case 'k':
      return move(-1);
    case kDown:
    case 'j':
      return move(1);
    case kPageUp:
      return move(static_cast<int>(-page_));
    case kPageDown:
      return move(static_cast<int>(page_));
    case kHome:
      return move(-kFar);
    case kEnd:
      return move(kFar);
    default:
      return;
  }
}

std::vector<View::Row> View::rows_of(const Fleet& fleet, int64_t now_ns) const {
  std::vector<Row> rows;
  const std::string pattern = filter_.find_first_of("*?") == std::string::npos ? "*" + filter_ + "*" : filter_;
  for (const auto& [name, agent] : fleet.agents()) {
    const bool labelled = std::ranges::any_of(
        agent.labels, [&](const auto& label) { return glob_match(pattern, label.first + "=" + label.second); });
    if (!filter_.empty() && !glob_match(pattern, name) && !glob_match(pattern, agent.host) && !labelled) continue;
    rows.push_back({&agent, judge(agent, now_ns, Presence::kUnknown, servers_), agent.figures()});
  }
  const auto key = [this](const Row& row) -> double {
    switch (sort_) {
      case 0:
        return static_cast<double>(row.verdict.health);
      case 2:
        return row.figures[0].value_or(-1);
      case 3:
        return row.figures[1].value_or(-1);
      case 4:
        return sum(row.figures[2], row.figures[3]).value_or(-1);
      case 5:
        return sum(row.figures[4], row.figures[5]).value_or(-1);
      case 6:
        return -static_cast<double>(row.agent->tick_ns);  // its age
      default:
        return 0;
    }
  };
  std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) {
    if (sort_ == kByName) return down_ ? a.agent->name > b.agent->name : a.agent->name < b.agent->name;
    return down_ ? key(a) > key(b) : key(a) < key(b);
  });
  return rows;
}

Line View::header(size_t width) const {
  const Columns columns = columns_for(width);
  const auto head = [this](size_t sort, const std::string& text, size_t wide, bool to_right) {
    const std::string marked = sort == sort_ ? text + (down_ ? "v" : "^") : text;
    return to_right ? right(marked, wide) : cut(marked, wide);
  };
  std::string text = head(0, "STATE", 9, false) + " " + head(1, "AGENT", columns.agent, false);
  if (columns.wide) text += " " + cut("HOST", columns.host);
  text += " " + head(2, "CPU %", columns.spark + 6, false) + " " + head(3, "MEM %", columns.spark + 6, false) + " " +
          head(4, "DISK MB/s", columns.spark + 7, false) + " " + head(5, "NET MB/s", columns.spark + 6, false);
  if (columns.wide) text += " " + head(6, "TICK", 6, true);
  return {{cut(text, width), Paint::kReverse}};
}

// Figures with their small lines, of an agent or of all.
template <typename PastOf>
std::string View::figures(const Figures& now, size_t spark, const PastOf& past) const {
  const auto one = [&](const std::string& text, const std::vector<float>& line, float top, size_t width) {
    return " " + right(text, width) + " " + sparkline(line, spark, top, utf8_);
  };
  return one(percent(now[0]), past(0), 1, 5) + one(percent(now[1]), past(1), 1, 5) +
         one(megabytes(sum(now[2], now[3])), sum(past(2), past(3)), 0, 6) +
         one(megabytes(sum(now[4], now[5])), sum(past(4), past(5)), 0, 5);
}

Line View::row(const Row& one, int64_t now_ns, size_t width, bool chosen) const {
  const Columns columns = columns_for(width);
  const LiveAgent& agent = *one.agent;
  std::string rest = " " + cut(printable(agent.name), columns.agent);
  if (columns.wide) rest += " " + cut(printable(agent.host), columns.host);
  rest += figures(one.figures, columns.spark, [&](size_t figure) { return past_of(agent, figure); });
  if (columns.wide) rest += " " + right(agent.tick_ns == 0 ? "-" : age(elapsed_ns(agent.tick_ns, now_ns)), 6);
  const std::string state = cut(to_string(one.verdict.health), 9);
  if (chosen) return {{cut(state + rest, width), Paint::kReverse}};
  return {{state, paint_of(one.verdict.health)}, {cut(rest, width - 9), Paint::kPlain}};
}

// Of those that are there.
Line View::totals(const std::vector<Row>& rows, size_t width) const {
  const Columns columns = columns_for(width);
  std::vector<const LiveAgent*> there;
  for (const Row& one : rows) {
    if (one.verdict.health != Health::kGone) there.push_back(one.agent);
  }
  const Totals all = totals_of(there);
  const std::string who = fmt::format("{} agents: means, sums", there.size());
  return {{cut(cut("ALL", 9) + " " + cut(who, columns.agent + 1 + columns.host) +
                   figures(all.figures, columns.spark, [&](size_t figure) { return all.past[figure]; }),
               width),
           Paint::kBold}};
}

void View::choose(const std::vector<Row>& rows) {
  order_.clear();
  for (const Row& one : rows) order_.push_back(one.agent->name);
  const auto found = std::ranges::find(order_, chosen_);
  if (found != order_.end()) place_ = found - order_.begin();
  place_ = std::clamp(place_, 0L, std::max(static_cast<long>(order_.size()) - 1, 0L));
  if (!order_.empty()) chosen_ = order_[static_cast<size_t>(place_)];
}

void View::table(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines) {
  const auto rows = rows_of(fleet, now_ns);
  choose(rows);
  const bool with_totals = columns_for(size.columns).wide && size.rows >= kRowsForTotals && rows.size() > 1;
  const long room = std::max(static_cast<long>(size.rows) - (with_totals ? 4 : 3), 1L);
  page_ = room;
  scroll_ = std::clamp(scroll_, std::max(place_ - room + 1, 0L), place_);
  lines.push_back(header(size.columns));
  if (with_totals) lines.push_back(totals(rows, size.columns));
  for (long i = scroll_; i < std::min(scroll_ + room, static_cast<long>(rows.size())); ++i) {
    lines.push_back(row(rows[static_cast<size_t>(i)], now_ns, size.columns, i == place_));
  }
  if (rows.empty())
    lines.push_back({{fleet.agents().empty() ? "waiting for agents" : "no agent matches", Paint::kDim}});
}

void View::detail(const Fleet& fleet, int64_t now_ns, Size size, std::vector<Line>& lines) {
  if (chosen_.empty()) choose(rows_of(fleet, now_ns));
  const LiveAgent* const agent = fleet.find(chosen_);
  if (agent == nullptr) {
    mode_ = Mode::kTable;
    table(fleet, now_ns, size, lines);
    return;
  }
  const Verdict verdict = judge(*agent, now_ns, Presence::kUnknown, servers_);
  lines.push_back(
      {{cut(fmt::format(
                "{}  {}  version {}  revision {}  every {}{}", printable(agent->name), printable(agent->host),
                printable(agent->version), agent->revision,
                agent->interval_ns == 0 ? "?" : fmt::format("{:.3g}s", static_cast<double>(agent->interval_ns) / 1e9),
                labels_of(*agent)),
            size.columns),
        Paint::kReverse}});
  lines.push_back({{cut(to_string(verdict.health), 9), paint_of(verdict.health)},
                   {cut(" " + printable(verdict.why), size.columns - 9), Paint::kDim}});
  constexpr std::array<std::tuple<const char*, size_t, size_t, float>, 4> kPasts = {
      {{"CPU", 0, 0, 1.0F}, {"memory", 1, 1, 1.0F}, {"disk", 2, 3, 0.0F}, {"net", 4, 5, 0.0F}}};
  for (const auto& [name, a, b, top] : kPasts) {
    lines.push_back({{cut(name, 9), Paint::kDim},
                     {sparkline(a == b ? past_of(*agent, a) : sum(past_of(*agent, a), past_of(*agent, b)),
                                std::min(Past::kSteps, size.columns - 10), top, utf8_),
                      Paint::kGood}});
  }
  values_of(*agent, size, lines);
}

// All that it has said last, in as many columns as there is room for.
void View::values_of(const LiveAgent& agent, Size size, std::vector<Line>& lines) {
  std::map<std::string, std::string> values;
  for (const LiveValue& value : agent.values) {
    values[printable(metrics::to_string(value.series))] = metrics::human_value(value.series, value.value);
  }
  const size_t columns = std::max<size_t>(size.columns / kColumnOfValues, 1);
  const size_t width = size.columns / columns;
  const auto all = static_cast<long>((values.size() + columns - 1) / columns);
  const long room = std::max(static_cast<long>(size.rows) - static_cast<long>(lines.size()) - 2, 1L);
  page_ = room;
  scroll_ = std::clamp(scroll_, 0L, std::max(all - room, 0L));
  std::vector<Line> found(static_cast<size_t>(all));
  size_t at = 0;
  for (const auto& [name, value] : values) {
    Line& line = found[at++ % found.size()];
    const bool first = line.empty();
    line.push_back({(first ? "" : "  ") + cut(name, width - 17 - (first ? 0 : 2))});
    line.push_back({" " + right(printable(value), 16), Paint::kBold});
  }
  for (long i = scroll_; i < std::min(scroll_ + room, all); ++i)
    lines.push_back(std::move(found[static_cast<size_t>(i)]));
}

void View::help(std::vector<Line>& lines) const {
  lines.push_back({{"monitor-analysis top", Paint::kBold}});
  lines.push_back({});
  for (const char* const text : {"up down j k     choose an agent          page up, page down, home, end",
                                 "Enter           one agent: cores, devices, interfaces", "Esc             back",
                                 "s < >           sort by another column", "r               the other way round",
                                 "/               filter agents, hosts and labels (rack=r12); * and ? stand for any",
                                 "p space         pause", "? h             this help", "q               leave"}) {
    lines.push_back({{text}});
  }
  lines.push_back({});
  lines.push_back({{"alive; late: behind its time; spooling: what it has to say waits at the agent;", Paint::kDim}});
  lines.push_back({{"silent: it lives and collects nothing; gone: nothing came for 30 s;", Paint::kDim}});
  lines.push_back({{"unknown: no server writes the log, so nothing can come", Paint::kDim}});
}

Line View::foot() const {
  if (mode_ == Mode::kFilter) return {{"filter: " + filter_ + "_", Paint::kBold}};
  if (!trouble_.empty()) return {{printable(trouble_), Paint::kBad}};
  std::string text = paused_ ? "PAUSED  " : "";
  if (!filter_.empty()) text += "filter " + filter_ + "  ";
  return {{text + fmt::format("sorted by {}  ? help  q leave", kSorts[sort_]), Paint::kDim}};
}

std::vector<Line> View::draw(const Fleet& fleet, int64_t now_ns, Size size) {
  std::vector<Line> lines;
  size.columns = std::max<size_t>(size.columns, 20);
  if (mode_ == Mode::kHelp) {
    help(lines);
  } else if (mode_ == Mode::kDetail) {
    detail(fleet, now_ns, size, lines);
  } else {
    std::array<size_t, kHealths> counts{};
    for (const auto& [name, agent] : fleet.agents())
      ++counts[static_cast<size_t>(judge(agent, now_ns, Presence::kUnknown, servers_).health)];
    Line top = {{cut(fmt::format("{} agents: ", fleet.agents().size()), 14), Paint::kBold}};
    for (size_t i = 0; i < counts.size(); ++i) {
      const auto health = static_cast<Health>(i);
      // The line must fit into 80 columns.
      if (health == Health::kUnknown && counts[i] == 0) continue;
      top.push_back(
          {fmt::format("{} {}  ", counts[i], to_string(health)), counts[i] > 0 ? paint_of(health) : Paint::kDim});
    }
    lines.push_back(std::move(top));
    table(fleet, now_ns, size, lines);
  }
  lines.resize(size.rows > 0 ? size.rows - 1 : 0);
  Line last = foot();
  last[0].text = cut(last[0].text, size.columns - 1);
  lines.push_back(std::move(last));
  for (Line& line : lines) clip(line, size.columns);
  return lines;
}

}  // namespace monitor::analysis::top
