"""`schemathesis`: every address of our OpenAPI document, what it allows and what it forbids, checked against it.

Over a scripted engine and a scripted voice, as nobody reads what is answered.
"""

from __future__ import annotations

import re
from pathlib import Path

from app.api.ports import Parts
from engine.fake import FakeEngine
from tests.api_clients.running import output_of
from tests.process.served import Served
from tests.unit.api_bench import TOKEN, OneModel, serving
from tests.unit.scripted_speech import ScriptedSpeech

_EXAMPLES = 10
"""For each address."""


def run(programs: Path, _server: Served, folder: Path) -> str:
    """As `tests.api_clients.__main__.Client`."""
    engine = FakeEngine()
    try:
        with serving(engine, parts=Parts(engine, OneModel(engine), speech=ScriptedSpeech())) as api:
            address = f"http://127.0.0.1:{api.port}"
            command = [
                programs / "schemathesis", "run", f"{address}/openapi.json", "--url", address,
                "--header", f"Authorization: Bearer {TOKEN}", "--max-examples", str(_EXAMPLES),
                "--generation-deterministic", "--phases", "examples,coverage,fuzzing",
                # Rules between fields (a choice among tools needs tools) stand in no schema.
                "--exclude-checks", "positive_data_acceptance",
            ]  # fmt: skip
            said = output_of(command, folder=folder)
    finally:
        engine.close()
    found = re.search(r"(\d+) generated", said)
    return f"{found[1] if found else 'all'} requests were answered as the document says"
