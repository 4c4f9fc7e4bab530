"""The official OTLP/JSON example of opentelemetry-proto, posted as curl would."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from api import Api, nanoseconds
from installation import Installation
from wire import differences

EXAMPLE = Path(__file__).parents[1] / "fixtures" / "otlp" / "trace.json"
TRACE_ID = "5b8efff798038103d269b633813fc60c"
SPAN_ID = "eee19b7ec3c1b174"


@pytest.fixture(scope="module")
def example() -> tuple[dict[str, Any], int]:
    """The example, moved from 2018 to now, and its start."""
    document = json.loads(EXAMPLE.read_text())
    start = time.time_ns() // 1_000_000_000 * 1_000_000_000 - 5_000_000_000
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"]) == 1_000_000_000
    span |= {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 1_000_000_000)}
    return document, start


def post(brokle: Installation, path: str, document: Any, headers: dict[str, str]) -> httpx.Response:
    return httpx.post(
        brokle.url + path, content=json.dumps(document), headers={"Content-Type": "application/json", **headers}, timeout=30, trust_env=False
    )


def test_the_official_example_is_stored_as_it_says(brokle: Installation, api: Api, example: tuple[dict[str, Any], int]) -> None:
    document, start = example
    answer = post(brokle, "/v1/traces", document, {"Authorization": f"Bearer {brokle.api_key}"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, "application/json", {})

    [span] = api.spans(TRACE_ID, 1)
    lines = differences(
        span,
        {
            "trace_id": TRACE_ID,
            "span_id": SPAN_ID,
            "parent_span_id": "eee19b7ec3c1b173",
            "is_root": False,
            "name": "I'm a server span",
            "type": "span",
            "kind": "server",
            "level": "DEFAULT",
            "status": "unset",
            "status_code": 0,
            "status_message": "",
            "duration": 1_000_000_000,
            "service_name": "my.service",
            "environment": "default",
            "attributes": {"my.span.attr": "some value"},
            "resource_attributes": {"service.name": "my.service"},
            "resource_schema_url": "",
            "scope": {
                "name": "my.library",
                "version": "1.0.0",
                "attributes": {"my.scope.attribute": "some scope attribute"},
                "schema_url": "",
            },
            "trace_state": "",
            "trace_flags": 0,
            "events": [],
            "links": [],
            "dropped": {"attributes": 0, "events": 0, "links": 0},
            "input": "",
            "output": "",
            "model": None,
            "provider": None,
            "usage_details": {},
            "total_cost": None,
            "user_id": None,
            "session_id": None,
            "tags": [],
            "release": None,
            "version": None,
            "flags": [],
        },
    )
    assert not lines, "\n".join(lines)
    assert (nanoseconds(span["start_time"]), nanoseconds(span["end_time"])) == (start, start + 1_000_000_000)

    # The parent is with somebody else: the trace is shown all the same, under the name of what is there.
    trace = api.trace(TRACE_ID)
    assert (trace["has_root"], trace["root_span_id"], trace["span_count"], trace["service_name"]) == (False, None, 1, "my.service")


def test_the_same_request_again_counts_once(brokle: Installation, api: Api, example: tuple[dict[str, Any], int]) -> None:
    document, _ = example
    for path, headers in (("/v1/traces", {"Authorization": f"Bearer {brokle.api_key}"}), ("/v1/otlp/traces", {"X-API-Key": brokle.api_key})):
        answer = post(brokle, path, document, headers)
        assert (answer.status_code, answer.json()) == (200, {})
    api.spans(TRACE_ID, 1)
    # Not the same bytes, and so no repeat of a request, but the same span.
    document = json.loads(json.dumps(document))
    document["resourceSpans"].append({"resource": {}, "scopeSpans": []})
    assert post(brokle, "/v1/traces", document, {"X-API-Key": brokle.api_key}).status_code == 200
    time.sleep(1)
    api.spans(TRACE_ID, 1)


def test_ids_are_shown_in_lower_case_and_found_in_either(brokle: Installation, api: Api, example: tuple[dict[str, Any], int]) -> None:
    post(brokle, "/v1/traces", example[0], {"X-API-Key": brokle.api_key})
    api.spans(TRACE_ID, 1)
    assert api.trace(TRACE_ID.upper())["trace_id"] == TRACE_ID
    assert api.span(TRACE_ID.upper(), SPAN_ID.upper())["span_id"] == SPAN_ID


def test_everything_that_json_can_say_is_stored(brokle: Installation, api: Api) -> None:
    now = time.time_ns()
    trace_id, span_id = f"{now:032X}", "00F067AA0BA902B7"
    value = {
        "string": {"stringValue": "x"},
        "bool": {"boolValue": False},
        # 64-bit integers are text in protobuf's JSON, and numbers in what some write by hand.
        "int.text": {"intValue": "-9007199254740991"},
        "int.number": {"intValue": 7},
        "double": {"doubleValue": 2.0},
        "double.nan": {"doubleValue": "NaN"},
        "bytes": {"bytesValue": "AP8="},
        "array": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "a"}, {"doubleValue": 1.0}]}},
        "map": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}},
        "empty": {},
    }
    span = {
        "traceId": trace_id,
        "spanId": span_id,
        "traceState": "vendor=abc",
        "flags": 257,
        "name": "everything",
        "kind": "SPAN_KIND_PRODUCER",
        "startTimeUnixNano": now - 2_000_000_001,
        "endTimeUnixNano": str(now),
        "attributes": [{"key": key, "value": typed} for key, typed in value.items()],
        "droppedAttributesCount": 1,
        "events": [
            {
                "timeUnixNano": str(now - 5),
                "name": "event",
                "attributes": [{"key": "n", "value": {"intValue": "3"}}],
                "droppedAttributesCount": 2,
            }
        ],
        "droppedEventsCount": 3,
        "links": [
            {
                "traceId": "0AF7651916CD43DD8448EB211C80319C",
                "spanId": "B7AD6B7169203331",
                "traceState": "other=1",
                "flags": 1,
                "attributes": [{"key": "why", "value": {"stringValue": "retry"}}],
                "droppedAttributesCount": 4,
            }
        ],
        "droppedLinksCount": 5,
        "status": {"code": "STATUS_CODE_ERROR", "message": "it broke"},
    }
    document = {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "json"}}]},
                "schemaUrl": "https://example.com/resource",
                "scopeSpans": [{"scope": {"name": "by hand", "version": "0"}, "schemaUrl": "https://example.com/scope", "spans": [span]}],
            }
        ]
    }
    answer = post(brokle, "/v1/traces", document, {"X-API-Key": brokle.api_key, "x-brokle-environment": "by-header"})
    assert (answer.status_code, answer.json()) == (200, {})
    [stored] = api.spans(trace_id.lower(), 1)
    lines = differences(
        stored,
        {
            "trace_id": trace_id.lower(),
            "span_id": span_id.lower(),
            "parent_span_id": None,
            "is_root": True,
            "trace_state": "vendor=abc",
            "trace_flags": 257,
            "name": "everything",
            "kind": "producer",
            "duration": 2_000_000_001,
            "status": "error",
            "status_message": "it broke",
            "level": "ERROR",
            "environment": "by-header",
            "service_name": "json",
            "attributes": {
                "string": "x",
                "bool": False,
                "int.text": -9007199254740991,
                "int.number": 7,
                "double": 2.0,
                "double.nan": "NaN",
                "bytes": "AP8=",
                "array": [1, "a", 1.0],
                "map": {"k": True},
                "empty": None,
            },
            "links": [
                {
                    "trace_id": "0af7651916cd43dd8448eb211c80319c",
                    "span_id": "b7ad6b7169203331",
                    "trace_state": "other=1",
                    "flags": 1,
                    "attributes": {"why": "retry"},
                    "dropped_attributes_count": 4,
                }
            ],
            "dropped": {"attributes": 1, "events": 3, "links": 5},
            "resource_schema_url": "https://example.com/resource",
            "scope": {"name": "by hand", "version": "0", "attributes": {}, "schema_url": "https://example.com/scope"},
        },
    )
    assert not lines, "\n".join(lines)
    assert (nanoseconds(stored["start_time"]), nanoseconds(stored["end_time"])) == (now - 2_000_000_001, now)
    [event] = stored["events"]
    assert (event["name"], nanoseconds(event["timestamp"]), event["attributes"], event["dropped_attributes_count"]) == ("event", now - 5, {"n": 3}, 2)


def test_a_span_that_cannot_be_is_refused_alone(brokle: Installation, api: Api) -> None:
    now = time.time_ns()
    trace_id = f"{now:032x}"

    def span(number: int, **changes: Any) -> dict[str, Any]:
        return {
            "traceId": trace_id,
            "spanId": f"{number:016x}",
            "name": f"span {number}",
            "kind": 1,
            "startTimeUnixNano": str(now),
            "endTimeUnixNano": str(now + 1),
            "futureField": {"ignored": [True]},
        } | changes

    spans = [span(1), span(2, spanId="0" * 16), span(3, startTimeUnixNano="1000"), span(4, traceId="abcd"), span(5, kind="SPAN_KIND_CLIENT")]
    document = {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}
    answer = post(brokle, "/v1/traces", document, {"X-API-Key": brokle.api_key})
    assert answer.status_code == 200
    partial = answer.json()["partialSuccess"]
    # int64 is text in OTLP's JSON.
    assert partial["rejectedSpans"] == "3"
    assert partial["errorMessage"]
    assert [(stored["name"], stored["kind"]) for stored in api.spans(trace_id, 2)] == [("span 1", "internal"), ("span 5", "client")]


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Content-Type": "application/json"}, b'{"resourceSpans": [', 400, None),
        ({"Content-Type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
        ({"Content-Type": "application/json", "X-API-Key": ""}, b"{}", 401, None),
        ({"Content-Type": "application/json", "X-API-Key": "bk_" + "0" * 40}, b"{}", 401, None),
    ],
    ids=["broken JSON", "another content type", "no key", "an unknown key"],
)
def test_what_cannot_be_taken_is_answered_clearly(brokle: Installation, headers: dict[str, str], body: bytes, status: int, code: str | None) -> None:
    answer = httpx.post(f"{brokle.url}/v1/traces", content=body, headers={"X-API-Key": brokle.api_key} | headers, timeout=30, trust_env=False)
    assert answer.status_code == status
    said = answer.json()
    assert said.get("message") or said["error"]["message"]
    if code is not None and "error" in said:
        assert said["error"]["code"] == code
