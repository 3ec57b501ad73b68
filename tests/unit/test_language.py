"""Languages of pages and of questions."""

from __future__ import annotations

import pytest

from rag.language import language_of, needs_fragments


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I install the printer?", "en"),
        ("Wie installiere ich Pakete?", "de"),
        ("¿Cómo instalo paquetes?", "es"),
        ("Comment configurer le réseau ?", "fr"),
        ("Как настроить сеть?", "ru"),
        ("كيف أثبت الحزم؟", "ar"),
        ("如何安装软件包", "zh"),
        ("ネットワークの設定", "ja"),
        ("Debian とは何ですか", "ja"),
        ("설치하는 방법", "ko"),
        ("วิธีการติดตั้ง", "th"),
        ("o que é o Debian e para que serve?", "pt"),
        ("Hello", ""),
        ("12 + 30 = 42", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_language_of_short_texts(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_long_text_in_another_language_than_its_title() -> None:
    assert (
        language_of("Cover page in English\n" + "Der Rest des Buches ist auf Deutsch geschrieben worden. " * 200)
        == "de"
    )


def test_scripts_without_spaces_need_fragments() -> None:
    assert all(needs_fragments(text) for text in ("安装", "see 設定", "カタカナ", "한국어", "ไทย"))
    assert not any(needs_fragments(text) for text in ("", "plain", "Größe", "сеть", "الحزم", "ελληνικά"))
