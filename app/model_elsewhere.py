"""The line of the list of models for the one that another computer runs. Values only, asks nobody."""

from __future__ import annotations

from app.i18n import tr
from app.model_entry import Availability, ModelEntry
from app.remote.address import parse_address
from engine.errors import RemoteError
from engine.types import LoadedModel, RemoteModel

KEY = "elsewhere"


def entry_elsewhere(remote: RemoteModel, loaded: LoadedModel | None) -> ModelEntry:
    """The entry for `remote`, with what is known of it if it is `loaded`."""
    here = loaded if loaded is not None and loaded.remote_host else None
    try:
        host = parse_address(remote.address).host
    except RemoteError:
        host = remote.address  # the person sees what is wrong with it
    return ModelEntry(
        KEY,
        remote.name or (here.name if here is not None else tr("The model of {host}", host=host)),
        Availability.ELSEWHERE,
        host=host,
        n_params=here.n_params if here is not None else 0,
        n_ctx_train=here.n_ctx_train if here is not None else 0,
        loaded=here is not None and here.remote_host == host,
    )


def leaves_sentence(host: str) -> str:
    """What everybody should know of an answer from there."""
    return tr("Answers come from {host}: your messages leave this computer.", host=host)
