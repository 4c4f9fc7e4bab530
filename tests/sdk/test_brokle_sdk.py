"""The Brokle SDK of PyPI, as published: every way it can send, and everything it can say about a span."""

from __future__ import annotations

import atexit
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import brokle as sdk
import pytest
from api import Api, nanoseconds
from brokle.types import Attrs
from installation import Installation
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import Span
from recorder import Recorder
from wire import check, sent_spans

pytestmark = pytest.mark.usefixtures("quiet_client")

#: How the client is set up, and which content type and content encoding that gives. With `use_protobuf=False` the client
#: announces JSON and sends protobuf all the same: that is what published versions do.
FORMS: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "default": ({}, "application/x-protobuf", "gzip"),
    "use_protobuf=False": ({"use_protobuf": False}, "application/json", "gzip"),
    "compression=deflate": ({"compression": "deflate"}, "application/x-protobuf", "deflate"),
    "compression=None": ({"compression": None}, "application/x-protobuf", None),
}

QUESTION = [
    {"role": "system", "content": "You answer questions about orders. Très vite, s’il vous plaît. 🙂"},
    {"role": "user", "content": "Where is my order A-17?"},
]
ANSWER = [{"role": "assistant", "content": "It left the warehouse this morning."}]
DOCUMENTS = [{"id": "doc-1", "text": "Orders leave within a day.", "score": 0.83}]


@pytest.fixture
def client_of(wire: Recorder, brokle: Installation) -> Iterator[Callable[..., sdk.Brokle]]:
    """Makes clients that send through `wire`, and shuts them down at the end as a program's exit would."""
    clients: list[sdk.Brokle] = []

    def make(**settings: Any) -> sdk.Brokle:
        clients.append(sdk.Brokle(**({"api_key": brokle.api_key, "base_url": wire.url} | settings)))
        return clients[-1]

    yield make
    for client in clients:
        atexit.unregister(client._cleanup)
        assert client.shutdown()


@pytest.fixture
def observed(client_of: Callable[..., sdk.Brokle]) -> Iterator[sdk.Brokle]:
    """The client that the decorator uses."""
    client = client_of()
    sdk.set_client(client)
    yield client
    # Forgotten, not reset: that would shut it down a first time.
    sdk.set_client(None)  # type: ignore[arg-type]


def trace_id_of(span: Span) -> str:
    return format(span.get_span_context().trace_id, "032x")


def answer_a_question(client: sdk.Brokle) -> str:
    """What an application does that answers a question with a search, a tool that fails and a model; the trace's id."""
    with client.start_as_current_span(
        "answer question",
        as_type="chain",
        input={"question": "Where is my order A-17?", "attempt": 1},
        version="prompt-7",
        attributes={"tenant.plan": "pro", "retry.count": 3, "cached": False, "ratio": 0.25, "labels": ["a", "b"]},
    ) as root:
        trace = sdk.BrokleObservation(root)
        trace.update_trace(session_id="session-9", user_id="user-4", tags=["orders", "beta"], metadata={"shard": 2})

        with client.start_as_current_span("search orders", as_type="retrieval") as span:
            retrieval = sdk.BrokleRetrieval(span).set_query("order A-17").set_top_k(4).set_documents(DOCUMENTS)
            retrieval.update(level="WARNING", input={"query": "order A-17"}, output=DOCUMENTS)

        try:
            with client.start_as_current_span("look up order", as_type="tool", input="A-17") as span:
                sdk.BrokleTool(span, tool_name="orders.get")
                raise LookupError("no order A-17 in shard 2")
        except LookupError:
            pass

        with client.start_as_current_generation(
            name="chat",
            model="gpt-4o-mini",
            provider="openai",
            input_messages=QUESTION,
            model_parameters={"temperature": 0.2, "max_tokens": 256, "top_p": 0.9},
        ) as span:
            generation = sdk.BrokleGeneration(span)
            time.sleep(0.005)
            generation.mark_completion_start()
            time.sleep(0.005)
            generation.set_usage(input_tokens=1200, output_tokens=300, cache_read_tokens=200)
            generation.set_finish_reason("stop")
            span.set_attribute(Attrs.GEN_AI_RESPONSE_MODEL, "gpt-4o-mini-2024-07-18")
            span.set_attribute(Attrs.GEN_AI_RESPONSE_ID, "chatcmpl-1")
            span.set_attribute(Attrs.GEN_AI_OUTPUT_MESSAGES, json.dumps(ANSWER))

        with client.start_as_current_event("feedback", attributes={"thumbs": "up"}):
            pass

        client.update_current_span(output="It left the warehouse this morning.")
    return trace_id_of(root)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_sending_stores_every_field(
    form: str, client_of: Callable[..., sdk.Brokle], brokle: Installation, api: Api, wire: Recorder
) -> None:
    settings, content_type, content_encoding = FORMS[form]
    client = client_of(environment="staging", release="2026.11.1", version="experiment-b", **settings)
    trace_id = answer_a_question(client)
    assert client.flush()
    stored = api.spans_by_name(trace_id, 5)

    requests = wire.to("/v1/traces")
    for request in requests:
        assert (request.headers["content-type"], request.headers.get("content-encoding")) == (content_type, content_encoding)
        assert request.headers["x-api-key"] == brokle.api_key
        assert request.headers["x-brokle-environment"] == "staging"
        assert request.status == 200
    sent = sent_spans(requests)
    everywhere = {
        "environment": "staging",
        "release": "2026.11.1",
        "service_name": "unknown_service:python",
        "prompt": None,
        "client_total_tokens": None,
    }
    nothing_used = {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "usage_details": {}, "total_cost": None, "cost_details": {}}
    no_model = {"model": None, "provider": None, "completion_start_time": None, **nothing_used}

    root_id = stored["answer question"]["span_id"]
    assert [span["parent_span_id"] for span in stored.values()].count(root_id) == 4

    check(
        stored["answer question"],
        sent["answer question"],
        input_key="input.value",
        output_key="output.value",
        type="chain",
        level="DEFAULT",
        status="unset",
        is_root=True,
        version="prompt-7",
        user_id="user-4",
        session_id="session-9",
        tags=["orders", "beta"],
        input='{"question": "Where is my order A-17?", "attempt": 1}',
        output="It left the warehouse this morning.",
        **everywhere,
        **no_model,
    )
    attributes = stored["answer question"]["attributes"]
    told = {"tenant.plan": "pro", "retry.count": 3, "cached": False, "ratio": 0.25, "labels": ["a", "b"], "brokle.trace.metadata": '{"shard": 2}'}
    assert {key: attributes[key] for key in told} == told
    assert type(attributes["retry.count"]) is int and type(attributes["cached"]) is bool

    check(
        stored["search orders"],
        sent["search orders"],
        input_key="input.value",
        output_key="output.value",
        type="retrieval",
        level="WARNING",
        status="unset",
        version="experiment-b",
        input='{"query": "order A-17"}',
        output=json.dumps(DOCUMENTS),
        **everywhere,
        **no_model,
    )
    check(
        stored["look up order"],
        sent["look up order"],
        input_key="input.value",
        type="tool",
        level="ERROR",
        status="error",
        status_message="LookupError: no order A-17 in shard 2",
        version="experiment-b",
        input="A-17",
        **everywhere,
        **no_model,
    )
    [exception] = stored["look up order"]["events"]
    assert exception["name"] == "exception"
    assert exception["attributes"]["exception.type"] == "LookupError"
    assert exception["attributes"]["exception.message"] == "no order A-17 in shard 2"
    assert 'raise LookupError("no order A-17 in shard 2")' in exception["attributes"]["exception.stacktrace"]

    first_token_ms = stored["chat gpt-4o-mini"]["attributes"]["gen_ai.response.time_to_first_token"]
    check(
        stored["chat gpt-4o-mini"],
        sent["chat gpt-4o-mini"],
        input_key="gen_ai.input.messages",
        output_key="gen_ai.output.messages",
        type="generation",
        kind="client",
        level="DEFAULT",
        status="unset",
        version="experiment-b",
        model="gpt-4o-mini-2024-07-18",
        provider="openai",
        model_parameters={"temperature": 0.2, "max_tokens": 256, "top_p": 0.9},
        input=json.dumps(QUESTION),
        output=json.dumps(ANSWER),
        # OpenAI counts what it read from its cache as part of the input. A million tokens cost 0.15 dollars in, 0.075 from
        # the cache, 0.60 out.
        input_tokens=1200,
        output_tokens=300,
        total_tokens=1500,
        usage_details={"input": 1000, "input_cache_read": 200, "output": 300, "total": 1500},
        cost_details={"input": "0.00015", "input_cache_read": "0.000015", "output": "0.00018"},
        total_cost="0.000345",
        cost_source="catalogue",
        **(everywhere | {"client_total_tokens": 1500}),
    )
    since_start = nanoseconds(stored["chat gpt-4o-mini"]["completion_start_time"]) - nanoseconds(stored["chat gpt-4o-mini"]["start_time"])
    # The SDK gives milliseconds.
    assert 5e6 <= since_start == round(first_token_ms * 1e6)

    check(stored["feedback"], sent["feedback"], type="event", level="DEFAULT", status="unset", version="experiment-b", **everywhere, **no_model)
    assert stored["feedback"]["attributes"]["thumbs"] == "up"

    trace = api.trace(trace_id)
    assert {
        key: trace[key]
        for key in (
            "name", "root_span_id", "has_root", "status", "has_error", "span_count", "error_span_count", "input_tokens", "output_tokens",
            "total_tokens", "usage_details", "total_cost", "model_name", "models", "providers", "service_name", "user_id", "session_id",
            "tags", "environment", "release", "start_time", "end_time", "duration", "input_preview", "output_preview", "project_id",
        )
    } == {  # fmt: skip
        "name": "answer question",
        "root_span_id": root_id,
        "has_root": True,
        "status": "unset",
        "has_error": True,
        "span_count": 5,
        "error_span_count": 1,
        "input_tokens": 1200,
        "output_tokens": 300,
        "total_tokens": 1500,
        "usage_details": {"input": 1000, "input_cache_read": 200, "output": 300, "total": 1500},
        "total_cost": "0.000345",
        "model_name": "gpt-4o-mini-2024-07-18",
        "models": ["gpt-4o-mini-2024-07-18"],
        "providers": ["openai"],
        "service_name": "unknown_service:python",
        "user_id": "user-4",
        "session_id": "session-9",
        # Gathered from all spans, so in an order of their own.
        "tags": ["beta", "orders"],
        "environment": "staging",
        "release": "2026.11.1",
        "start_time": stored["answer question"]["start_time"],
        "end_time": stored["answer question"]["end_time"],
        "duration": stored["answer question"]["duration"],
        "input_preview": '{"question": "Where is my order A-17?", "attempt": 1}',
        "output_preview": "It left the warehouse this morning.",
        "project_id": api.project["id"],
    }
    assert trace_id in [row["trace_id"] for row in api.traces(limit=100)]
    assert trace_id in [row["trace_id"] for row in api.traces(limit=100, environment="staging", name="answer question")]


def test_the_decorator_stores_arguments_and_results(observed: sdk.Brokle, api: Api, wire: Recorder) -> None:
    @sdk.observe(as_type="tool", name="weather tool", level="DEBUG")
    def get_weather(city: str, days: int = 1) -> dict[str, Any]:
        return {"city": city, "days": days, "sky": "clear"}

    @sdk.observe(as_type="generation", model="claude-sonnet-4-5", model_parameters={"temperature": 0.5})
    def write_answer(facts: dict[str, Any]) -> str:
        observed.update_current_span(
            **{
                Attrs.GEN_AI_PROVIDER_NAME: "anthropic",
                Attrs.GEN_AI_USAGE_INPUT_TOKENS: 400,
                Attrs.GEN_AI_USAGE_OUTPUT_TOKENS: 50,
                Attrs.GEN_AI_USAGE_INPUT_TOKENS_CACHE_READ: 2000,
                Attrs.GEN_AI_USAGE_INPUT_TOKENS_CACHE_CREATION: 100,
            }
        )
        return "Clear."

    @sdk.observe(as_type="agent", user_id="user-5", session_id="session-10", tags=["weather"], metadata={"a": [1]}, version="v3")
    def forecast(city: str) -> str:
        return write_answer(get_weather(city))

    with observed.start_as_current_span("request") as root:
        assert forecast("Oslo") == "Clear."
    assert observed.flush()
    stored = api.spans_by_name(trace_id_of(root), 4)
    sent = sent_spans(wire.to("/v1/traces"))
    # The client does not send its default environment as a header, only on the spans.
    assert "x-brokle-environment" not in wire.to("/v1/traces")[0].headers
    everywhere = {"environment": "default", "release": None, "status": "ok"}

    # Named after the function, though the SDK gives agents and chains a tool's name too.
    check(
        stored["forecast"],
        sent["forecast"],
        input_key="input.value",
        output_key="output.value",
        type="agent",
        level="DEFAULT",
        version="v3",
        user_id="user-5",
        session_id="session-10",
        tags=["weather"],
        input='{"city": "Oslo"}',
        output='"Clear."',
        **everywhere,
    )
    # A tool call is shown under its tool's name, which the SDK takes from the function.
    check(
        stored["get_weather"],
        sent["weather tool"],
        input_key="input.value",
        output_key="output.value",
        name="get_weather",
        type="tool",
        level="DEBUG",
        parent_span_id=stored["forecast"]["span_id"],
        input='{"city": "Oslo", "days": 1}',
        output='{"city": "Oslo", "days": 1, "sky": "clear"}',
        **everywhere,
    )
    # Anthropic counts what was read from and written to its cache beside the input. A million tokens cost 3 dollars in,
    # 0.30 from the cache, 3.75 into it, 15 out.
    check(
        stored["write_answer"],
        sent["write_answer"],
        input_key="input.value",
        output_key="output.value",
        type="generation",
        level="DEFAULT",
        parent_span_id=stored["forecast"]["span_id"],
        input='{"facts": {"city": "Oslo", "days": 1, "sky": "clear"}}',
        output='"Clear."',
        model="claude-sonnet-4-5",
        provider="anthropic",
        model_parameters={"temperature": 0.5},
        input_tokens=2500,
        output_tokens=50,
        total_tokens=2550,
        usage_details={"input": 400, "input_cache_read": 2000, "input_cache_write_5m": 100, "output": 50, "total": 2550},
        cost_details={"input": "0.0012", "input_cache_read": "0.0006", "input_cache_write_5m": "0.000375", "output": "0.00075"},
        total_cost="0.002925",
        **everywhere,
    )
    trace = api.trace(trace_id_of(root))
    assert (trace["user_id"], trace["session_id"], trace["tags"]) == ("user-5", "session-10", ["weather"])


def test_a_failing_function_is_an_error(observed: sdk.Brokle, api: Api, wire: Recorder) -> None:
    @sdk.observe()
    def divide(a: int, b: int) -> float:
        return a / b

    with observed.start_as_current_span("outer") as root, pytest.raises(ZeroDivisionError):
        divide(1, 0)
    assert observed.flush()
    stored = api.spans_by_name(trace_id_of(root), 2)
    sent = sent_spans(wire.to("/v1/traces"))
    check(stored["divide"], sent["divide"], input_key="input.value", type="span", level="ERROR", status="error", input='{"a": 1, "b": 0}')
    assert stored["divide"]["status_message"].endswith("division by zero")
    assert {event["attributes"]["exception.type"] for event in stored["divide"]["events"]} == {"ZeroDivisionError"}
    assert trace_id_of(root) in [row["trace_id"] for row in api.traces(limit=100, name="outer")]


def test_metrics_are_on_and_taken_without_an_error(client_of: Callable[..., sdk.Brokle], wire: Recorder) -> None:
    client = client_of()
    metrics = client.get_metrics()
    assert metrics is not None, "metrics are on by default"
    metrics.record_tokens(input_tokens=10, output_tokens=5, model="gpt-4o-mini")
    metrics.record_duration(duration_ms=12.5, model="gpt-4o-mini")
    assert client.flush()
    requests = wire.to("/v1/metrics")
    assert requests and {(request.headers["content-type"], request.status) for request in requests} == {("application/x-protobuf", 200)}
    assert {request.answer_headers["content-type"] for request in requests} == {"application/x-protobuf"}


def test_logs_are_taken_without_an_error(client_of: Callable[..., sdk.Brokle], wire: Recorder) -> None:
    client = client_of(logs_enabled=True)
    logger = client._logger_provider.get_logger("brokle")
    logger.emit(LogRecord(body="hello", severity_text="INFO", severity_number=SeverityNumber.INFO))
    assert client.flush()
    assert [(request.headers["content-type"], request.status) for request in wire.to("/v1/logs")] == [("application/x-protobuf", 200)]


def test_the_key_is_checked(client_of: Callable[..., sdk.Brokle], wire: Recorder) -> None:
    assert client_of().auth_check() is True
    assert client_of(api_key="bk_" + "x" * 40).auth_check() is False
    good, bad = wire.to("/v1/auth/validate-key")
    assert (good.status, bad.status) == (200, 401)
    data = json.loads(good.answer)["data"]
    assert data["valid"] is True
    assert data["project_id"] and data["organization_id"]
    # The SDK reads the answer to whatever it asks as JSON, and in it an object.
    body = json.loads(bad.answer)
    assert (body["success"], body["error"]["code"]) == (False, "UNAUTHORIZED_ERROR")


def test_what_is_not_there_answers_in_the_form_the_client_reads(client_of: Callable[..., sdk.Brokle]) -> None:
    answer = client_of()._http.post("/v1/does-not-exist", json={})
    assert (answer["success"], answer["error"]["code"]) == (False, "NOT_FOUND_ERROR")
