"""What is left out of a conversation that is too long: whole turns, oldest first, named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context.budget import fit_to_window
from engine.context.segments import Origin, PromptMessage, Role, Segment
from engine.errors import PromptTooLongError
from engine.types import OverflowPolicy

S, U, A, T = Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL


def message(role: Role, name: str, size: int = 10, *, pinned: bool = False) -> PromptMessage:
    return PromptMessage(role, (Segment("x" * size, Origin.USER),), message_id=name, pinned=pinned)


def count(messages: Sequence[PromptMessage]) -> int:
    """A token a character, and 5 a message and a prompt."""
    return 5 + sum(len(message.text) + 5 for message in messages)


def fit(
    messages: Sequence[PromptMessage], n_ctx: int, reserve: int = 0, policy: OverflowPolicy = OverflowPolicy.DROP_OLDEST
) -> tuple[list[str], list[str]]:
    kept, dropped = fit_to_window(messages, n_ctx=n_ctx, answer_reserve=reserve, policy=policy, count=count)
    return [message.message_id for message in kept], list(dropped)


CONVERSATION = [
    message(S, "s"), message(U, "u1"), message(A, "a1"), message(U, "u2"), message(A, "a2"), message(U, "u3"),
]  # fmt: skip
WHOLE = count(CONVERSATION)


@pytest.mark.parametrize(
    ("n_ctx", "dropped"),
    [(WHOLE, []), (WHOLE - 1, ["u1", "a1"]), (WHOLE - 30, ["u1", "a1"]), (WHOLE - 31, ["u1", "a1", "u2", "a2"])],
)
def test_oldest_whole_turns_go_first(n_ctx: int, dropped: list[str]) -> None:
    kept, gone = fit(CONVERSATION, n_ctx)
    assert gone == dropped
    assert kept == [m.message_id for m in CONVERSATION if m.message_id not in dropped]


def test_the_answers_place_is_kept_free() -> None:
    assert fit(CONVERSATION, WHOLE + 20, reserve=20)[1] == []
    assert fit(CONVERSATION, WHOLE + 19, reserve=20)[1] == ["u1", "a1"]


def test_a_reserve_larger_than_the_window_takes_half_of_it() -> None:
    assert fit([message(U, "u", 10)], 40, reserve=10_000)[0] == ["u"]


def test_pinned_messages_stay_without_their_turn() -> None:
    messages = [message(S, "s"), message(U, "u1"), message(A, "a1", pinned=True), message(U, "u2"), message(A, "a2")]
    messages.append(message(U, "u3"))
    kept, gone = fit(messages, count(messages) - 31)
    assert gone == ["u1", "u2", "a2"]
    assert kept == ["s", "a1", "u3"]


def test_tool_results_belong_to_their_turn_and_the_last_turn_stays_whole() -> None:
    messages = [message(U, "u1"), message(A, "a1"), message(T, "t1"), message(A, "b1")]
    messages += [message(U, "u2"), message(A, "a2"), message(T, "t2")]
    kept, gone = fit(messages, count(messages) - 1)
    assert gone == ["u1", "a1", "t1", "b1"]
    assert kept == ["u2", "a2", "t2"]


def test_what_must_stay_and_is_too_long_is_said_with_its_excess() -> None:
    messages = [message(S, "s"), message(U, "u1"), message(A, "a1"), message(U, "u2", 500)]
    needed = count([messages[0], messages[3]])
    with pytest.raises(PromptTooLongError) as caught:
        fit(messages, needed - 7)
    assert caught.value.fields["excess"] == 7
    assert "7 tokens too long" in str(caught.value)
    assert fit(messages, needed)[0] == ["s", "u2"]


def test_stopping_instead_of_dropping() -> None:
    with pytest.raises(PromptTooLongError) as caught:
        fit(CONVERSATION, WHOLE - 3, policy=OverflowPolicy.STOP)
    assert caught.value.fields["excess"] == 3
    assert fit(CONVERSATION, WHOLE, policy=OverflowPolicy.STOP)[1] == []


MESSAGES = st.lists(st.tuples(st.sampled_from([U, A, T]), st.integers(0, 40), st.booleans()), max_size=20)


@settings(max_examples=300, deadline=None)
@given(MESSAGES, st.integers(1, 400))
def test_what_is_kept_fits_and_nothing_is_dropped_in_vain(drawn: list[tuple[Role, int, bool]], n_ctx: int) -> None:
    messages = [message(S, "s", 10)]
    messages += [message(role, str(index), size, pinned=pinned) for index, (role, size, pinned) in enumerate(drawn)]
    messages.append(message(U, "last", 10))
    try:
        kept, gone = fit(messages, n_ctx)
    except PromptTooLongError:
        return
    by_name = {m.message_id: m for m in messages}
    assert count([by_name[name] for name in kept]) <= n_ctx
    assert sorted(kept + gone) == sorted(by_name)
    assert {"s", "last"} <= set(kept)
    assert not any(by_name[name].pinned for name in gone)
    free = [m.message_id for m in messages[1:-1] if not m.pinned]
    assert gone == free[: len(gone)]
    if len(gone) == 0:
        assert count(messages) <= n_ctx
