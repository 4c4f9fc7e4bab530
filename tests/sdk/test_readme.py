"""The snippets of the README, pasted as a new user would paste them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from api import Api
from installation import Installation

README = Path(__file__).parents[2] / "README.md"
DEFAULT_URL = "http://127.0.0.1:8080"
SNIPPETS = {"With curl": "sh", "With OpenTelemetry in Python": "python", "With the Brokle SDK": "python"}


def snippet(title: str, language: str) -> str:
    """The code block after the paragraph that begins with this title."""
    match = re.search(rf"\*\*{re.escape(title)}\*\*.*?\n```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    assert match, f"the README has no {language} block under “{title}”"
    return match.group(1)


@pytest.mark.parametrize("title", SNIPPETS)
def test_a_pasted_snippet_sends_a_trace(title: str, brokle: Installation, api: Api) -> None:
    language = SNIPPETS[title]
    code = snippet(title, language)
    assert DEFAULT_URL in code
    before = {trace["trace_id"] for trace in api.traces(limit=100, name="chat gpt-4o-mini")}
    command = [sys.executable, "-"] if language == "python" else ["bash", "-eu"]
    done = subprocess.run(
        command,
        input=code.replace(DEFAULT_URL, brokle.url),
        env=os.environ | {"BROKLE_API_KEY": brokle.api_key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in (done.stdout + done.stderr).lower(), done.stdout + done.stderr

    trace = newest(api, before, done.stdout)
    [span] = api.spans(trace["trace_id"], 1)
    facts = {key: span[key] for key in ("name", "type", "model", "provider", "total_tokens", "total_cost", "is_root")}
    assert facts == {
        "name": "chat gpt-4o-mini",
        "type": "generation",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "total_tokens": 32,
        # 24 tokens in at 0.15 dollars a million, 8 out at 0.60.
        "total_cost": "0.0000084",
        "is_root": True,
    }


def newest(api: Api, before: set[str], printed: str) -> dict[str, Any]:
    """The one trace that was not there before."""
    import time

    deadline = time.monotonic() + 15
    while True:
        new = [trace for trace in api.traces(limit=100, name="chat gpt-4o-mini") if trace["trace_id"] not in before]
        if new or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert len(new) == 1, f"{len(new)} traces came; the snippet printed: {printed}"
    return new[0]
