"""`hearth docs embedder`: which model finds passages by meaning, and having another one learn them. Knows no window."""

from __future__ import annotations

from app.console import Console
from app.documents_view import embedder_name
from app.embedder_choice import KEY, spelled
from app.i18n import ntr, tr
from app.settings import Settings
from engine.errors import EmbedderError, sentence
from rag.client import LibraryClient
from rag.learning_report import LearningReport

_LOADING_S = 600.0


def choose(choice: str, settings: Settings, client: LibraryClient, console: Console) -> None:
    """Have the library use it, then keep it in the settings. Raises a `HearthError` where it cannot be loaded."""
    choice = spelled(choice.strip())
    if not choice:
        raise EmbedderError(sentence("There is no model of that name."))
    console.status(tr("Loading {name}…", name=embedder_name(choice)))
    client.use_embedder(choice).result(_LOADING_S)
    settings.set(KEY, choice)


def show(report: LearningReport, wanted: str, console: Console) -> None:
    """Print which one serves and how far the coming one is; `wanted` stands in the settings."""
    if console.json:
        console.record({
            "type": "embedder", "wanted": wanted, "serving": report.serving, "coming": report.coming,
            "passages": report.n_all, "left": report.n_left,
        })  # fmt: skip
        return
    console.say(embedder_name(report.serving or wanted))
    if report.coming:
        console.say(
            tr(
                "{name} is learning your documents: {done} of {number}",
                name=embedder_name(report.coming),
                done=report.n_all - report.n_left,
                number=report.n_all,
            )
        )
    elif report.n_left:
        console.say(
            ntr(
                "{number} passage is still to be learned",
                "{number} passages are still to be learned",
                report.n_left,
                number=report.n_left,
            )
        )
