#!/usr/bin/env python3
"""Refreshes pricing/catalogue.json from the price map of the litellm package (MIT licence).

Usage:
    pip download litellm --no-deps --dest <folder>
    scripts/refresh-prices.py <folder>/litellm-<version>-*.whl [--date YYYY-MM-DD]

A price that has changed since the last refresh is not replaced: the new one is added with the day of the refresh, so that
older spans keep the price of their time. Prices of our own (models that the map has dropped, and changes whose day is known)
are in pricing/corrections.json and win over the map.
"""

import argparse
import datetime
import json
import re
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "pricing"
MAP = "litellm/model_prices_and_context_window_backup.json"

# Providers of the map, and what they are called here. Others set no prices of their own or are not common yet.
PROVIDERS = {
    "openai": "openai",
    "text-completion-openai": "openai",
    "anthropic": "anthropic",
    "gemini": "google",
    "vertex_ai-language-models": "vertex_ai",
    "vertex_ai-anthropic_models": "vertex_ai",
    "mistral": "mistral",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "xai": "xai",
    "groq": "groq",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "voyage": "voyage",
}
MODES = {"chat", "completion", "responses", "embedding", "audio_transcription", "realtime", "audio_speech"}
RATES = {
    "input": "input_cost_per_token",
    "input_cache_read": "cache_read_input_token_cost",
    "input_cache_write_5m": "cache_creation_input_token_cost",
    "input_cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "input_audio": "input_cost_per_audio_token",
    "input_image": "input_cost_per_image_token",
    "output": "output_cost_per_token",
    "output_reasoning": "output_cost_per_reasoning_token",
    "output_audio": "output_cost_per_audio_token",
}
TIERS = {"batch": "_batches", "flex": "_flex", "priority": "_priority"}
DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|20\d{6}|\d{4})$")


def amount(per_token: float) -> str:
    """Dollars for a million tokens, exactly as the shortest decimal of the map's number says."""
    text = format((Decimal(repr(per_token)) * 1_000_000).normalize(), "f")
    return text


def rates(entry: dict, suffix: str = "") -> dict:
    found = {kind: entry.get(field + suffix) for kind, field in RATES.items()}
    found = {kind: amount(value) for kind, value in found.items() if isinstance(value, (int, float)) and value >= 0}
    if found.get("output_reasoning") == found.get("output"):
        found.pop("output_reasoning", None)
    return found


def card(entry: dict, suffix: str = "") -> dict | None:
    own = rates(entry, suffix)
    if not own:
        return None
    limits = {int(match[1]) for key in entry if (match := re.search(r"_above_(\d+)k_tokens" + suffix + "$", key))}
    above = [{"input_tokens": limit * 1000, "rates": rates(entry, f"_above_{limit}k_tokens{suffix}")} for limit in sorted(limits)]
    above = [tier for tier in above if tier["rates"]]
    return {"rates": own} | ({"above": above} if above else {})


def price(entry: dict) -> dict | None:
    standard = card(entry)
    if standard is None or all(Decimal(value) == 0 for value in standard["rates"].values()):
        return None
    tiers = {tier: card(entry, suffix) for tier, suffix in TIERS.items()}
    return standard | {tier: value for tier, value in tiers.items() if value}


def name_of(key: str, provider: str) -> str | None:
    if provider == "groq":
        return key.removeprefix("groq/")
    parts = key.split("/")
    if provider in ("google", "vertex_ai", "mistral", "cohere", "deepseek", "xai", "voyage") and len(parts) == 2:
        return parts[1]
    # What is left with a slash is a region, a commitment or an image size, not a model.
    return key if len(parts) == 1 else None


def from_map(prices: dict, source: str, date: str) -> dict:
    models = {}
    for key, entry in prices.items():
        provider = PROVIDERS.get(entry.get("litellm_provider"))
        if provider is None or entry.get("mode") not in MODES:
            continue
        name, found = name_of(key, provider), price(entry)
        if name is None or found is None:
            continue
        models.setdefault((provider, name), found | {"source": source, "seen": date})
    rateless = lambda value: {key: part for key, part in value.items() if key not in ("source", "seen", "from")}
    # A dated name that costs what its undated one costs is found by stripping the date.
    for provider, name in list(models):
        bare = DATED.sub("", name)
        if bare != name and (provider, bare) in models and rateless(models[provider, bare]) == rateless(models[provider, name]):
            del models[provider, name]
    return models


def merged(history: list, new: dict, date: str) -> list:
    """The price history with today's price at its end, if it differs from the last one."""
    rates_of = lambda value: {key: part for key, part in value.items() if key not in ("source", "seen", "from")}
    if not history:
        return [new]
    if rates_of(history[-1]) == rates_of(new):
        return history
    return [*history, {"from": date} | new]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--date", default=datetime.date.today().isoformat())
    arguments = parser.parse_args()
    version = arguments.wheel.name.split("-")[1]
    with zipfile.ZipFile(arguments.wheel) as wheel:
        found = from_map(json.loads(wheel.read(MAP)), f"litellm {version}", arguments.date)
    corrections = json.loads((ROOT / "corrections.json").read_text())
    path = ROOT / "catalogue.json"
    before = {}
    if path.exists():
        before = {(entry["provider"], entry["name"]): entry for entry in json.loads(path.read_text())["models"]}

    models = {}
    for provider, name in sorted(before.keys() | found.keys()):
        entry = before.get((provider, name), {"provider": provider, "name": name, "prices": []})
        if (new := found.get((provider, name))) is not None:
            entry["prices"] = merged(entry["prices"], new, arguments.date)
        models[provider, name] = entry
    for entry in corrections["models"]:
        models[entry["provider"], entry["name"]] = entry
    header = {
        "about": "Model prices in US dollars for a million tokens of each kind. Made by scripts/refresh-prices.py; do not edit.",
        "source": f"{MAP} of the litellm package, version {version} (MIT licence, https://github.com/BerriAI/litellm), "
        "and pricing/corrections.json",
        "retrieved": arguments.date,
    }
    lines = [json.dumps(models[key], ensure_ascii=False, separators=(",", ":")) for key in sorted(models)]
    head = json.dumps(header, ensure_ascii=False, indent=1)[:-2]
    path.write_text(head + ',\n "models": [\n' + ",\n".join(lines) + "\n ]\n}\n")
    print(f"{len(models)} models", file=sys.stderr)


if __name__ == "__main__":
    main()
