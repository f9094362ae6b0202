# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Compute targets: clusters that services are published on."""

from sealgate.core.compute.aks import AksCompute, ComputeTarget

__all__ = ["AksCompute", "ComputeTarget"]
