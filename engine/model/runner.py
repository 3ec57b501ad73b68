"""A loaded model that answers requests: assembly, sampling and scheduling put together.

The worker process's main thread owns it; `abort()`, `count()` and `plan()` may be called from another one.
Knows no pipe and no other process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from engine.context.assemble import AssembledPrompt, assemble
from engine.context.bare import bare_prompt
from engine.context.chat_template import ChatTemplate
from engine.context.reasoning import ReasoningSplitter
from engine.context.templates.choose import choose_template
from engine.context.tokens import TokenCache
from engine.errors import HearthError, ModelFileError, ModelLoadError, sentence
from engine.model.adapters import Adapters
from engine.model.evaluator import Evaluator
from engine.model.fingerprint import file_identity, fingerprint_of
from engine.model.fit import MAX_OUTPUTS
from engine.model.generation import Ends, Generation
from engine.model.guessing import Guesses, Guessing
from engine.model.idle_work import IdleWork
from engine.model.llama_library import LlamaLog, lib
from engine.model.loading import Handles, load, loaded_model
from engine.model.sampling import Sampler, choose_seed
from engine.model.scheduler import Ended, Scheduler
from engine.model.sequences import Lanes
from engine.model.snapshots import SnapshotShelf
from engine.model.speculation import Speculator
from engine.model.text_pipeline import Hooks, TextPipeline
from engine.model.vocabulary import Vocabulary
from engine.pages import CacheReport, PromptPlan
from engine.types import Adapter, GenerationRequest, LoadedModel, ModelSpec, Started

if TYPE_CHECKING:
    from engine.model.eyes import Eyes

Report = Callable[[str], None]
BLIND = sentence("The vision file cannot be used with this model, so it cannot look at images.")


class Runner:
    """One model, one context, many requests at once."""

    def __init__(
        self,
        handles: Handles,
        spec: ModelSpec,
        *,
        eyes: Eyes | None = None,
        report: Report = lambda _line: None,
        news: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        self._handles = handles
        self._spec = spec
        self._vocabulary = Vocabulary(handles.model)
        description = handles.description
        self._token_cache = TokenCache()
        self._assembling = threading.Lock()
        self._template: ChatTemplate = choose_template(
            description.template,
            description.architecture,
            bos=self._vocabulary.bos_text,
            eos=self._vocabulary.eos_text,
        )
        marks, self._stop_strings = self._split_stops(self._template.stop)
        self._ends = Ends(self._vocabulary.end_tokens() | marks, self._control_tokens(self._template), handles.n_ctx)
        self._adapters = Adapters(handles.model, handles.context, spec.path)
        self._adapters.load(spec.adapters)
        self._shelf = self._open_shelf(report)
        self._lanes = Lanes(handles.context, handles.model, self._shelf)
        self._evaluator = Evaluator(handles.context, min(spec.n_batch, handles.n_cells))
        self._idle_work = IdleWork(handles, spec, self._lanes, self._evaluator, news)
        self._guessing = Guessing(spec, handles, self._vocabulary)
        self._eyes = eyes
        self._scheduler = Scheduler(
            self._lanes,
            self._evaluator,
            max_outputs=MAX_OUTPUTS,
            news=news,
            use_adapters=self._adapters.apply,
            eyes=eyes,
        )

    @classmethod
    def load(
        cls,
        spec: ModelSpec,
        log: LlamaLog,
        progress: Callable[[float], None],
        *,
        report: Report = lambda _line: None,
        news: Callable[[], bool] = lambda: False,
    ) -> Self:
        """Load the model of `spec`; raises as `engine.model.loading.load`."""
        handles = load(spec, log, progress)
        eyes = None
        try:
            if spec.projector is not None:
                try:
                    eyes = open_eyes(spec.projector, handles, log)
                except (ModelFileError, ModelLoadError):
                    # It may only lie beside the model by chance: the model is good for words without it.
                    handles = replace(handles, notes=(*handles.notes, BLIND))
            return cls(handles, spec, eyes=eyes, report=report, news=news)
        except HearthError:
            if eyes is not None:
                eyes.close()
            handles.free()
            raise

    def close(self) -> None:
        """Free the model."""
        if self._shelf is not None:
            self._shelf.close()
        if self._eyes is not None:
            self._eyes.close()
        self._adapters.free()
        self._guessing.close()
        self._handles.free()

    def _split_stops(self, stops: Sequence[str]) -> tuple[frozenset[int], tuple[str, ...]]:
        """A template's stops that are one control token end the answer as tokens; the others as text."""
        tokens: set[int] = set()
        strings: list[str] = []
        for stop in stops:
            made = self._vocabulary.tokenize(stop, special=True)
            if len(made) == 1 and self._vocabulary.is_control(made[0]):
                tokens.add(made[0])
            else:
                strings.append(stop)
        return frozenset(tokens), tuple(strings)

    def _control_tokens(self, template: ChatTemplate) -> frozenset[int]:
        """Control tokens that spell the template's reasoning marks: the splitter must see them."""
        texts = template.reasoning.texts if template.reasoning is not None else ()
        made = [self._vocabulary.tokenize(text, special=True) for text in texts]
        return frozenset(token for tokens in made for token in tokens if self._vocabulary.is_control(token))

    def _open_shelf(self, report: Report) -> SnapshotShelf | None:
        spec, handles = self._spec, self._handles
        if spec.snapshot_folder is None or spec.snapshot_bytes <= 0:
            return None
        fingerprint = fingerprint_of(
            file_identity(spec.path),
            n_layer=lib.llama_model_n_layer(handles.model),
            n_embd=lib.llama_model_n_embd(handles.model),
            kv_types=(handles.kv_type.value, handles.kv_type.value),
            template=self._template.family,
            library_version=lib.llama_version().decode("ascii", "replace"),
            flash_attention=handles.flash_attention,
            more=(handles.backend, str(handles.n_gpu_layers)),
        )
        return SnapshotShelf(spec.snapshot_folder, spec.snapshot_bytes, fingerprint, report=report)

    @property
    def loaded(self) -> LoadedModel:
        """What is loaded, as llama.cpp reports it."""
        handles, unused = self._handles, self._guessing.note
        return replace(
            loaded_model(handles, self._vocabulary.size),
            template=self._template.family,
            can_think=self._template.can_think,
            n_threads=self._idle_work.threads.decode,
            shares_prefixes=self._lanes.shares_prefixes,
            can_see=self._eyes is not None and self._eyes.can_see,
            notes=(*handles.notes, *((unused,) if unused else ())),
        )

    # Any thread

    @property
    def beats(self) -> int:
        """Moves whenever llama.cpp finished a piece of work."""
        return self._evaluator.beats + (self._eyes.beats if self._eyes is not None else 0)

    def abort(self) -> None:
        """Make the evaluation under way stop soon. What it means is asked of the hooks."""
        self._evaluator.abort.set()

    def clear_abort(self) -> None:
        """Before the next step begins."""
        self._evaluator.abort.clear()

    def count(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Tokens of each text, as content."""
        return tuple(len(self._vocabulary.tokenize(text, special=False)) for text in texts)

    def plan(self, request: GenerationRequest) -> PromptPlan:
        """What the request's prompt would be. Raises `HearthError`."""
        prompt = self._assemble(request)
        return PromptPlan(
            pages=prompt.pages,
            regions=prompt.regions,
            prompt_tokens=len(prompt.tokens),
            cached_tokens=self._lanes.known(prompt.tokens, self._adapters.variant(self._adapters_of(request))),
            n_ctx=self._handles.n_ctx,
            dropped=prompt.dropped,
        )

    # The main thread

    @property
    def busy(self) -> bool:
        return self._scheduler.busy

    @property
    def serves_foreground(self) -> bool:
        """Whether somebody waits for an answer."""
        return self._scheduler.serves_foreground

    def begin(self, request: GenerationRequest, hooks: Hooks) -> Generation:
        """Queue an answer: Started to Finished. Raises `HearthError` where there is no answer to give."""
        params = request.sampling
        seed = choose_seed(params)
        prompt = self._assemble(request)
        adapters = self._adapters_of(request)
        self._adapters.load(adapters)
        sampler = Sampler(params, self._vocabulary, n_ctx=self._handles.n_ctx, seed=seed)
        sampler.accept_prompt([token for token in prompt.tokens if token >= 0])
        generation = Generation(
            request,
            self._started(request, prompt, seed),
            prompt.tokens,
            hooks=hooks,
            sampler=sampler,
            pipeline=self._pipeline(request, prompt, hooks),
            vocabulary=self._vocabulary,
            ends=self._ends,
            adapters=adapters,
            variant=self._adapters.variant(adapters),
            speculator=self._speculator(request),
            to_last_word=prompt.to_last_word,
            question=prompt.question if request.scores_question else range(0),
        )
        self._scheduler.add(generation)
        return generation

    def step(self) -> list[Ended]:
        """Move all answers on by a batch; whoever has ended."""
        return self._scheduler.step()

    def idle(self) -> bool:
        """Measure something while nobody waits; False if there is nothing left."""
        return self._idle_work.step()

    def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Refuses: a chat model's vectors find nothing."""
        raise ModelFileError(
            sentence("{name} is made for talking. Searching documents needs an embedding model."),
            name=self._handles.description.name,
        )

    def cache(self) -> CacheReport:
        """What need not be computed again."""
        return self._lanes.report()

    def forget(self, key: str) -> None:
        """As `Engine.forget`."""
        self._lanes.forget(key)

    def save(self, within_s: float) -> None:
        """Write snapshots of the present conversations."""
        self._lanes.save_all(within_s)

    def _assemble(self, request: GenerationRequest) -> AssembledPrompt:
        reserve = request.answer_reserve
        if request.sampling.max_tokens is not None:
            reserve = min(reserve, request.sampling.max_tokens)
        with self._assembling:
            if request.bare is not None:
                room = self._handles.n_ctx - max(0, reserve)
                return bare_prompt(
                    request.bare, self._vocabulary, n_vocab=self._vocabulary.size, room=room, cache=self._token_cache
                )
            return assemble(
                request.messages,
                self._template,
                self._vocabulary,
                n_ctx=self._handles.n_ctx,
                answer_reserve=reserve,
                policy=request.overflow,
                thinking=request.thinking,
                continue_last=request.continue_last,
                weighs_end=request.weighs_end,
                cache=self._token_cache,
                see=self._eyes.tokens if self._eyes is not None and self._eyes.can_see else None,
            )

    def _adapters_of(self, request: GenerationRequest) -> tuple[Adapter, ...]:
        return self._spec.adapters if request.adapters is None else request.adapters

    def _speculator(self, request: GenerationRequest) -> Guesses | Speculator | None:
        """Guesses for one answer, once the costs are known. Who asks for the same answer each time, by temperature 0
        or a seed, gets only such as cannot change it."""
        curve = self._idle_work.curve
        if curve is None or request.prefill_only:
            return None
        repeatable = request.sampling.temperature <= 0 or request.sampling.seed is not None
        return self._guessing.for_answer(curve, limit=curve.exact if repeatable else None)

    def _pipeline(self, request: GenerationRequest, prompt: AssembledPrompt, hooks: Hooks) -> TextPipeline:
        """Without a template, its marks mean nothing."""
        if request.bare is not None:
            return TextPipeline(hooks, None, request.sampling.stop)
        return TextPipeline(hooks, self._splitter(prompt), (*self._stop_strings, *request.sampling.stop))

    def _splitter(self, prompt: AssembledPrompt) -> ReasoningSplitter | None:
        marks = self._template.reasoning
        return ReasoningSplitter(marks, starts_inside=prompt.starts_in_reasoning) if marks is not None else None

    def _started(self, request: GenerationRequest, prompt: AssembledPrompt, seed: int) -> Started:
        return Started(
            request_id=request.request_id,
            prompt_tokens=len(prompt.tokens),
            cached_tokens=0,
            n_ctx=self._handles.n_ctx,
            seed=seed,
            dropped=prompt.dropped,
            tokens_by_origin=prompt.tokens_by_origin,
            pages=prompt.pages,
            regions=prompt.regions,
        )


def open_eyes(path: Path, handles: Handles, log: LlamaLog) -> Eyes:
    """A vision model's second half. Raises `ModelFileError` or `ModelLoadError`."""
    # Imported here: only vision models bring mtmd into the process.
    from engine.model.eyes import Eyes  # noqa: PLC0415
    from engine.model.vision import Projector  # noqa: PLC0415

    projector = Projector.load(
        path, handles.model, n_threads=handles.n_threads, log=log, use_gpu=handles.n_gpu_layers != 0
    )
    return Eyes(projector)
