"""What a client put on the wire, read with OpenTelemetry's own messages, and its comparison with what Brokle stored."""

from __future__ import annotations

import base64
import gzip
import json
import math
import zlib
from dataclasses import dataclass
from typing import Any, Iterable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from api import nanoseconds
from recorder import Exchange

KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
STATUSES = {0: "unset", 1: "ok", 2: "error"}


@dataclass(frozen=True)
class Sent:
    """A span as it left the client."""

    resource: Resource
    resource_schema_url: str
    scope: InstrumentationScope
    scope_schema_url: str
    span: Span

    @property
    def trace_id(self) -> str:
        return self.span.trace_id.hex()


def body_of(exchange: Exchange) -> bytes:
    """The body with its content encoding undone."""
    match exchange.headers.get("content-encoding", "identity"):
        case "gzip":
            return gzip.decompress(exchange.body)
        case "deflate":
            return zlib.decompress(exchange.body)
        case "identity":
            return exchange.body
        case other:
            raise AssertionError(f"no client here sends {other}")


def sent_spans(exchanges: Iterable[Exchange]) -> dict[str, Sent]:
    """The spans of protobuf trace requests, by name."""
    spans: dict[str, Sent] = {}
    for exchange in exchanges:
        request = ExportTraceServiceRequest.FromString(body_of(exchange))
        for group in request.resource_spans:
            for scope in group.scope_spans:
                for span in scope.spans:
                    assert span.name not in spans, f"two spans are named {span.name}"
                    spans[span.name] = Sent(group.resource, group.schema_url, scope.scope, scope.schema_url, span)
    return spans


def plain(value: AnyValue) -> Any:
    """The value as the API shows it: JSON's types, bytes as base64, and as text what JSON has no number for."""
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [plain(item) for item in value.array_value.values]
        case "kvlist_value":
            return plain_map(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case "int_value":
            return value.int_value if abs(value.int_value) <= 2**53 else str(value.int_value)
        case "double_value":
            return value.double_value if math.isfinite(value.double_value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value.double_value, "NaN")
        case name:
            return getattr(value, name)


def plain_map(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {attribute.key: plain(attribute.value) for attribute in attributes}


def differences(stored: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """One line per field that is not what it should be. 1, 1.0 and true are three different values."""
    lines = []
    for field, value in expected.items():
        if field not in stored:
            lines.append(f"{field}: missing, should be {value!r}")
        elif json.dumps(stored[field], sort_keys=True) != json.dumps(value, sort_keys=True):
            if isinstance(value, dict) and isinstance(stored[field], dict):
                inner = differences(stored[field], value)
                extra = sorted(set(stored[field]) - set(value))
                lines += [f"{field}.{line}" for line in inner] + ([f"{field}: has also {extra}"] if extra else [])
            else:
                lines.append(f"{field}: is {stored[field]!r}, should be {value!r}")
    return lines


def preview(text: str) -> str:
    """What a list shows: the words of the last message that has any, else the beginning; 200 characters."""
    try:
        messages = json.loads(text)
    except ValueError:
        messages = None
    words = []
    if isinstance(messages, list) and all(isinstance(message, dict) and "role" in message for message in messages):
        for message in messages:
            contents = [message.get("content"), *(part.get("content") for part in message.get("parts", []))]
            words += [content for content in contents if isinstance(content, str) and content.strip()]
    return (words[-1] if words else text)[:200]


def carried(sent: Sent, *, input_key: str | None = None, output_key: str | None = None) -> dict[str, Any]:
    """What of a stored span follows from the bytes sent alone, whatever they mean.

    The attributes that became the input and the output are these, word for word, and no attributes any more.
    """
    span = sent.span
    attributes = plain_map(span.attributes)
    texts = {side: attributes.pop(key) if key else "" for side, key in (("input", input_key), ("output", output_key))}
    return {
        "trace_id": span.trace_id.hex(),
        "span_id": span.span_id.hex(),
        "parent_span_id": span.parent_span_id.hex() or None,
        "is_root": not span.parent_span_id,
        "name": span.name,
        "kind": KINDS[span.kind],
        "status": STATUSES[span.status.code],
        "status_code": span.status.code,
        "status_message": span.status.message,
        "duration": span.end_time_unix_nano - span.start_time_unix_nano,
        "trace_state": span.trace_state,
        "trace_flags": span.flags,
        "attributes": attributes,
        **texts,
        "input_length": len(texts["input"].encode()),
        "output_length": len(texts["output"].encode()),
        "input_preview": preview(texts["input"]),
        "output_preview": preview(texts["output"]),
        "links": [
            {
                "trace_id": link.trace_id.hex(),
                "span_id": link.span_id.hex(),
                "trace_state": link.trace_state,
                "flags": link.flags,
                "attributes": plain_map(link.attributes),
                "dropped_attributes_count": link.dropped_attributes_count,
            }
            for link in span.links
        ],
        "dropped": {"attributes": span.dropped_attributes_count, "events": span.dropped_events_count, "links": span.dropped_links_count},
        "resource_attributes": plain_map(sent.resource.attributes),
        "resource_schema_url": sent.resource_schema_url,
        "scope": {
            "name": sent.scope.name,
            "version": sent.scope.version,
            "attributes": plain_map(sent.scope.attributes),
            "schema_url": sent.scope_schema_url,
        },
        "flags": [],
    }


def check(stored: dict[str, Any], sent: Sent, *, input_key: str | None = None, output_key: str | None = None, **told: Any) -> None:
    """Compares a stored span with the bytes of `sent`, and with what the client was told, given as further fields."""
    expected = carried(sent, input_key=input_key, output_key=output_key) | told
    lines = differences(stored, expected)
    for field, time in (("start_time", sent.span.start_time_unix_nano), ("end_time", sent.span.end_time_unix_nano)):
        if nanoseconds(stored[field]) != time:
            lines.append(f"{field}: is {stored[field]}, should be {time} ns")
    events = [{"name": event.name, "attributes": plain_map(event.attributes), "dropped_attributes_count": event.dropped_attributes_count} for event in sent.span.events]
    stored_events = [{key: value for key, value in event.items() if key != "timestamp"} for event in stored["events"]]
    lines += differences({"events": stored_events}, {"events": events})
    times = [event.time_unix_nano for event in sent.span.events]
    if [nanoseconds(event["timestamp"]) for event in stored["events"]] != times:
        lines.append(f"events: are at {[event['timestamp'] for event in stored['events']]}, should be at {times}")
    assert not lines, f"span {sent.span.name}:\n  " + "\n  ".join(lines)
