"""A Ray that nobody else gets into: on loopback, with a token, and with a private folder.

Whoever reaches a Ray can have it run anything. One that is started here is for one run on one
machine, so it listens where only this machine can connect, asks for a token that only this user can
read, and writes where only this user can read. Ray is told so by its environment, which those it
starts inherit.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import logging
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mgptn.agents.hosts.ray.folders import private_folder

logger = logging.getLogger("mgptn.fleet")

LOOPBACK = "127.0.0.1"
CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Unless it is on, Ray takes loopback for a node's address; Linux too, whatever the name says."""

MODE = "RAY_AUTH_MODE"
TOKEN, TOKEN_FILE = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
USUAL = Path(".ray/auth_token")
"""Below the home folder: where Ray looks for a token that no variable names."""


@contextmanager
def secluded() -> Iterator[Path]:
    """While a Ray may be started that is secluded; the folder it is to be given.

    A mode and a token that the user has set count: by variables, or in ``~/.ray/auth_token`` where
    nobody else can read it. Otherwise the token is a new one, for this run alone.

    Raises
    ------
    OSError
        If its folder cannot be made.
    """
    with private_folder() as folder:
        told = {CLUSTERS: "0"}
        if MODE not in os.environ:
            told[MODE] = "token"
        elif os.environ[MODE] != "token":
            logger.warning(
                "%s is %s: while this run lasts, whoever has an account on this machine can have "
                "its Ray run anything", MODE, os.environ[MODE],
            )  # fmt: skip
        if not _token_is_set():
            told[TOKEN_FILE] = str(_new_token(folder))
        with _set(told), _known_to_ray():
            yield folder


def _token_is_set() -> bool:
    """Has the user set a token, and not where others can read it?"""
    if os.environ.get(TOKEN) or os.environ.get(TOKEN_FILE):
        return True
    try:
        return Path.home().joinpath(USUAL).stat().st_mode & 0o077 == 0
    except (OSError, RuntimeError):  # no such file, or no home
        return False


def _new_token(folder: Path) -> Path:
    """A file with a new token."""
    path = folder / "token"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    return path


@contextmanager
def _known_to_ray() -> Iterator[None]:
    """Have Ray read its environment again, here and at the end: it does so only as it is imported.

    It has no public way to be told. Where a version has not what is used here, the environment
    alone counts, and `check_secluded` looks what came of it.
    """
    import ray

    constants: Any = sys.modules.get("ray._private.ray_constants")
    core: Any = ray._raylet
    clusters = getattr(constants, "ENABLE_RAY_CLUSTER", None)
    known = hasattr(core, "get_authentication_mode") and hasattr(core, "AuthenticationMode")
    off = known and core.get_authentication_mode() == core.AuthenticationMode.DISABLED
    if clusters is not None:
        constants.ENABLE_RAY_CLUSTER = False
    _read_environment(core)
    try:
        yield
    finally:
        if clusters is not None:
            constants.ENABLE_RAY_CLUSTER = clusters
        # A variable that is gone changes nothing: what it stood at before has to be said.
        with _set({MODE: "disabled"} if off else {}):
            _read_environment(core)


def _read_environment(core: Any) -> None:
    if hasattr(core, "Config"):
        core.Config.initialize("")
    if hasattr(core, "AuthenticationTokenLoader"):
        core.AuthenticationTokenLoader.instance().reset_cache()


@contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment, for as long as the context lasts."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def check_secluded() -> None:
    """Warn where the Ray that was started is no secluded one after all."""
    import ray

    address = ray.get_runtime_context().gcs_address
    if not address.startswith(f"{LOOPBACK}:"):
        logger.warning(
            "Ray listens at %s and not on loopback alone: others who reach this machine reach it, "
            "and need its token", address,
        )  # fmt: skip
