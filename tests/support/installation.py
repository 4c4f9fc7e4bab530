"""Starts an installation of Brokle as its users do, and stops it whatever happens.

As a program, it runs a command against one and ends with the command's status:

    python tests/support/installation.py standalone --dir DIR -- npx playwright test

    kind       standalone, or split: a server and a worker
    --dir      where data and logs go; the logs stay
    BROKLE_BIN, BROKLE_ENGINE_LIB                     the program and the engine library
    BROKLE_TEST_DATABASE_URL, BROKLE_TEST_REDIS_URL,
    BROKLE_TEST_CLICKHOUSE_URL                        only for split, which has its own database, prefix and database in them

The command finds in its environment BROKLE_E2E_URL, BROKLE_E2E_EMAIL, BROKLE_E2E_PASSWORD, BROKLE_E2E_API_KEY, and
BROKLE_E2E_KIND.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import socket
import string
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["standalone", "split"]

#: Variables that a process of ours may see; everything else of the caller's environment is kept from it.
PASSED = ("PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR", "LANG", "BROKLE_ENGINE_LIB")
READY_SECONDS = 60
STOP_SECONDS = 40


class StartError(RuntimeError):
    """An installation did not start; the message holds the end of its log."""


def required(name: str) -> str:
    """The variable `name` of the environment, which a run of the suites always has."""
    value = os.environ.get(name, "")
    if not value:
        raise StartError(f"{name} is not set; `make test` sets it, or see the head of scripts/test.sh")
    return value


def free_port() -> int:
    """A port that nobody listens on, below those that the kernel hands out itself."""
    for _ in range(200):
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StartError("found no free port between 20000 and 32000 on 127.0.0.1")


def http_status(url: str, timeout: float = 2) -> int | None:
    """The status of a GET, without a proxy; nothing when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@dataclass
class Process:
    """One process of an installation, known by its id."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path
    ready_url: str

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                raise StartError(f"{self.name} ended with {self.child.returncode}:\n{self.log_tail()}")
            if http_status(self.ready_url) == 200:
                return
            time.sleep(0.05)
        raise StartError(f"{self.name} was not ready within {READY_SECONDS} s:\n{self.log_tail()}")

    def stop(self) -> int:
        """Asks it to end, insists after a while, and returns how it ended."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


@dataclass
class Installation:
    """A running Brokle, with the login and the key of its first project."""

    kind: Kind
    dir: Path
    email: str = "suite@example.com"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    api_key: str = field(default_factory=lambda: "bk_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40)))
    organization: str = "Suite"
    project: str = "Clients"
    #: More variables for every process.
    settings: dict[str, str] = field(default_factory=dict)
    url: str = field(init=False, default="")
    processes: list[Process] = field(init=False, default_factory=list)
    _databases: Databases | None = field(init=False, default=None)

    def __enter__(self) -> Installation:
        self.dir.mkdir(parents=True, exist_ok=True)
        try:
            if self.kind == "standalone":
                self._start_standalone()
            else:
                self._start_split()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        codes = self.stop()
        failed = [f"{name} ended with {code}" for name, code in codes.items() if code != 0]
        if failed and sys.exc_info()[0] is None:
            raise RuntimeError(f"{', '.join(failed)} after SIGTERM; the logs are in {self.dir}")

    def stop(self) -> dict[str, int]:
        """Ends every process, servers before workers, and says how each ended."""
        codes = {process.name: process.stop() for process in self.processes}
        self.processes.clear()
        if self._databases is not None:
            self._databases.drop()
            self._databases = None
        return codes

    def log(self, name: str) -> str:
        """What the process `name` has logged so far."""
        return (self.dir / f"{name}.log").read_text(errors="replace")

    def _start_standalone(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        data = {"PORT": str(port), "BROKLE_DATA_DIR": str(self.dir / "data")}
        self._spawn("standalone", f"{self.url}/health/ready", data | self._first_start())
        self.processes[-1].wait_until_ready()

    def _start_split(self) -> None:
        self._databases = Databases.create()
        port, worker_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        server = {"APP_MODE": "server", "PORT": str(port), "JWT_SECRET": secrets.token_urlsafe(48)}
        worker = {"APP_MODE": "worker", "WORKER_PORT": str(worker_port)}
        shared = self._databases.variables()
        # Both at once, as an orchestrator would: the worker waits until the server has migrated.
        self._spawn("server", f"{self.url}/health/ready", server | shared | self._first_start())
        self._spawn("worker", f"http://127.0.0.1:{worker_port}/health/ready", worker | shared)
        for process in self.processes:
            process.wait_until_ready()

    def _first_start(self) -> dict[str, str]:
        return {
            "BROKLE_INIT_ORG": self.organization,
            "BROKLE_INIT_PROJECT": self.project,
            "BROKLE_INIT_USER_EMAIL": self.email,
            "BROKLE_INIT_USER_PASSWORD": self.password,
            "BROKLE_INIT_API_KEY": self.api_key,
        }

    def _spawn(self, name: str, ready_url: str, variables: dict[str, str]) -> None:
        passed = {key: os.environ[key] for key in PASSED if key in os.environ}
        common = {"HOST": "127.0.0.1", "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
        # Everything comes from one address.
        common |= {f"RATE_LIMIT_{name}": "1000000" for name in ("PER_IP", "AUTH_PER_IP", "PER_USER", "PER_KEY")}
        log = self.dir / f"{name}.log"
        with log.open("wb") as out:
            child = subprocess.Popen(
                [required("BROKLE_BIN")],
                env=passed | common | variables | self.settings,
                cwd=self.dir,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                # Ctrl-C is for us: we stop it in order.
                start_new_session=True,
            )
        self.processes.append(Process(name, child, log, ready_url))


@dataclass
class Databases:
    """What a server and its workers own in the services of the test run."""

    name: str
    admin_url: str
    redis_url: str
    clickhouse_url: str

    @classmethod
    def create(cls) -> Databases:
        """Makes a Postgres database, and names for the rest, that nobody else uses."""
        databases = cls(
            name=f"suite_{int(time.time())}_{secrets.token_hex(4)}",
            admin_url=required("BROKLE_TEST_DATABASE_URL"),
            redis_url=required("BROKLE_TEST_REDIS_URL"),
            clickhouse_url=required("BROKLE_TEST_CLICKHOUSE_URL"),
        )
        databases._postgres(f"CREATE DATABASE {databases.name}")
        return databases

    def variables(self) -> dict[str, str]:
        return {
            "DATABASE_URL": urllib.parse.urlsplit(self.admin_url)._replace(path=f"/{self.name}").geturl(),
            "REDIS_URL": self.redis_url,
            "REDIS_KEY_PREFIX": f"{self.name}:",
            "CLICKHOUSE_URL": self.clickhouse_url,
            "CLICKHOUSE_DATABASE": self.name,
        }

    def drop(self) -> None:
        """Removes both databases; the keys in Redis are few and go with the test run's Redis."""
        problems = []
        for drop in (self._drop_postgres, self._drop_clickhouse):
            try:
                drop()
            except Exception as error:  # noqa: BLE001 - the next one is still to be dropped
                problems.append(str(error))
        if problems:
            print(f"could not remove {self.name}: {'; '.join(problems)}", file=sys.stderr)

    def _drop_postgres(self) -> None:
        self._postgres(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _drop_clickhouse(self) -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(self.clickhouse_url, data=f"DROP DATABASE IF EXISTS {self.name}".encode(), timeout=30).close()

    def _postgres(self, statement: str) -> None:
        # Only needed here, and not by those who run a standalone.
        import psycopg

        with psycopg.connect(self.admin_url, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)


def interrupt_on_sigterm() -> None:
    """Makes SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that everything started is stopped."""

    def interrupt(*_: object) -> None:
        # Once is enough: a second signal must not break off the stopping.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs a command against a fresh installation of Brokle.")
    parser.add_argument("kind", choices=["standalone", "split"])
    parser.add_argument("--dir", type=Path, required=True, help="where its data and logs go")
    parser.add_argument("--organization", default=Installation.organization)
    parser.add_argument("--project", default=Installation.project)
    parser.add_argument("--email", default=Installation.email, help="of the one user")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    arguments = parser.parse_args()
    interrupt_on_sigterm()
    try:
        told = {"email": arguments.email, "organization": arguments.organization, "project": arguments.project}
        with Installation(arguments.kind, arguments.dir.resolve(), **told) as brokle:
            variables = {
                "BROKLE_E2E_URL": brokle.url,
                "BROKLE_E2E_EMAIL": brokle.email,
                "BROKLE_E2E_PASSWORD": brokle.password,
                "BROKLE_E2E_API_KEY": brokle.api_key,
                "BROKLE_E2E_KIND": brokle.kind,
            }
            child = subprocess.Popen(arguments.command, env=os.environ | variables)
            try:
                return child.wait()
            finally:
                if child.poll() is None:
                    child.terminate()
                    child.wait(20)
    except KeyboardInterrupt:
        return 130
    except (StartError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
