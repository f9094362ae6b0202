# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The documented samples, with the import changed, against a server that runs.

`SEALGATE` names the program; `cargo xtask sdk-test` sets it.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from urllib.parse import urlsplit

from sealgate.core import Workspace
from sealgate.core.compute import AksCompute, ComputeTarget
from sealgate.core.compute.aks import AksUpdateConfiguration, SslConfiguration
from sealgate.core.webservice import AciWebservice, Webservice
from sealgate.exceptions import ComputeTargetException, WebserviceException

PATIENCE_SECONDS = 60


class Samples(unittest.TestCase):
    """One server for all of them; each has its own target."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        folder = Path(cls.folder.name)
        ready = folder / "ready.json"
        cls.server = subprocess.Popen(
            [
                os.environ["SEALGATE"], "serve", "--device", "none", "--state", str(folder / "state"),
                "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--ready-file", str(ready),
                "--zone", "example.net", "--region", "west",
            ],
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready.exists():
            assert cls.server.poll() is None and time.monotonic() < deadline, "the server is not ready"
            time.sleep(0.02)
        cls.ready = json.loads(ready.read_text())
        cls.ws = Workspace(str(folder / "state" / "admin.sock"))
        for name in ("www.contoso.com", "www.fabrikam.com"):
            subprocess.run(
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"),
                ],
                check=True, capture_output=True,
            )

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.kill()
        cls.server.wait()
        cls.folder.cleanup()

    def path(self, name: str) -> str:
        return str(Path(self.folder.name) / name)

    def text(self, name: str) -> str:
        return Path(self.path(name)).read_text()

    def serves(self, uri: str | None, root: str) -> bool:
        """Whether a client that trusts `root` gets an answer there."""
        parts = urlsplit(str(uri))
        key = "addresses" if parts.scheme == "https" else "plain_addresses"
        address, port = self.ready[key][0].rsplit(":", 1)
        with socket.create_connection((address, int(port)), PATIENCE_SECONDS) as tcp:
            if parts.scheme != "https":
                return self.asks(tcp, str(parts.hostname))
            context = ssl.create_default_context(cadata=root)
            with context.wrap_socket(tcp, server_hostname=parts.hostname) as tls:
                return self.asks(tls, str(parts.hostname))

    def asks(self, stream: socket.socket, host: str) -> bool:
        stream.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return stream.recv(64).startswith(b"HTTP/1.1 200")

    def test_a_provisioned_cluster_with_a_managed_certificate(self) -> None:
        prov_config = AksCompute.provisioning_configuration()
        prov_config.enable_ssl(leaf_domain_label="contoso")
        target = ComputeTarget.create(self.ws, "provisioned", prov_config)
        target.wait_for_completion(show_output=True)
        self.assertRegex(str(target.scoring_uri), r"^https://contoso[a-z0-9]{6}\.west\.example\.net:")
        self.assertTrue(self.serves(target.scoring_uri, self.ws.authority()))
        before = target.serialize()["certificate"]["fingerprintSha256"]

        # Update, renew.
        target = AksCompute(self.ws, "provisioned")
        ssl_configuration = SslConfiguration(
            leaf_domain_label="contoso", overwrite_existing_domain=True, renew=True
        )
        target.update(AksUpdateConfiguration(ssl_configuration))
        target.wait_for_completion()
        self.assertNotEqual(target.serialize()["certificate"]["fingerprintSha256"], before)

        # To an own certificate.
        target.update(AksUpdateConfiguration(SslConfiguration(
            cname="www.fabrikam.com", cert=self.text("www.fabrikam.com.pem"), key=self.text("www.fabrikam.com.key")
        )))
        target.wait_for_completion()
        self.assertEqual(target.ssl_configuration.status, "Enabled")
        self.assertTrue(self.serves(target.scoring_uri, self.text("www.fabrikam.com.pem")))

        # Disable.
        target.update(AksUpdateConfiguration(SslConfiguration(status="Disabled")))
        target.wait_for_completion()
        self.assertTrue(str(target.scoring_uri).startswith("http://"))
        self.assertTrue(self.serves(target.scoring_uri, ""))
        target.delete()
        self.assertNotIn("provisioned", self.ws.compute_targets)

    def test_an_attached_cluster(self) -> None:
        attach_config = AksCompute.attach_configuration(resource_group="group", cluster_name="dev-cluster")
        attach_config.enable_ssl(leaf_domain_label="attached")
        target = ComputeTarget.attach(self.ws, "attached", attach_config)
        target.wait_for_completion()
        self.assertEqual(target.ssl_configuration.status, "Auto")
        self.assertEqual(target.serialize()["clusterName"], "dev-cluster")

    def test_a_single_container(self) -> None:
        aci_config = AciWebservice.deploy_configuration(
            ssl_enabled=True,
            ssl_cert_pem_file=self.path("www.contoso.com.pem"),
            ssl_key_pem_file=self.path("www.contoso.com.key"),
            ssl_cname="www.contoso.com",
        )
        service = Webservice.deploy(self.ws, "container", aci_config)
        service.wait_for_deployment(show_output=True)
        self.assertEqual((service.state, service.ssl_enabled), ("Healthy", True))
        self.assertTrue(self.serves(service.scoring_uri, self.text("www.contoso.com.pem")))
        with self.assertRaisesRegex(WebserviceException, "nothing to update"):
            service.update()
        service.update(ssl_enabled=False)
        service.wait_for_deployment()
        self.assertFalse(service.ssl_enabled)

    def test_a_target_that_is_there_is_a_cluster(self) -> None:
        config = AksCompute.provisioning_configuration()
        ComputeTarget.create(self.ws, "there", config).wait_for_completion()
        target = ComputeTarget(self.ws, "there")
        self.assertIsInstance(target, AksCompute)
        with self.assertRaisesRegex(ComputeTargetException, "neither the path of a socket"):
            Workspace("127.0.0.1").authority()

    def test_contradictions_are_refused_before_the_server_is_asked(self) -> None:
        config = AksCompute.provisioning_configuration()
        with self.assertRaises(ComputeTargetException):
            config.enable_ssl(ssl_cname="www.contoso.com")
        with self.assertRaises(ComputeTargetException):
            AksCompute.attach_configuration(resource_group="group")
        with self.assertRaises(WebserviceException):
            AciWebservice.deploy_configuration(ssl_enabled=True, ssl_cname="www.contoso.com")
        own = SslConfiguration(cname="a.b.c", cert="x", key="y", leaf_domain_label="z")
        with self.assertRaises(ComputeTargetException):
            AksUpdateConfiguration(own).validate_configuration()

    def test_what_the_server_refuses_comes_with_its_code(self) -> None:
        config = AksCompute.provisioning_configuration()
        config.enable_ssl(leaf_domain_label="not_a_label")
        with self.assertRaises(ComputeTargetException) as refused:
            ComputeTarget.create(self.ws, "refused", config)
        self.assertEqual(refused.exception.code, "ssl-label")
        with self.assertRaises(ComputeTargetException) as refused:
            AksCompute(self.ws, "nobody")
        self.assertEqual(refused.exception.code, "unknown-target")
        with self.assertRaises(ComputeTargetException) as refused:
            AksCompute(Workspace("/nowhere/admin.sock"), "aks")
        self.assertIn("sealgate serve", refused.exception.message)


if __name__ == "__main__":
    unittest.main()
