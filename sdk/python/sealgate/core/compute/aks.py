# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Clusters, provisioned or attached, and their TLS."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Type, Union

from sealgate.core.workspace import Workspace, target_path
from sealgate.exceptions import ComputeTargetException, SealgateException


class SslConfiguration:
    """How a target is published.

    Either an own certificate (``cname``, ``cert`` and ``key``, the last two as PEM text), or a managed one by its
    ``leaf_domain_label``, or ``status="Disabled"``.

    :param status: ``Enabled`` (own certificate), ``Auto`` (managed) or ``Disabled``.
    :param cert: full chain in PEM, the server's own certificate first.
    :param key: private key in PEM, without passphrase.
    :param cname: fully qualified name that the certificate is for.
    :param leaf_domain_label: first label of the managed name; six random characters are added to it.
    :param overwrite_existing_domain: take the label over when another target has it.
    :param renew: get a new managed certificate although the present one is valid.
    """

    def __init__(
        self,
        status: Optional[str] = None,
        cert: Optional[str] = None,
        key: Optional[str] = None,
        cname: Optional[str] = None,
        leaf_domain_label: Optional[str] = None,
        overwrite_existing_domain: bool = False,
        renew: bool = False,
    ) -> None:
        self.status = status
        self.cert = cert
        self.key = key
        self.cname = cname
        self.leaf_domain_label = leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain
        self.renew = renew

    def serialize(self) -> Dict[str, Any]:
        """As the admin API takes it."""
        return {
            "status": self.status,
            "cert": self.cert,
            "key": self.key,
            "cname": self.cname,
            "leafDomainLabel": self.leaf_domain_label,
            "overwriteExistingDomain": self.overwrite_existing_domain,
            "renew": self.renew,
        }

    @staticmethod
    def deserialize(object_dict: Mapping[str, Any]) -> SslConfiguration:
        """From what the admin API tells, which is no key."""
        return SslConfiguration(
            object_dict.get("status"),
            object_dict.get("cert"),
            object_dict.get("key"),
            object_dict.get("cname"),
            object_dict.get("leafDomainLabel"),
            bool(object_dict.get("overwriteExistingDomain", False)),
            bool(object_dict.get("renew", False)),
        )

    def __repr__(self) -> str:
        return (
            f"SslConfiguration(status={self.status!r}, cname={self.cname!r}, "
            f"leaf_domain_label={self.leaf_domain_label!r})"
        )


class _TargetConfiguration:
    """What provisioned and attached clusters have in common."""

    def __init__(self) -> None:
        self.ssl_cname: Optional[str] = None
        self.ssl_cert_pem_file: Optional[str] = None
        self.ssl_key_pem_file: Optional[str] = None
        self.leaf_domain_label: Optional[str] = None
        self.overwrite_existing_domain = False

    def enable_ssl(
        self,
        ssl_cname: Optional[str] = None,
        ssl_cert_pem_file: Optional[str] = None,
        ssl_key_pem_file: Optional[str] = None,
        leaf_domain_label: Optional[str] = None,
        overwrite_existing_domain: bool = False,
    ) -> Any:
        """Publish with TLS: an own certificate from files, or a managed one by its label.

        :raises sealgate.exceptions.ComputeTargetException: if these contradict each other.
        """
        self.ssl_cname = ssl_cname or self.ssl_cname
        self.ssl_cert_pem_file = ssl_cert_pem_file or self.ssl_cert_pem_file
        self.ssl_key_pem_file = ssl_key_pem_file or self.ssl_key_pem_file
        self.leaf_domain_label = leaf_domain_label or self.leaf_domain_label
        self.overwrite_existing_domain = overwrite_existing_domain or self.overwrite_existing_domain
        self.validate_configuration()
        return self

    def validate_configuration(self) -> None:
        """Checks what can be checked without the server."""
        own = (self.ssl_cname, self.ssl_cert_pem_file, self.ssl_key_pem_file)
        _check_ssl(own, self.leaf_domain_label, self.overwrite_existing_domain)

    def _ssl(self) -> SslConfiguration:
        self.validate_configuration()
        return SslConfiguration(
            cname=self.ssl_cname,
            cert=read_pem(self.ssl_cert_pem_file),
            key=read_pem(self.ssl_key_pem_file),
            leaf_domain_label=self.leaf_domain_label,
            overwrite_existing_domain=self.overwrite_existing_domain,
        )

    def _spec(self) -> Dict[str, Any]:
        raise NotImplementedError


class AksProvisioningConfiguration(_TargetConfiguration):
    """A cluster that is made for the purpose."""

    def _spec(self) -> Dict[str, Any]:
        return {"kind": "provisioned", "ssl": self._ssl().serialize()}


class AksAttachConfiguration(_TargetConfiguration):
    """A cluster that was there before."""

    def __init__(
        self,
        resource_group: Optional[str] = None,
        cluster_name: Optional[str] = None,
        resource_id: Optional[str] = None,
    ) -> None:
        super().__init__()
        self.resource_group = resource_group
        self.cluster_name = cluster_name
        self.resource_id = resource_id

    def validate_configuration(self) -> None:
        """Checks what can be checked without the server."""
        if self.resource_id:
            if self.resource_group or self.cluster_name:
                raise ComputeTargetException("give either resource_id, or resource_group and cluster_name")
        elif not (self.resource_group and self.cluster_name):
            raise ComputeTargetException("an attached cluster takes resource_group and cluster_name, or resource_id")
        super().validate_configuration()

    def _spec(self) -> Dict[str, Any]:
        return {
            "kind": "attached",
            "resourceGroup": self.resource_group,
            "clusterName": self.cluster_name,
            "resourceId": self.resource_id,
            "ssl": self._ssl().serialize(),
        }


class AksUpdateConfiguration:
    """A change of a cluster.

    :param ssl_configuration: how it is published from now on.
    """

    def __init__(self, ssl_configuration: Optional[SslConfiguration] = None) -> None:
        self.ssl_configuration = ssl_configuration

    def validate_configuration(self) -> None:
        """Checks what can be checked without the server."""
        ssl = self.ssl_configuration
        if ssl is not None:
            _check_ssl((ssl.cname, ssl.cert, ssl.key), ssl.leaf_domain_label, ssl.overwrite_existing_domain)


class ComputeTarget:
    """A target on a server, by its name.

    :param workspace: the server.
    :param name: the target, which must be there.
    """

    def __new__(cls, workspace: Workspace, name: str) -> ComputeTarget:
        """A target that is there comes with all that can be done with it."""
        return super().__new__(AksCompute if cls is ComputeTarget else cls)

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self._operation: Optional[str] = None
        self._state: Dict[str, Any] = {}
        self.refresh_state()

    @classmethod
    def create(
        cls, workspace: Workspace, name: str, provisioning_configuration: AksProvisioningConfiguration
    ) -> AksCompute:
        """Begins to make a cluster; :meth:`wait_for_completion` waits for the end."""
        return _begin(workspace, name, provisioning_configuration)

    @classmethod
    def attach(cls, workspace: Workspace, name: str, attach_configuration: AksAttachConfiguration) -> AksCompute:
        """Begins to attach a cluster; :meth:`wait_for_completion` waits for the end."""
        return _begin(workspace, name, attach_configuration)

    def refresh_state(self) -> None:
        """Asks the server how the target is now."""
        self._state = self.workspace._ask("GET", target_path(self.name))

    def wait_for_completion(self, show_output: bool = False, timeout_seconds: Optional[float] = None) -> None:
        """Waits until the last change is served.

        :raises sealgate.exceptions.ComputeTargetException: if it failed; then nothing has changed.
        """
        if self._operation is not None:
            ended = self.workspace._wait(self._operation, timeout_seconds)
            self._operation = None
            for warning in ended["warnings"]:
                if show_output:
                    print(f"warning: {warning}")
        self.refresh_state()
        if show_output:
            print(f"{self.name}: {self.provisioning_state}, {self.scoring_uri}")

    def delete(self) -> None:
        """Ends the target and gives its names back."""
        operation = self.workspace._ask("DELETE", target_path(self.name))
        self.workspace._wait(operation["id"])

    def detach(self) -> None:
        """The same for an attached cluster, which itself goes on."""
        self.delete()

    def serialize(self) -> Dict[str, Any]:
        """As the admin API tells it."""
        return dict(self._state)

    @property
    def provisioning_state(self) -> str:
        """``Succeeded``, ``Updating`` or ``Failed``."""
        return str(self._state["provisioningState"])

    @property
    def provisioning_errors(self) -> Optional[str]:
        """Why the last change failed."""
        error: Optional[str] = self._state.get("lastError")
        return error

    @property
    def ssl_configuration(self) -> SslConfiguration:
        """How it is published: no certificate, no key."""
        return SslConfiguration.deserialize(self._state["sslConfiguration"])

    @property
    def scoring_uri(self) -> Optional[str]:
        """Where its service is scored; https where TLS is on."""
        uri: Optional[str] = self._state.get("scoringUri")
        return uri


class AksCompute(ComputeTarget):
    """A cluster."""

    @staticmethod
    def provisioning_configuration(
        ssl_cname: Optional[str] = None,
        ssl_cert_pem_file: Optional[str] = None,
        ssl_key_pem_file: Optional[str] = None,
    ) -> AksProvisioningConfiguration:
        """What a cluster is made of; :meth:`AksProvisioningConfiguration.enable_ssl` says how it is published."""
        config = AksProvisioningConfiguration()
        if ssl_cname or ssl_cert_pem_file or ssl_key_pem_file:
            config.enable_ssl(ssl_cname, ssl_cert_pem_file, ssl_key_pem_file)
        return config

    @staticmethod
    def attach_configuration(
        resource_group: Optional[str] = None,
        cluster_name: Optional[str] = None,
        resource_id: Optional[str] = None,
    ) -> AksAttachConfiguration:
        """Which cluster is attached."""
        config = AksAttachConfiguration(resource_group, cluster_name, resource_id)
        config.validate_configuration()
        return config

    def update(self, update_configuration: AksUpdateConfiguration) -> None:
        """Begins a change; :meth:`wait_for_completion` waits for the end.

        :raises sealgate.exceptions.ComputeTargetException: if it is refused; then nothing changes.
        """
        update_configuration.validate_configuration()
        ssl = update_configuration.ssl_configuration or SslConfiguration()
        operation = self.workspace._ask("PATCH", target_path(self.name), {"ssl": ssl.serialize()})
        self._operation = operation["id"]


def _begin(
    workspace: Workspace, name: str, config: Union[AksProvisioningConfiguration, AksAttachConfiguration]
) -> AksCompute:
    operation = workspace._ask("PUT", target_path(name), config._spec())
    target = AksCompute(workspace, name)
    target._operation = operation["id"]
    return target


def _check_ssl(own: tuple[Optional[str], ...], label: Optional[str], overwrite: bool) -> None:
    if not any(own):
        return
    if not all(own):
        raise ComputeTargetException("an own certificate takes its cname, its certificate and its key together")
    if label:
        raise ComputeTargetException("give either an own certificate or a leaf domain label, not both")
    if overwrite:
        raise ComputeTargetException("overwriting an existing domain goes with a leaf domain label only")


def read_pem(
    path: Optional[str], exception: Type[SealgateException] = ComputeTargetException
) -> Optional[str]:
    """What stands in a file of PEM; raises ``exception`` if it cannot be read."""
    if path is None:
        return None
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        raise exception(f"{path} cannot be read: {error.strerror}") from error
