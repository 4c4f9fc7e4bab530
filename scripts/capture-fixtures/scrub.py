"""Makes a captured export request the same on every machine and every day: ids, times, ports, paths and names."""

import datetime
import hashlib
import re

# 2026-01-15T12:00:00Z; the times of a capture are ranks from here, ten milliseconds apart, in their order.
START = 1768478400_000_000_000
STEP = 10_000_000
RESOURCE = ("service.name", "service.version", "deployment.", "telemetry.sdk.", "langfuse.", "brokle.", "project.")
DROPPED = ("code.", "thread.", "process.", "host.", "logfire.metrics")
TIMED = re.compile(r"msTo|PerSecond|time_to_first|ttft|inter_token|duration|latency|_ms$|response_time|time_per_output|\.tbt")
ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)?")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def instant(text):
    try:
        moment = datetime.datetime.fromisoformat(text.replace(" ", "T").replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp() * 1_000_000) * 1_000


def strings(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


class Scrubber:
    def __init__(self, case, requests, port):
        self.case, self.port = case, port
        spans = [span for request in requests for rs in request.get("resourceSpans", []) for ss in rs["scopeSpans"] for span in ss["spans"]]
        times = set()
        for span in spans:
            times |= {int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])}
            times |= {int(event["timeUnixNano"]) for event in span.get("events", [])}
        lowest, highest = min(times), max(times)
        for text in strings(spans):
            for found in ISO.findall(text):
                moment = instant(found)
                if moment and lowest - 10**9 <= moment <= highest + 10**9:
                    times.add(moment)
        self.range = (lowest - 10**9, highest + 10**9)
        self.times = {time: START + rank * STEP for rank, time in enumerate(sorted(times))}
        self.ids, self.uuids = {}, {}
        for span in sorted(spans, key=lambda span: int(span["startTimeUnixNano"])):
            self.id(span["traceId"]), self.id(span["spanId"])

    def id(self, given):
        if given and given not in self.ids:
            digest = hashlib.sha256(f"{self.case} {len(self.ids)}".encode()).hexdigest()
            self.ids[given] = digest[: len(given)]
        return self.ids.get(given, given)

    def text(self, text):
        if "Traceback (most recent" in text or re.search(r"\n\s+at .*[(/]", text):
            return text.strip().splitlines()[0] + " …"
        text = re.sub(r"(?:/[\w.@+-]+)+/(site-packages|node_modules|capture-fixtures)/", r"\1/", text)
        text = text.replace(f"127.0.0.1:{self.port}", "127.0.0.1:8000")
        text = re.sub(r"(overhead_time_ms\W+)[\d.]+", r"\g<1>5.0", text)
        for given, stable in self.ids.items():
            text = text.replace(given, stable)
        text = UUID.sub(lambda found: self.uuids.setdefault(found[0], f"00000000-0000-4000-8000-{len(self.uuids) + 1:012d}"), text)
        return ISO.sub(self.moment, text)

    def moment(self, found):
        moment = instant(found[0])
        if not moment or moment not in self.times:
            return found[0]
        stable = datetime.datetime.fromtimestamp(self.times[moment] / 1e9, datetime.timezone.utc)
        return stable.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def value(self, key, value):
        if not isinstance(value, dict):
            return value
        if TIMED.search(key):
            # Five milliseconds, whichever unit and type.
            if "doubleValue" in value:
                return {"doubleValue": 5.0 if re.search(r"ms|Ms|brokle", key) or key.endswith("latency_ms") else 0.005}
            if "intValue" in value:
                return {"intValue": "5"}
        if key.endswith("port") and str(value.get("intValue", value.get("stringValue"))) == str(self.port):
            return {next(iter(value)): "8000"}
        return self.walk(value)

    def walk(self, value):
        if isinstance(value, dict):
            if "key" in value and "value" in value and set(value) <= {"key", "value"}:
                return {"key": value["key"], "value": self.value(value["key"], value["value"])}
            return {name: self.walk(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.walk(item) for item in value if not (isinstance(item, dict) and str(item.get("key", "")).startswith(DROPPED))]
        return self.text(value) if isinstance(value, str) else value

    def span(self, span):
        out = {"traceId": self.id(span["traceId"]), "spanId": self.id(span["spanId"])}
        if span.get("parentSpanId"):
            out["parentSpanId"] = self.id(span["parentSpanId"])
        for key, value in span.items():
            if key in ("traceId", "spanId", "parentSpanId"):
                continue
            if key.endswith("UnixNano"):
                out[key] = str(self.times[int(value)])
            elif key == "events":
                out[key] = [self.walk(event) | {"timeUnixNano": str(self.times[int(event["timeUnixNano"])])} for event in value]
            elif key == "links":
                out[key] = [self.walk(link) | {"traceId": self.id(link["traceId"]), "spanId": self.id(link["spanId"])} for link in value]
            else:
                out[key] = self.walk(value)
        return out

    def resource(self, resource):
        kept = [item for item in resource.get("attributes", []) if item["key"].startswith(RESOURCE)]
        named = [item for item in kept if item["key"] != "service.name"]
        return {"attributes": [{"key": "service.name", "value": {"stringValue": "capture"}}] + [self.walk(item) for item in named]}

    def request(self, requests):
        """All that arrived as one request, by resource and scope, spans in the order of their starts."""
        merged = []
        for request in requests:
            for rs in request.get("resourceSpans", []):
                resource = self.resource(rs.get("resource", {}))
                for ss in rs["scopeSpans"]:
                    scope = self.walk(ss.get("scope", {}))
                    entry = next((one for one in merged if one["resource"] == resource), None)
                    if entry is None:
                        entry = {"resource": resource, "scopeSpans": []}
                        merged.append(entry)
                    group = next((one for one in entry["scopeSpans"] if one["scope"] == scope), None)
                    if group is None:
                        group = {"scope": scope, "spans": []}
                        if ss.get("schemaUrl"):
                            group["schemaUrl"] = ss["schemaUrl"]
                        entry["scopeSpans"].append(group)
                    group["spans"].extend(self.span(span) for span in ss["spans"])
        for entry in merged:
            for group in entry["scopeSpans"]:
                group["spans"].sort(key=lambda span: int(span["startTimeUnixNano"]))
        return {"resourceSpans": merged}
