// Checks whether the web page answers.
#include <fmt/format.h>

#include "base/text.h"
#include "doctor/checks.h"
#include "doctor/url.h"

namespace monitor::doctor {

namespace {

Findings run(const Context& context) {
  if (context.setup.page.empty()) return {skipped("no page is named: --page URL")};
  auto target = parse_url(context.setup.page);
  if (!target) return {fail("the page's address: " + target.error().message(), "correct --page")};
  target->path = "/readyz";
  target->files.ca = context.setup.page_ca;
  const auto answer = context.peers.http(*target, context.timeout_ns);
  const std::string name = "the page at " + context.setup.page;
  if (!answer) {
    return {fail(fmt::format("{}: {}", name, answer.error().message()),
                 "start `monitor-analysis serve`, or correct --page; an https page with a private CA needs --page-ca")};
  }
  if (answer->status == 200) return {ok(name + " is ready")};
  if (answer->status == 503) {
    return {warn(fmt::format("{} is not ready: {}", name, json_quote(trim(answer->body.substr(0, 200)))),
                 "see the check log: the page is not ready until it can read the log")};
  }
  return {fail(fmt::format("{} answers /readyz with status {}", name, answer->status),
               "another program or a proxy answers there: correct --page, or let the proxy pass /readyz")};
}

}  // namespace

const Check kPageCheck = {"page", "the web page answers and is ready", run};

}  // namespace monitor::doctor
