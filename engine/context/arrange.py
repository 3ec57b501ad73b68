"""Bringing conversations into the forms that chat templates take. Knows no template's words.

A model's Jinja refuses what it was not trained on ("roles must alternate"). A person's conversation is never
refused: it is rearranged here, and the rule is said beside each function.
"""

from __future__ import annotations

from engine.context.chat_template import Turn
from engine.context.pieces import Content, plain
from engine.context.segments import Role

_BREAK = plain("\n\n")


def as_it_is(turns: list[Turn]) -> list[Turn]:
    """For templates that take any roles in any order."""
    return turns


def tools_as_users(turns: list[Turn]) -> list[Turn]:
    """A tool's result is said by the user, for models without a word for tools."""
    return [Turn(Role.USER, turn.content) if turn.role is Role.TOOL else turn for turn in turns]


def later_systems_as_users(turns: list[Turn]) -> list[Turn]:
    """A system message that is not the first is said by the user, as is a tool's result."""
    return [
        Turn(Role.USER, turn.content) if turn.role is Role.SYSTEM and index else turn
        for index, turn in enumerate(tools_as_users(turns))
    ]


def systems_first(turns: list[Turn]) -> list[Turn]:
    """All system messages become one, at the beginning; tools' results are said by the user."""
    systems = [turn.content for turn in turns if turn.role is Role.SYSTEM]
    others = [turn for turn in tools_as_users(turns) if turn.role is not Role.SYSTEM]
    if not systems:
        return others
    whole = systems[0]
    for content in systems[1:]:
        whole = whole + _BREAK + content
    return [Turn(Role.SYSTEM, whole), *others]


def alternating(turns: list[Turn]) -> list[Turn]:
    """At most one system message, first; then user and assistant in turn, beginning with the user.

    Later system messages are said by the user, neighbours of one role are joined by an empty line, and an
    assistant who begins answers an empty message.
    """
    arranged: list[Turn] = []
    for turn in tools_as_users(turns):
        role = Role.USER if turn.role is Role.SYSTEM and arranged else turn.role
        last = arranged[-1] if arranged else None
        if last is not None and last.role is role:
            arranged[-1] = Turn(role, last.content + _BREAK + turn.content)
        elif role is Role.ASSISTANT and (last is None or last.role is Role.SYSTEM):
            arranged += [Turn(Role.USER, Content(())), turn]
        else:
            arranged.append(Turn(role, turn.content))
    return arranged


def without_system(turns: list[Turn]) -> list[Turn]:
    """`alternating`, and the system message begins the first user message, for models that know no system."""
    system, rest = split_system(alternating(turns))
    if system is None:
        return rest
    if not rest:
        return [Turn(Role.USER, system)]
    return [Turn(Role.USER, system + _BREAK + rest[0].content), *rest[1:]]


def split_system(turns: list[Turn]) -> tuple[Content | None, list[Turn]]:
    """The leading system message, and the others."""
    if turns and turns[0].role is Role.SYSTEM:
        return turns[0].content, turns[1:]
    return None, turns
