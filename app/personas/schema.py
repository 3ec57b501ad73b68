"""The JSON Schemas of the files of a persona and its bundle, from their declarations. Knows no persona.

`python -m app.personas.schema` writes them anew beside this module; a test holds them to what is declared.
"""

from __future__ import annotations

import json
from pathlib import Path

from app.personas.bundle import MANIFEST, MANIFEST_NAME, SIGNATURE, SIGNATURE_NAME
from app.personas.declared import Schema, Table
from app.personas.document import PERSONA, SCHEMA, TOML_NAME
from app.personas.vectors import ABOUT_NAME, EMBEDDINGS

FOLDER = Path(__file__).with_name("schemas")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, str]:
    """The text of each schema, by its file's name."""
    persona = _schema(PERSONA, TOML_NAME)
    properties, required = persona["properties"], persona["required"]
    assert isinstance(properties, dict) and isinstance(required, list)
    persona["properties"] = {"schema": {"const": SCHEMA}, **properties}
    persona["required"] = ["schema", *required]
    return {
        "persona.schema.json": _text(persona),
        "manifest.schema.json": _text(_schema(MANIFEST, MANIFEST_NAME)),
        "embeddings.schema.json": _text(_schema(EMBEDDINGS, ABOUT_NAME)),
        "signature.schema.json": _text(_schema(SIGNATURE, SIGNATURE_NAME)),
    }


def _schema(table: Table, title: str) -> Schema:
    return {"$schema": _DIALECT, "title": title, **table.schema()}


def _text(schema: Schema) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
