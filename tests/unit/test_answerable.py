"""Whether a question is answered by what was found: which of its words count, and how much."""

from __future__ import annotations

import pytest

from rag.answerable import FLOOR, MEANING_WEIGHT, confidence, coverage, words_of
from rag.function_words import content_runs, content_words


def test_words_that_only_hold_a_question_together_do_not_count() -> None:
    assert words_of("How do I delete a directory tree?") == ["delete", "directory", "tree"]
    assert words_of("Was muss ich über die Sicherung der Daten wissen?") == ["sicherung", "daten"]
    assert words_of("¿Qué debo saber sobre la instalación de paquetes?") == ["instalación", "paquetes"]


def test_a_question_of_nothing_else_keeps_them() -> None:
    assert words_of("Who are you and what do you do?") == ["who", "are", "you", "and", "what", "do"]
    assert content_words(["how", "do", "i"], "en") == ["how", "do", "i"]


def test_a_language_without_a_list_keeps_all_words() -> None:
    assert content_words(["miten", "tämä", "toimii"], "fi") == ["miten", "tämä", "toimii"]


def test_letters_between_the_matter_of_chinese_and_japanese_do_not_count() -> None:
    assert content_runs("关于网络配置我需要知道什么") == ["网络配置"]
    assert content_runs("インストール方法について何を知っておくべきですか") == ["インストール方法"]
    assert words_of("关于网络配置我需要知道什么？") == ["网络", "络配", "配置"]
    assert content_runs("什么") == ["什么"], "nothing else is there"


def test_rare_words_count_more_and_common_ones_not_at_all() -> None:
    words = {"debugger": 2, "program": 400, "python": 5000}
    assert coverage(words, 1000, ["A debugger."]) > 0.8
    assert coverage(words, 1000, ["A program in Python."]) < 0.2
    assert coverage({"python": 5000}, 1000, ["nothing"]) == 1.0, "a word that is everywhere tells nothing"


def test_what_passages_say_together_is_covered() -> None:
    words = {"shutil": 3, "rmtree": 1}
    assert coverage(words, 1000, ["shutil", "rmtree"]) == 1.0
    assert coverage(words, 1000, ["-", "-", "-", "shutil and rmtree"]) == 0.0, "only the best ones are looked at"


def test_in_english_meaning_counts_more_than_in_other_languages() -> None:
    assert confidence(1.0, 0.0, "en") == confidence(1.0, 0.0, "") == pytest.approx(MEANING_WEIGHT)
    assert confidence(0.7, 0.0, "en") > FLOOR > confidence(0.7, 0.0, "ru")
    assert confidence(0.35, 0.8, "en") < FLOOR < confidence(0.35, 0.8, "de")


def test_words_decide_where_nothing_is_known_of_meaning() -> None:
    assert confidence(None, 1.0) > FLOOR > confidence(None, 0.1)
