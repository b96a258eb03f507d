#include "plugins/hosted/python_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/disk.h"
#include "base/testing/temporary_folder.h"

namespace monitor::agent {
namespace {

using Names = std::vector<std::string>;

TEST(PythonFiles, ReadsTheClassesOfTheTopLevel) {
  EXPECT_EQ(read_python("class A(BasePlugin):\n  class Inner:\n    pass\nclass B:\nclass  C (A, B) :\n").classes,
            (Names{"A", "B", "C"}));
  EXPECT_EQ(
      read_python("class BasePlugin:\nclass A\nclass 1B:\nclassy(1)\nclass\n#class D:\nclass A:\nclass A:").classes,
      Names{"A"});
}

TEST(PythonFiles, ReadsWhatIsImported) {
  const auto imported =
      read_python("import os.path as p\n  from . import (helper,\n   other)\nfrom a import \\\n b\nx = 1\n").imported;
  for (const char* const name : {"os", "path", "helper", "other", "a", "b"})
    EXPECT_TRUE(imported.contains(name)) << name;
  EXPECT_FALSE(imported.contains("x"));
}

TEST(PythonFiles, TellsTheModuleOfAName) {
  EXPECT_EQ(python_module_of("agent.plugins.my_plugin.MyPlugin"), "agent.plugins.my_plugin");
  for (const char* const name : {"my_plugin", "agent.plugins.my_plugin", "agent.plugins..X", "agent.plugins.a.b.C",
                                 "agent.plugins.a-b.C", "agent.plugins.a."}) {
    EXPECT_EQ(python_module_of(name), "") << name;
  }
}

TEST(PythonFiles, AVersionChangesWithWhatTheFileImports) {
  const TemporaryFolder folder;
  const std::string at = folder.path() + std::string(kPythonFolder);
  std::filesystem::create_directories(at);
  const auto put = [&](const std::string& name, const std::string& text) { std::ofstream(at + "/" + name) << text; };
  const auto versions = [&] {
    std::map<std::string, std::string> found;
    for (const auto& one : find_python_files(folder.path(), [](const std::string& path) {
           const auto text = PosixDisk().read_file(path, 1000);
           return text ? *text : std::string();
         })) {
      found[one.module] = one.version;
    }
    return found;
  };
  EXPECT_TRUE(versions().empty());
  put("base.py", "class BasePlugin:\n");
  put("one.py", "from agent.plugins import helper\nclass One:\n");
  put("two.py", "class Two:\n");
  put("helper.py", "import deeper\n");
  std::ofstream(folder.path() + "/deeper.py") << "x = 1\n";
  const auto before = versions();
  EXPECT_EQ(before.size(), 3U);
  std::ofstream(folder.path() + "/deeper.py") << "x = 2\n";
  const auto after = versions();
  EXPECT_NE(before.at("agent.plugins.one"), after.at("agent.plugins.one"));
  EXPECT_EQ(before.at("agent.plugins.two"), after.at("agent.plugins.two"));
}

}  // namespace
}  // namespace monitor::agent
