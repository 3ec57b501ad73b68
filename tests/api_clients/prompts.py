"""`llm`, by its provider for servers like OpenAI's: a plain question, a stream, a conversation, a schema, a tool."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api_clients.running import output_of
from tests.process.served import Served

_MODELS = """
- model_id: hearth
  model_name: default
  api_base: "{address}"
  api_key_name: hearth
  supports_schema: true
  supports_tools: true
"""

_DEGREES = "37.4"
"""What only the tool can say."""
_TOOL = f"""
def warmth(place: str) -> str:
    "How warm it is in a place"
    return "{_DEGREES} degrees"
"""


def run(programs: Path, server: Served, folder: Path) -> str:
    """As `tests.api_clients.__main__.Client`."""
    (folder / "extra-openai-models.yaml").write_text(_MODELS.format(address=server.address), "utf-8")
    (folder / "keys.json").write_text(json.dumps({"hearth": server.token}), "utf-8")

    def ask(*arguments: str) -> str:
        command = [programs / "llm", "prompt", "-m", "hearth", "-o", "temperature", "0", *arguments]
        return output_of(command, folder=folder, LLM_USER_PATH=str(folder)).strip()

    seen = []
    question = "What is the capital of Norway? Answer with the name only."
    for how in ((), ("--no-stream",)):
        answer = ask(*how, question)
        assert "oslo" in answer.lower(), answer
    seen.append(f"answers {answer!r} as a stream and whole")
    again = ask("--continue", "-s", "Be brief.", "And of Sweden?")
    assert again and again != answer, again
    seen.append(f"goes on with {again!r}")
    town = json.loads(ask("--schema", "name, inhabitants int", "Describe a town."))
    assert isinstance(town["name"], str) and isinstance(town["inhabitants"], int)
    seen.append(f"keeps to a schema: {town}")
    told = ask("--functions", _TOOL, "How warm is it in Oslo? Use the tool.")
    assert _DEGREES in told, told
    seen.append(f"with a tool: {told!r}")
    return "; ".join(seen)
