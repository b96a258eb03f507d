// What an expression reads: its selectors and functions of agents, where they are, and how they are used. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/ast.h"

namespace monitor::rules {

// A selector. The expression must outlive it.
struct SelectorUse {
  const query::Selector* selector = nullptr;
  size_t begin = 0;      // bytes from the start of the expression's text
  int64_t range_ms = 0;  // 0: an instant selector
  bool absent = false;   // within absent(): that it finds nothing is what the rule is for
  std::string function;  // that gets the range
};

// A comparison of shares, which are from 0 to 1, with a number that none of them reaches.
struct ImpossibleShare {
  size_t begin = 0;
  std::string metric;
  double limit = 0;
};

// A subquery whose range is shorter than two of its steps.
struct NarrowSubquery {
  size_t begin = 0;
  int64_t range_ms = 0;
  int64_t step_ms = 0;
};

// A function of what is known of agents, with its texts.
struct AgentUse {
  size_t begin = 0;
  std::string function;
  std::vector<std::string> texts;  // regular expressions for the labels agent and state
};

// A call of unusual().
struct ScoreUse {
  size_t begin = 0;
  const query::Selector* selector = nullptr;  // nullptr: all series
};

struct ExpressionUses {
  std::vector<SelectorUse> selectors;
  std::vector<AgentUse> agents;
  std::vector<ScoreUse> scores;
  std::vector<ImpossibleShare> impossible;
  std::vector<NarrowSubquery> narrow;
};

ExpressionUses uses_of(const query::Expression& expression);

// Whether it calls a function of what is known of agents, such as agent_state().
bool asks_of_agents(const query::Expression& expression);

// How far the expression looks back from the time of its evaluation: ranges, offsets and the look-back of selectors.
int64_t reach_ms(const query::Expression& expression);

// The part of an expression that gives an alert its labels: without comparisons with a number, and of "and" and
// "unless" the left side.
const query::Expression& without_filters(const query::Expression& expression);

// NAME of each "$labels.NAME" and ".Labels.NAME" in the text of a template.
std::set<std::string> labels_in(std::string_view text);

// The name that the matchers require; empty: none, or several are possible.
std::string metric_of(const std::vector<query::Matcher>& matchers);

}  // namespace monitor::rules
