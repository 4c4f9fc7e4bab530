"""Runs the real SDKs against a mock provider and keeps what they export: `capture.py OUT_DIR NODE_DIR [SDK...]`.

Everything is on the loopback, and the SDKs' own telemetry is off.
"""

import importlib.metadata
import json
import os
import pathlib
import subprocess
import sys

from provider import Server
from scrub import Scrubber

HERE = pathlib.Path(__file__).parent
OPENAI = ["chat", "stream", "tools", "embeddings", "limited"]
PYTHON = {
    "openinference": [*OPENAI, "bad", "anthropic", "anthropic-stream"],
    "traceloop": [*OPENAI, "anthropic", "anthropic-stream"],
    "genai": OPENAI,
    "langfuse": [*OPENAI, "agent", "anthropic"],
    "brokle": ["chat", "stream", "tools", "limited", "agent"],
    "pydantic-ai": ["chat", "stream", "tools", "limited"],
    "litellm": [*OPENAI, "anthropic"],
    "openlit": [*OPENAI, "anthropic"],
    "openinference-langchain": ["retrieval", "agent"],
    "traceloop-langchain": ["retrieval", "agent"],
    "logfire": OPENAI,
}
NODE = {
    "vercel": ["chat", "stream", "tools", "object", "embed", "embed-many", "anthropic", "limited"],
    # It sends nothing of a call that failed.
    "openinference-js": ["chat", "stream", "tools", "embeddings"],
}
DISTRIBUTIONS = {
    "openinference": ["openinference-instrumentation-openai", "openinference-instrumentation-anthropic"],
    "traceloop": ["opentelemetry-instrumentation-openai", "opentelemetry-instrumentation-anthropic"],
    "genai": ["opentelemetry-instrumentation-openai-v2"],
    "pydantic-ai": ["pydantic-ai-slim"],
    "openinference-langchain": ["openinference-instrumentation-langchain", "langchain"],
    "traceloop-langchain": ["opentelemetry-instrumentation-langchain", "langchain"],
}
MODULES = {"vercel": ["ai"], "openinference-js": ["@arizeai/openinference-instrumentation-openai"]}
QUIET = {
    "DO_NOT_TRACK": "1",
    "TRACELOOP_TELEMETRY": "false",
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "BROKLE_API_KEY": "bk_" + "a" * 40,
    "BROKLE_ENVIRONMENT": "staging",
    "BROKLE_RELEASE": "1.2.3",
    "BROKLE_METRICS_ENABLED": "false",
    "BROKLE_LOGS_ENABLED": "false",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_SERVICE_NAME": "capture",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


def versions(sdk, node):
    if sdk in MODULES:
        return {name: json.loads((node / "node_modules" / name / "package.json").read_text())["version"] for name in MODULES[sdk]}
    return {name: importlib.metadata.version(name) for name in DISTRIBUTIONS.get(sdk, [sdk])}


def capture(sdk, case, out, node):
    server = Server()
    settings = os.environ | QUIET | {"PROVIDER": server.url, "MODULES": str(node / "package.json"), "BROKLE_BASE_URL": server.url}
    command = [sys.executable, str(HERE / "cases.py")] if sdk in PYTHON else ["node", str(HERE / "cases.mjs")]
    ran = subprocess.run([*command, sdk, case], env=settings, cwd=HERE, capture_output=True, text=True, timeout=120)
    server.shutdown()
    name = f"{sdk}-{case}"
    if not server.requests:
        print(f"{name}: nothing arrived\n{ran.stdout}{ran.stderr[-2000:]}")
        return False
    scrubber = Scrubber(name, server.requests, server.server_address[1])
    request = scrubber.request(server.requests)
    (out / f"{name}.json").write_text(json.dumps(request, indent=1, ensure_ascii=False) + "\n")
    spans = sum(len(ss["spans"]) for rs in request["resourceSpans"] for ss in rs["scopeSpans"])
    print(f"{name}: {spans} spans{' — ' + ran.stderr.strip().splitlines()[-1] if ran.returncode else ''}", flush=True)
    return True


def main():
    out, node, wanted = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "versions.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    for sdk, cases in (PYTHON | NODE).items():
        if wanted and sdk not in wanted:
            continue
        try:
            known[sdk] = versions(sdk, node)
        except (importlib.metadata.PackageNotFoundError, FileNotFoundError):
            print(f"{sdk}: not installed")
            continue
        for case in cases:
            capture(sdk, case, out, node)
    kept.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
