"""The read API, as the web app and scripts use it."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import httpx

#: How long after the acknowledgement a span may take to be in every answer, with server and worker. Generous: the promise
#: is a second, but not on a machine that does other things too.
VISIBLE_SECONDS = 15


def nanoseconds(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time in UTC, exactly."""
    assert text.endswith("Z"), f"{text} is not in UTC"
    seconds, _, fraction = text[:-1].partition(".")
    whole = datetime.fromisoformat(seconds).replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)


class Api:
    """A session of the installation's user in its first project."""

    def __init__(self, url: str, email: str, password: str, *, acknowledged_is_visible: bool) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._acknowledged_is_visible = acknowledged_is_visible
        session = self._data(self._http.post("/api/v1/auth/login", json={"email": email, "password": password}))
        self._http.headers["Authorization"] = f"Bearer {session['access_token']}"
        self.user = self._data(self._http.get("/api/v1/users/me"))
        self.organization = self.user["organizations"][0]
        self.project = self.organization["projects"][0]

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """The bare answer, for what is not expected to be there."""
        return self._http.get(path, params={"project_id": self.project["id"], **parameters})

    def traces(self, **parameters: Any) -> list[dict[str, Any]]:
        return self._data(self.get("/api/v1/traces", **parameters))

    def trace(self, trace_id: str) -> dict[str, Any]:
        return self._data(self.get(f"/api/v1/traces/{trace_id}"))

    def span(self, trace_id: str, span_id: str) -> dict[str, Any]:
        """One span with everything."""
        return self._data(self.get(f"/api/v1/spans/{span_id}", trace_id=trace_id))

    def spans(self, trace_id: str, count: int) -> list[dict[str, Any]]:
        """The `count` spans of a trace with everything, by their start.

        Standalone stores before it acknowledges, so there nothing is waited for.
        """
        deadline = time.monotonic() + (0 if self._acknowledged_is_visible else VISIBLE_SECONDS)
        while True:
            answer = self.get(f"/api/v1/traces/{trace_id}/spans")
            spans = self._data(answer) if answer.status_code != 404 else []
            summary = self.get(f"/api/v1/traces/{trace_id}")
            counted = self._data(summary)["span_count"] if summary.status_code == 200 else 0
            if (len(spans) >= count and counted >= count) or time.monotonic() >= deadline:
                break
            time.sleep(0.05)
        names = [span["name"] for span in spans]
        assert len(spans) == count == counted, f"{count} spans were sent; the list has {names}, the trace counts {counted}"
        return [self.span(trace_id, span["span_id"]) for span in spans]

    def spans_by_name(self, trace_id: str, count: int) -> dict[str, dict[str, Any]]:
        return {span["name"]: span for span in self.spans(trace_id, count)}

    @staticmethod
    def _data(answer: httpx.Response) -> Any:
        body = answer.json()
        assert answer.status_code == 200 and body["success"] is True, f"{answer.request.url}: {answer.status_code} {body}"
        assert set(body["meta"]) >= {"request_id", "timestamp", "version"}, body
        return body["data"]
