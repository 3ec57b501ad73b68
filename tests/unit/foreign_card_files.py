"""Character cards as people have them, of our own writing: tidy, odd, and as different editors write them."""

from __future__ import annotations

import copy
from typing import Any

ICON = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
"""One grey pixel."""


def v2(**data: Any) -> dict[str, Any]:
    """A V2 card with all the fields that V2 calls for."""
    return {
        "spec": "chara_card_v2",
        "spec_version": "2.0",
        "data": {
            "name": "Ada",
            "description": "",
            "personality": "",
            "scenario": "",
            "first_mes": "",
            "mes_example": "",
            "creator_notes": "",
            "system_prompt": "",
            "post_history_instructions": "",
            "alternate_greetings": [],
            "tags": [],
            "creator": "",
            "character_version": "",
            "extensions": {},
            **data,
        },
    }


def v3(**data: Any) -> dict[str, Any]:
    """A V3 card with all the fields that V3 calls for."""
    card = v2(**{"group_only_greetings": [], **data})
    return card | {"spec": "chara_card_v3", "spec_version": "3.0"}


def entry(keys: list[str], content: str, **others: Any) -> dict[str, Any]:
    """An entry of a lorebook."""
    return {"keys": keys, "content": content, "extensions": {}, "enabled": True, "insertion_order": 10, **others}


def book(*entries: Any, **others: Any) -> dict[str, Any]:
    """A lorebook."""
    return {"entries": list(entries), "extensions": {}, **others}


def as_sillytavern(card: dict[str, Any]) -> dict[str, Any]:
    """With the fields of V1 beside `data`, as SillyTavern writes them."""
    data = copy.deepcopy(card["data"])
    top = {key: data[key] for key in ("name", "description", "personality", "scenario", "first_mes", "mes_example")}
    return {
        **top,
        "creatorcomment": data["creator_notes"],
        "avatar": "none",
        "chat": "Ada - 2024-3-1 @12h 0m 0s 0ms",
        "talkativeness": "0.5",
        "fav": False,
        "tags": data["tags"],
        "create_date": "2024-3-1 @12h 0m 0s 0ms",
        **card,
    }


ADA = {
    "name": "Ada Lovelace",
    "description": "{{char}} is a mathematician in London, 1843. {{char}} explains with looms and punched cards.",
    "personality": "precise, warm, impatient with vagueness",
    "scenario": "{{user}} visits {{char}} in her study.",
    "first_mes": "*She looks up from her notes.* Ah, {{user}}. Sit down. What shall we compute?",
    "mes_example": "<START>\n{{user}}: What is a loop?\n{{char}}: A cycle, my dear {{user}}.\n<START>\n{{user}}: Why?",
    "creator_notes": "Made for teaching. Works well with 1B models.",
    "system_prompt": "{{original}}\nWrite short paragraphs.",
    "post_history_instructions": "{{original}} Never break character.",
    "alternate_greetings": ["You are late, {{user}}.", "", "Bonjour, {{user}} !"],
    "tags": ["history", "Teaching", "1800s"],
    "creator": "lovelace_fan",
    "character_version": "1.2.0",
}

V2: dict[str, dict[str, Any]] = {
    "whole": v2(**ADA),
    "empty": v2(),
    "only a description": v2(name="Kai", description="A quiet ranger.\n\n\nKnows the north."),
    "only a system prompt": v2(name="Pip", system_prompt="You correct German letters. Answer with the letter only."),
    "unicode": v2(
        name="竜の子 リン",
        description="白い竜。\u200bZero width, emoji 👩‍👩‍👧, a\u0301 decomposed, \u202eright to left\u202c.",
        first_mes="こんにちは、{{user}}さん。",
        tags=["ファンタジー", "  spaced  ", "", "竜"],
        creator="名無し\nwith a second line",
    ),
    "lorebook": v2(
        name="Keeper",
        description="Keeps the lighthouse.",
        character_book=book(
            entry(["dragon", "wyrm"], "Dragons sleep under the lighthouse.", id=1, comment="Dragons", priority=5),
            entry(["oil"], "The oil comes by ship.", selective=True, secondary_keys=["ship", "boat"], name="Oil"),
            entry(["fog"], "Fog hides the rocks.", selective=False, secondary_keys=["night"], case_sensitive=True),
            entry([], "It is 1911.", constant=True, position="before_char", insertion_order=1),
            entry(["x"], "", enabled=False, insertion_order=0),
            name="World of Keeper",
            description="",
            scan_depth=4,
            token_budget=512,
            recursive_scanning=True,
            extensions={"agnai": {"memory": [1, 2.5, None]}},
        ),
    ),
    "nested extensions": v2(
        name="Deep",
        extensions={
            "talkativeness": "0.5",
            "fav": False,
            "world": "",
            "depth_prompt": {"prompt": "Be brief.", "depth": 4, "role": "system"},
            "chub": {"id": 123456, "full_path": "x/y", "preset": None, "related_lorebooks": [], "alt_expressions": {}},
            "a": {"b": {"c": {"d": [{"e": [[], {}, "", 0, -1.5e-3, True]}]}}},
        },
    ),
    "as SillyTavern writes": as_sillytavern(v2(**ADA)),
    "as SillyTavern writes, a copy out of step": {**as_sillytavern(v2(**ADA)), "description": "An older text."},
    "required fields missing": {
        "spec": "chara_card_v2",
        "spec_version": "2.0",
        "data": {"name": "Bare", "description": "x", "first_mes": "Hi"},
    },
    "wrong types": v2(
        name="Odd",
        description=None,
        tags="a, b",
        alternate_greetings=None,
        creator=7,
        character_version=2,
        character_book={
            "entries": [
                "no entry",
                None,
                {"keys": "dragon", "content": 5},
                entry(["a", 7, None], "b", enabled="yes", insertion_order=1.5, constant=1, selective="true"),
            ]
        },
    ),
    "unknown fields": {
        **v2(name="New", avatar="https://example.com/a.png", future_field={"x": [1]}),
        "exporter": {"name": "editor", "version": 9},
        "spec_version": "2.0",
    },
    "headings of its own": v2(
        name="Loud",
        system_prompt="## Personality\n\nNot ours, though it looks so.",
        description="# Loud\n\n## The situation\n\nA heading inside.",
        personality="  loud  ",
    ),
    "null book": v2(name="Nobook", character_book=None),
}

V3: dict[str, dict[str, Any]] = {
    "whole": v3(
        **ADA,
        nickname="Ada",
        creator_notes_multilingual={"en": "For teaching.", "de": "Zum Lernen.", "ja": "学習用。"},
        source=["https://example.com/ada", "card:123"],
        creation_date=1700000000,
        modification_date=0,
        assets=[
            {"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"},
            {"type": "emotion", "uri": "embeded://assets/emotion/images/happy.png", "name": "happy", "ext": "png"},
            {"type": "x_risu_asset", "uri": "https://example.com/a.webm", "name": "clip", "ext": "webm"},
        ],
    ),
    "empty": v3(),
    "icon inside": v3(name="Iconic", assets=[{"type": "icon", "uri": ICON, "name": "main", "ext": "png"}], nickname=""),
    "two icons": v3(
        name="Two",
        assets=[
            {"type": "icon", "uri": "https://example.com/side.png", "name": "side", "ext": "png"},
            {"type": "icon", "uri": ICON, "name": "main", "ext": "png", "extra": 1},
            {"type": "background", "uri": "data:image/webp;base64,UklGRg==", "name": "main", "ext": "webp"},
        ],
    ),
    "assets of wrong types": v3(name="Broken", assets=["x", None, {"type": "icon"}, {"type": 5, "uri": 7}]),
    "regex and decorators": v3(
        name="Oracle",
        character_book=book(
            entry([r"/\b(?:dragon|wyrm)s?\b/i"], "Old ones.", use_regex=True, constant=False, id="a-1"),
            entry([r"(a+)+$"], "Never found.", use_regex=True),
            entry(["sea"], "@@depth 4\n@@role system\n\nThe sea is high.", use_regex=False, constant=False),
            entry(
                ["a"], "@@activate_only_after 3\n@@@activate\nLate.", use_regex=False, selective=True, secondary_keys=[]
            ),
            entry([], "@@dont_activate\nHidden.", use_regex=False, constant=True, insertion_order=-5),
        ),
    ),
    "group greetings": v3(
        name="Crowd",
        first_mes="Hello.",
        alternate_greetings=["Hi.", "{{random:Hey,Ho}} {{user}}"],
        group_only_greetings=["Hello, all.", ""],
    ),
    "newer version": {**v3(name="Next", hologram={"on": True}), "spec_version": "3.1"},
    "as SillyTavern writes": as_sillytavern(v3(**ADA)),
    "many languages": v3(
        name="Многоязычный",
        creator_notes="Прочитай меня",
        creator_notes_multilingual={"ru": "Прочитай меня", "ar": "اقرأني", "he": "קרא אותי", "xx": ""},
        description="Говорит на всех языках. مرحبا",
        tags=["ар", "עברית"],
    ),
    "big numbers": v3(
        name="Numbers",
        creation_date=1.7e9,
        extensions={"id": 123456789012345678901234567890, "tiny": 5e-324, "neg": -0.0, "f": 0.1},
        character_book=book(entry(["n"], "n", insertion_order=4294967296, priority=-1)),
    ),
    "lorebook with settings": v3(
        name="World",
        character_book=book(
            entry(["京都"], "京都は古い。", use_regex=False, name="京都", comment="", case_sensitive=None),
            scan_depth=100,
            token_budget=0,
            recursive_scanning=False,
            name=None,
        ),
    ),
    "own fields": v3(
        name="Ours", extensions={"hearth": {"starters": ["Where do I begin?"], "licence": "CC-BY-4.0", "x": 1}}
    ),
}

V1: dict[str, Any] = {
    "name": "Old One",
    "description": "From before.",
    "personality": "grumpy",
    "scenario": "",
    "first_mes": "Hm.",
    "mes_example": "",
    "extra": {"kept": True},
}
