"""As much of Kubernetes' API as spark-submit asks for: it keeps what is created, and ends a pod."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Kubernetes:
    """What was created in a namespace.

    Attributes:
        exit_code: that the driver's container ends with.
        url: of the API.
        created: every object, by its kind.
    """

    exit_code: int
    url: str = ""
    created: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def driver(self) -> dict[str, Any]:
        """The pod of the driver, after its end."""
        ended = [
            _container("a-sidecar", 143),
            _container("spark-kubernetes-driver", self.exit_code),
            _container("the-next-one", 143),
        ]
        phase = "Failed" if self.exit_code else "Succeeded"
        return self.created["Pod"] | {"status": {"phase": phase, "containerStatuses": ended}}


@contextmanager
def kubernetes(exit_code: int) -> Iterator[Kubernetes]:
    """Serves it on loopback until the context ends.

    Args:
        exit_code: that the driver's container ends with.
    """
    cluster = Kubernetes(exit_code)

    class Answers(_Answers):
        of = cluster

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        cluster.url = f"http://127.0.0.1:{server.server_port}"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield cluster
        finally:
            server.shutdown()
            serving.join()


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    of: Kubernetes

    def do_POST(self) -> None:
        made = self._kept()
        at = {"uid": "of-the-driver", "creationTimestamp": "2025-03-20T00:00:00Z"}
        made["metadata"] |= at | {"resourceVersion": "1"}
        self._tell(201, made | {"status": {"phase": "Pending"}})

    def do_PATCH(self) -> None:
        self._tell(200, self._kept())

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if "/pods" not in place.path:
            self._tell(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure"})
        elif "watch=true" in place.query:
            self._tell(200, {"type": "MODIFIED", "object": self.of.driver})
        else:
            self._tell(200, self.of.driver)

    def _kept(self) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.of.created[made["kind"]] = made
        return made

    def _tell(self, code: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as it is called
        """Nothing."""


def _container(name: str, exit_code: int) -> dict[str, Any]:
    return {
        "name": name,
        "image": "rfm",
        "imageID": "rfm",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": {"exitCode": exit_code}},
    }
