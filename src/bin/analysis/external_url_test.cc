#include "bin/analysis/external_url.h"

#include <gtest/gtest.h>

namespace monitor {
namespace {

TEST(ExternalUrl, CutsTheSlashAtItsEnd) {
  EXPECT_EQ(*parse_external_url("https://monitor.example.com/"), "https://monitor.example.com");
  EXPECT_EQ(*parse_external_url("http://m:8080/a/b//"), "http://m:8080/a/b");
  EXPECT_EQ(*parse_external_url("http://[::1]:9/x"), "http://[::1]:9/x");
  EXPECT_EQ(host_of_external_url("http://M.Example:8080/a"), "m.example");
}

TEST(ExternalUrl, RefusesWhatIsNoPlace) {
  for (const char* const bad : {"", "monitor", "monitor.example.com", "ftp://x/", "http://", "http:///x", "http://a b/",
                                "http://user:secret@x/", "http://x/?a=b", "http://x/#a", "http://x/\n", "'http://x/'",
                                "http://x:99999/", "http://x/\xC3\xBC"}) {
    const auto url = parse_external_url(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_NE(url.error().message().find("--external-url: got "), std::string::npos);
  }
  EXPECT_FALSE(parse_external_url("http://x/" + std::string(2000, 'a')));
}

TEST(ExternalUrl, TheDefaultNamesThisHost) {
  const std::string url = default_external_url(false, 8080);
  EXPECT_TRUE(url.starts_with("http://") && url.ends_with(":8080")) << url;
  EXPECT_FALSE(default_external_url(true, 443).ends_with(":443")) << "the usual port";
  EXPECT_TRUE(default_external_url(true, 80).ends_with(":80"));
}

}  // namespace
}  // namespace monitor
