// The tree of a parsed template. Internal to the template_*.cc files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "rules/template_functions.h"
#include "rules/template_value.h"
#include "rules/yaml_tree.h"

namespace monitor::rules::templates {

struct Pipeline;

struct Operand {
  enum class Kind : uint8_t { kLiteral, kDot, kVariable, kFunction, kPipeline };
  Kind kind = Kind::kLiteral;
  TemplateValue literal = {};
  std::string name = {};  // of the variable, with its "$"
  const Function* function = nullptr;
  std::shared_ptr<const Pipeline> pipeline = nullptr;
  std::vector<std::string> fields = {};  // .a.b after it
  Place place = {};
};

// A function with its arguments, or one operand.
struct Command {
  std::vector<Operand> operands;
};

struct Pipeline {
  std::vector<std::string> variables;  // that it declares or sets
  bool declares = false;
  std::vector<Command> commands;
  Place place;
};

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum class Kind : uint8_t { kText, kPrint, kIf, kRange, kWith, kTemplate, kBreak, kContinue };
  Kind kind = Kind::kText;
  std::string text = {};  // kText: it; kTemplate: the name
  Pipeline pipeline = {};
  Block body = {};
  Block otherwise = {};
  Place place = {};
};

struct Tree {
  Block main;
  std::map<std::string, Block, std::less<>> defined;  // {{ define "NAME" }}
};

// Errors as Template::parse().
Result<Tree> parse_tree(std::string_view text);

}  // namespace monitor::rules::templates
