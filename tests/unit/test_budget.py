"""What leaves a conversation that is too long: in which order, how much at once, and that it stays out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.context.assemble import AssembledPrompt, assemble
from engine.context.segments import Origin, PromptMessage, Role, Segment, Trust
from engine.context.templates import choose_template
from engine.errors import PromptTooLongError
from engine.pages import PageState, Region
from engine.types import OverflowPolicy
from tests.unit.test_assemble import Letters

S, U, A, T = Role.SYSTEM, Role.USER, Role.ASSISTANT, Role.TOOL
CHATML = choose_template(None, "")


def message(role: Role, name: str, size: int = 100, **fields: bool) -> PromptMessage:
    return PromptMessage(role, (Segment("x" * size, Origin.USER),), message_id=name, **fields)


def with_file(name: str, size: int, words: int = 20) -> PromptMessage:
    file = Segment("d" * size, Origin.DOCUMENT, Trust.UNTRUSTED, f"{name}.txt")
    return PromptMessage(U, (file, Segment("\n\n", Origin.APP), Segment("w" * words, Origin.USER)), message_id=name)


def turns(count: int, size: int = 100) -> list[PromptMessage]:
    made = [message(S, "s")]
    for n in range(1, count + 1):
        made += [message(U, f"u{n}", size), message(A, f"a{n}", size)]
    return [*made, message(U, "now", size)]


def fit(
    messages: Sequence[PromptMessage], n_ctx: int, reserve: int = 0, policy: OverflowPolicy = OverflowPolicy.DROP_OLDEST
) -> AssembledPrompt:
    return assemble(messages, CHATML, Letters(), n_ctx=n_ctx, answer_reserve=reserve, policy=policy)


def length(messages: Sequence[PromptMessage]) -> int:
    return len(fit(messages, 10_000_000).tokens)


def test_nothing_leaves_while_there_is_room() -> None:
    messages = turns(8)
    assert fit(messages, length(messages)).dropped == ()
    assert fit(messages, length(messages) + 30, reserve=30).dropped == ()
    assert fit(messages, length(messages) + 29, reserve=30).dropped[:2] == ("u1", "a1")


def test_the_oldest_turns_go_until_three_quarters_are_used() -> None:
    messages = turns(8)
    room = length(messages) - 1
    prompt = fit(messages, room)
    assert prompt.dropped == ("u1", "a1", "u2", "a2", "u3", "a3")[: len(prompt.dropped)]
    assert len(prompt.dropped) % 2 == 0
    assert 0.6 * room < len(prompt.tokens) <= 0.75 * room


def test_the_recent_turns_go_only_where_they_must() -> None:
    messages = turns(4, 200)
    needed = length([messages[0], *messages[5:]])  # system, the last two turns and the question
    assert fit(messages, needed).dropped == ("u1", "a1", "u2", "a2")
    assert fit(messages, needed - 1).dropped == ("u1", "a1", "u2", "a2", "u3", "a3")


def test_a_reserve_larger_than_the_window_takes_half_of_it() -> None:
    assert len(fit([message(U, "u", 10)], 120, reserve=10_000).tokens) <= 60


def test_system_and_pinned_messages_stay() -> None:
    messages = turns(6)
    messages[2] = message(A, "a1", pinned=True)
    prompt = fit(messages, length(messages) - 1)
    assert "u1" in prompt.dropped and not {"a1", "s", "now"} & set(prompt.dropped)
    assert {page.region for page in prompt.pages if page.message_id == "a1"} == {Region.PINNED}


def test_tool_results_belong_to_their_turn() -> None:
    messages = [message(U, "u1"), message(A, "a1"), message(T, "t1"), message(A, "b1")]
    messages += [message(U, "u2"), message(A, "a2"), message(U, "u3"), message(A, "a3"), message(U, "u4")]
    assert fit(messages, length(messages) - 1).dropped == ("u1", "a1", "t1", "b1")


def test_an_old_passage_over_its_budget_goes_before_any_turn_and_leaves_a_note() -> None:
    messages = [with_file("u1", 1500), message(A, "a1"), *turns(5)[3:]]
    room = length(messages) - 1
    prompt = fit(messages, room)
    text = Letters().text(prompt.tokens)
    assert prompt.dropped == ()
    assert "[u1.txt was here; left out to save room]" in text and "w" * 20 in text and "ddd" not in text
    pages = [page for page in prompt.pages if page.message_id == "u1"]
    assert [(p.origin, p.tokens) for p in pages if p.state is PageState.OUT] == [("document", 1500)]
    # Positive control: within its budget it stays, and the turns go as they came.
    within = [with_file("u1", 300), message(A, "a1"), *turns(5)[3:]]
    assert fit(within, length(within) - 1).dropped[:2] == ("u1", "a1")


def test_a_passage_named_like_a_mark_stays_letters_in_its_note() -> None:
    messages = [with_file("<|im_end|>\u202e", 1500), message(A, "a1"), *turns(5)[3:]]
    prompt = fit(messages, length(messages) - 1)
    assert "[<|im_end|>.txt was here" in Letters().text(prompt.tokens)
    # Head, tail and the begun answer: as many marks as the messages make, none by the name.
    assert sum(token >= 2_000_000 for token in prompt.tokens) == 2 * len(messages) + 1


def test_what_is_excluded_leaves_whatever_room_there_is() -> None:
    messages = turns(4)
    messages[3] = message(U, "u2", excluded=True)
    prompt = fit(messages, 10_000)
    assert prompt.dropped == ("u2",)
    assert [(p.state, p.tokens) for p in prompt.pages if p.message_id == "u2"] == [(PageState.OUT, 100)]
    with_last = [*messages[:-1], message(U, "now", excluded=True)]
    assert fit(with_last, 10_000).dropped == ("u2",), "the question itself always goes in"


def test_stopping_instead_of_dropping() -> None:
    messages = turns(4)
    with pytest.raises(PromptTooLongError) as caught:
        fit(messages, length(messages) - 3, policy=OverflowPolicy.STOP)
    assert caught.value.fields["excess"] == 3
    assert fit(messages, length(messages), policy=OverflowPolicy.STOP).dropped == ()


@pytest.mark.parametrize(
    ("messages", "region", "words"),
    [
        ([message(S, "s", 900), message(U, "now")], "system", "instructions"),
        ([message(U, "p", 900, pinned=True), message(A, "a"), message(U, "now")], "pinned", "Unpin"),
        ([message(S, "s"), message(U, "now", 900)], "recent", "Your message is 7 tokens too long"),
        ([message(S, "s"), with_file("now", 900)], "retrieved", "Attach less"),
    ],
)
def test_what_must_stay_and_is_too_long_is_named(messages: list[PromptMessage], region: str, words: str) -> None:
    must = [each for each in messages if each.message_id != "a"]
    with pytest.raises(PromptTooLongError) as caught:
        fit(messages, length(must) - 7)
    assert (caught.value.fields["excess"], caught.value.fields["region"]) == (7, region)
    assert words in str(caught.value)
    assert fit(messages, length(must)).tokens


def test_a_summary_leaves_last() -> None:
    summary = PromptMessage(U, (Segment("x" * 100, Origin.SUMMARY),), message_id="sum")
    messages = [summary, *turns(4)[1:]]
    assert "sum" not in fit(messages, length([summary, messages[-1]])).dropped
    assert "sum" in fit(messages, length([summary, messages[-1]]) - 1).dropped


# Pages and regions


def test_the_pages_add_up_and_are_in_order() -> None:
    messages = [message(S, "s"), with_file("u1", 60), message(A, "a1"), message(U, "now")]
    prompt = fit(messages, 10_000, reserve=100)
    assert sum(page.tokens for page in prompt.pages) == len(prompt.tokens)
    assert [page.origin for page in prompt.pages] == [
        "app", "user", "app", "document", "app", "user", "app", "user", "app", "user", "app",
    ]  # fmt: skip
    assert [page.message_id for page in prompt.pages if page.origin != "app"] == ["s", "u1", "u1", "a1", "now"]
    held = {use.region: use for use in prompt.regions}
    assert held[Region.RETRIEVED].tokens == 60
    assert (held[Region.ANSWER].tokens, held[Region.ANSWER].budget) == (100, 100)
    assert sum(use.tokens for region, use in held.items() if region is not Region.ANSWER) == len(prompt.tokens)


def test_dropped_pages_stand_at_their_place_and_the_next_ones_are_marked() -> None:
    messages = turns(8)
    prompt = fit(messages, length(messages) - 1)
    states = {page.message_id: page.state for page in prompt.pages if page.origin == "user"}
    assert list(states) == [each.message_id for each in messages]
    names = list(states)
    n_out = len(prompt.dropped)
    assert all(states[name] is PageState.OUT for name in names[1 : n_out + 1])
    assert states[names[n_out + 1]] is PageState.NEXT_OUT
    assert {states[name] for name in (*names[-5:], "s")} == {PageState.IN_WINDOW}
    assert sum(page.tokens for page in prompt.pages if page.state is not PageState.OUT) == len(prompt.tokens)


def test_what_is_marked_as_next_is_what_leaves_next() -> None:
    messages = turns(8)
    room = length(messages)
    before = fit(messages, room)
    after = fit([*messages, message(A, "an", 60), message(U, "then", 60)], room)
    next_out = {page.message_id for page in before.pages if page.state is PageState.NEXT_OUT}
    assert next_out <= set(after.dropped) and after.dropped[0] in next_out


# What left stays out


def test_two_hundred_growing_turns_only_append() -> None:
    """A prompt begins with the whole prompt before it, its answer included, but for a few turns."""
    history = [message(S, "s", 150)]
    last: list[int] = []
    cuts = 0
    for n in range(200):
        history.append(message(U, f"u{n}", 40 + 53 * n % 160))
        prompt = fit(history, 4096, reserve=512)
        assert len(prompt.tokens) <= 4096 - 512
        if prompt.tokens[: len(last)] != last:
            cuts += 1
            assert len(prompt.tokens) <= 0.75 * (4096 - 512) + 200
        answer = "y" * (60 + 71 * n % 240)
        history.append(PromptMessage(A, (Segment(answer, Origin.ASSISTANT),), message_id=f"a{n}"))
        last = prompt.tokens + [ord(letter) for letter in answer]
    total = sum(len(each.text) for each in history)
    assert cuts <= total / (0.2 * (4096 - 512)), cuts
    assert cuts < 200 * 0.3


DRAWN = st.lists(st.tuples(st.sampled_from([U, A, T]), st.integers(0, 200), st.booleans(), st.booleans()), max_size=30)


@settings(max_examples=200, deadline=None)
@given(DRAWN, st.integers(40, 3000))
def test_what_is_kept_fits_and_all_else_is_named(drawn: list[tuple[Role, int, bool, bool]], n_ctx: int) -> None:
    messages = [message(S, "s", 10)]
    for index, (role, size, pinned, file) in enumerate(drawn):
        made = with_file(str(index), size) if file and role is U else message(role, str(index), size)
        messages.append(PromptMessage(made.role, made.segments, made.message_id, pinned))
    messages.append(message(U, "last", 10))
    try:
        prompt = fit(messages, n_ctx)
    except PromptTooLongError:
        must = [each for each in messages if each.pinned or each.message_id in ("s", "last")]
        assert length(must) > n_ctx
        return
    kept = {page.message_id for page in prompt.pages if page.state is not PageState.OUT and page.tokens}
    assert len(prompt.tokens) <= n_ctx
    assert sum(page.tokens for page in prompt.pages if page.state is not PageState.OUT) == len(prompt.tokens)
    assert {"s", "last"} <= kept and not kept & set(prompt.dropped)
    assert not {each.message_id for each in messages if each.pinned} & set(prompt.dropped)
    if prompt.dropped:
        assert length(messages) > n_ctx
