#include "base/host_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/text.h"

namespace monitor {
namespace {

TEST(HostId, UsesAValidHostName) {
  const std::vector<std::string> names = {"web-1", "WEB_1.example.org", "host.", "a", "7", std::string(64, 'h')};
  for (const std::string& name : names) {
    EXPECT_EQ(id_of_host(name).id, name);
    EXPECT_EQ(id_of_host(name).warning, "") << name;
  }
}

TEST(HostId, DerivesAnIdFromAnInvalidNameWithAWarning) {
  std::set<std::string> ids;
  const std::set<std::string> names = {"a/b", "a-b/", "../x", ".",   "..",   "b\xC3\xBCro", "\xFF\xFE",
                                       "a b", "a\nb", "a\tb", "a:b", "a%2f", "/etc",        std::string("a\0b", 3)};
  for (const std::string& name : names) {
    const HostId made = id_of_host(name);
    EXPECT_TRUE(valid_name(made.id)) << made.id;
    EXPECT_FALSE(made.id.starts_with(".")) << made.id;
    EXPECT_NE(made.warning, "");
    EXPECT_EQ(made.warning.find('\n'), std::string::npos);
    EXPECT_EQ(id_of_host(name).id, made.id);
    ids.insert(made.id);
  }
  EXPECT_EQ(ids.size(), names.size()) << "different names must give different ids";
  EXPECT_TRUE(valid_name(id_of_host(std::string(64, '/')).id));
}

TEST(HostId, WarnsOfADefaultHostName) {
  EXPECT_EQ(id_of_host("localhost").id, "localhost");
  EXPECT_NE(id_of_host("localhost").warning, "");
  EXPECT_NE(id_of_host("localhost.localdomain").warning, "");
  EXPECT_EQ(id_of_host("localhost-7").warning, "");
  EXPECT_EQ(id_of_host("").id, "");
  EXPECT_NE(id_of_host("").warning, "");
  EXPECT_EQ(id_of_host("(none)").id, "");
}

}  // namespace
}  // namespace monitor
