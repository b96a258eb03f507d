#include "ui/top/run.h"

#include <langinfo.h>
#include <ncurses.h>

#include <algorithm>
#include <clocale>
#include <cstring>
#include <string>

#include "consume/consumer.h"
#include "ui/top/top_view.h"
#include "views/fleet/fleet_view.h"

namespace monitor::analysis::top {

namespace {

// Upper bound of the delay between a key and its effect.
constexpr int64_t kPoll = 60 * kNanosPerMilli;
constexpr int64_t kDrawEvery = 500 * kNanosPerMilli;
constexpr int kEscapeMs = 25;

class Screen {
 public:
  Screen() {
    std::setlocale(LC_ALL, "");  // NOLINT(concurrency-mt-unsafe): before any other thread looks at it
    utf8_ = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    terminal_ = newterm(nullptr, stdout, stdin);
    if (terminal_ == nullptr) return;
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(kEscapeMs);
    curs_set(0);
    if (has_colors()) {
      start_color();
      use_default_colors();
      init_pair(1, COLOR_GREEN, -1);
      init_pair(2, COLOR_YELLOW, -1);
      init_pair(3, COLOR_RED, -1);
    }
  }
  ~Screen() {
    if (terminal_ == nullptr) return;
    endwin();
    delscreen(terminal_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  bool usable() const { return terminal_ != nullptr; }
  bool utf8() const { return utf8_; }
  static Size size() { return {static_cast<size_t>(COLS), static_cast<size_t>(LINES)}; }

  static void show(const std::vector<Line>& lines) {
    erase();
    for (size_t i = 0; i < lines.size(); ++i) {
      ::move(static_cast<int>(i), 0);
      for (const Span& span : lines[i]) {
        const auto attributes = attributes_of(span.paint);
        attron(attributes);
        addstr(span.text.c_str());
        attroff(attributes);
      }
    }
    refresh();
  }

 private:
  static int attributes_of(Paint paint) {
    switch (paint) {
      case Paint::kPlain:
        return A_NORMAL;
      case Paint::kDim:
        return A_DIM;
      case Paint::kBold:
        return A_BOLD;
      case Paint::kReverse:
        return A_REVERSE;
      case Paint::kGood:
        return COLOR_PAIR(1);
      case Paint::kWarn:
        return COLOR_PAIR(2);
      case Paint::kBad:
        return COLOR_PAIR(3);
    }
    return A_NORMAL;
  }

  SCREEN* terminal_ = nullptr;
  bool utf8_ = false;
};

int key_of(int code) {
  switch (code) {
    case KEY_UP:
      return kUp;
    case KEY_DOWN:
      return kDown;
    case KEY_PPAGE:
      return kPageUp;
    case KEY_NPAGE:
      return kPageDown;
    case KEY_HOME:
      return kHome;
    case KEY_END:
      return kEnd;
    case KEY_LEFT:
      return kLeft;
    case KEY_RIGHT:
      return kRight;
    case KEY_ENTER:
    case '\n':
    case '\r':
      return kEnter;
    case KEY_BACKSPACE:
    case 127:
    case '\b':
      return kBackspace;
    case 27:
      return kEscape;
    default:
      return code;
  }
}

// When the log stored the newest record of any agent.
int64_t newest(const Fleet& fleet) {
  int64_t found = 0;
  for (const auto& [name, agent] : fleet.agents()) found = std::max(found, agent.seen_ns);
  return found;
}

}  // namespace

Status run(metriclog::LogReader& reader, const Clock& clock, telemetry::Registry& registry,
           const std::atomic<bool>& stop, const std::function<Servers()>& servers) {
  FleetView log_view;
  Consumer consumer(reader, {&log_view}, registry);
  const Screen screen;
  if (!screen.usable())
    return Error(Code::kUnavailable, "the terminal cannot be used; TERM may name an unknown terminal");
  TopView view(screen.utf8());
  Fleet held;  // what is shown while paused
  int64_t held_ns = 0;
  int64_t drawn_ns = 0;
  while (!stop) {
    if (const auto went_on = consumer.step(kPoll); !went_on) return went_on.error();
    bool due = clock.mono_ns() - drawn_ns >= kDrawEvery;
    for (int code = getch(); code != ERR; code = getch()) {
      const bool was_paused = view.paused();
      if (code != KEY_RESIZE && !view.key(key_of(code))) return {};
      if (view.paused() && !was_paused) {
        held = log_view.fleet();
        held_ns = clock.wall_ns();
      }
      due = true;
    }
    if (!due) continue;
    const Servers known = servers();
    view.set_servers(known);
    view.set_trouble(log_view.trouble().empty() ? silence_of(known, newest(log_view.fleet()), clock.wall_ns())
                                                : log_view.trouble());
    Screen::show(
        view.draw(view.paused() ? held : log_view.fleet(), view.paused() ? held_ns : clock.wall_ns(), Screen::size()));
    drawn_ns = clock.mono_ns();
  }
  return {};
}

}  // namespace monitor::analysis::top
