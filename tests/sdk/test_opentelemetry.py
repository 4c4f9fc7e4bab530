"""OpenTelemetry's Python SDK with its OTLP/HTTP exporter: everything a span can carry, and the conventions for AI."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from api import Api
from installation import Installation
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, Tracer, TraceState
from recorder import Recorder
from wire import check, sent_spans

pytestmark = pytest.mark.usefixtures("quiet_client")

COMPRESSIONS = {"none": (Compression.NoCompression, None), "gzip": (Compression.Gzip, "gzip"), "deflate": (Compression.Deflate, "deflate")}

RESOURCE = {
    "service.name": "checkout",
    "service.version": "4.2.0",
    "deployment.environment.name": "production",
    "host.cpus": 8,
    "host.load": 0.5,
    "host.spot": True,
    "host.zones": ["a", "b"],
}

#: One attribute of every type that OTLP has, with values at its edges.
VALUES: dict[str, Any] = {
    "str": "plain",
    "str.empty": "",
    "str.unicode": "Grüße, 世界 🙂\n\t\"quoted\" \\ \u0000end",
    "str.number": "42",
    "bool.true": True,
    "bool.false": False,
    "int": 42,
    "int.zero": 0,
    "int.negative": -7,
    "int.safe": 2**53,
    "int.beyond": 2**53 + 1,
    "int.max": 2**63 - 1,
    "int.min": -(2**63),
    "float": 0.1,
    "float.whole": 3.0,
    "float.small": 5e-324,
    "float.large": 1.7976931348623157e308,
    "float.nan": float("nan"),
    "float.infinite": float("-inf"),
    "list.str": ["a", "", "ü"],
    "list.bool": [True, False],
    "list.int": [1, -2, 3],
    "list.float": [0.5, 2.0],
    "list.empty": [],
    "list.mixed": [1, "a", None, [True]],
    "map": {"a": 1, "b": {"c": [1.5, "x"]}, "empty": {}},
    "bytes": b"\x00\xffbytes",
    "none": None,
    "dotted.key.with.many.parts": "x",
    "key with spaces / and \"quotes\"": "y",
}


@contextmanager
def tracing(
    wire: Recorder, brokle: Installation, compression: Compression = Compression.Gzip, **settings: Any
) -> Iterator[Tracer]:
    """A tracer whose spans are all sent when the block ends."""
    exporter = OTLPSpanExporter(endpoint=f"{wire.url}/v1/traces", headers={"authorization": f"Bearer {brokle.api_key}"}, compression=compression)
    provider = TracerProvider(resource=Resource(RESOURCE, schema_url="https://example.com/resource/1"), **settings)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    yield provider.get_tracer("checkout.library", "1.2.3", "https://example.com/scope/2", {"scope.kind": "test", "scope.level": 2})
    assert provider.force_flush()
    provider.shutdown()


def trace_id_of(span: trace.Span) -> str:
    return format(span.get_span_context().trace_id, "032x")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_everything_a_span_carries_is_stored(compression: str, brokle: Installation, api: Api, wire: Recorder) -> None:
    kind, header = COMPRESSIONS[compression]
    # Times that differ in every digit, a little in the past.
    start = time.time_ns() // 1_000_000_000 * 1_000_000_000 - 3_000_000_000 + 123_456_789
    elsewhere = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("vendor", "xyz")]))
    beside = SpanContext(0x11111111111111111111111111111111, 0x2222222222222222, is_remote=False)

    with tracing(wire, brokle, kind) as tracer:
        root = tracer.start_span("GET /checkout", kind=SpanKind.SERVER, attributes=VALUES, start_time=start)
        inside = trace.set_span_in_context(root)
        child = tracer.start_span(
            "charge card",
            context=inside,
            kind=SpanKind.CLIENT,
            links=[Link(elsewhere, {"reason": "retry", "attempt": 2}), Link(beside)],
            start_time=start + 1,
        )
        child.add_event("queued", {"depth": 3, "queue": "payments", "ratio": 0.5}, timestamp=start + 17)
        child.add_event("sent", timestamp=start + 18)
        child.record_exception(ValueError("card number is too short"), attributes={"card": "4242"}, timestamp=start + 19)
        child.set_status(Status(StatusCode.ERROR, "card refused: “nö”"))
        child.end(start + 987_654_321)
        for name, span_kind in (("publish", SpanKind.PRODUCER), ("consume", SpanKind.CONSUMER), ("compute", SpanKind.INTERNAL)):
            span = tracer.start_span(name, context=inside, kind=span_kind, start_time=start + 2)
            span.set_status(Status(StatusCode.OK))
            span.end(start + 2)
        root.end(start + 1_000_000_001)

    stored = api.spans_by_name(trace_id_of(root), 5)
    requests = wire.to("/v1/traces")
    assert [(request.headers["content-type"], request.headers.get("content-encoding"), request.status) for request in requests] == [
        ("application/x-protobuf", header, 200)
    ]
    # The answer is OTLP's own, in the encoding of the request; nothing was refused.
    assert (requests[0].answer_headers["content-type"], requests[0].answer) == ("application/x-protobuf", b"")
    sent = sent_spans(requests)

    everywhere = {
        "type": "span",
        "service_name": "checkout",
        "environment": "production",
        "release": "4.2.0",
        "resource_attributes": RESOURCE,
        "resource_schema_url": "https://example.com/resource/1",
        "scope": {
            "name": "checkout.library",
            "version": "1.2.3",
            "schema_url": "https://example.com/scope/2",
            "attributes": {"scope.kind": "test", "scope.level": 2},
        },
        "model": None,
        "total_cost": None,
    }
    check(stored["GET /checkout"], sent["GET /checkout"], kind="server", level="DEFAULT", status="unset", duration=1_000_000_001, **everywhere)
    shown = stored["GET /checkout"]["attributes"]
    assert shown == VALUES | {
        # JSON's numbers reach so far; beyond, as protobuf's own JSON does it, they are text.
        "int.beyond": "9007199254740993",
        "int.max": "9223372036854775807",
        "int.min": "-9223372036854775808",
        "float.nan": "NaN",
        "float.infinite": "-Infinity",
        "bytes": "AP9ieXRlcw==",
    }
    assert [type(shown[key]) for key in ("bool.true", "int", "float.whole", "str.number")] == [bool, int, float, str]
    assert [type(item) for item in shown["list.float"]] == [float, float]

    check(
        stored["charge card"],
        sent["charge card"],
        kind="client",
        level="ERROR",
        status="error",
        status_message="card refused: “nö”",
        parent_span_id=stored["GET /checkout"]["span_id"],
        duration=987_654_320,
        **everywhere,
    )
    queued, sent_event, exception = stored["charge card"]["events"]
    assert (queued["name"], queued["attributes"]) == ("queued", {"depth": 3, "queue": "payments", "ratio": 0.5})
    assert (sent_event["name"], sent_event["attributes"]) == ("sent", {})
    assert {key: exception["attributes"][key] for key in ("exception.type", "exception.message", "card")} == {
        "exception.type": "ValueError",
        "exception.message": "card number is too short",
        "card": "4242",
    }
    first, second = stored["charge card"]["links"]
    # This exporter does not send the trace state of a link; the OTLP/JSON tests do.
    assert (first["trace_id"], first["span_id"], first["attributes"]) == (
        "0af7651916cd43dd8448eb211c80319c",
        "b7ad6b7169203331",
        {"reason": "retry", "attempt": 2},
    )
    assert (second["trace_id"], second["span_id"], second["attributes"]) == ("1" * 32, "2" * 16, {})

    for name, kind_name in (("publish", "producer"), ("consume", "consumer"), ("compute", "internal")):
        check(stored[name], sent[name], kind=kind_name, level="DEFAULT", status="ok", status_code=1, duration=0, **everywhere)

    summary = api.trace(trace_id_of(root))
    facts = {key: summary[key] for key in ("name", "duration", "status", "has_error", "span_count", "error_span_count", "service_name", "environment", "release", "total_cost", "models")}
    assert facts == {
        "name": "GET /checkout",
        "duration": 1_000_000_001,
        "status": "unset",
        "has_error": True,
        "span_count": 5,
        "error_span_count": 1,
        "service_name": "checkout",
        "environment": "production",
        "release": "4.2.0",
        "total_cost": None,
        "models": [],
    }


def test_a_span_whose_parent_is_elsewhere(brokle: Installation, api: Api, wire: Recorder) -> None:
    """A trace that began in another service, which does not send to us: the parent never arrives."""
    state = TraceState([("vendor", "abc"), ("other", "1:2")])
    parent = SpanContext(int.from_bytes(time.time_ns().to_bytes(16, "big")) | 1 << 120, 0xB7AD6B7169203331, is_remote=True, trace_flags=TraceFlags(1), trace_state=state)
    with tracing(wire, brokle) as tracer:
        context = trace.set_span_in_context(NonRecordingSpan(parent))
        with tracer.start_as_current_span("handle", context=context, kind=SpanKind.SERVER) as span:
            pass
    [stored] = api.spans(trace_id_of(span), 1)
    check(
        stored,
        sent_spans(wire.to("/v1/traces"))["handle"],
        parent_span_id="b7ad6b7169203331",
        is_root=False,
        trace_state="vendor=abc,other=1:2",
        # That it is known whether the parent was remote, and that it was.
        trace_flags=0x300,
    )
    summary = api.trace(trace_id_of(span))
    assert (summary["has_root"], summary["root_span_id"], summary["span_count"]) == (False, None, 1)


def test_what_the_sdk_dropped_is_told(brokle: Installation, api: Api, wire: Recorder) -> None:
    limits = SpanLimits(max_span_attributes=2, max_events=1, max_links=1, max_event_attributes=1, max_link_attributes=1)
    somewhere = SpanContext(0x33333333333333333333333333333333, 0x4444444444444444, is_remote=True)
    with tracing(wire, brokle, span_limits=limits) as tracer:
        links = [Link(somewhere, {"a": 1}), Link(somewhere, {"b": 1, "c": 2})]
        with tracer.start_as_current_span("limited", attributes={"a": 1, "b": 2, "c": 3, "d": 4}, links=links) as span:
            span.add_event("one")
            span.add_event("two", {"a": 1, "b": 2, "c": 3})
    [stored] = api.spans(trace_id_of(span), 1)
    sent = sent_spans(wire.to("/v1/traces"))["limited"]
    check(stored, sent, dropped={"attributes": 2, "events": 1, "links": 1})
    assert [(event["name"], event["dropped_attributes_count"]) for event in stored["events"]] == [("two", 2)]


MESSAGES = [{"role": "user", "parts": [{"type": "text", "content": "Weather in Paris?"}]}]
REPLY = [{"role": "assistant", "parts": [{"type": "text", "content": "Rain."}], "finish_reason": "stop"}]

#: Attributes as an instrumentation sets them, and what they mean: input and output, and further fields.
CALLS: dict[str, tuple[dict[str, Any], tuple[str | None, str | None], dict[str, Any]]] = {
    "chat, current conventions": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.request.temperature": 1.0,
            "gen_ai.request.max_tokens": 1024,
            "gen_ai.response.model": "claude-sonnet-4-5-20250929",
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.conversation.id": "conversation-1",
            "gen_ai.usage.input_tokens": 3000,
            "gen_ai.usage.output_tokens": 120,
            "gen_ai.usage.cache_read.input_tokens": 2000,
            "gen_ai.input.messages": json.dumps(MESSAGES),
            "gen_ai.output.messages": json.dumps(REPLY),
            "user.id": "user-1",
        },
        ("gen_ai.input.messages", "gen_ai.output.messages"),
        {
            "type": "generation",
            "model": "claude-sonnet-4-5-20250929",
            "provider": "anthropic",
            "model_parameters": {"temperature": 1.0, "max_tokens": 1024},
            "session_id": "conversation-1",
            "user_id": "user-1",
            "input": json.dumps(MESSAGES),
            "output": json.dumps(REPLY),
            # The current conventions define the input to include what was cached: 1000 at 3 dollars, 2000 at 0.30, 120 at 15.
            "input_tokens": 3000,
            "output_tokens": 120,
            "total_tokens": 3120,
            "usage_details": {"input": 1000, "input_cache_read": 2000, "output": 120, "total": 3120},
            "cost_details": {"input": "0.003", "input_cache_read": "0.0006", "output": "0.0018"},
            "total_cost": "0.0054",
        },
    ),
    "chat, deprecated names": (
        {
            "gen_ai.system": "openai",
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.prompt_tokens": 1000,
            "gen_ai.usage.completion_tokens": 100,
            "gen_ai.prompt": "Say hello",
            "gen_ai.completion": "Hello!",
        },
        ("gen_ai.prompt", "gen_ai.completion"),
        {
            "type": "generation",
            "model": "gpt-4o-2024-08-06",
            "provider": "openai",
            "input": "Say hello",
            "output": "Hello!",
            "usage_details": {"input": 1000, "output": 100, "total": 1100},
            # 2.50 dollars a million in, 10 out.
            "total_cost": "0.0035",
        },
    ),
    "chat, a model nobody knows": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "in-house",
            "gen_ai.request.model": "our-own-model",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 5,
        },
        (None, None),
        {
            "type": "generation",
            "model": "our-own-model",
            "provider": "in-house",
            "usage_details": {"input": 10, "output": 5, "total": 15},
            # Unknown is not free.
            "total_cost": None,
            "cost_details": {},
        },
    ),
    "embeddings": (
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.usage.input_tokens": 1_000_000,
        },
        (None, None),
        {"type": "embedding", "model": "text-embedding-3-small", "usage_details": {"input": 1_000_000, "total": 1_000_000}, "total_cost": "0.02"},
    ),
    "execute_tool": (
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.arguments": '{"city":"Paris"}',
            "gen_ai.tool.call.result": "rain",
        },
        ("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
        {"type": "tool", "name": "get_weather", "input": '{"city":"Paris"}', "output": "rain", "usage_details": {}, "total_cost": None},
    ),
    "OpenInference": (
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "openai",
            "llm.model_name": "gpt-4o",
            "llm.invocation_parameters": '{"temperature": 0.5}',
            "input.value": '{"messages": []}',
            "input.mime_type": "application/json",
            "output.value": "Hello!",
            "llm.token_count.prompt": 100,
            "llm.token_count.completion": 50,
            "llm.token_count.total": 150,
            "llm.token_count.completion_details.reasoning": 30,
            "session.id": "session-2",
            "user.id": "user-2",
            "tag.tags": ["a", "b"],
        },
        ("input.value", "output.value"),
        {
            "type": "generation",
            "model": "gpt-4o",
            "provider": "openai",
            "model_parameters": {"temperature": 0.5},
            "input": '{"messages": []}',
            "output": "Hello!",
            "session_id": "session-2",
            "user_id": "user-2",
            "tags": ["a", "b"],
            "input_tokens": 100,
            "output_tokens": 50,
            "total_tokens": 150,
            "client_total_tokens": 150,
            "usage_details": {"input": 100, "output": 20, "output_reasoning": 30, "total": 150},
            # 100 in at 2.50 dollars, 50 out at 10.
            "total_cost": "0.00075",
        },
    ),
    "OpenInference retriever": (
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "refunds",
            "retrieval.documents.0.document.id": "d-1",
            "retrieval.documents.0.document.content": "Within 30 days.",
            "retrieval.documents.0.document.score": 0.9,
        },
        ("input.value", None),
        {
            "type": "retrieval",
            "input": "refunds",
            "output": '[{"id":"d-1","content":"Within 30 days.","score":0.9}]',
            "output_length": 54,
            "output_preview": '[{"id":"d-1","content":"Within 30 days.","score":0.9}]',
        },
    ),
    "a cost that the client knows": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 0,
            "gen_ai.usage.cost": 0.0125,
        },
        (None, None),
        {"type": "generation", "total_cost": "0.0125", "cost_source": "client", "usage_details": {"input": 1000, "output": 0, "total": 1000}},
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_conventions_land_in_their_fields(call: str, brokle: Installation, api: Api, wire: Recorder) -> None:
    attributes, (input_key, output_key), told = CALLS[call]
    with tracing(wire, brokle) as tracer, tracer.start_as_current_span(call, attributes=attributes) as span:
        pass
    [stored] = api.spans(trace_id_of(span), 1)
    check(stored, sent_spans(wire.to("/v1/traces"))[call], input_key=input_key, output_key=output_key, **told)


def test_many_spans_in_many_requests_are_all_there_once(brokle: Installation, api: Api, wire: Recorder) -> None:
    count = 1500
    with tracing(wire, brokle) as tracer, tracer.start_as_current_span("batch") as root:
        for number in range(count - 1):
            tracer.start_span(f"step {number}", attributes={"number": number}).end()
    listed = {span["span_id"] for span in listed_spans(api, trace_id_of(root), count)}
    sent = sent_spans(wire.to("/v1/traces"))
    assert len(wire.to("/v1/traces")) > 1
    assert listed == {span.span.span_id.hex() for span in sent.values()}
    assert api.trace(trace_id_of(root))["span_count"] == count


def listed_spans(api: Api, trace_id: str, count: int) -> list[dict[str, Any]]:
    """Every page of a trace's list of spans."""
    deadline = time.monotonic() + 15
    while True:
        spans: list[dict[str, Any]] = []
        cursor = None
        while True:
            answer = api.get(f"/api/v1/traces/{trace_id}/spans", limit=400, **({"cursor": cursor} if cursor else {})).json()
            spans += answer["data"] or []
            cursor = (answer["meta"].get("pagination") or {}).get("next_cursor")
            if cursor is None:
                break
        if len(spans) >= count or time.monotonic() > deadline:
            assert len(spans) == count
            return spans
        time.sleep(0.1)
