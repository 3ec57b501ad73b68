"""Where everything lies on this machine. Creates folders on request, reads nothing.

Follows platformdirs; `--data-dir` moves all of a run into one folder, `--portable` beside the program, and so do a
folder `portable` beside an installed program and the variable `HEARTH_PORTABLE`. Model files are shared by all runs,
so that no model is downloaded twice, but for portable ones: they leave nothing on the computer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.installation import is_installed, program_folder

APP_NAME = "hearth"
PORTABLE_NAME = "portable"


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one run. `data` is the person's own; `cache` may be deleted at any time."""

    data: Path
    config: Path
    cache: Path
    logs: Path
    models: Path

    @property
    def conversations_db(self) -> Path:
        return self.data / "conversations.db"

    @property
    def backups(self) -> Path:
        return self.data / "backups"

    @property
    def images(self) -> Path:
        """The images of the conversations."""
        return self.conversations_db.with_name("images")

    @property
    def library(self) -> Path:
        """What was read of the person's documents."""
        return self.data / "library"

    @property
    def personas(self) -> Path:
        """A folder for each persona."""
        return self.data / "personas"

    @property
    def embedder(self) -> Path:
        """The light model for embeddings, shared by all runs as the language models are."""
        return self.models.with_name("embedder")

    @property
    def voice(self) -> Path:
        """The models that hear, shared likewise."""
        return self.models.with_name("voice")

    @property
    def snapshots(self) -> Path:
        """What the model has read of the chats, to be continued without reading it again."""
        return self.cache / "snapshots"

    @property
    def notes(self) -> Path:
        """What was measured of the models on this machine."""
        return self.cache / "notes"

    @property
    def settings_file(self) -> Path:
        return self.config / "settings.toml"

    @property
    def window_state(self) -> Path:
        return self.config / "window.ini"

    def create(self) -> None:
        """Make the folders, for this user's eyes only. Raises `OSError` where that is refused."""
        for folder in (self.data, self.config, self.cache, self.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.models.mkdir(parents=True, exist_ok=True)


def default_models_folder() -> Path:
    """The folder of our own downloads: `HEARTH_MODELS_DIR`, else in the user's cache folder."""
    override = os.environ.get("HEARTH_MODELS_DIR")
    return Path(override) if override else platformdirs.user_cache_path(APP_NAME, appauthor=False) / "models"


def resolve_paths(data_dir: Path | None = None, *, portable: bool = False) -> Paths:
    """Choose the folders: `data_dir` holds everything of a disposable run; `portable` does so beside the program."""
    if data_dir is not None:
        root = data_dir.expanduser().resolve()
        return Paths(root, root, root / "cache", root / "logs", default_models_folder())
    if (root_of_all := portable_folder(wanted=portable)) is not None:
        models = default_models_folder() if os.environ.get("HEARTH_MODELS_DIR") else root_of_all / "models"
        return Paths(root_of_all, root_of_all, root_of_all / "cache", root_of_all / "logs", models)
    dirs = platformdirs.PlatformDirs(APP_NAME, appauthor=False)
    return Paths(
        dirs.user_data_path, dirs.user_config_path, dirs.user_cache_path, dirs.user_log_path, default_models_folder()
    )


def portable_folder(*, wanted: bool = False) -> Path | None:
    """The one folder of a portable run, None for any other.

    `HEARTH_PORTABLE` names it, or is 1 for the one beside the program; that one is used wherever an installed program
    finds it there, and made where it is `wanted`.
    """
    asked = os.environ.get("HEARTH_PORTABLE", "")
    if asked not in ("", "0", "1"):
        return Path(asked).expanduser().resolve()
    beside = program_folder() / PORTABLE_NAME
    return beside if wanted or asked == "1" or (is_installed() and beside.is_dir()) else None
