// PipelineParser: the part of a template's parser below the statements: pipelines, commands and operands. Internal to
// the template_*.cc files.
#pragma once

#include <string>
#include <vector>

#include "rules/template_tokens.h"
#include "rules/template_tree.h"

namespace monitor::rules::templates {

class PipelineParser {
 public:
  // The tokens must outlive it.
  explicit PipelineParser(TemplateTokens& tokens) : tokens_(tokens) {}

  // `two_variables`: {{ range $i, $e := ... }}
  Result<Pipeline> pipeline(bool two_variables = false);

  // Those that may be used here; a statement removes what its block has declared.
  std::vector<std::string>& variables() { return variables_; }
  // Of blocks and pipelines together.
  int& depth() { return depth_; }

 private:
  Status declaration(Pipeline& pipe, bool two_variables);
  Result<Command> command(bool piped);
  Result<Operand> operand();
  Status word(const Token& token, Operand& one) const;

  TemplateTokens& tokens_;
  int depth_ = 0;
  std::vector<std::string> variables_ = {"$", "$labels", "$externalLabels", "$externalURL", "$value"};
};

}  // namespace monitor::rules::templates
