#!/usr/bin/env python3
"""Starts a server and runs a client's checks against it: see README.md."""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
NGINX_CONF = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} http2;
    location / {{ grpc_pass grpc://127.0.0.1:{backend}; }}
  }}
}}
"""


def command(name, args):
    if name.endswith(".py"):
        return [args.python, str(HERE / name)]
    return [str(pathlib.Path(args.tests) / name)]


def start_server(args, environment):
    server = subprocess.Popen(command(args.server, args), env=environment, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if line.startswith("listening on "):
            return server, int(line.split()[2])
    server.wait()
    sys.exit(f"{args.server} exited with {server.returncode} before it listened")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_nginx(folder, backend):
    """nginx cannot pick a free port itself, so this picks one, and retries if it has been taken meanwhile."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if program is None:
        sys.exit("nginx is not installed (Debian: nginx-light)")
    for _ in range(5):
        port = free_port()
        conf = pathlib.Path(folder) / "nginx.conf"
        conf.write_text(NGINX_CONF.format(folder=folder, port=port, backend=backend))
        nginx = subprocess.Popen([program, "-e", f"{folder}/error.log", "-p", folder, "-c", str(conf)])
        while nginx.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return nginx, port
            except ConnectionRefusedError:
                try:
                    nginx.wait(timeout=0.02)
                except subprocess.TimeoutExpired:
                    pass
        print(pathlib.Path(folder, "error.log").read_text(), file=sys.stderr)
    sys.exit("nginx failed to start")


def end(process):
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tests", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--nginx", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("server")
    parser.add_argument("client")
    args = parser.parse_args()

    environment = dict(os.environ)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "grpc_proxy"):
        environment.pop(name, None)
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            if args.tls:
                subprocess.run(command("make_certificates", args) + [folder], check=True)
                environment["ECHO_CERTIFICATES"] = folder
                environment["ECHO_CA"] = f"{folder}/ca.pem"
            server, port = start_server(args, environment)
            processes.append(server)
            if args.nginx:
                nginx, port = start_nginx(folder, port)
                processes.insert(0, nginx)
                environment["ECHO_BEHIND_PROXY"] = "1"
            environment["ECHO_TARGET"] = f"localhost:{port}" if args.tls else f"127.0.0.1:{port}"
            return subprocess.run(command(args.client, args), env=environment).returncode
        finally:
            for process in processes:
                end(process)


if __name__ == "__main__":
    sys.exit(main())
