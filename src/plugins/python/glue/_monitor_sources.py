"""Finds the files of a plugin and the modules that they import, before any of their code runs.

In the sandbox a plugin cannot open files, and so import nothing. Therefore every module that an import statement names is
read (the plugin's own ones) or imported (the system's) beforehand. Own modules are kept as code, and run when they are
imported.
"""
import importlib
import importlib.machinery
import os
import sys
import zlib
from encodings import aliases

ONLY_AST = 0x400  # ast.PyCF_ONLY_AST; the module ast itself is not needed
MOST_BYTES = 1 << 20  # of one file
MOST_MODULES = 200
# These come from this program, whatever the plugin folder contains.
OURS = {"agent.plugins.base", "shared.monitoring_pb2"}
# Packages of the Python version whose __init__.py may import its other parts.
EMPTY = {"agent", "agent.plugins", "shared"}
# Imported by functions of the interpreter when they are first called.
ALWAYS = ("encodings.ascii", "encodings.latin_1", "struct")
LAZY = {"traceback": ("linecache",), "logging": ("traceback", "linecache"), "warnings": ("linecache", "traceback"),
        "decimal": ("numbers",)}


class Refused(Exception):
    """Why a plugin cannot run; shown as it is."""


def system_folders():
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return [folder for folder in (f"/usr/local/lib/python{version}/dist-packages", "/usr/lib/python3/dist-packages",
                                  f"/usr/lib/python{version}/site-packages", f"/usr/lib64/python{version}/site-packages")
            if os.path.isdir(folder)]


class Module:
    def __init__(self, name, path, is_package, code, text, digest):
        self.name, self.path, self.is_package = name, path, is_package
        self.code, self.text, self.digest = code, text, digest


def nodes_of(tree):
    """All nodes of a syntax tree."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for field in node._fields:
            value = getattr(node, field, None)
            if isinstance(value, list):
                waiting.extend(one for one in value if hasattr(one, "_fields"))
            elif hasattr(value, "_fields"):
                waiting.append(value)


def imports_of(tree, package):
    """The names of all modules that the code may import."""
    for node in nodes_of(tree):
        kind = type(node).__name__
        if kind == "Import":
            for alias in node.names:
                yield alias.name
        elif kind == "ImportFrom":
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                above = ".".join(parents[:len(parents) - node.level + 1])
                base = f"{above}.{base}" if base else above
            if base:
                yield base
            for alias in node.names:
                yield f"{base}.{alias.name}" if base else alias.name
        elif kind == "Call" and node.args and type(node.args[0]).__name__ == "Constant" and isinstance(node.args[0].value, str):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                yield node.args[0].value
        elif kind == "Constant" and isinstance(node.value, str) and len(node.value) < 20:
            # The name of an encoding, which is a module.
            name = node.value.lower().replace("-", "_").replace(" ", "_")
            if name in aliases.aliases:
                yield "encodings." + aliases.aliases[name]
            elif name in aliases.aliases.values():
                yield "encodings." + name
        elif kind == "Attribute" and node.attr == "strptime":
            yield "_strptime"


class Sources:
    """A finder and loader of the plugin's modules (see importlib)."""

    def __init__(self, name, path, ours):
        self.module_name, _, self.class_name = name.rpartition(".")
        self.path = path
        self.root = self.root_of(name, path)
        self.ours = ours
        self.modules = {}
        self.system = []

    @staticmethod
    def root_of(name, path):
        """The folder that contains `agent/plugins/<module>.py`; the file's own folder, if it is elsewhere."""
        inside = name.rpartition(".")[0].replace(".", "/") + ".py"
        folder = os.path.dirname(path) or "."
        return (path[:-len(inside)] or ".") if path.endswith("/" + inside) else folder

    # --- Reading

    def read(self):
        waiting = [self.module_name, *OURS]
        seen = set()
        while waiting:
            name = waiting.pop()
            if name in seen or not all(part.isidentifier() for part in name.split(".")):
                continue
            seen.add(name)
            parent = name.rpartition(".")[0]
            if parent:
                waiting.append(parent)
            module, tree = self.find(name)
            if module is None:
                if name.partition(".")[0] not in EMPTY:
                    self.system.append(name)
                continue
            if len(self.modules) >= MOST_MODULES:
                raise Refused(f"it consists of more than {MOST_MODULES} modules")
            self.modules[name] = module
            if tree is not None and name not in OURS:
                package = name if module.is_package else parent
                waiting.extend(imports_of(tree, package))

    def find(self, name):
        """Returns an own module and its syntax tree, or (None, None)."""
        if name == self.module_name:
            return self.compile(name, self.path, False)
        if name in EMPTY:
            return Module(name, self.root, True, compile("", name, "exec"), "", 0), None
        inside = name.replace(".", "/")
        if name in OURS:
            return self.compile(name, os.path.join(self.ours, inside + ".py"), False)
        top = name.partition(".")[0]
        if top in sys.builtin_module_names or top in sys.stdlib_module_names:
            return None, None
        for path, is_package in ((f"{inside}.py", False), (f"{inside}/__init__.py", True)):
            path = os.path.join(self.root, path)
            if os.path.isfile(path):
                return self.compile(name, path, is_package)
        return None, None

    def compile(self, name, path, is_package):
        try:
            with open(path, "rb") as file:
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None
        if len(data) > MOST_BYTES:
            raise Refused(f"{path} has more than {MOST_BYTES >> 20} MiB")
        try:
            tree = compile(data, path, "exec", ONLY_AST, dont_inherit=True)
            code = compile(tree, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise Refused(f"{type(error).__name__}: {error}") from None
        except (RecursionError, MemoryError):
            raise Refused(f"{path} is nested too deeply") from None
        return Module(name, path, is_package, code, data.decode("utf-8", "replace"), zlib.crc32(data)), tree

    def import_system_modules(self):
        wanted = sorted(set(self.system) | set(ALWAYS))
        if any("def save" in module.text for module in self.modules.values()):
            wanted.append("json")  # a state may be any value that JSON can hold
        for name in list(wanted):
            wanted.extend(LAZY.get(name, ()))
        for name in wanted:
            self.try_import(name)
        if "socket" in sys.modules:
            self.try_import("encodings.idna")  # for names of hosts

    @staticmethod
    def try_import(name):
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - the plugin learns of it when it imports the module itself
            pass

    def version(self):
        digest = 0
        for name in sorted(set(self.modules) - OURS - EMPTY):
            digest = zlib.crc32(self.modules[name].digest.to_bytes(4, "little"), digest)
        return f"{digest:08x}"

    def knows_file(self, path):
        return any(module.path == path and name not in OURS for name, module in self.modules.items())

    # --- Importing

    def plugin_class(self):
        module = importlib.import_module(self.module_name)
        found = getattr(module, self.class_name, None)
        if found is None:
            classes = sorted(name for name, value in vars(module).items() if isinstance(value, type) and hasattr(value, "run")
                             and value.__module__ == self.module_name)
            raise Refused(f"{self.path} has no class {self.class_name}" + (f"; it has {', '.join(classes)}" if classes else ""))
        if not isinstance(found, type):
            raise Refused(f"{self.class_name} in {self.path} is not a class")
        if not callable(getattr(found, "run", None)):
            raise Refused(f"class {self.class_name} in {self.path} has no method run(metrics_request)")
        return found

    def find_spec(self, name, path=None, target=None):
        module = self.modules.get(name)
        if module is None:
            return None
        spec = importlib.machinery.ModuleSpec(name, self, origin=module.path, is_package=module.is_package)
        spec.has_location = False
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        found = self.modules[module.__name__]
        module.__file__ = found.path
        exec(found.code, module.__dict__)

    def get_source(self, name):
        """For the lines of a traceback."""
        return self.modules[name].text

    def last_resort(self):
        names = {name for name, module in self.modules.items()}

        class LastResort:
            def find_spec(self, name, path=None, target=None):
                if name in names:
                    return None
                raise ModuleNotFoundError(
                    f"No module named {name!r}; a plugin can import what its import statements name and what is installed "
                    "for the system's Python", name=name)

        return LastResort()
