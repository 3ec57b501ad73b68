"""Grammars that an answer must follow: GBNF as it stands, or made from a JSON schema.

Compiling happens in llama.cpp. From schemas, the converter that comes with the bindings takes the structure,
types, enumerations, lengths and counts, but no bounds of numbers. Knows no request and no text of the answer.
"""

from __future__ import annotations

import importlib
import json
from typing import Any

from engine.errors import GrammarError, sentence
from engine.model.llama_library import lib
from engine.model.vocabulary import Vocabulary
from engine.types import SamplingParams

GRAMMAR_CHARACTERS = 256 * 1024
"""Of a grammar or schema; a longer one is refused."""


def grammar_text(params: SamplingParams) -> str | None:
    """The GBNF that the parameters ask for, or None. Raises `GrammarError`."""
    if params.grammar is not None and params.json_schema is not None:
        raise GrammarError(sentence("Give a grammar or a JSON schema, not both."))
    text = params.grammar if params.json_schema is None else params.json_schema
    if text is None:
        return None
    if len(text) > GRAMMAR_CHARACTERS:
        raise GrammarError(sentence("The grammar is too long."))
    return text if params.json_schema is None else _from_schema(text)


def _from_schema(schema: str) -> str:
    try:
        parsed = json.loads(schema)
    except (ValueError, RecursionError) as error:
        raise GrammarError(sentence("The JSON schema is not valid JSON: {reason}"), reason=str(error)) from error
    if isinstance(parsed, dict) and _remote_reference(parsed):
        raise GrammarError(sentence("The JSON schema refers to another file, which Hearth does not fetch."))
    converter: Any = importlib.import_module("llama_cpp.llama_grammar")
    try:
        made: str = converter.json_schema_to_gbnf(schema)
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise GrammarError(sentence("The JSON schema cannot be used: {reason}"), reason=str(error)) from error
    return made


def _remote_reference(schema: dict[str, Any]) -> bool:
    """True if a `$ref` points outside the schema."""
    pending: list[Any] = [schema]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            reference = value.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                return True
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return False


def compile_grammar(text: str, vocabulary: Vocabulary) -> Any:
    """A grammar sampler of llama.cpp, to be freed by the caller. Raises `GrammarError`."""
    made = lib.llama_sampler_init_grammar(vocabulary.pointer, text.encode("utf-8", "replace"), b"root")
    if not made:
        raise GrammarError(sentence("The grammar is not valid. It must be GBNF with a rule named root."))
    return made
