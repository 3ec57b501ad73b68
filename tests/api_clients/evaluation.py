"""`lm-eval` by `local-completions`: a tiny task of our own, by likelihood and by what the model writes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.api_clients.running import output_of
from tests.conftest import QWEN_SMALL, weights_path
from tests.process.served import Served

_FACTS = Path(__file__).with_name("facts.jsonl")
_CHOOSING = """
task: hearth_choosing
dataset_path: json
dataset_kwargs:
  data_files:
    test: {facts}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
metric_list:
  - metric: acc
"""
_WRITING = """
task: hearth_writing
dataset_path: json
dataset_kwargs:
  data_files:
    test: {facts}
test_split: test
output_type: generate_until
description: "{examples}"
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{choices[answer]}}}}"
filter_list:
  - name: words
    filter:
      - function: remove_whitespace
      - function: take_first
generation_kwargs:
  until: ["\\n", ".", ","]
  max_gen_toks: 8
  temperature: 0
metric_list:
  - metric: exact_match
    ignore_case: true
    ignore_punctuation: true
"""
_EXAMPLES = (
    "A week has a number of days that is seven.",
    "The capital of France is Paris.",
    "The fruit that a vineyard grows is the grape.",
)
"""So that a sentence is ended with a word."""
LEAST = 0.75
"""Of the facts are told by a model of this size; guessing gives a quarter."""
LEAST_WRITTEN = 0.5
"""Guessing gives nothing."""


def run(programs: Path, server: Served, folder: Path) -> str:
    """As `tests.api_clients.__main__.Client`."""
    tokenizer = folder / "tokenizer"
    script = Path(__file__).with_name("gguf_tokenizer.py")
    output_of([programs / "python", script, weights_path(QWEN_SMALL), tokenizer], folder=folder)
    tasks = folder / "tasks"
    tasks.mkdir()
    for name, text in (("choosing", _CHOOSING), ("writing", _WRITING)):
        examples = "".join(rf"{example}\n" for example in _EXAMPLES)
        (tasks / f"{name}.yaml").write_text(text.format(facts=_FACTS, examples=examples), "utf-8")
    model = {
        "model": "default",
        "base_url": f"{server.address}/completions",
        "tokenizer_backend": "huggingface",
        "tokenizer": tokenizer,
        "tokenized_requests": False,
        "num_concurrent": 2,
        "max_retries": 1,
    }
    out = folder / "results"
    command = [
        programs / "lm_eval", "--model", "local-completions",
        "--model_args", ",".join(f"{name}={value}" for name, value in model.items()),
        "--include_path", tasks, "--tasks", "hearth_choosing,hearth_writing", "--output_path", out,
    ]  # fmt: skip
    output_of(command, folder=folder, OPENAI_API_KEY=server.token)
    (file,) = out.rglob("results_*.json")
    results = json.loads(file.read_text("utf-8"))["results"]
    choosing = results["hearth_choosing"]["acc,none"]
    writing = results["hearth_writing"]["exact_match,words"]
    assert choosing >= LEAST and writing >= LEAST_WRITTEN, results
    return f"chooses {choosing:.0%} of {len(_FACTS.read_text().splitlines())} facts rightly, writes {writing:.0%}"
