"""What a model looks at images with: its projector, found beside it, or as a person has chosen. Kept in the settings.

One text a model: model file, projector file (or nothing, for none), with " | " between; a model without a text takes
what is found. Reads headers, loads nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.model_adapters import BETWEEN
from app.settings import Settings
from engine.errors import ModelFileError, sentence
from engine.model.description import ModelKind, describe
from engine.model.gguf import read_width
from engine.model.projector_search import projector_beside

KEY = "model.projectors"


@dataclass(frozen=True, slots=True)
class ProjectorChoice:
    """`automatic` takes the smallest that lies beside the model; else it is `path`, None for none at all."""

    automatic: bool = True
    path: Path | None = None


AUTOMATIC = ProjectorChoice()
NONE = ProjectorChoice(automatic=False)


def choice_of(model: Path, settings: Settings) -> ProjectorChoice:
    """What the person has chosen for a model file."""
    for text in settings.texts(KEY):
        owner, between, path = text.partition(BETWEEN)
        if between and Path(owner) == model:
            return ProjectorChoice(automatic=False, path=Path(path) if path else None)
    return AUTOMATIC


def set_choice(model: Path, choice: ProjectorChoice, settings: Settings) -> None:
    """Keep this for a model; other models' stay. In force when it is loaded the next time."""
    texts = [text for text in settings.texts(KEY) if Path(text.partition(BETWEEN)[0]) != model]
    if not choice.automatic:
        texts.append(f"{model}{BETWEEN}{choice.path or ''}")
    settings.set(KEY, tuple(texts))


def projector_of(model: Path, settings: Settings) -> Path | None:
    """The projector to load with a model file. One that is gone is none. Blocks for some milliseconds at most."""
    choice = choice_of(model, settings)
    if choice.automatic:
        return projector_beside(model)
    return choice.path if choice.path is not None and choice.path.is_file() else None


def keep_found(model: Path, found: Path | None, settings: Settings) -> None:
    """Another program's store names a model's projector, which lies elsewhere: remember it for the next start."""
    if found is not None and choice_of(model, settings).automatic and projector_beside(model) is None:
        set_choice(model, ProjectorChoice(automatic=False, path=found), settings)


def check_projector(projector: Path, model: Path) -> None:
    """Raise `ModelFileError`, with a sentence, unless the file may be what this model looks at images with."""
    if BETWEEN in str(projector) or BETWEEN in str(model):
        raise ModelFileError(
            sentence("{name} lies in a folder with “|” in its name. Rename the folder."), name=projector.name
        )
    description = describe(projector)
    if description.kind is not ModelKind.PROJECTOR:
        raise ModelFileError(sentence("{name} is not the vision part of a model."), name=projector.name)
    if description.n_embd not in (0, read_width(model)):
        raise ModelFileError(
            sentence("{name} belongs to another model than {model}."), name=projector.name, model=model.name
        )
