# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Web services in a single container."""

from __future__ import annotations

from typing import Any, Dict, Optional

from sealgate.core.compute.aks import SslConfiguration, read_pem
from sealgate.core.workspace import Workspace, target_path
from sealgate.exceptions import WebserviceException


class AciServiceDeploymentConfiguration:
    """How a single container is published."""

    def __init__(
        self,
        ssl_enabled: Optional[bool] = None,
        ssl_cert_pem_file: Optional[str] = None,
        ssl_key_pem_file: Optional[str] = None,
        ssl_cname: Optional[str] = None,
    ) -> None:
        self.ssl_enabled = ssl_enabled
        self.ssl_cert_pem_file = ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file
        self.ssl_cname = ssl_cname
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Checks what can be checked without the server."""
        own = (self.ssl_cert_pem_file, self.ssl_key_pem_file, self.ssl_cname)
        if self.ssl_enabled and not all(own):
            raise WebserviceException(
                "ssl_enabled takes ssl_cert_pem_file, ssl_key_pem_file and ssl_cname together"
            )
        if not self.ssl_enabled and any(own):
            raise WebserviceException("a certificate goes with ssl_enabled=True")

    def _ssl(self) -> SslConfiguration:
        if not self.ssl_enabled:
            return SslConfiguration(status="Disabled")
        return SslConfiguration(
            cname=self.ssl_cname,
            cert=read_pem(self.ssl_cert_pem_file, WebserviceException),
            key=read_pem(self.ssl_key_pem_file, WebserviceException),
        )


class AciWebservice:
    """A service in a single container.

    :param workspace: the server.
    :param name: the service, which must be there.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self._operation: Optional[str] = None
        self._state: Dict[str, Any] = {}
        self._refresh()

    @staticmethod
    def deploy_configuration(
        ssl_enabled: Optional[bool] = None,
        ssl_cert_pem_file: Optional[str] = None,
        ssl_key_pem_file: Optional[str] = None,
        ssl_cname: Optional[str] = None,
    ) -> AciServiceDeploymentConfiguration:
        """How a service is published: with TLS and an own certificate, or plain."""
        return AciServiceDeploymentConfiguration(ssl_enabled, ssl_cert_pem_file, ssl_key_pem_file, ssl_cname)

    @classmethod
    def deploy(
        cls, workspace: Workspace, name: str, deployment_config: AciServiceDeploymentConfiguration
    ) -> AciWebservice:
        """Begins to deploy; :meth:`wait_for_deployment` waits for the end."""
        spec = {"kind": "container", "ssl": deployment_config._ssl().serialize()}
        operation = workspace._ask("PUT", target_path(name), spec, WebserviceException)
        service = cls(workspace, name)
        service._operation = operation["id"]
        return service

    def update(
        self,
        ssl_enabled: Optional[bool] = None,
        ssl_cert_pem_file: Optional[str] = None,
        ssl_key_pem_file: Optional[str] = None,
        ssl_cname: Optional[str] = None,
    ) -> None:
        """Begins a change; :meth:`wait_for_deployment` waits for the end.

        What is not given stays: TLS ends with ``ssl_enabled=False`` alone.
        """
        given = (ssl_enabled, ssl_cert_pem_file, ssl_key_pem_file, ssl_cname)
        if all(value is None for value in given):
            raise WebserviceException("nothing to update: give ssl_enabled, with a certificate if it is True")
        config = AciServiceDeploymentConfiguration(ssl_enabled, ssl_cert_pem_file, ssl_key_pem_file, ssl_cname)
        body = {"ssl": config._ssl().serialize()}
        operation = self.workspace._ask("PATCH", target_path(self.name), body, WebserviceException)
        self._operation = operation["id"]

    def wait_for_deployment(self, show_output: bool = False) -> None:
        """Waits until the last change is served.

        :raises sealgate.exceptions.WebserviceException: if it failed; then nothing has changed.
        """
        if self._operation is not None:
            self.workspace._wait(self._operation, exception=WebserviceException)
            self._operation = None
        self._refresh()
        if show_output:
            print(f"{self.name}: {self.state}, {self.scoring_uri}")

    def delete(self) -> None:
        """Ends the service and gives its name back."""
        operation = self.workspace._ask("DELETE", target_path(self.name), exception=WebserviceException)
        self.workspace._wait(operation["id"], exception=WebserviceException)

    @property
    def state(self) -> str:
        """``Healthy``, ``Transitioning`` or ``Failed``."""
        states = {"Succeeded": "Healthy", "Updating": "Transitioning"}
        return states.get(self._state["provisioningState"], "Failed")

    @property
    def ssl_enabled(self) -> bool:
        """Whether it has TLS."""
        return self._state["sslConfiguration"].get("status") in ("Enabled", "Auto")

    @property
    def scoring_uri(self) -> Optional[str]:
        """Where it is scored; https where TLS is on."""
        uri: Optional[str] = self._state.get("scoringUri")
        return uri

    def _refresh(self) -> None:
        self._state = self.workspace._ask("GET", target_path(self.name), exception=WebserviceException)


Webservice = AciWebservice
