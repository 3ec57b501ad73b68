"""A loaded model that answers requests: assembly, sampling and generation put together.

The worker process's main thread owns it; `abort()` and `count()` may be called from another thread.
Knows no pipe and no other process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

from engine.context.assemble import AssembledPrompt, assemble
from engine.context.chat_template import ChatTemplate
from engine.context.reasoning import ReasoningSplitter
from engine.context.templates.choose import choose_template
from engine.context.tokens import TokenCache
from engine.model.generation import Generation, Hooks, TextPipeline
from engine.model.kv_cache import FOREGROUND, KvCache
from engine.model.llama_library import LlamaLog, lib
from engine.model.loading import Handles, load
from engine.model.sampling import Sampler, choose_seed
from engine.model.vocabulary import Vocabulary
from engine.types import Finished, GenerationRequest, LoadedModel, ModelSpec, Started, Usage


class Runner:
    """One model, one context, one request at a time (background ones give way inside)."""

    def __init__(self, handles: Handles, spec: ModelSpec) -> None:
        self._handles = handles
        self._vocabulary = Vocabulary(handles.model)
        self._cache = KvCache(handles.context, handles.model, n_batch=min(spec.n_batch, handles.n_ctx))
        description = handles.description
        self._token_cache = TokenCache()
        self._template: ChatTemplate = choose_template(
            description.template,
            description.architecture,
            bos=self._vocabulary.bos_text,
            eos=self._vocabulary.eos_text,
        )
        ends, self._stop_strings = self._split_stops(self._template.stop)
        self._ends = self._vocabulary.end_tokens() | ends
        self._controls = self._control_tokens(self._template)

    @classmethod
    def load(cls, spec: ModelSpec, log: LlamaLog, progress: Callable[[float], None]) -> Self:
        """Load the model of `spec`; raises as `engine.model.loading.load`."""
        return cls(load(spec, log, progress), spec)

    def close(self) -> None:
        """Free the model."""
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

    @property
    def loaded(self) -> LoadedModel:
        """What is loaded, as llama.cpp reports it."""
        handles, description = self._handles, self._handles.description
        return LoadedModel(
            path=description.path,
            name=description.name,
            architecture=description.architecture,
            quantisation=description.quantisation,
            n_ctx=handles.n_ctx,
            n_ctx_train=lib.llama_model_n_ctx_train(handles.model),
            n_vocab=self._vocabulary.size,
            n_params=lib.llama_model_n_params(handles.model),
            weights_bytes=handles.buffers.weights or lib.llama_model_size(handles.model),
            kv_bytes=handles.buffers.kv,
            compute_bytes=handles.buffers.compute,
            backend=handles.backend,
            n_gpu_layers=handles.n_gpu_layers,
            backend_note=handles.note,
            template=self._template.family,
            can_think=self._template.can_think,
            load_s=handles.load_s,
        )

    @property
    def beats(self) -> int:
        """Moves whenever llama.cpp finished a piece of work."""
        return self._cache.beats

    def abort(self) -> None:
        """Make the evaluation under way stop soon; any thread. What it means is asked of the hooks."""
        self._cache.abort.set()

    def clear_abort(self) -> None:
        """Before the next request begins."""
        self._cache.abort.clear()

    def count(self, texts: Sequence[str]) -> tuple[int, ...]:
        """Tokens of each text, as content. Any thread."""
        return tuple(len(self._vocabulary.tokenize(text, special=False)) for text in texts)

    def generate(self, request: GenerationRequest, hooks: Hooks) -> None:
        """Answer one request: Started to Finished. Raises `HearthError` where there is no answer to give."""
        params = request.sampling
        seed = choose_seed(params)
        prompt = self._assemble(request)
        with Sampler(params, self._vocabulary, n_ctx=self._cache.n_ctx, seed=seed) as sampler:
            sampler.accept_prompt(prompt.tokens)
            generation = Generation(
                self._cache,
                self._vocabulary,
                hooks,
                request_id=request.request_id,
                background=request.background,
                prompt=prompt.tokens,
            )
            cached = generation.reuse()
            hooks.event(self._started(request, prompt, cached, seed))
            reason = generation.prefill() or generation.decode(
                self._handles.context,
                sampler,
                TextPipeline(hooks, self._splitter(prompt), (*self._stop_strings, *params.stop)),
                max_tokens=params.max_tokens,
                ends=self._ends,
                controls=self._controls,
                logprobs=params.logprobs,
            )
        hooks.event(self._usage(request, generation, cached))
        hooks.event(Finished(request.request_id, reason))

    def _assemble(self, request: GenerationRequest) -> AssembledPrompt:
        n_ctx = self._cache.n_ctx
        if request.background:
            # The conversation's part of the cache is not pushed out for work that nobody waits for.
            n_ctx -= len(self._cache.tokens(FOREGROUND))
        reserve = request.answer_reserve
        if request.sampling.max_tokens is not None:
            reserve = min(reserve, request.sampling.max_tokens)
        return assemble(
            request.messages,
            self._template,
            self._vocabulary,
            n_ctx=n_ctx,
            answer_reserve=reserve,
            policy=request.overflow,
            thinking=request.thinking,
            continue_last=request.continue_last,
            cache=self._token_cache,
        )

    def _splitter(self, prompt: AssembledPrompt) -> ReasoningSplitter | None:
        marks = self._template.reasoning
        return ReasoningSplitter(marks, starts_inside=prompt.starts_in_reasoning) if marks is not None else None

    def _started(self, request: GenerationRequest, prompt: AssembledPrompt, cached: int, seed: int) -> Started:
        return Started(
            request_id=request.request_id,
            prompt_tokens=len(prompt.tokens),
            cached_tokens=cached,
            n_ctx=self._cache.n_ctx,
            seed=seed,
            dropped=prompt.dropped,
            tokens_by_origin=prompt.tokens_by_origin,
        )

    def _usage(self, request: GenerationRequest, generation: Generation, cached: int) -> Usage:
        return Usage(
            request_id=request.request_id,
            prompt_tokens=generation.prompt_tokens,
            cached_tokens=cached,
            completion_tokens=generation.completion_tokens,
            n_ctx=self._cache.n_ctx,
            prefill_s=generation.prefill_s,
            decode_s=generation.decode_s,
        )
