# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The admin API of one server."""

from __future__ import annotations

import http.client
import json
import math
import os
import socket
import ssl
import time
from typing import Any, Dict, List, Mapping, Optional, Type
from urllib.parse import quote

from sealgate.exceptions import ComputeTargetException, SealgateException

DEFAULT_SOCKET = "/var/lib/sealgate/admin.sock"

#: In the place of an address that is given.
VARIABLE = "SEALGATE_ADMIN"

#: Seconds that an answer is waited for: longer than the server holds one back.
PATIENCE_SECONDS = 90

#: Seconds that the server may hold an answer back until an operation ends.
WAIT_SECONDS = 30


class Workspace:
    """A server, by its admin API.

    :param admin: path of the API's Unix socket, or ``host:port``; by default what ``SEALGATE_ADMIN`` says, else
        ``/var/lib/sealgate/admin.sock``.
    :param cert: certificate to show over TCP, in a file of PEM.
    :param key: its private key.
    :param ca: authority of the API's own certificate.
    """

    def __init__(
        self,
        admin: Optional[str] = None,
        cert: Optional[str] = None,
        key: Optional[str] = None,
        ca: Optional[str] = None,
    ) -> None:
        self.admin = admin or os.environ.get(VARIABLE) or DEFAULT_SOCKET
        self._cert, self._key, self._ca = cert, key, ca

    @classmethod
    def from_config(cls, path: Optional[str] = None) -> Workspace:
        """The workspace that a file of JSON describes (``admin``, ``cert``, ``key``, ``ca``); without one, the default."""
        if path is None:
            return cls()
        with open(path, encoding="utf-8") as file:
            config: Mapping[str, str] = json.load(file)
        return cls(config.get("admin"), config.get("cert"), config.get("key"), config.get("ca"))

    @property
    def compute_targets(self) -> Dict[str, Any]:
        """All targets by name, as the admin API tells them."""
        targets: List[Dict[str, Any]] = self._ask("GET", "/v1/targets")["targets"]
        return {target["name"]: target for target in targets}

    def authority(self) -> str:
        """The root that clients need for managed certificates, in PEM."""
        return str(self._ask("GET", "/v1/authority"))

    def _ask(
        self,
        method: str,
        path: str,
        body: Optional[Mapping[str, Any]] = None,
        exception: Type[SealgateException] = ComputeTargetException,
    ) -> Any:
        connection = self._connect()
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
        except (OSError, http.client.HTTPException) as error:
            raise exception(
                f"no answer of the admin API at {self.admin}: {error}; is `sealgate serve --state` running?"
            ) from error
        finally:
            connection.close()
        if not answer.headers.get("Content-Type", "").startswith("application/json"):
            return text
        value = json.loads(text)
        if answer.status >= 400:
            problem = value.get("error", {})
            raise exception(problem.get("message", f"the admin API answered {answer.status}"), problem.get("code"))
        return value

    def _wait(
        self,
        operation: str,
        timeout_seconds: Optional[float] = None,
        exception: Type[SealgateException] = ComputeTargetException,
    ) -> Dict[str, Any]:
        """Waits until the operation has ended; raises what it failed with."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            left = WAIT_SECONDS if deadline is None else deadline - time.monotonic()
            held = max(0, min(WAIT_SECONDS, math.ceil(left)))
            path = f"/v1/operations/{operation}?waitSeconds={held}"
            now: Dict[str, Any] = self._ask("GET", path, exception=exception)
            if now["state"] == "Succeeded":
                return now
            if now["state"] == "Failed":
                raise exception(now["error"]["message"], now["error"]["code"])
            if deadline is not None and time.monotonic() > deadline:
                raise exception(f"operation {operation} still runs")

    def _connect(self) -> http.client.HTTPConnection:
        if "/" in self.admin:
            return _UnixConnection(self.admin)
        host, _, port = self.admin.rpartition(":")
        if not host or not port.isdecimal():
            raise ComputeTargetException(f"{self.admin!r} is neither the path of a socket nor host:port")
        context = ssl.create_default_context(cafile=self._ca)
        if self._cert is not None:
            context.load_cert_chain(self._cert, self._key)
        return http.client.HTTPSConnection(
            host.strip("[]"), int(port), timeout=PATIENCE_SECONDS, context=context
        )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP on a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE_SECONDS)
        self.sock.connect(self._path)


def target_path(name: str) -> str:
    """Where the admin API has a target."""
    return f"/v1/targets/{quote(name, safe='')}"
