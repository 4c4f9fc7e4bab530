/** What to run to see a first trace. Both send to the origin that serves this page. */

export function curlSnippet(origin: string, key = "YOUR_API_KEY"): string {
  return `curl ${origin}/v1/traces \\
  -H "X-API-Key: ${key}" \\
  -H "Content-Type: application/json" \\
  -d @- <<EOF
{"resourceSpans": [{
  "resource": {"attributes": [
    {"key": "service.name", "value": {"stringValue": "hello"}}]},
  "scopeSpans": [{"spans": [{
    "traceId": "$(openssl rand -hex 16)",
    "spanId": "$(openssl rand -hex 8)",
    "name": "hello",
    "kind": 1,
    "startTimeUnixNano": "$(($(date +%s) - 1))000000000",
    "endTimeUnixNano": "$(date +%s)000000000",
    "attributes": [
      {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
      {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o-mini"}},
      {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
      {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "7"}},
      {"key": "input.value", "value": {"stringValue": "Say hello"}},
      {"key": "output.value", "value": {"stringValue": "Hello from Brokle"}}]
  }]}]
}]}
EOF`;
}

export function pythonSnippet(origin: string, key = "YOUR_API_KEY"): string {
  return `# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(
    endpoint="${origin}/v1/traces",
    headers={"X-API-Key": "${key}"},
)))
tracer = provider.get_tracer("hello")

with tracer.start_as_current_span("hello") as span:
    span.set_attribute("gen_ai.operation.name", "chat")
    span.set_attribute("gen_ai.request.model", "gpt-4o-mini")
    span.set_attribute("gen_ai.usage.input_tokens", 12)
    span.set_attribute("gen_ai.usage.output_tokens", 7)
    span.set_attribute("input.value", "Say hello")
    span.set_attribute("output.value", "Hello from Brokle")

provider.shutdown()  # sends what is left`;
}
