"""The installations that the clients send to: once standalone, once a server with a worker."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from api import Api
from installation import Installation, StartError, interrupt_on_sigterm, required
from recorder import Recorder

# A client of these tests reads its settings from the test, not from the shell that runs it.
for name in [name for name in os.environ if name.startswith("OTEL_") or name in ("BROKLE_API_KEY", "BROKLE_BASE_URL", "BROKLE_ENVIRONMENT")]:
    del os.environ[name]
for name in ("NO_PROXY", "no_proxy"):
    os.environ[name] = "127.0.0.1,localhost"


def pytest_configure() -> None:
    interrupt_on_sigterm()


@pytest.fixture(scope="session", params=["standalone", "split"])
def brokle(request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A running installation of each kind, with an empty project."""
    installation = Installation(request.param, Path(required("BROKLE_TEST_DIR")) / request.param)
    try:
        installation.__enter__()
    except StartError as error:
        # Once, instead of under the name of every test.
        pytest.exit(f"{request.param} did not start: {error}", returncode=1)
    yield installation
    installation.__exit__()


@pytest.fixture(scope="session")
def api(brokle: Installation) -> Iterator[Api]:
    """The read API, logged in."""
    session = Api(brokle.url, brokle.email, brokle.password, acknowledged_is_visible=brokle.kind == "standalone")
    yield session
    session.close()


@pytest.fixture
def wire(brokle: Installation) -> Iterator[Recorder]:
    """A forwarder to the server that keeps what was sent."""
    with Recorder(brokle.url) as recorder:
        yield recorder


@pytest.fixture
def quiet_client(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails a test in which a client logged a warning or worse: that is how exporters tell that they were refused."""
    caplog.set_level(logging.WARNING)
    yield
    told = [
        f"{record.name}: {record.getMessage()}"
        for record in caplog.get_records("call")
        # Attributes over a limit that a test has set are none of our business.
        if record.levelno >= logging.WARNING and record.name != "opentelemetry.attributes"
    ]
    assert not told, "the client complained:\n  " + "\n  ".join(told)
