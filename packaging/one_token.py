"""One token of a model, in this very process: what an emulated processor can be asked for.

    qemu-x86_64 -cpu Nehalem .venv-dist/bin/python packaging/one_token.py FILE.gguf

shows that the llama.cpp of an installed Hearth answers on a processor without AVX. (`hearth --self-test` starts
processes of its own, which qemu would hand to the real processor.) Prints the features in use and the token.
"""

from __future__ import annotations

import ctypes
import sys
import time
from pathlib import Path

from package_facts import ROOT

_TEXT = "The capital of France is"
_QUIET = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda _level, _text, _data: None)


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from engine.model.llama_library import lib  # noqa: PLC0415  # beside this folder
    from engine.model.vocabulary import Vocabulary  # noqa: PLC0415

    began = time.monotonic()
    lib.llama_log_set(_QUIET, None)
    lib.llama_backend_init()
    print(lib.llama_print_system_info().decode(), flush=True)
    model = lib.llama_model_load_from_file(bytes(Path(sys.argv[1])), lib.llama_model_default_params())
    parameters = lib.llama_context_default_params()
    parameters.n_ctx, parameters.n_threads, parameters.n_threads_batch = 64, 1, 1
    context = lib.llama_init_from_model(model, parameters)
    vocabulary = Vocabulary(model)
    tokens = vocabulary.tokenize(_TEXT, special=False)
    batch = (ctypes.c_int32 * len(tokens))(*tokens)
    if not context or lib.llama_decode(context, lib.llama_batch_get_one(batch, len(tokens))):
        return 1
    logits = lib.llama_get_logits_ith(context, len(tokens) - 1)
    best = max(range(vocabulary.size), key=lambda number: logits[number])
    print(f"{_TEXT}{vocabulary.piece(best).decode()}  ({time.monotonic() - began:.1f} s)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
