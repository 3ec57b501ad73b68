"""What is known of a model, line by line in words: of any row, and more of the loaded one. Texts only."""

from __future__ import annotations

from app.i18n import ntr, tr
from app.model_entry import Availability, ModelEntry
from app.ui.amounts import bytes_text, count_text, params_text
from engine.types import KvType, LoadedModel

_FORMATS = {
    "chatml": "ChatML",
    "command-r": "Command R",
    "command-r7b": "Command R7B",
    "deepseek-r1": "DeepSeek R1",
    "deepseek-v2": "DeepSeek V2",
    "deepseek-v3": "DeepSeek V3",
    "gemma": "Gemma",
    "gpt-oss": "gpt-oss (Harmony)",
    "granite3": "Granite 3",
    "granite3.3": "Granite 3.3",
    "llama2": "Llama 2",
    "llama3": "Llama 3",
    "llama3.1": "Llama 3.1",
    "llama3.2": "Llama 3.2",
    "mistral-small": "Mistral Small",
    "mistral-v0": "Mistral",
    "mistral-v1": "Mistral V1",
    "mistral-v3": "Mistral V3",
    "mistral-v3-tekken": "Mistral V3 Tekken",
    "mistral-v7": "Mistral V7",
    "mistral-v7-tekken": "Mistral V7 Tekken",
    "phi3": "Phi 3",
    "phi3-medium": "Phi 3 Medium",
    "phi3-small": "Phi 3 Small",
    "phi3.5": "Phi 3.5",
    "phi4": "Phi 4",
    "phi4-mini": "Phi 4 Mini",
    "qwen2": "Qwen 2",
    "qwen2.5": "Qwen 2.5",
    "qwen3": "Qwen 3",
    "smollm2": "SmolLM2",
    "smollm3": "SmolLM3",
}
"""Names of the reviewed chat templates' families, as their makers write them."""


def format_text(family: str) -> str:
    """What to call a loaded model's chat template."""
    if family == "jinja":
        return tr("From the model file")
    return tr("{name} (built in)", name=_FORMATS.get(family, family)) if family else ""


def kv_name(kv_type: KvType) -> str:
    """How large a KV cache of this type is, beside the full one."""
    return {KvType.F16: tr("Full"), KvType.Q8_0: tr("Half the size"), KvType.Q4_0: tr("A quarter of the size")}[kv_type]


def kv_cost(kv_type: KvType) -> str:
    """What a smaller KV cache costs, as measured by tests/evaluation/kv_types.py with the 0.5B model, on a processor.

    Larger models lose less.
    """
    return {
        KvType.F16: "",
        KvType.Q8_0: tr(
            "Tested with a small model on a processor: 9 of 10 words came out the same, and long chats were read"
            " about half as fast."
        ),
        KvType.Q4_0: tr(
            "Tested with a small model on a processor: 6 of 10 words came out the same, answers got worse, and long"
            " chats were read less than half as fast."
        ),
    }[kv_type]


def row_facts(row: ModelEntry, loaded: LoadedModel | None) -> list[tuple[str, str]]:
    """(title, value) of what is known of a row; `loaded` is the model in use, which may be another one."""
    model = loaded if row.loaded else None
    if row.availability is Availability.ELSEWHERE:
        return _known([(tr("Address"), row.host), *_window(row, model), *_notes(model)])
    facts = [
        (tr("Parameters"), params_text(row.n_params)),
        (tr("Quantisation"), row.quantisation),
        (tr("Architecture"), row.architecture),
        *_window(row, model),
        (tr("Chat format"), format_text(model.template) if model is not None else ""),
        (tr("Size"), bytes_text(row.size_bytes) if row.size_bytes else ""),
        (tr("Licence"), row.licence),
        (tr("Found in"), ", ".join(row.sources)),
    ]
    return _known([*facts, *(_running(model) if model is not None else ()), *_notes(model)])


def _known(facts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(title, value) for title, value in facts if value]


def _window(row: ModelEntry, model: LoadedModel | None) -> list[tuple[str, str]]:
    trained = row.n_ctx_train
    return [
        (tr("Trained for"), tr("{count} tokens", count=count_text(trained)) if trained else ""),
        (tr("Reads at once"), tr("{count} tokens", count=count_text(model.n_ctx)) if model and model.n_ctx else ""),
    ]


def _running(model: LoadedModel) -> list[tuple[str, str]]:
    """How it runs here."""
    threads = ntr("{count} thread", "{count} threads", model.n_threads)
    layers = ntr("{count} layer on the card", "{count} layers on the card", model.n_gpu_layers)
    on_card = model.backend != "CPU" and model.n_gpu_layers != 0
    cells = model.n_cells
    return [
        (tr("Runs on"), ", ".join([model.backend, *([layers] if on_card else []), threads])),
        (tr("Remembers"), tr("{count} tokens of all chats", count=count_text(cells)) if cells else ""),
        (tr("Precision"), kv_name(model.kv_type) if cells else ""),
        (tr("Flash attention"), tr("On") if model.flash_attention else tr("Off")),
    ]


def _notes(model: LoadedModel | None) -> list[tuple[str, str]]:
    """Wishes that loading could not fulfil."""
    return [(tr("Note"), "\n".join(tr(note) for note in model.notes) if model is not None else "")]
