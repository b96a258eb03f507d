"""deploy/kubernetes and deploy/compose.yaml: names, ports, selectors, volumes and options fit together and to the images; every
container is restricted; and the files are valid by the schemas of Kubernetes and of Compose.

The schemas come from PyPI, into a virtual environment below the build folder. If kubectl is installed, it also builds the
kustomizations. Without it, the test reads the base's resources itself, and skips the overlay."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT, run  # noqa: E402

KUBERNETES = os.path.join(ROOT, "deploy", "kubernetes")
BASE = os.path.join(KUBERNETES, "base")
COMPOSE = os.path.join(ROOT, "deploy", "compose.yaml")
USER = 65532
SUPPORTED = ("1.29", "1.33", "1.37")
# Validates a file by the schemas. The environment of the other tests does not have these packages.
VALIDATE = r"""
import sys, yaml, kubernetes_validate
from compose_spec import PyCompose
kind, path, *versions = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    text = file.read()
if kind == "compose":
    PyCompose.from_yaml(text).validate()
    sys.exit()
documents = list(yaml.safe_load_all(text))
for version in versions:
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)
"""


def load(path):
    with open(path, encoding="utf-8") as file:
        return [one for one in yaml.safe_load_all(file) if one]


def resources():
    """The resources of the base, with the generated ConfigMap."""
    (kustomization,) = load(os.path.join(BASE, "kustomization.yaml"))
    found = []
    for name in kustomization["resources"]:
        found += load(os.path.join(BASE, name))
    for generator in kustomization["configMapGenerator"]:
        data = {}
        for name in generator["files"]:
            with open(os.path.join(BASE, name), encoding="utf-8") as file:
                data[name] = file.read()
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data})
    return kustomization, found


def program_of(image, arguments):
    """The program that a container runs, and its subcommand."""
    words = (["monitor-agent"] if image == "monitor-agent" else [f"monitor-{arguments[0]}", *arguments[1:]])
    return words[0], ["serve"] if words[1:2] == ["serve"] else []


def kubectl(folder):
    """The resources as kubectl builds them, without the digests in names of ConfigMaps."""
    built = subprocess.run(["kubectl", "kustomize", os.path.join(KUBERNETES, folder)], capture_output=True, text=True, check=True)
    return [one for one in yaml.safe_load_all(re.sub(r"\b(monitor-[a-z-]+)-[a-z0-9]{10}\b(?=\n)", r"\1", built.stdout))]


class DeployTest(unittest.TestCase):
    def check_options(self, image, arguments, variables):
        """Every variable and argument is an option of the program."""
        program, subcommand = program_of(image, arguments)
        help_text = run(program, *subcommand, "--help")[1]
        self.assertGreater(len(variables), 1)
        for name in variables:
            prefix = program.upper().replace("-", "_") + "_"
            self.assertTrue(name.startswith(prefix), name)
            self.assertRegex(help_text, rf"--{name.removeprefix(prefix).lower().replace('_', '-')}\b", name)
        for argument in arguments:
            if argument.startswith("--"):
                self.assertRegex(help_text, rf"{argument.split('=')[0]}\b")


class ResourcesTest:
    """What holds for the base and for every overlay."""

    images = {"monitor", "monitor-agent"}

    def setUp(self):
        self.resources = self.load()
        self.workloads = [one for one in self.resources if one["kind"] in ("DaemonSet", "StatefulSet", "Deployment")]

    def named(self, kind):
        return {one["metadata"]["name"]: one for one in self.resources if one["kind"] == kind}

    def pods(self):
        for workload in self.workloads:
            yield workload, workload["spec"]["template"]["spec"]

    def containers(self):
        """The containers that run programs of this project."""
        for _, pod in self.pods():
            yield from pod["containers"]

    def test_selectors_match_their_pods(self):
        labels = {}
        for workload, _ in self.pods():
            own = workload["spec"]["template"]["metadata"]["labels"]
            self.assertEqual(workload["spec"]["selector"]["matchLabels"].items() - own.items(), set())
            labels[workload["metadata"]["name"]] = own
        self.assertEqual(len({json.dumps(one) for one in labels.values()}), len(labels), "no workload selects another one's pods")
        selectors = [one["spec"]["selector"] for one in self.named("Service").values()]
        for policy in self.named("NetworkPolicy").values():
            for peer in [{"podSelector": policy["spec"]["podSelector"]}] + [
                    peer for rule in policy["spec"].get("ingress", []) + policy["spec"].get("egress", [])
                    for peer in rule.get("from", []) + rule.get("to", [])]:
                selectors.append(peer.get("podSelector", {}).get("matchLabels", {}))
                for expression in peer.get("podSelector", {}).get("matchExpressions", []):
                    selectors += [{expression["key"]: value} for value in expression["values"]]
        for selector in selectors:
            self.assertTrue(any(selector.items() <= own.items() for own in labels.values()), selector)
        for workload, _ in self.pods():
            if workload["kind"] == "StatefulSet":
                self.assertIn(workload["spec"]["serviceName"], self.named("Service"))

    def test_ports_exist(self):
        for workload, pod in self.pods():
            ports = {port["name"]: port["containerPort"] for one in pod["containers"] for port in one["ports"]}
            own = workload["spec"]["template"]["metadata"]["labels"]
            for service in self.named("Service").values():
                if service["spec"]["selector"].items() <= own.items():
                    for port in service["spec"]["ports"]:
                        self.assertIn(port["targetPort"], ports)
            for policy in self.named("NetworkPolicy").values():
                chosen = policy["spec"]["podSelector"].get("matchLabels")
                if chosen and chosen.items() <= own.items():
                    for rule in policy["spec"].get("ingress", []):
                        for port in rule["ports"]:
                            self.assertIn(port["port"], ports.values())
            for one in pod["containers"]:
                opened = [each["value"] for each in one["env"] if each["name"].endswith(("_HTTP", "_LISTEN"))]
                addresses = {each.rsplit(":", 1)[1] for each in opened}
                self.assertEqual(addresses, {str(port["containerPort"]) for port in one["ports"]}, "the program opens its ports")
        # The agents' server is a Service, and the policies let them reach it.
        (server,) = [each["value"] for one in self.containers() for each in one["env"] if each["name"] == "MONITOR_AGENT_SERVER"]
        name, port = server.split(":")
        self.assertIn(int(port), [each["port"] for each in self.named("Service")[name]["spec"]["ports"]])
        egress = self.named("NetworkPolicy")["monitor-agent"]["spec"]["egress"]
        self.assertIn(int(port), [each["port"] for rule in egress for each in rule["ports"]])

    def test_probes_ask_the_health_routes(self):
        for one in self.containers():
            ports = {port["name"] for port in one["ports"]}
            for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
                request = one[probe]["httpGet"]
                self.assertEqual(request["path"], path)
                self.assertIn(request["port"], ports)
                secure = any(each["name"] == "MONITOR_ANALYSIS_TLS_CERT" for each in one["env"])
                self.assertEqual(request.get("scheme", "HTTP"), "HTTPS" if secure else "HTTP")

    def test_containers_are_restricted(self):
        for workload, pod in self.pods():
            self.assertIs(pod["automountServiceAccountToken"], False)
            self.assertIn(pod["serviceAccountName"], self.named("ServiceAccount"))
            self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
            self.assertEqual((pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]), (True, USER))
            self.assertNotIn("hostNetwork", pod)
            for one in pod["containers"] + pod.get("initContainers", []):
                context = one["securityContext"]
                self.assertIs(context["allowPrivilegeEscalation"], False)
                self.assertIs(context["readOnlyRootFilesystem"], True)
                self.assertEqual(context["capabilities"]["drop"], ["ALL"])
                self.assertIn("memory", one["resources"]["limits"])
                self.assertIn("cpu", one["resources"]["requests"])
                if one in pod["containers"]:
                    self.assertNotIn("add", context["capabilities"])
                    self.assertNotIn("runAsUser", context)
                else:
                    self.assertEqual(context["capabilities"]["add"], ["CHOWN"])
            for volume in pod["volumes"]:
                if volume.get("hostPath", {}).get("type") != "DirectoryOrCreate" and "hostPath" in volume:
                    mounts = [each for one in pod["containers"] for each in one["volumeMounts"] if each["name"] == volume["name"]]
                    self.assertTrue(mounts and all(each["readOnly"] for each in mounts), volume)

    def test_volumes_and_mounts_match(self):
        for workload, pod in self.pods():
            volumes = {one["name"]: one for one in pod["volumes"]}
            volumes.update({one["metadata"]["name"]: one for one in workload["spec"].get("volumeClaimTemplates", [])})
            mounted = {each["name"] for one in pod["containers"] for each in one["volumeMounts"]}
            self.assertEqual(mounted, set(volumes))
            for volume in volumes.values():
                if "configMap" in volume:
                    self.assertIn(volume["configMap"]["name"], self.named("ConfigMap"))
            for one in pod["containers"]:
                for each in one["env"]:
                    if "configMapKeyRef" in each.get("valueFrom", {}):
                        reference = each["valueFrom"]["configMapKeyRef"]
                        self.assertIn(reference["key"], self.named("ConfigMap")[reference["name"]]["data"])
                # Every file and folder that an option names is in a mount.
                for each in one["env"]:
                    path = each.get("value", "").removeprefix("sqlite:")
                    if path.startswith("/"):
                        self.assertTrue(any(mount["mountPath"].startswith(path) or path.startswith(mount["mountPath"] + "/")
                                            for mount in one["volumeMounts"]), path)

    def test_options_exist(self):
        for one in self.containers():
            image = one["image"].removesuffix(":latest")
            self.assertIn(image, self.images)
            self.check_options(image, one["args"], [each["name"] for each in one["env"]])

    def test_secrets_are_documented(self):
        with open(os.path.join(ROOT, "docs", "containers.md"), encoding="utf-8") as file:
            text = file.read()
        for _, pod in self.pods():
            for volume in pod["volumes"]:
                if "secret" in volume:
                    self.assertRegex(text, rf"create secret \w+ {volume['secret']['secretName']}\b")


class KubernetesTest(ResourcesTest, DeployTest):
    def load(self):
        return resources()[1]

    def test_lists_every_file(self):
        kustomization, _ = resources()
        files = set(os.listdir(BASE)) - {"kustomization.yaml"}
        generated = {name for one in kustomization["configMapGenerator"] for name in one["files"]}
        listed = set(kustomization["resources"]) | generated
        self.assertEqual(files, listed)
        (namespace,) = self.named("Namespace")
        self.assertEqual(namespace, kustomization["namespace"])

    def test_agents_accept_the_configuration(self):
        status, out, err = run("monitor-agent", "--once", "--format", "json", "--config", os.path.join(BASE, "defaults.json"))
        self.assertEqual(status, 0, err)
        self.assertNotRegex(err, "WARNING.*configuration|refused")
        self.assertIn("system.cpu.utilization", out)


@unittest.skipUnless(shutil.which("kubectl"), "kubectl is not installed; Debian's is too old for these files")
class KafkaTest(ResourcesTest, DeployTest):
    """The overlay, as kubectl builds it."""

    def load(self):
        return kubectl("kafka")

    def test_programs_use_kafka_only(self):
        for one in self.containers():
            variables = {each["name"] for each in one["env"]}
            self.assertEqual({name for name in variables if name in ("MONITOR_SERVER_LOG", "MONITOR_ANALYSIS_LOG")}, set())
            self.assertEqual(any(name.endswith("_KAFKA") for name in variables), one["name"] != "agent")
        self.assertEqual({one["kind"] for one in self.workloads}, {"DaemonSet", "StatefulSet", "Deployment"})


class ComposeTest(DeployTest):
    def setUp(self):
        (self.file,) = load(COMPOSE)

    def test_services_are_restricted(self):
        self.assertEqual(set(self.file["services"]), {"server", "analysis", "agent"})
        for name, one in self.file["services"].items():
            rights = (one["read_only"], one["cap_drop"], one["security_opt"])
            self.assertEqual(rights, (True, ["ALL"], ["no-new-privileges:true"]), name)
            for key in ("privileged", "cap_add", "user", "network_mode"):
                self.assertNotIn(key, one)
            for port in one.get("ports", []):
                self.assertTrue(port.startswith("127.0.0.1:"), "other hosts cannot connect")
            for volume in one["volumes"]:
                if isinstance(volume, dict):
                    self.assertIs(volume["read_only"], True)
                elif volume.startswith("/"):
                    self.assertRegex(volume, r":ro\b")
                else:
                    self.assertIn(volume.split(":")[0], self.file["volumes"])
            self.assertLessEqual(set(one["networks"]), set(self.file["networks"]))
            self.assertLessEqual(set(one.get("depends_on", {})), set(self.file["services"]))

    def test_options_exist(self):
        for one in self.file["services"].values():
            image, tag = one["image"].split(":")
            self.assertIn(image, ("monitor", "monitor-agent"))
            self.assertEqual(tag, "latest", "the name that `docker load` gives an image")
            self.check_options(image, one["command"], list(one["environment"]))

    def test_addresses_fit(self):
        services = self.file["services"]
        listens = services["server"]["environment"]["MONITOR_SERVER_LISTEN"].split(":")[1]
        self.assertEqual(services["agent"]["environment"]["MONITOR_AGENT_SERVER"], f"server:{listens}")
        self.assertTrue(services["server"]["healthcheck"]["test"][-1].endswith(":" + listens))
        page = services["analysis"]["environment"]["MONITOR_ANALYSIS_HTTP"].split(":")[1]
        self.assertTrue(services["analysis"]["ports"][0].endswith(":" + page))
        self.assertIn(f":{page}/", services["analysis"]["healthcheck"]["test"][-1])
        self.assertEqual(services["server"]["environment"]["MONITOR_SERVER_LOG"],
                         services["analysis"]["environment"]["MONITOR_ANALYSIS_LOG"])

    def test_health_checks_are_commands(self):
        known = run("monitor", "doctor", "--list")[1]
        for one in self.file["services"].values():
            if "healthcheck" in one:
                test = one["healthcheck"]["test"]
                if one["image"].startswith("monitor-agent:"):
                    self.assertEqual(test, ["CMD", "/usr/bin/monitor-agent", "health"])
                    continue
                self.assertEqual(test[:3], ["CMD", "/usr/bin/monitor", "doctor"])
                self.assertRegex(known, rf"(?m)^\s*{test[test.index('--only') + 1]}\b")


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = os.path.join(os.environ.get("MONITOR_BUILD_DIR") or os.path.join(ROOT, "build"), "schemas-env")
        subprocess.run([os.path.join(ROOT, "tools", "python-env"), folder, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                                                    "requirements.txt")], check=True)
        cls.python = os.path.join(folder, "bin", "python")

    def validate(self, kind, documents, *versions):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
            yaml.safe_dump_all(documents, file)
            file.flush()
            command = [self.python, "-c", VALIDATE, kind, file.name, *versions]
            return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_kubernetes(self):
        done = self.validate("kubernetes", resources()[1], *SUPPORTED)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_kubernetes_schema_notices_errors(self):
        for change in (lambda pod: pod.update(hostPid=True), lambda pod: pod["containers"][0].update(args="x"),
                       lambda pod: pod["containers"][0]["ports"][0].pop("containerPort")):
            _, found = resources()
            change(next(one for one in found if one["kind"] == "DaemonSet")["spec"]["template"]["spec"])
            self.assertNotEqual(self.validate("kubernetes", found, SUPPORTED[-1]).returncode, 0)

    def test_compose(self):
        (file,) = load(COMPOSE)
        done = self.validate("compose", [file])
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.validate("compose", load(os.path.join(ROOT, "compose.yaml")))
        self.assertEqual(done.returncode, 0, done.stderr)
        file["services"]["agent"]["cap_dropped"] = ["ALL"]
        self.assertNotEqual(self.validate("compose", [file]).returncode, 0, "the schema notices an unknown key")

    @unittest.skipUnless(shutil.which("kubectl"), "kubectl is not installed; Debian's is too old for these files")
    def test_kubectl_builds_valid_resources(self):
        found = kubectl("base")

        def names(each):
            return sorted((one["kind"], one["metadata"]["name"]) for one in each)

        self.assertEqual(names(found), names(resources()[1]))
        for folder in ("base", "kafka"):
            found = kubectl(folder)
            self.assertEqual({one["metadata"].get("namespace") for one in found if one["kind"] != "Namespace"}, {"monitor"})
            done = self.validate("kubernetes", found, *SUPPORTED)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
