# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Publish scoring services over HTTPS on sealgate's FPGA nodes."""
