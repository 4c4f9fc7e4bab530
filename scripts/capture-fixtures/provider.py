"""A provider of models that answers the same every time, and a receiver of OTLP, on one port of the loopback."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

CREATED = 1768478400

# What each kind of answer says it used; the tests count with these numbers.
CHAT = {
    "prompt_tokens": 120,
    "completion_tokens": 25,
    "total_tokens": 145,
    "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 10, "audio_tokens": 0},
}
TOOL_CALL = {"prompt_tokens": 80, "completion_tokens": 18, "total_tokens": 98}
TOOL_DONE = {
    "prompt_tokens": 110,
    "completion_tokens": 12,
    "total_tokens": 122,
    "prompt_tokens_details": {"cached_tokens": 64},
}
EMBEDDING = {"prompt_tokens": 8, "total_tokens": 8}
ANTHROPIC = {
    "input_tokens": 40,
    "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 200,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 30,
    "service_tier": "standard",
}


def chat(request):
    tools = bool(request.get("tools"))
    answered = any(message.get("role") == "tool" for message in request["messages"])
    dated = {"gpt-4o-mini": "gpt-4o-mini-2024-07-18"}.get(request["model"], request["model"])
    message, reason, usage = {"role": "assistant", "content": "Bern is the capital."}, "stop", CHAT
    if (request.get("response_format") or {}).get("type") == "json_schema":
        message = {"role": "assistant", "content": '{"city":"Bern"}'}
    if tools and not answered:
        call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Bern"}'}}
        message, reason, usage = {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls", TOOL_CALL
    elif tools:
        message, usage = {"role": "assistant", "content": "It rains in Bern."}, TOOL_DONE
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": CREATED,
        "model": dated,
        "choices": [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}],
        "usage": usage,
        "service_tier": "default",
        "system_fingerprint": "fp_1",
    }


def chat_chunks(request):
    whole = chat(request)
    choice = whole["choices"][0]
    base = {key: whole[key] for key in ("id", "created", "model", "system_fingerprint")} | {"object": "chat.completion.chunk"}
    content = choice["message"].get("content")
    deltas = [{"role": "assistant", "content": ""}]
    if content:
        deltas += [{"content": content[:8]}, {"content": content[8:]}]
    for at, call in enumerate(choice["message"].get("tool_calls", [])):
        deltas.append({"tool_calls": [{"index": at, **call}]})
    for delta in deltas:
        yield base | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield base | {"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if (request.get("stream_options") or {}).get("include_usage"):
        yield base | {"choices": [], "usage": whole["usage"]}


def messages(request):
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [{"type": "text", "text": "Bern is the capital."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": ANTHROPIC,
    }


def message_events(request):
    whole = messages(request)
    start = whole | {"content": [], "stop_reason": None, "usage": ANTHROPIC | {"output_tokens": 1}}
    text = whole["content"][0]["text"]
    yield {"type": "message_start", "message": start}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for part in (text[:8], text[8:]):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": part}}
    yield {"type": "content_block_stop", "index": 0}
    yield {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 30}}
    yield {"type": "message_stop"}


def embeddings(request):
    texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
    data = [{"object": "embedding", "index": at, "embedding": [0.25, -0.5, 0.125]} for at in range(len(texts))]
    if request.get("encoding_format") == "base64":
        for item in data:
            item["embedding"] = "AACAPgAAAL8AAAA+"
    return {"object": "list", "data": data, "model": request["model"], "usage": EMBEDDING}


FAILURES = {
    "gpt-4o-limited": (429, {"error": {"message": "Rate limit reached.", "type": "requests", "code": "rate_limit_exceeded"}}),
    "gpt-4o-bad": (400, {"error": {"message": "Invalid value.", "type": "invalid_request_error", "code": None}}),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        # Without the headers that tell the date and the version of Python.
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-request-id", "req_1")
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def do_GET(self):
        self.answer(200, b"{}")

    def do_POST(self):
        body = self.body()
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path.endswith("/traces"):
            self.server.keep(body, self.headers.get("Content-Type", ""))
            return self.answer(200, b"" if "protobuf" in self.headers.get("Content-Type", "") else b"{}")
        try:
            request = json.loads(body)
        except ValueError:
            return self.answer(200, b"{}")
        if request.get("model") in FAILURES:
            status, error = FAILURES[request["model"]]
            return self.answer(status, json.dumps(error).encode())
        if self.path.endswith("/chat/completions"):
            if request.get("stream"):
                lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chat_chunks(request)] + ["data: [DONE]\n\n"]
                return self.answer(200, "".join(lines).encode(), "text/event-stream")
            return self.answer(200, json.dumps(chat(request)).encode())
        if self.path.endswith("/messages"):
            if request.get("stream"):
                lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in message_events(request)]
                return self.answer(200, "".join(lines).encode(), "text/event-stream")
            return self.answer(200, json.dumps(messages(request)).encode())
        if self.path.endswith("/embeddings"):
            return self.answer(200, json.dumps(embeddings(request)).encode())
        return self.answer(200, b"{}")


class Server(ThreadingHTTPServer):
    """What arrived is in `requests`, as OTLP/JSON."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def keep(self, body, kind):
        if "json" in kind:
            self.requests.append(json.loads(body))
            return
        request = MessageToDict(ExportTraceServiceRequest.FromString(body))
        self.requests.append(with_hex_ids(request))


def with_hex_ids(value):
    """Protobuf's JSON has ids as base64 and enums as names; OTLP's has ids in hex and enums as numbers."""
    import base64

    kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
    codes = ["UNSET", "OK", "ERROR"]
    if isinstance(value, list):
        return [with_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if key in ("traceId", "spanId", "parentSpanId"):
            item = base64.b64decode(item).hex()
        elif key == "kind" and isinstance(item, str):
            item = kinds.index(item.removeprefix("SPAN_KIND_"))
        elif key == "code" and isinstance(item, str) and item.startswith("STATUS_CODE_"):
            item = codes.index(item.removeprefix("STATUS_CODE_"))
        else:
            item = with_hex_ids(item)
        out[key] = item
    return out
