# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What can go wrong, each with a message of one line."""

from __future__ import annotations

from typing import Optional


class SealgateException(Exception):
    """Everything below is one of these.

    :ivar message: what happened, to what, and the mend.
    :ivar code: which kind, in words that stay; nothing where the server was not asked.
    """

    def __init__(self, message: str, code: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class ComputeTargetException(SealgateException):
    """A compute target could not be made or changed as asked."""


class WebserviceException(SealgateException):
    """A web service could not be deployed or changed as asked."""
