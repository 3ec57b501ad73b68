"""Write a model again in another file type, by llama.cpp itself. Run as a script: source, target, type number."""

from __future__ import annotations

import ctypes
import sys

import llama_cpp.llama_cpp as lib

if __name__ == "__main__":
    source, target, file_type = sys.argv[1:]
    lib.llama_backend_init()
    params = lib.llama_model_quantize_default_params()
    params.ftype = int(file_type)
    params.allow_requantize = True
    params.nthread = 2
    sys.exit(lib.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(params)))
