// The functions of templates that print numbers for people. Internal to the template_*.cc files.
#pragma once

#include "rules/template_functions.h"

namespace monitor::rules::templates {

Result<TemplateValue> humanize(Arguments arguments, const TemplateContext& context);
Result<TemplateValue> humanize1024(Arguments arguments, const TemplateContext& context);
Result<TemplateValue> humanize_duration(Arguments arguments, const TemplateContext& context);
Result<TemplateValue> humanize_percentage(Arguments arguments, const TemplateContext& context);
Result<TemplateValue> humanize_timestamp(Arguments arguments, const TemplateContext& context);

}  // namespace monitor::rules::templates
