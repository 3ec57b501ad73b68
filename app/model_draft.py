"""Whether a small model can guess ahead for a large one, from the two headers alone. Loads nothing.

The worker looks again with both loaded (`engine.model.draft_model`); this says it before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.model_entry import Availability, ModelEntry
from engine.errors import ModelFileError, sentence
from engine.model.description import ModelDescription, ModelKind, describe
from engine.model.gguf import GgufArray, read_header

SMALLER = 0.6
"""A guess must cost much less than what it saves: no larger a part of the large model's file than this."""
_TOKENS = "tokenizer.ggml.tokens"
_PADDING = 128
"""By so many unused words may a family's vocabularies differ, as in `engine.model.draft_model`."""
_SAME = ("tokenizer.ggml.model", "tokenizer.ggml.bos_token_id", "tokenizer.ggml.add_bos_token")


def check_draft(draft: Path, model: Path) -> None:
    """Raise `ModelFileError`, with a sentence, unless `draft` can guess ahead for `model`.

    Takes a moment: all words of both are compared.
    """
    small, large = describe(draft), describe(model)
    if small.kind is not ModelKind.TEXT or small.recurrent:
        raise ModelFileError(sentence("{name} is not a language model that can guess ahead."), name=draft.name)
    if not _is_smaller(small, large):
        raise ModelFileError(
            sentence("{name} is not much smaller than this model, so its guesses would save no time."), name=draft.name
        )
    ours, theirs = (read_header(path, keep_arrays=(_TOKENS,)).metadata for path in (small.path, large.path))
    if any(ours.get(key) != theirs.get(key) for key in _SAME) or not _same_words(
        ours.get(_TOKENS), theirs.get(_TOKENS)
    ):
        raise ModelFileError(
            sentence("{name} knows other words than this model. Choose a smaller model of the same family."),
            name=draft.name,
        )


def draft_candidates(entry: ModelEntry, entries: Sequence[ModelEntry]) -> tuple[ModelEntry, ...]:
    """The models on this computer that may guess ahead for `entry`, by what the list knows, smallest first."""
    large = entry.description
    if large is None:
        return ()
    found = [
        each
        for each in entries
        if each.availability is Availability.HERE
        and (small := each.description) is not None
        and small.path != large.path
        and abs(small.n_vocab - large.n_vocab) <= _PADDING
        and not small.recurrent
        and _is_smaller(small, large)
    ]
    return tuple(sorted(found, key=lambda each: each.size_bytes))


def _is_smaller(small: ModelDescription, large: ModelDescription) -> bool:
    return small.size_bytes <= SMALLER * large.size_bytes


def _same_words(ours: object, theirs: object) -> bool:
    if not isinstance(ours, GgufArray) or not isinstance(theirs, GgufArray):
        return False
    common = min(ours.length, theirs.length)
    if abs(ours.length - theirs.length) > _PADDING or ours.values is None or theirs.values is None:
        return False
    return ours.values[:common] == theirs.values[:common]
