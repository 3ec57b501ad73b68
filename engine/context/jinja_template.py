"""A model's own Jinja template under the segment rule. Runs in the worker only; knows no tokeniser.

Each message's text is replaced by an unguessable mark before the rendering and put back, as content, after it:
whatever the template does, no text of a message can become the template's own words. Templates look into
messages (trim them, drop old reasoning), which a mark would hide, so a mark keeps the white space around the
text and, in a second try, the words that the template looks for. The result must then read like the rendering
of the real text. Where neither try does, the first one stands: the template saw each text as one opaque word.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from engine.context.arrange import alternating, as_it_is, tools_as_users, without_system
from engine.context.chat_template import HARMONY, THINK, Clock, ReasoningMarks, Turn
from engine.context.jinja_sandbox import BoundedTemplate, TemplateRefusal
from engine.context.pieces import Content, Literal, Piece, joined, merged
from engine.context.segments import PromptMessage, Role, Segment
from engine.errors import TemplateError, sentence

_MARKS = (
    HARMONY,
    ReasoningMarks("<seed:think>", "</seed:think>"),
    ReasoningMarks("◁think▷", "◁/think▷"),
    ReasoningMarks("[THINK]", "[/THINK]"),
    ReasoningMarks("<|START_THINKING|>", "<|END_THINKING|>"),
    ReasoningMarks("<thinking>", "</thinking>"),
    ReasoningMarks("<reasoning>", "</reasoning>"),
    THINK,
)
_ARRANGEMENTS = (as_it_is, tools_as_users, alternating, without_system)
_PROBE = Turn(Role.USER, Content(()))
_PRIVATE, _PRIVATE_SIZE = 0xE000, 4096
"""Characters without case, width or meaning: no filter of Jinja's changes them."""


class JinjaTemplate:
    """A `ChatTemplate` of family "jinja". Use from one thread at a time."""

    family = "jinja"

    def __init__(self, text: str, *, bos: str, eos: str, clock: Clock) -> None:
        self._template = BoundedTemplate(text, clock)
        self._special = {"bos_token": bos, "eos_token": eos}
        self._words = sorted((word for word in self._template.words if len(word.strip()) > 1), key=len, reverse=True)
        self.stop = (eos,) if eos else ()
        self.reasoning = next((marks for marks in _MARKS if marks.start in text), None)
        self.can_think = bool({"enable_thinking", "thinking", "reasoning_effort"} & self._template.variables)
        self._opens: dict[bool | None, bool] = {}

    def starts_in_reasoning(self, thinking: bool | None) -> bool:
        if self.reasoning is None:
            return False
        if thinking not in self._opens:
            try:
                head = self.text([_PROBE], thinking)
            except TemplateRefusal:
                head = ""
            self._opens[thinking] = head.rstrip().endswith(self.reasoning.start)
        return self._opens[thinking]

    def render(self, messages: Sequence[PromptMessage], *, thinking: bool | None, continue_last: bool) -> list[Piece]:
        turns = [Turn(message.role, Content(message.segments)) for message in messages]
        begun = turns.pop().content if continue_last else Content(())
        pieces = self._arranged(turns, thinking)
        if continue_last and self.reasoning is not None and self.starts_in_reasoning(thinking):
            pieces = [*pieces, Literal(f"\n{self.reasoning.end}\n\n")]
        return merged([*pieces, *begun.segments])

    def text(self, turns: Sequence[Turn], thinking: bool | None) -> str:
        """The rendering of the real text, for comparing. Raises `TemplateRefusal`."""
        return self._render([(turn.role, turn.content.text) for turn in turns], thinking)

    def _render(self, turns: Sequence[tuple[Role, str]], thinking: bool | None) -> str:
        switch: dict[str, object] = {} if thinking is None else {"enable_thinking": thinking, "thinking": thinking}
        if thinking is False:
            switch["reasoning_effort"] = "low"
        variables = {
            "messages": [{"role": role.value, "content": text} for role, text in turns],
            "tools": None,
            "documents": None,
            "add_generation_prompt": True,
            **switch,
            **self._special,
        }
        return self._template.render(variables, characters=sum(len(text) for _, text in turns))

    def _arranged(self, turns: list[Turn], thinking: bool | None) -> list[Piece]:
        """The first arrangement that the template takes without losing a text; else the first it takes."""
        taken: list[Piece] | None = None
        reason = ""
        for arrange in _ARRANGEMENTS:
            arranged = arrange(turns)
            try:
                pieces, whole = self._pieces(arranged, thinking)
            except TemplateRefusal as refusal:
                reason = reason or str(refusal)
                continue
            if whole:
                return pieces
            taken = pieces if taken is None else taken
        if taken is None:
            raise TemplateError(
                sentence("The model's chat template refuses this conversation: {reason}"), reason=reason
            )
        return taken

    def _pieces(self, turns: list[Turn], thinking: bool | None) -> tuple[list[Piece], bool]:
        """The rendering, and whether every text that is not the assistant's is in it."""
        opaque = self._marked(turns, thinking, ())
        whole = opaque.holds({i for i, turn in enumerate(turns) if turn.role is not Role.ASSISTANT})
        try:
            real = self.text(turns, thinking)
        except TemplateRefusal:
            return opaque.pieces, whole
        found = _agree(opaque.pieces, real)
        if found is None:
            words = [word for word in self._words if any(word in turn.content.text for turn in turns)]
            try:
                found = _agree(self._marked(turns, thinking, words).pieces, real)
            except TemplateRefusal:
                pass  # The marks were in the template's way; the opaque rendering stands.
        return (opaque.pieces if found is None else found), whole

    def _marked(self, turns: list[Turn], thinking: bool | None, words: Sequence[str]) -> _Marked:
        marked = _Marked([turn.content for turn in turns], words)
        shown = [(turn.role, text) for turn, text in zip(turns, marked.texts, strict=True)]
        marked.take(self._render(shown, thinking))
        return marked


class _Marked:
    """Contents behind marks, and the pieces of a rendering that holds those marks."""

    def __init__(self, contents: Sequence[Content], words: Sequence[str]) -> None:
        nonce = "".join(chr(_PRIVATE + secrets.randbelow(_PRIVATE_SIZE)) for _ in range(10))
        self._mark = re.compile(f"{nonce}(..)", re.DOTALL)
        self._nonce = nonce
        self._word = re.compile("|".join(map(re.escape, words))) if words else None
        self._stretches: list[tuple[int, int, int]] = []
        """Behind each mark: which content, and its characters from where to where."""
        self._contents = contents
        self.texts = [self._hide(index, content.text) for index, content in enumerate(contents)]
        self.pieces: list[Piece] = []
        self._seen: set[int] = set()

    def holds(self, contents: set[int]) -> bool:
        """Whether the rendering has (a part of) each of these contents, if there is any text in it."""
        return all(index in self._seen or not self._contents[index].text.strip() for index in contents)

    def _hide(self, index: int, text: str) -> str:
        if not text.strip():
            return text
        shown, at = [], 0
        for match in self._word.finditer(text) if self._word else ():
            shown += [self._stretch(index, at, match.start()), match[0]]
            at = match.end()
        return "".join([*shown, self._stretch(index, at, len(text))])

    def _stretch(self, index: int, start: int, stop: int) -> str:
        """A mark with the stretch's outer white space. A word always has marks on both sides, if need be empty."""
        text = self._contents[index].text[start:stop]
        begin = start + len(text) - len(text.lstrip())
        end = begin + len(text.strip())
        whole = self._contents[index].text
        return whole[start:begin] + self._new_mark(index, begin, end) + whole[end:stop]

    def _new_mark(self, index: int, start: int, stop: int) -> str:
        high, low = divmod(len(self._stretches), _PRIVATE_SIZE)
        if high >= _PRIVATE_SIZE:
            raise TemplateRefusal("too many marks")
        self._stretches.append((index, start, stop))
        return f"{self._nonce}{chr(_PRIVATE + high)}{chr(_PRIVATE + low)}"

    def take(self, rendering: str) -> None:
        """Put the contents back. A word between two neighbouring marks of one content belongs to it."""
        pieces: list[Piece] = []
        at = 0
        stretch: tuple[int, int, int] | None = None
        for match in self._mark.finditer(rendering):
            high, low = (ord(character) - _PRIVATE for character in match[1])
            index, start, stop = self._stretches[high * _PRIVATE_SIZE + low]
            between = rendering[at : match.start()]
            if stretch and stretch[0] == index and self._contents[index].text[stretch[2] : start] == between != "":
                stretch = (index, stretch[1], stop)
            else:
                pieces += [*self._content(stretch), Literal(between)]
                stretch = (index, start, stop)
            at = match.end()
        self.pieces = merged([*pieces, *self._content(stretch), Literal(rendering[at:])])

    def _content(self, stretch: tuple[int, int, int] | None) -> tuple[Segment, ...]:
        if stretch is None:
            return ()
        index, start, stop = stretch
        self._seen.add(index)
        return self._contents[index].cut(start, stop).segments


def _agree(pieces: Sequence[Piece], real: str) -> list[Piece] | None:
    """The pieces if they read like `real`, content as it is or as JSON writes it; None if they do not."""
    if joined(pieces) == real:
        return list(pieces)
    agreed: list[Piece] = []
    at = 0
    for piece in pieces:
        forms = [piece] if isinstance(piece, Literal) else [piece, *Content((piece,)).as_json().segments]
        form = next((form for form in forms if real.startswith(form.text, at)), None)
        if form is None:
            return None
        agreed.append(form)
        at += len(form.text)
    return agreed if at == len(real) else None
