"""How models' authors mean their chat templates to be rendered: Jinja set up as the transformers library does it.

Independent of the program: nothing of `engine` is used here.
"""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

TODAY = date(2025, 3, 9)


class Refused(Exception):  # noqa: N818
    """The template does not take this conversation."""


class _Generation(Extension):
    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _raise_exception(message: str) -> str:
    raise Refused(message)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


@cache
def _compiled(template: str) -> jinja2.Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = TODAY.strftime
    return environment.from_string(template)


def render(template: str, messages: list[dict[str, str]], **variables: Any) -> str:
    """The prompt for `messages`, with the head of the assistant's turn. Raises `Refused`."""
    try:
        return _compiled(template).render(
            messages=messages, tools=None, documents=None, add_generation_prompt=True, **variables
        )
    except (jinja2.TemplateError, TypeError) as error:
        raise Refused(str(error)) from error
