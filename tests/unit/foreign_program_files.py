"""Files of other programs as people have them, of our own writing: Open WebUI, LM Studio, Jan, skills, copied GPTs."""

from __future__ import annotations

from typing import Any

from tests.unit.foreign_card_files import ICON


def webui(**others: Any) -> dict[str, Any]:
    """A model as Open WebUI exports it."""
    return {
        "id": "tutor",
        "user_id": "7f3c",
        "base_model_id": "llama3.2:3b",
        "name": "Tutor",
        "params": {"system": "You teach Spanish."},
        "meta": {
            "profile_image_url": "/static/favicon.png",
            "description": "A Spanish tutor",
            "capabilities": {"vision": False, "citations": True},
            "suggestion_prompts": None,
            "tags": [],
        },
        "access_control": None,
        "is_active": True,
        "updated_at": 1730000000,
        "created_at": 1720000000,
        **others,
    }


OPEN_WEBUI: dict[str, Any] = {
    "plain": webui(),
    "all parameters": webui(
        params={
            "system": "Sé breve.",
            "temperature": 0.7,
            "top_p": 0.9,
            "top_k": 40,
            "min_p": 0.05,
            "repeat_penalty": 1.1,
            "max_tokens": 512,
            "num_ctx": 8192,
            "stop": ["</s>", "\n\n"],
            "seed": 0,
            "function_calling": "native",
            "custom_params": {"mirostat": "2"},
        }
    ),
    "starters and tags": webui(
        meta={
            "description": None,
            "suggestion_prompts": [{"content": "¿Cómo estás?"}, {"content": "Corrige mi texto"}],
            "tags": [{"name": "language"}, {"name": "español"}],
        }
    ),
    "starters with titles": webui(
        meta={"suggestion_prompts": [{"content": "Plan a trip", "title": ["Plan", "a trip"]}, {"title": ["only"]}, "x"]}
    ),
    "icon inside": webui(meta={"profile_image_url": ICON, "description": ""}),
    "icon elsewhere": webui(meta={"profile_image_url": "data:image/webp;base64,UklGRg==", "hidden": True}),
    "knowledge and tools": webui(
        meta={
            "knowledge": [{"id": "k1", "name": "Handbook", "type": "collection", "files": [{"id": "f"}]}],
            "toolIds": ["weather"],
            "filterIds": [],
            "actionIds": ["share"],
            "defaultFeatureIds": ["web_search"],
        }
    ),
    "older, with info": {
        "id": "tutor:latest",
        "name": "Tutor (outer)",
        "object": "model",
        "created": 1716000000,
        "owned_by": "ollama",
        "preset": True,
        "info": webui(name="Tutor", base_model_id="llama3:8b"),
    },
    "with user and grants": webui(
        user={"id": "7f3c", "name": "Ana", "role": "admin"}, access_grants=[], write_access=True
    ),
    "odd numbers": webui(
        params={"temperature": 9.5, "top_k": 40.5, "top_p": True, "min_p": None, "max_tokens": -1, "system": None}
    ),
    "base model": webui(base_model_id=None, params={}, meta={}),
    "no name to speak of": webui(name="  ", id="名"),
    "unicode": webui(name="Übersetzer 🇩🇪", params={"system": "Übersetze.\r\nSonst nichts.\t"}),
}


def field(key: str, value: Any) -> dict[str, Any]:
    """One setting of a preset."""
    return {"key": f"llm.prediction.{key}", "value": value}


def preset(*fields: Any, **others: Any) -> dict[str, Any]:
    """A preset as LM Studio writes it."""
    return {
        "identifier": "@local:tutor",
        "name": "Tutor",
        "changed": False,
        "operation": {"fields": list(fields)},
        "load": {"fields": []},
        **others,
    }


LM_STUDIO: dict[str, Any] = {
    "prompt": preset(field("systemPrompt", "You teach Spanish.")),
    "empty": preset(),
    "all parameters": preset(
        field("temperature", 0.2),
        field("systemPrompt", "Brief."),
        field("topKSampling", 40),
        field("topPSampling", {"checked": True, "value": 0.95}),
        field("minPSampling", {"checked": True, "value": 0.05}),
        field("repeatPenalty", {"checked": True, "value": 1.1}),
        field("maxPredictedTokens", {"checked": True, "value": 1000}),
    ),
    "switched off": preset(
        field("repeatPenalty", {"checked": False, "value": 1.1}),
        field("maxPredictedTokens", {"checked": False, "value": 2048}),
        field("topPSampling", 0.9),
    ),
    "unknown settings": preset(
        field("systemPrompt", ""),
        field("structured", {"type": "json", "jsonSchema": {"type": "object", "properties": {}}}),
        field("stopStrings", ["</s>"]),
        field("contextOverflowPolicy", "truncateMiddle"),
        field("tools", {"type": "none"}),
        field("llama.cpuThreads", 4),
        field("reasoning.parsing", {"enabled": True, "startString": "<think>", "endString": "</think>"}),
    ),
    "load settings": preset(
        field("systemPrompt", "x"),
        load={"fields": [{"key": "llm.load.contextLength", "value": 8192}, {"key": "llm.load.seed", "value": None}]},
    ),
    "no load": {
        "identifier": "@local:a",
        "name": "A",
        "changed": True,
        "operation": {"fields": [field("systemPrompt", "a")]},
    },
    "the same key twice": preset(field("systemPrompt", "one"), field("systemPrompt", "two"), field("temperature", 1)),
    "odd fields": preset("x", None, {"key": 5}, {"value": 1}, field("temperature", "warm"), field("topKSampling", -1)),
    "published": preset(
        field("systemPrompt", "Du korrigierst Briefe.\n\n* kurz\n* höflich"),
        name="Brief-Korrektor ✉️",
        identifier="@somebody/brief-korrektor",
        manifest={"type": "preset", "owner": "somebody", "revision": 3},
    ),
    "extra beside values": preset(
        {**field("temperature", 0.5), "locked": True}, {**field("systemPrompt", "p"), "note": "n"}
    ),
}


def assistant(**others: Any) -> dict[str, Any]:
    """An assistant as Jan writes it."""
    return {
        "id": "jan",
        "object": "assistant",
        "avatar": "👋",
        "name": "Jan",
        "created_at": 1747029866.542,
        "description": "A default assistant",
        "model": "*",
        "instructions": "You are a helpful assistant.",
        "tools": [],
        "file_ids": [],
        **others,
    }


JAN: dict[str, Any] = {
    "default": assistant(),
    "retrieval": assistant(
        tools=[{"type": "retrieval", "enabled": False, "settings": {"top_k": 2, "chunk_size": 1024}}], metadata=None
    ),
    "parameters": assistant(
        parameters={"temperature": 0.7, "top_p": 0.95, "top_k": 20, "max_tokens": 1024, "stream": True, "stop": []}
    ),
    "own model": assistant(model="qwen2.5-7b-instruct"),
    "empty": assistant(name="", description="", instructions="", avatar="", model=""),
    "newer": {
        "id": "1747029866542",
        "name": "Koch",
        "avatar": "/images/chef.png",
        "created_at": 1747029866,
        "instructions": "Du kochst mit dem, was da ist.",
        "parameters": {"temperature": 1.2, "presence_penalty": 0.1, "custom": {"a": [1]}},
        "tool_steps": 20,
    },
    "no description": {"id": "x", "name": "X", "instructions": "x", "file_ids": []},
    "with files": assistant(file_ids=["file-1", "file-2"], thread_location=None),
    "wrong types": assistant(name=5, instructions=None, parameters=[], model={"id": "m"}, description=["d"]),
    "odd numbers": assistant(parameters={"temperature": -1, "top_k": "20", "top_p": False, "max_tokens": 10**12}),
    "unicode": assistant(name="ヤン", instructions="{{current_date}} — 日本語で答える。", description="助手\n二行目"),
    "unknown": assistant(metadata={"deep": {"er": [None, {"x": 1}]}}, version="1.0", events={"in": "*"}),
}

SKILLS: dict[str, tuple[str, dict[str, bytes]]] = {
    "smallest": ("---\nname: greet\ndescription: Greets people\n---\nSay hello.\n", {}),
    "all fields": (
        "---\nname: contract-reader\ndescription: Reads contracts. Use when somebody shows a contract.\n"
        "license: Apache-2.0\ncompatibility: needs nothing\nallowed-tools: Bash(git:*) Read\n"
        'metadata:\n  author: example-org\n  version: "1.0"\n---\n\n# Contracts\n\nRead the small print.\n',
        {"handbook.md": b"# Handbook\n", "LICENSE.txt": b"Apache"},
    ),
    "folded": ("---\nname: folded\ndescription: >\n  One line\n  and another.\n\n  A paragraph.\n---\n\nBody\n", {}),
    "literal": (
        '---\nname: literal\ndescription: |-\n  First: with a colon\n  TRIGGER — read "this" # no comment\n'
        "---\nBody\n\n---\n\nA rule.\n",
        {},
    ),
    "quoted": ('---\nname: "quoted"\ndescription: "With: colon, \\"quotes\\" and \\u00e4"\n---\nBody', {}),
    "nested paths": (
        "---\nname: theme-factory\ndescription: Themes\n---\n\nSee themes/arctic.md and [docs](docs/guide.md).\n",
        {
            "themes/arctic.md": b"cold",
            "themes/desert.md": b"hot",
            "docs/guide.md": b"guide",
            "scripts/run.py": b"print('never run')\n",
        },
    ),
    "version as a number": (
        "---\nname: n\ndescription: d\nmetadata:\n  version: 1.0\n  count: 3\n  on: true\n---\nx\n",
        {},
    ),
    "dates and words": (
        "---\nname: w\ndescription: yes\nwhen: 2024-01-02\nratio: 1:30\nempty:\nhex: 0x1f\n---\nx\n",
        {},
    ),
    "lists": (
        "---\nname: l\ndescription: d\ntags: [a, b, {c: [1, 2.5]}]\nallowed-tools:\n"
        "  - Read\n  - Write\n---\n- a\n- b\n",
        {},
    ),
    "unicode": (
        "---\nname: ubersicht\ndescription: Übersicht über 東京 🗼\nmetadata:\n  author: Ünal\n---\nGrüße\n",
        {"東京.md": "塔".encode()},
    ),
    "display name": ("---\nname: pdf-wizard\ndescription: d\nmetadata:\n  hearth-name: PDF Wizard\n---\nx\n", {}),
    "windows line ends": ("---\r\nname: crlf\r\ndescription: d\r\n---\r\n\r\nOne\r\n\r\nTwo\r\n", {}),
    "no front matter": ("# Just text\n\nNothing above.\n", {"a.csv": b"a,b\n1,2\n"}),
    "empty body": ("---\nname: void\ndescription: d\n---\n", {}),
}

GPTS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole page": (
        "Name\nTax helper\nDescription\nExplains tax letters\nInstructions\nYou explain letters.\n\n# Name\n"
        "Ask for it.\n"
        "Conversation starters\n- Explain this letter\n- \nKnowledge\nletter.pdf\nCapabilities\nWeb Search",
        {
            "name": "Tax helper",
            "description": "Explains tax letters",
            "instructions": "You explain letters.\n\n# Name\nAsk for it.",
            "starters": ("Explain this letter",),
        },
    ),
    "only instructions": ("You are a poet.\nWrite.", {"instructions": "You are a poet.\nWrite."}),
    "colons": ("Name: \nA\nInstructions:\nB", {"name": "A", "instructions": "B"}),
    "quotes and bullets": (
        'Name\nX\nInstructions\ny\nConversation starters\n“One?”\n1. Two?\n• "Three?"\n* „Vier?“\nOne?',
        {"name": "X", "starters": ("One?", "Two?", "Three?", "Vier?")},
    ),
    "German": (
        "Name\nKoch\nBeschreibung\nKocht\nAnweisungen\nDu kochst.\nGesprächseinstiege\nWas gibt es?",
        {"name": "Koch", "description": "Kocht", "instructions": "Du kochst.", "starters": ("Was gibt es?",)},
    ),
    "hints of empty fields": (
        "Name\nName your GPT\nDescription\nAdd a short description about what this GPT does\nInstructions\nBe brief.\n"
        "Conversations with your GPT can potentially include part or all of the instructions provided.",
        {"name": "My GPT", "description": "", "instructions": "Be brief."},
    ),
    "labels inside the instructions": (
        "Name\nY\nInstructions\nAnswer with\nDescription\nand a table.\nConversation starters\nGo",
        {"name": "Y", "description": "", "instructions": "Answer with\nDescription\nand a table.", "starters": ("Go",)},
    ),
    "windows": ("Name\r\nZ\r\nInstructions\r\nA\r\nB", {"name": "Z", "instructions": "A\nB"}),
    "no description": (
        "Name\nQ\nInstructions\nq\nKnowledge\nx.pdf",
        {"name": "Q", "instructions": "q", "starters": ()},
    ),
    "unicode": (
        "Name\n旅 ガイド\nInstructions\n旅を計画する。",
        {"name": "旅 ガイド", "instructions": "旅を計画する。"},
    ),
    "markdown": (
        "Instructions\n# Role\n- *You* are `x`.\n\n## Name\nNo.",
        {"instructions": "# Role\n- *You* are `x`.\n\n## Name\nNo."},
    ),
}
