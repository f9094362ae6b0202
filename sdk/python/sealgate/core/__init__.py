# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The workspace: the server that targets are on."""

from sealgate.core.workspace import Workspace

__all__ = ["Workspace"]
