#include "ui/top/curses_screen.h"

#include <langinfo.h>
#include <ncurses.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "ui/terminal/terminal.h"
#include "ui/terminal/text_width.h"

namespace monitor::analysis::top {

namespace {

constexpr int kEscapeMs = 25;
constexpr short kChosenBackground = 238;

// ncurses joins presses that it reads together, whatever the interval is.
constexpr mmask_t kPress = BUTTON1_PRESSED | BUTTON1_CLICKED;
constexpr mmask_t kSeveral = BUTTON1_DOUBLE_CLICKED | BUTTON1_TRIPLE_CLICKED;

// The signals that stop and continue a job. Their handler only notes them: drawing must not be interrupted.
volatile std::sig_atomic_t stop_asked = 0;
volatile std::sig_atomic_t continued = 0;
void note_signal(int signal) { (signal == SIGTSTP ? stop_asked : continued) = 1; }

struct Colour {
  Paint paint;
  short of_8;
  short of_256;
};
// Pair 1 + i is its colour; with 256 colours, pair 1 + i + size is the same in the selected row.
constexpr std::array<Colour, 10> kColours = {{{Paint::kPlain, -1, -1},
                                              {Paint::kGood, COLOR_GREEN, 78},
                                              {Paint::kWarn, COLOR_YELLOW, 220},
                                              {Paint::kBad, COLOR_RED, 203},
                                              {Paint::kAccent, COLOR_CYAN, 80},
                                              {Paint::kHeat1, COLOR_GREEN, 78},
                                              {Paint::kHeat2, COLOR_GREEN, 149},
                                              {Paint::kHeat3, COLOR_YELLOW, 220},
                                              {Paint::kHeat4, COLOR_YELLOW, 214},
                                              {Paint::kHeat5, COLOR_RED, 203}}};
constexpr int kEnoughColours = 256;

size_t place_of(Paint paint) {
  for (size_t i = 0; i < kColours.size(); ++i) {
    if (kColours[i].paint == paint) return i;
  }
  return 0;
}

int key_of(int code) {
  constexpr std::array<std::pair<int, int>, 16> kKeys = {{{KEY_UP, kUp},
                                                          {KEY_DOWN, kDown},
                                                          {KEY_PPAGE, kPageUp},
                                                          {KEY_NPAGE, kPageDown},
                                                          {KEY_HOME, kHome},
                                                          {KEY_END, kEnd},
                                                          {KEY_LEFT, kLeft},
                                                          {KEY_RIGHT, kRight},
                                                          {KEY_ENTER, kEnter},
                                                          {'\n', kEnter},
                                                          {'\r', kEnter},
                                                          {KEY_BACKSPACE, kBackspace},
                                                          {127, kBackspace},
                                                          {'\b', kBackspace},
                                                          {'\t', kTab},
                                                          {27, kEscape}}};
  for (const auto& [from, to] : kKeys) {
    if (from == code) return to;
  }
  return code < 256 ? code : kOther;
}

class CursesScreen final : public Screen {
 public:
  CursesScreen(SCREEN* terminal, bool utf8, const CursesOptions& options) : terminal_(terminal), utf8_(utf8) {
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(kEscapeMs);
    curs_set(0);
    if (options.mouse) {
      mousemask(kPress | kSeveral | BUTTON4_PRESSED | BUTTON5_PRESSED, nullptr);
      mouseinterval(0);  // a press is reported at once
    }
    start_colours();
  }
  ~CursesScreen() override {
    endwin();
    delscreen(terminal_);
    std::signal(SIGTSTP, SIG_DFL);
    std::signal(SIGCONT, SIG_DFL);
  }
  CursesScreen(const CursesScreen&) = delete;
  CursesScreen& operator=(const CursesScreen&) = delete;

  Size size() const override { return {static_cast<size_t>(COLS), static_cast<size_t>(LINES)}; }
  bool utf8() const override { return utf8_; }
  Event next_event() override;
  void show(const std::vector<Line>& lines) override;

 private:
  void start_colours();
  attr_t attributes_of(const Span& span) const;
  static attr_t plain_attributes(Paint paint);
  static void stop_here();
  static bool is_gone();
  Event mouse_event();

  SCREEN* const terminal_;
  const bool utf8_;
  bool colours_ = false;
  bool many_colours_ = false;
  std::optional<Event> second_press_;  // of a double click
};

void CursesScreen::start_colours() {
  if (!has_colors() || !wants_colour(STDOUT_FILENO)) return;
  start_color();
  use_default_colors();
  colours_ = true;
  many_colours_ = COLORS >= kEnoughColours && COLOR_PAIRS > static_cast<int>(2 * kColours.size());
  for (size_t i = 0; i < kColours.size(); ++i) {
    const short colour = many_colours_ ? kColours[i].of_256 : kColours[i].of_8;
    init_pair(static_cast<short>(1 + i), colour, -1);
    if (many_colours_) init_pair(static_cast<short>(1 + i + kColours.size()), colour, kChosenBackground);
  }
}

attr_t CursesScreen::plain_attributes(Paint paint) {
  switch (paint) {
    case Paint::kDim:
      return A_DIM;
    case Paint::kBold:
      return A_BOLD;
    case Paint::kReverse:
      return A_REVERSE;
    default:
      return A_NORMAL;
  }
}

attr_t CursesScreen::attributes_of(const Span& span) const {
  attr_t found = plain_attributes(span.paint);
  const size_t place = place_of(span.paint);
  if (!colours_) {
    if (span.paint == Paint::kBad || span.paint == Paint::kHeat5) found |= A_BOLD;
    return span.chosen ? A_REVERSE : found;
  }
  if (span.chosen && !many_colours_) return A_REVERSE;
  if (span.chosen) {
    if (span.paint == Paint::kDim) found = A_NORMAL;  // dim on grey is hard to read
    return found | static_cast<attr_t>(COLOR_PAIR(static_cast<int>(1 + place + kColours.size())));
  }
  return place == 0 ? found : found | static_cast<attr_t>(COLOR_PAIR(static_cast<int>(1 + place)));
}

// Each span begins where it belongs, even if the terminal takes another character for wider than we do.
void CursesScreen::show(const std::vector<Line>& lines) {
  erase();
  for (size_t i = 0; i < lines.size(); ++i) {
    size_t at = 0;
    for (const Span& span : lines[i]) {
      if (::move(static_cast<int>(i), static_cast<int>(at)) == ERR) break;
      attrset(static_cast<int>(attributes_of(span)));
      addstr(span.text.c_str());
      at += text_width(span.text);
    }
  }
  attrset(A_NORMAL);
  refresh();
}

void CursesScreen::stop_here() {
  endwin();
  std::signal(SIGTSTP, SIG_DFL);
  std::raise(SIGTSTP);  // returns when the shell continues the job
  std::signal(SIGTSTP, note_signal);
}

bool CursesScreen::is_gone() {
  std::array<pollfd, 2> ends = {
      {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}, {.fd = STDOUT_FILENO, .events = 0, .revents = 0}}};
  if (poll(ends.data(), ends.size(), 0) <= 0) return false;
  return ((ends[0].revents | ends[1].revents) & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

Event CursesScreen::next_event() {
  if (std::exchange(stop_asked, 0) != 0) {
    stop_here();
    continued = 1;
  }
  if (std::exchange(continued, 0) != 0) {
    endwin();  // the shell has its own modes
    clearok(stdscr, TRUE);
    refresh();
    return {.kind = Event::Kind::kRedraw};
  }
  if (second_press_) return *std::exchange(second_press_, std::nullopt);
  const int code = getch();
  if (code == ERR) return {.kind = is_gone() ? Event::Kind::kGone : Event::Kind::kNone};
  if (code == KEY_RESIZE) return {.kind = Event::Kind::kRedraw};
  if (code != KEY_MOUSE) return {.kind = Event::Kind::kKey, .key = key_of(code)};
  return mouse_event();
}

Event CursesScreen::mouse_event() {
  MEVENT event;
  if (getmouse(&event) != OK || event.x < 0 || event.y < 0) return {.kind = Event::Kind::kRedraw};
  Event found{.kind = Event::Kind::kMouse,
              .mouse = {.column = static_cast<size_t>(event.x), .row = static_cast<size_t>(event.y)}};
  if ((event.bstate & BUTTON4_PRESSED) != 0) found.mouse.kind = Mouse::Kind::kWheelUp;
  if ((event.bstate & BUTTON5_PRESSED) != 0) found.mouse.kind = Mouse::Kind::kWheelDown;
  if ((event.bstate & kSeveral) != 0) second_press_ = found;
  return found;
}

}  // namespace

Result<std::unique_ptr<Screen>> open_curses_screen(const CursesOptions& options) {
  std::setlocale(LC_ALL, "");  // NOLINT(concurrency-mt-unsafe): before any other thread looks at it
  const bool utf8 = std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
  // Before ncurses looks: it leaves a handler in place, and its own one would draw in the middle of our drawing.
  std::signal(SIGTSTP, note_signal);
  std::signal(SIGCONT, note_signal);
  SCREEN* const terminal = newterm(nullptr, stdout, stdin);
  if (terminal == nullptr) {
    return Error(Code::kUnavailable, "the terminal cannot be used; TERM may name an unknown terminal");
  }
  auto screen = std::make_unique<CursesScreen>(terminal, utf8, options);
  const char* const place = tigetstr("cup");
  if (place == nullptr || place == reinterpret_cast<const char*>(-1)) {  // NOLINT: as curs_terminfo(3) has it
    return Error(Code::kUnavailable, "the terminal cannot place its cursor (TERM); get-metrics prints without that");
  }
  return std::unique_ptr<Screen>(std::move(screen));
}

}  // namespace monitor::analysis::top
