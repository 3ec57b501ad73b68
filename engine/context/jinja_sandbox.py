"""Renders a foreign Jinja template within bounds of time, length and reach. Knows no message and no model.

Jinja's immutable sandbox keeps a template away from Python's insides. It does not stop one that grows strings
without end or never finishes, so here: operators, joins and methods that can multiply a text are checked before
they run, methods and filters are those of a list, and each executed line looks at the clock. What is left (a
comparison of deeply nested lists, for one) ends with the worker process, which its client watches.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import FrameType
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.meta import find_undeclared_variables
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.context.chat_template import Clock
from engine.errors import TemplateError, sentence

MAX_TEMPLATE_CHARACTERS = 200_000
"""Of a template's own text. The longest known ones have 17,000."""
MAX_SECONDS = 2.0
"""For one rendering. Long conversations take some milliseconds."""
EXTRA_CHARACTERS = 1_000_000
"""What a template may add to eight times the text it is given."""
_MAX_BITS = 4096
"""Of whole numbers."""

_STR = frozenset(
    {
        "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit",
        "islower", "isnumeric", "isspace", "isupper", "join", "lower", "lstrip", "partition", "removeprefix",
        "removesuffix", "replace", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines",
        "startswith", "strip", "swapcase", "title", "upper",
    }
)  # fmt: skip
_ATTRIBUTES: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _STR),
    (bool, frozenset()),
    (int, frozenset()),
    (float, frozenset()),
    (list, frozenset({"count", "index"})),
    (tuple, frozenset({"count", "index"})),
    (dict, frozenset({"get", "items", "keys", "values"})),
)
_FILTERS = frozenset(
    {
        "abs", "attr", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "first", "float",
        "groupby", "indent", "int", "items", "join", "last", "length", "list", "lower", "map", "max", "min",
        "random", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr", "sort",
        "string", "sum", "title", "tojson", "trim", "unique", "upper", "wordcount",
    }
)  # fmt: skip
_GLOBALS = frozenset({"range", "dict", "namespace", "joiner", "cycler"})


class TemplateRefusal(Exception):  # noqa: N818 - not an error: the template does not take this conversation
    """The template does not take this conversation, or fails on it; `args[0]` says why."""


class _OutOfBoundsError(SecurityError):
    """A template asked for more than it may have."""


class _Generation(Extension):
    """`{% generation %}`: marks what a model is trained on; its body is rendered as it stands."""

    tags = {"generation"}  # noqa: RUF012 - Jinja declares it so

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _BoundedCode(CodeGenerator):
    """`a ~ b` goes through the environment's checked join."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.concat((")
        for part in node.nodes:
            self.write("str(")
            self.visit(part, frame)
            self.write("), ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    """As the model's authors use Jinja (`trim_blocks`, `lstrip_blocks`, loop controls), bounded."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    code_generator_class = _BoundedCode

    def __init__(self, clock: Clock) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, optimized=False, extensions=[_Generation, loopcontrols])
        self.most_characters = EXTRA_CHARACTERS
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.filters |= {
            "tojson": self._to_json,
            "join": self._join_filter,
            "replace": self._replace,
            "indent": self._indent,
        }
        self.globals = {name: self.globals[name] for name in _GLOBALS}
        self.globals["raise_exception"] = _refuse
        self.globals["strftime_now"] = lambda form: clock().strftime(form)

    def _check(self, characters: int) -> None:
        if characters > self.most_characters:
            raise _OutOfBoundsError("text too long")

    def concat(self, parts: Iterable[str]) -> str:
        """Stops reading at the bound: the parts may come from a loop without end."""
        kept: list[str] = []
        length = 0
        for part in parts:
            length += len(part)
            self._check(length)
            kept.append(part)
        return "".join(kept)

    def _join_filter(self, value: Iterable[Any], d: str = "", attribute: str | None = None) -> str:
        items = [str(self.getitem(item, attribute) if attribute else item) for item in value]
        self._check(sum(map(len, items)) + len(items) * len(d))
        return d.join(items)

    def _replace(self, value: str, old: str, new: str, count: int = -1) -> str:
        value, old, new = str(value), str(old), str(new)
        self._check(len(value) + (value.count(old)) * len(new))
        return value.replace(old, new, count)

    def _indent(self, value: str, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
        by = width if isinstance(width, str) else " " * min(width, 256)
        self._check(len(value) + (value.count("\n") + 1) * len(by))
        lines = value.split("\n")
        shifted = [by + line if line or blank else line for line in lines[1:]]
        return "\n".join([(by if first else "") + lines[0], *shifted])

    def _to_json(
        self,
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        if isinstance(indent, int) and indent > 16:
            raise _OutOfBoundsError("indent too wide")
        text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
        self._check(len(text))
        return text

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, allowed in _ATTRIBUTES:
            if isinstance(obj, kind):
                return attr in allowed
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Not even in the sandbox's wrapping: a format may ask for any width. As an attribute it is then refused."""

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as Jinja has it
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str):
            if name == "join":
                return __self._join_filter(args[0], owner)
            if name == "replace":
                return __self._replace(owner, *args)
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(side, int | float) for side in (left, right))
        if operator == "**" or (operator == "%" and not numbers):
            raise _OutOfBoundsError(f"operator {operator}")
        if not numbers:
            sizes = [side if isinstance(side, int) else len(side) for side in (left, right)]
            self._check(sizes[0] + sizes[1] if operator == "+" else abs(sizes[0] * sizes[1]))
        elif any(isinstance(side, int) and side.bit_length() > _MAX_BITS for side in (left, right)):
            raise _OutOfBoundsError("number too long")
        return super().call_binop(context, operator, left, right)


def _refuse(message: str) -> str:
    raise TemplateRefusal(str(message)[:300])


class BoundedTemplate:
    """A compiled template. Render on one thread at a time."""

    def __init__(self, text: str, clock: Clock) -> None:
        if len(text) > MAX_TEMPLATE_CHARACTERS:
            raise TemplateError(sentence("The model's chat template is too long to be used safely."))
        self._environment = _Environment(clock)
        try:
            self._tree = self._environment.parse(text)
            self._template = self._environment.from_string(text)
        except Exception as error:
            raise TemplateError(
                sentence("The model's chat template cannot be read: {reason}"), reason=_reason(error)
            ) from error

    @property
    def words(self) -> frozenset[str]:
        """Texts that stand in the template's code: what it may look for in a message."""
        return frozenset(node.value for node in self._tree.find_all(nodes.Const) if isinstance(node.value, str))

    @property
    def variables(self) -> frozenset[str]:
        """Names that the template takes from outside."""
        return frozenset(find_undeclared_variables(self._tree))

    def render(self, variables: Mapping[str, Any], *, characters: int) -> str:
        """The text for `variables`, which hold `characters` of text. Raises `TemplateRefusal`."""
        self._environment.most_characters = 8 * characters + EXTRA_CHARACTERS
        try:
            return _within(MAX_SECONDS, lambda: self._template.render(variables))
        except TemplateRefusal:
            raise
        except Exception as error:
            raise TemplateRefusal(_reason(error)) from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _within(seconds: float, work: Callable[[], str]) -> str:
    """Run Python code that looks at the clock with each line it executes."""
    deadline = time.monotonic() + seconds

    def look(frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > deadline:
            raise _OutOfBoundsError("takes too long")
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        return work()
    finally:
        sys.settrace(before)
