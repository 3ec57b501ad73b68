"""Questions put to real manuals through the whole app: what is answered, what is refused, what the citations cite.

python -m tests.evaluation.answers --out FOLDER [--n 100] [--tokens 900]

The manuals are PDFs, web pages and texts of Debian packages; the questions are those of their FAQs (the half that
nothing was tuned on), whose headings stand in the files, as they do for a person. Each is put once to the manuals that
answer it and once to those of another subject. Which citations hold is what the program says; `answers.jsonl` has the
sentences beside the passages, to be read; a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from app.answer_citations import citations_of, doubt
from app.services import Services
from app.settings import Settings
from app.source_names import place_name
from engine.types import SamplingParams
from engine.worker.client import EngineClient
from rag.passages import Way
from tests.benchmarks.asking import wished_threads
from tests.conftest import STARTER, weights_path
from tests.evaluation.retrieval_sets import Half, Question, unpacked
from tests.evaluation.retrieval_sets_faq import faq
from tests.minilm_weights import minilm_folder
from tests.unit.chat_bench import disposable_paths, nowhere

LOAD_S, READ_S, ANSWER_S = 120.0, 900.0, 300.0
SAMPLING = SamplingParams(temperature=0.0, max_tokens=220, seed=1)
FOREIGN = {"perl": "debian", "python": "debian", "debian": "python"}
"""Whose manuals do not answer."""
_SAYS_NOT = re.compile(
    r"\b(?:do|does|did)(?: not|n[’']t) (?:\w+ )?(?:say|mention|contain|provide|answer|state|specify|cover|address|give"
    r"|include|explain|describe|discuss|have)|\bno (?:\w+ )?(?:information|mention|answer)|\bnot (?:\w+ )?(?:said"
    r"|mentioned|stated|answered|provided|covered|addressed|specified|explained)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the subject of the manuals that it is put to."""

    question: Question
    manuals: str
    answerable: bool


def manuals(folder: Path) -> dict[str, Path]:
    """A folder of files for each subject."""
    folders = {name: folder / name for name in ("debian", "perl", "python")}
    for each in folders.values():
        each.mkdir(parents=True)
    for packed in (unpacked("debian-faq") / "usr/share/doc/debian/FAQ").glob("debian-faq.en.pdf*"):
        _copy(packed, folders["debian"] / "debian-faq.pdf")
    for packed in (unpacked("installation-guide-amd64") / "usr/share/doc").rglob("en/install.en.pdf*"):
        _copy(packed, folders["debian"] / "install.pdf")
    for pod in sorted(unpacked("perl-doc").rglob("perlfaq[1-9].pod")):
        _copy(pod, folders["perl"] / f"{pod.stem}.txt")
    for page in sorted((unpacked("python3.11-doc") / "usr/share/doc/python3.11/html/faq").glob("*.html")):
        _copy(page, folders["python"] / page.name)
    for page in sorted((unpacked("python3.11-doc") / "usr/share/doc/python3.11/html/tutorial").glob("*.html")):
        _copy(page, folders["python"] / f"tutorial-{page.name}")
    return folders


def asked(n: int) -> list[Asked]:
    """`n` answerable questions and as many others, of the subjects in turn. `tests.evaluation.refusals` puts all."""
    by_subject: dict[str, list[Question]] = {name: [] for name in FOREIGN}
    for question in faq().half(Half.REPORTING):
        by_subject[next(iter(question.relevant)).split("/")[0]].append(question)
    chosen: list[Asked] = []
    for number in range(n):
        subject = tuple(FOREIGN)[number % len(FOREIGN)]
        question = by_subject[subject][number // len(FOREIGN)]
        chosen += (Asked(question, subject, True), Asked(question, FOREIGN[subject], False))
    return chosen


class Desk:
    """The services with the starter model, and a collection of each subject's manuals."""

    def __init__(self, folder: Path, tokens: int) -> None:
        paths = disposable_paths(folder / "app")
        shutil.copytree(minilm_folder(), paths.embedder, dirs_exist_ok=True)
        settings = Settings.load(paths.settings_file)
        settings.override("chat.automatic_titles", False)
        settings.override("model.n_ctx", 4096)
        settings.override("documents.tokens", tokens)
        settings.override("model.n_threads", wished_threads())
        self.services = Services.open(
            paths, publish=lambda _event: None, engine=EngineClient(), settings=settings, places=nowhere(folder)
        )
        self.services.models.load(weights_path(STARTER)).result(LOAD_S)
        documents = self.services.documents
        self.collections: dict[str, int] = {}
        for name, files in manuals(folder / "manuals").items():
            collection = documents.add_collection(name).result(READ_S)
            documents.add(collection.id, files).result(READ_S)
            self.collections[name] = collection.id
        documents.wait_until_idle(READ_S).result(READ_S + 10)

    def ask(self, one: Asked, sampling: SamplingParams = SAMPLING) -> dict[str, object]:
        """One record: the answer, its citations, and what was found."""
        services = self.services
        began = time.perf_counter()
        conversation = services.store_call(lambda store: store.create_conversation()).result(ANSWER_S)
        ids = (self.collections[one.manuals],)
        services.store_call(lambda store: store.set_collections(conversation.id, ids)).result(ANSWER_S)
        services.chat.send(conversation.id, one.question.text, sampling=sampling).result(ANSWER_S)
        if not services.chat.wait_until_idle(ANSWER_S):
            raise RuntimeError("an answer does not end")
        path = services.store_call(lambda store: store.path(conversation.id)).result(ANSWER_S)
        text, sources = path[-1].text, path[-2].sources
        assert sources is not None
        places = [place_name(each) for each in sources.passages]
        return {
            "question": one.question.text,
            "manuals": one.manuals,
            "answerable": one.answerable,
            "way": sources.way,
            "refused": sources.way == Way.NOTHING or _SAYS_NOT.search(text) is not None,
            "doubted": bool(doubt(text, sources)),
            "answer": text,
            "citations": [
                {
                    "number": each.number,
                    "verdict": each.verdict.value,
                    "by program": each.by_program,
                    "missing": each.missing,
                    "place": places[each.number - 1] if 1 <= each.number <= len(places) else "",
                    "claim": text[each.claim_start : each.claim_end],
                }
                for each in citations_of(text, sources)
            ],
            "passages": [f"{place}: {each.text}" for place, each in zip(places, sources.passages, strict=True)],
            "seconds": round(time.perf_counter() - began, 1),
        }


def _copy(source: Path, target: Path) -> None:
    content = source.read_bytes()
    target.write_bytes(gzip.decompress(content) if source.suffix == ".gz" else content)


def summary(records: list[dict[str, object]]) -> dict[str, object]:
    """Shares of the answerable that were refused, of the others that were, and what became of the citations."""
    own = [each for each in records if each["answerable"]]
    foreign = [each for each in records if not each["answerable"]]
    verdicts: dict[str, int] = {}
    for record in own:
        for citation in record["citations"]:  # type: ignore[attr-defined]
            verdicts[citation["verdict"]] = verdicts.get(citation["verdict"], 0) + 1
    return {
        "answerable": len(own),
        "wrongly refused": sum(bool(each["refused"]) for each in own),
        "of them before the model": sum(each["way"] == Way.NOTHING for each in own),
        "doubted besides": sum(not each["refused"] and bool(each["doubted"]) for each in own),
        "foreign": len(foreign),
        "rightly refused": sum(bool(each["refused"]) for each in foreign),
        "before the model": sum(each["way"] == Way.NOTHING for each in foreign),
        "of the others, doubted": sum(not each["refused"] and bool(each["doubted"]) for each in foreign),
        "citations": verdicts,
    }


def recorded(
    kept: Path, wanted: Iterable[Asked], tokens: int, put: Callable[[Desk, Asked], dict[str, object]]
) -> list[dict[str, object]]:
    """A record of each; those in the file `kept` are not made anew, and each new one is added to it at once."""
    records = [json.loads(line) for line in kept.read_text("utf-8").splitlines()] if kept.is_file() else []
    done = {(each["question"], each["manuals"]) for each in records}
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, kept.open("a", encoding="utf-8") as file:
        desk = Desk(Path(folder), tokens)
        try:
            for one in wanted:
                if (one.question.text, one.manuals) in done:
                    continue
                records.append(put(desk, one))
                file.write(json.dumps(records[-1], ensure_ascii=False) + "\n")
                file.flush()
        finally:
            desk.services.close()
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=900, help="of passages for a question")
    parser.add_argument("--answerable", action="store_true", help="only those that the manuals answer")
    arguments = parser.parse_args()
    wanted = [each for each in asked(arguments.n) if each.answerable or not arguments.answerable]
    print(json.dumps(summary(recorded(arguments.out / "answers.jsonl", wanted, arguments.tokens, Desk.ask)), indent=2))


if __name__ == "__main__":
    main()
