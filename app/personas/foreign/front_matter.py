"""YAML front matter before a Markdown text, as JSON values and back. Knows no field of it.

PyYAML with only what JSON has: no tags, no aliases (whose bombs unfold), no dates, and of numbers those that YAML 1.1,
1.2 and JSON read alike; any other plain word is text. Raises `PersonaError`, `LimitError`.
"""

from __future__ import annotations

import re
from typing import Any, cast

import yaml

from app.limits import PERSONA_JSON_DEPTH
from app.personas.foreign.documents import Document
from engine.errors import LimitError, PersonaError, sentence

FRONT_MATTER_CHARACTERS = 64 * 1024
_FRONT = re.compile(r"---[ \t]*\n(.*?\n)??---[ \t]*(?:\n|\Z)", re.DOTALL)
_DAMAGED = sentence("The lines between --- and --- at the beginning of {name} cannot be read.")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # as the class it replaces has it
    yaml_constructors: dict[str, Any] = {}  # noqa: RUF012  # as above
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        self.depth += 1
        if self.depth > PERSONA_JSON_DEPTH:
            raise yaml.YAMLError("too deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _key(loader: Any, node: Any) -> str:
    """A key as text, whatever it looks like."""
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.YAMLError("a key that is no text")
    return cast(str, loader.construct_scalar(node))


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    pairs = [(_key(loader, key), loader.construct_object(value, deep=True)) for key, value in node.value]
    if len({key for key, _ in pairs}) < len(pairs):
        raise yaml.YAMLError("a key stands there twice")
    return dict(pairs)


_TRUE = ("true", "True", "TRUE")
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", [*"tTfF"]),
    ("int", r"-?(?:0|[1-9][0-9]{0,17})", [*"-0123456789"]),
    ("float", r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}", [*"-0123456789"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})\\Z"), _first)
_Loader.add_constructor("tag:yaml.org,2002:null", lambda loader, node: None)
_Loader.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: node.value in _TRUE)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(node.value))
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))
_Loader.add_constructor("tag:yaml.org,2002:str", lambda loader, node: loader.construct_scalar(node))
_Loader.add_constructor("tag:yaml.org,2002:seq", lambda loader, node: loader.construct_sequence(node, deep=True))
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor(None, yaml.constructor.SafeConstructor.construct_undefined)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # as above
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))


def split(text: str, name: str) -> tuple[Document, str]:
    """Front matter and the text after it, which has no blank lines around it; {} for a text without front matter."""
    text = text.replace("\r\n", "\n")
    found = _FRONT.match(text)
    if found is None:
        return {}, text.strip("\n")
    front = found[1] or ""
    if len(front) > FRONT_MATTER_CHARACTERS:
        raise LimitError(sentence("The lines between --- and --- at the beginning of {name} are too many."), name=name)
    try:
        loaded = _Loader(front).get_single_data()
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, AttributeError):
        raise PersonaError(_DAMAGED, name=name) from None
    if loaded is None:
        loaded = {}
    if not isinstance(loaded, dict):
        raise PersonaError(_DAMAGED, name=name)
    return loaded, text[found.end() :].strip("\n")


def joined(front: Document, body: str) -> str:
    """A text with front matter, in the order given."""
    written = yaml.dump(front, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)
    return f"---\n{written}---\n\n{body}\n"
