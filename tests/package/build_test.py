"""The packages that tools/package builds: lintian, bills of materials, dependencies, the archive in a foreign folder, and equal files
from two builds.

$MONITOR_PACKAGE_BUILD names a build folder to package instead of building the preset `package`. With MONITOR_LONG=1, the test also
compiles everything twice, in different folders and without a compiler cache."""
import filecmp
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT  # noqa: E402

TOOL = os.path.join(ROOT, "tools", "package")
GIVEN = os.environ.get("MONITOR_PACKAGE_BUILD")
NAMES = {"monitor-agent", "monitor-server", "monitor-analysis", "monitor", "monitor-plugin-host-python", "monitor-dev"}
# What the agent may be linked with. A new library makes every agent's host larger: think before you add one.
AGENT_LIBRARIES = {"libc6", "libgcc-s1", "libmicrohttpd12", "libnghttp2-14", "libssl3", "libstdc++6"}
CONTAINED = ("libfmt", "libspdlog", "liblua")  # by programs of the preset `package` only


def call(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def build(kind, out, tool=TOOL, **options):
    call(tool, kind, "--out", out, *(("--build", GIVEN) if GIVEN and tool == TOOL else ()), **options)
    return out


def programs_in(tree):
    """The programs of a package, and the module for plugins in Python."""
    found = [path for folder in ("bin", "libexec/monitor", "libexec/monitor/python") for path in glob.glob(f"{tree}/usr/{folder}/*")]
    return [path for path in found if os.path.isfile(path) and not path.endswith(".py")]


class BuildTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="monitor-packages-")
        cls.deb = build("deb", f"{cls.folder}/deb")
        cls.tar = build("tar", f"{cls.folder}/tar")
        cls.rpm = build("rpm", f"{cls.folder}/rpm")
        cls.packages = {os.path.basename(path).split("_")[0]: path for path in glob.glob(f"{cls.deb}/*.deb")}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def unpack(self, name):
        tree = tempfile.mkdtemp(dir=self.folder)
        call("dpkg-deb", "-x", self.packages[name], tree)
        return tree

    def test_has_every_package(self):
        debug = {f"{name}-dbgsym" for name in NAMES - {"monitor-dev"}}
        self.assertEqual(set(self.packages), NAMES | debug)
        rpms = {re.match(r"(.*?)-[0-9]", os.path.basename(path)).group(1) for path in glob.glob(f"{self.rpm}/*.rpm")}
        self.assertEqual(rpms, NAMES)

    def test_lintian_finds_nothing(self):
        # Programs of another build folder than the preset's have no line tables.
        paths = [path for name, path in self.packages.items() if not (GIVEN and name.endswith("-dbgsym"))]
        self.assertEqual(call("lintian", "--allow-root", "--fail-on", "warning", *sorted(paths)), "")

    def test_debug_packages_belong_to_the_programs(self):
        for name in NAMES - {"monitor-dev"}:
            tree, debug = self.unpack(name), self.unpack(name + "-dbgsym")
            known = {"".join(path.split("/")[-2:]).removesuffix(".debug")
                     for path in glob.glob(f"{debug}/usr/lib/debug/.build-id/*/*.debug")}
            programs = programs_in(tree)
            ids = {re.search(r"Build ID: (\w+)", call("readelf", "-n", path)).group(1) for path in programs}
            self.assertEqual(ids, known, name)
            self.assertTrue(all(len(each) == 40 for each in ids), "SHA-1 of the content")

    def test_agent_has_few_dependencies(self):
        needs = {re.match(r"\s*(\S+)", one).group(1) for one in call("dpkg-deb", "-f", self.packages["monitor-agent"], "Depends").split(",")}
        needs = {name.removesuffix("t64") for name in needs}
        libraries = {name for name in needs if name.startswith("lib") and not (GIVEN and name.startswith(CONTAINED))}
        self.assertLessEqual(libraries, AGENT_LIBRARIES)

    def check_bill(self, path, name, programs):
        """SPDX 2.3's required fields, unique ids, relationships between them; and the libraries that readelf finds."""
        with open(path, encoding="utf-8") as file:
            bill = json.load(file)
        self.assertEqual((bill["spdxVersion"], bill["dataLicense"], bill["SPDXID"]), ("SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT"))
        self.assertRegex(bill["creationInfo"]["created"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for creator in bill["creationInfo"]["creators"]:
            self.assertRegex(creator, r"^(Tool|Organization|Person): \S")
        self.assertRegex(bill["documentNamespace"], r"^urn:uuid:[0-9a-f-]{36}$")
        ids = [one["SPDXID"] for one in bill["packages"]]
        self.assertEqual(len(ids), len(set(ids)))
        for one in bill["packages"]:
            self.assertRegex(one["SPDXID"], r"^SPDXRef-[A-Za-z0-9.-]+$")
            for field in ("name", "versionInfo", "downloadLocation", "licenseConcluded", "licenseDeclared", "copyrightText"):
                self.assertTrue(one[field], (one, field))
            self.assertIs(one["filesAnalyzed"], False)
            for reference in one.get("externalRefs", []):
                self.assertRegex(reference["referenceLocator"], r"^pkg:(deb/debian|npm)/[^@]+@\S+$")
        for relation in bill["relationships"]:
            self.assertIn(relation["spdxElementId"], ids + ["SPDXRef-DOCUMENT"])
            self.assertIn(relation["relatedSpdxElement"], ids)
        self.assertIn({"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": ids[0]},
                      bill["relationships"])
        self.assertEqual(bill["packages"][0]["name"], name)
        linked = {one["relatedSpdxElement"] for one in bill["relationships"] if one["relationshipType"] == "DYNAMIC_LINK"}
        wanted = set()
        for program in programs:
            for soname in re.findall(r"\(NEEDED\).*\[(.*)\]", call("readelf", "-d", program)):
                path = re.search(rf"^\s*{re.escape(soname)} => (\S+)", call("ldd", program), re.M)
                if path is None:
                    continue
                owner = subprocess.run(["dpkg", "-S", os.path.realpath(path.group(1))], capture_output=True, text=True)
                if owner.returncode != 0:  # known to dpkg by its name without /usr
                    owner = subprocess.run(["dpkg", "-S", os.path.realpath(path.group(1)).removeprefix("/usr")],
                                           capture_output=True, text=True)
                wanted.add("SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", owner.stdout.split(":")[0]))
        self.assertEqual(linked, wanted)
        declared = {one["name"]: one["licenseDeclared"] for one in bill["packages"]}
        self.assertNotIn("NOASSERTION", declared.values(), "a library without a licence in packaging/sbom.py")
        return declared

    def test_every_package_has_a_bill_of_materials_and_licences(self):
        for name in NAMES:
            tree = self.unpack(name)
            programs = programs_in(tree)
            declared = self.check_bill(f"{tree}/usr/share/doc/{name}/sbom.spdx.json", name, programs)
            self.assertEqual("librdkafka1" in declared, name in ("monitor-server", "monitor-analysis", "monitor"), name)
            self.assertEqual("uplot" in declared, name == "monitor-analysis")
            # What is linked statically: the client of etcd, Lua in the plugin host.
            self.assertEqual("libprotobuf-dev" in declared, name not in ("monitor-server", "monitor-dev", "monitor-plugin-host-python"), name)
            self.assertEqual(any(one.startswith("liblua5.4") for one in declared), name == "monitor-agent", name)
            with open(f"{tree}/usr/share/doc/{name}/copyright", encoding="utf-8") as file:
                copyright_text = file.read()
            for holder in ("Victor Zverovich", "Gabi Melman", "Niels Lohmann", "University of Cincinnati", "Leon Sorokin", "Lua.org", "Google"):
                self.assertIn(holder, copyright_text)

    def archive(self):
        (path,) = glob.glob(f"{self.tar}/*.tar.xz")
        to = tempfile.mkdtemp(dir=self.folder, prefix="any where ")
        call("tar", "-xf", path, "-C", to)
        (tree,) = glob.glob(f"{to}/*")
        return tree

    def test_archive_runs_from_any_folder(self):
        tree = self.archive()
        programs = [path for path in glob.glob(f"{tree}/bin/*") + glob.glob(f"{tree}/libexec/monitor/*") + glob.glob(f"{tree}/libexec/monitor/python/*.so")
                    if os.path.isfile(path)]
        self.assertEqual(len(programs), 12)
        for program in programs:
            for soname, path in re.findall(r"^\s*(\S+) => (.*) \(0x", call("ldd", program), re.M):
                inside = os.path.realpath(path).startswith(os.path.realpath(tree))
                self.assertEqual(inside, not re.match(r"lib(c|m|resolv)\.so", soname), (program, soname, path))
        self.assertEqual(set(os.listdir(f"{tree}/lib")) & {"libc.so.6", "libm.so.6"}, set())
        # Plugins are found, and run in the plugin host of the archive.
        data = tempfile.mkdtemp(dir=self.folder)
        os.makedirs(f"{data}/monitor/config")
        os.makedirs(f"{data}/plugins")
        os.chmod(data, 0o700)
        shutil.copy(f"{tree}/share/monitor/plugins/derive_rate.lua", f"{data}/plugins/")
        document = {"interval": 1, "metrics": ["load"], "plugins": [{"name": "derive_rate", "config": {"match": "^system"}}]}
        with open(f"{data}/monitor/defaults.json", "w", encoding="utf-8") as file:
            json.dump(document, file)
        out = call(f"{tree}/bin/monitor", "agent", "--once", "--agent-id", "a", "--format", "json", "--trace-plugins", "--data", data,
                   "--config-dir", f"{data}/monitor", env={"HOME": data, "PATH": "/usr/bin:/bin"}, cwd="/")
        self.assertIn("derive_rate", out)

    def test_archive_has_licences_of_its_libraries(self):
        tree = self.archive()
        licences = {os.path.basename(path).removesuffix(".copyright") for path in glob.glob(f"{tree}/share/doc/monitor/licenses/*.copyright")}
        for library in glob.glob(f"{tree}/lib/*.so*"):
            soname = os.path.basename(library)
            path = re.search(rf"^\s*{re.escape(soname)}.* => (\S+)$", call("ldconfig", "-p"), re.M)
            self.assertIsNotNone(path, soname)
            real = os.path.realpath(path.group(1))
            owner = subprocess.run(["dpkg", "-S", real], capture_output=True, text=True).stdout or call("dpkg", "-S", real.removeprefix("/usr"))
            self.assertIn(owner.split(":")[0], licences, soname)

    def equal_files(self, one, other):
        names = sorted(os.listdir(one))
        self.assertEqual(names, sorted(os.listdir(other)))
        self.assertGreater(len(names), 0)
        for name in names:
            if not filecmp.cmp(f"{one}/{name}", f"{other}/{name}", shallow=False):
                explained = subprocess.run(["diffoscope", f"{one}/{name}", f"{other}/{name}"], capture_output=True, text=True)
                self.fail(f"{name} differs\n{explained.stdout[:6000]}")

    def test_packaging_again_gives_equal_files(self):
        """At another time, in another folder, zone, language and umask."""
        environment = {**os.environ, "TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": "/nonexistent"}
        for kind, first in (("deb", self.deb), ("rpm", self.rpm), ("tar", self.tar)):
            again = f"{self.folder}/again/in a longer folder name/{kind}".replace(" ", "-")
            build(kind, again, env=environment, umask=0o077)
            self.equal_files(first, again)

    @unittest.skipUnless(os.environ.get("MONITOR_LONG"), "compiles everything twice")
    def test_two_builds_give_equal_packages(self):
        made = []
        for folder in ("first", "second/deeper/in/the/tree"):
            source = f"{self.folder}/{folder}/monitor"
            call("git", "clone", "--quiet", ROOT, source)
            for kind in ("deb", "rpm", "tar"):
                build(kind, f"{self.folder}/{folder}/{kind}", tool=f"{source}/tools/package",
                      env={**os.environ, "CCACHE_DISABLE": "1"})
            made.append(f"{self.folder}/{folder}")
        for kind in ("deb", "rpm", "tar"):
            self.equal_files(f"{made[0]}/{kind}", f"{made[1]}/{kind}")


if __name__ == "__main__":
    unittest.main()
