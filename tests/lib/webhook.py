"""A receiver of webhooks that accepts every notification."""
import http.server
import json
import threading
import time


class Webhook:
    """Answers each request with 200. `got` holds when each came (time.time_ns()) and its JSON, in order."""

    def __init__(self):
        hook = self
        self.got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                came = time.time_ns()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.got.append((came, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
