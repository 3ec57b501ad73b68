"""Make a virtual environment ready: system libraries, the llama.cpp build, pinned packages. Standard library only.

Called by the Makefile with a profile: `run` and `test` for `.venv`; `dist` for `.venv-dist`, which holds what an
installed Hearth is made of and nothing else; `bundle` for `.venv-bundle`, the same but for a llama.cpp that was built
for this machine. A second call that finds nothing changed ends at once.
The llama.cpp build is kept in the user's cache folder, keyed by all that shapes it, so that it is made once: for this
machine's processor, or for any (`dist`).
"""

from __future__ import annotations

import argparse
import ctypes.util
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import llama_source

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "packaging" / "locks"
PROFILES = {"run": "base", "test": "dev", "dist": "dist", "bundle": "dist"}
"""The lock of each."""

# Debian package -> the shared library or program that shows it is there.
SYSTEM_LIBRARIES = {
    "libegl1": "EGL",
    "libgl1": "GL",
    "libxkbcommon-x11-0": "xkbcommon-x11",
    "libxcb-cursor0": "xcb-cursor",
    "libxcb-icccm4": "xcb-icccm",
    "libxcb-image0": "xcb-image",
    "libxcb-keysyms1": "xcb-keysyms",
    "libxcb-render-util0": "xcb-render-util",
    "libxcb-shape0": "xcb-shape",
    "libdbus-1-3": "dbus-1",
    "libfontconfig1": "fontconfig",
    "libportaudio2": "portaudio",
}
TEST_PROGRAMS = {
    "xvfb": "Xvfb",
    "xdotool": "xdotool",
    "openbox": "openbox",
    "strace": "strace",
    "pulseaudio": "pulseaudio",
    "pulseaudio-utils": "pactl",
    "espeak-ng": "espeak-ng",
    "desktop-file-utils": "desktop-file-validate",
    "ffmpeg": "ffmpeg",
    "tesseract-ocr": "tesseract",
    "chromium": "chromium",
    # Some weights travel in Node packages.
    "npm": "npm",
}
# What makes packages, takes apart what goes into them, and tries them.
DIST_PROGRAMS = {"binutils": "objdump", "dpkg": "dpkg-deb", "xvfb": "Xvfb", "xdotool": "xdotool"}
# Debian package -> its file, anywhere below /usr/lib: PortAudio's way to PulseAudio.
TEST_FILES = {"libasound2-plugins": "*/alsa-lib/libasound_module_pcm_pulse.so"}


def say(text: str) -> None:
    print(f"hearth: {text}", flush=True)


def fail(text: str) -> None:
    raise SystemExit(f"hearth: {text}")


def run(*command: str | Path, **options: object) -> None:
    subprocess.run([str(part) for part in command], check=True, **options)  # type: ignore[call-overload]


def missing_system_packages(profile: str) -> list[str]:
    """Names of the Debian packages whose library or program is not found here."""
    missing = [package for package, library in SYSTEM_LIBRARIES.items() if ctypes.util.find_library(library) is None]
    if shutil.which("c++") is None and shutil.which("g++") is None:
        missing.append("g++")
    if profile in ("dist", "bundle"):
        missing += [package for package, program in DIST_PROGRAMS.items() if shutil.which(program) is None]
    if profile == "test":
        missing += [package for package, program in TEST_PROGRAMS.items() if shutil.which(program) is None]
        missing += [package for package, file in TEST_FILES.items() if not any(Path("/usr/lib").glob(file))]
    return missing


def install_system_packages(profile: str) -> None:
    """Install what is missing on Debian-like systems where that is allowed; elsewhere name it and go on."""
    if sys.platform == "darwin":
        if subprocess.run(["xcode-select", "-p"], capture_output=True, check=False).returncode:
            fail("Apple's command line tools are needed to build llama.cpp. Run: xcode-select --install")
        return
    if not sys.platform.startswith("linux"):
        return
    missing = missing_system_packages(profile)
    if not missing:
        return
    if shutil.which("apt-get") is None:
        say("these libraries seem to be missing; please install your system's packages for: " + " ".join(missing))
        return
    root = os.geteuid() == 0
    sudo = [] if root else ["sudo", "-n"]
    if not root and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode:
        say("some system packages are missing. Please run: sudo apt-get install " + " ".join(missing))
        return
    say("installing system packages: " + " ".join(missing))
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(*sudo, "apt-get", "update", "-q", stdout=subprocess.DEVNULL, env=environment)
    run(
        *sudo, "apt-get", "install", "-y", "-q", "--no-install-recommends", *missing,
        stdout=subprocess.DEVNULL, env=environment,
    )  # fmt: skip


def cache_folder() -> Path:
    """The same cache folder that the app uses (platformdirs' rules, restated for a bare Python)."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hearth"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "hearth" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hearth"


def gpu_flags(profile: str) -> tuple[str, list[str]]:
    """The backend to build, and its CMake flags. `HEARTH_BACKEND` = cpu, cuda or vulkan overrides the look.

    For others (`dist`) nobody looks: what this machine has says nothing of theirs.
    """
    if sys.platform == "darwin":
        return "metal", []
    wanted = os.environ.get("HEARTH_BACKEND", "cpu" if profile == "dist" else "").lower()
    nvidia = (
        shutil.which("nvidia-smi") is not None
        and not subprocess.run(["nvidia-smi", "-L"], capture_output=True, check=False).returncode
    )
    if wanted == "cuda" or (not wanted and shutil.which("nvcc") and nvidia):
        return "cuda", ["-DGGML_CUDA=ON"]
    has_card = any(Path("/dev/dri").glob("renderD*")) if os.name == "posix" else True
    if wanted == "vulkan" or (not wanted and shutil.which("glslc") and ctypes.util.find_library("vulkan") and has_card):
        return "vulkan", ["-DGGML_VULKAN=ON"]
    return "cpu", []


def portable_flags() -> list[str]:
    """CMake flags for a llama.cpp that runs on any processor of this kind.

    ggml's back ends become files of their own, the processor's in a dozen variants; of those the best that runs is
    chosen when it is loaded (engine/model/llama_library.py). On a Mac the few variants are told apart in one file.
    """
    if sys.platform == "darwin":
        return ["-DGGML_NATIVE=OFF"]
    # The back ends must lie beside the libraries that load them, and would be put among programs.
    return [
        "-DGGML_NATIVE=OFF", "-DGGML_BACKEND_DL=ON", "-DGGML_CPU_ALL_VARIANTS=ON",
        "-DCMAKE_INSTALL_BINDIR=llama_cpp/lib",
    ]  # fmt: skip


def cpu_features() -> str:
    """What a native build depends on: the processor's feature flags."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return line
    except OSError:
        pass
    return platform.processor() or platform.machine()


def compiler_flags() -> dict[str, str]:
    """What every build of llama.cpp's C and C++ is compiled with.

    Without the tile registers of some Xeons (AMX): llama.cpp's use of them ends the process where the compiler takes
    their configuration for unused (GCC before its mend of PR 114098, as in Debian 12), and where the kernel wants each
    thread to ask for them (llama.cpp's pull request 26954). Microsoft's compiler has no AMX.
    """
    if os.name == "nt":
        return {}
    return {name: f"{os.environ.get(name, '')} -U__AMX_INT8__".strip() for name in ("CFLAGS", "CXXFLAGS")}


def llama_requirement() -> str:
    """The pinned llama-cpp-python with its hash, as the lock states it."""
    lines = (LOCKS / "llama.txt").read_text().splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("#")) + "\n"


def engine_wheel(profile: str) -> Path:
    """The llama.cpp wheel for this machine, or (`dist`) for any, built now if it is not in the cache yet."""
    backend, flags = gpu_flags(profile)
    features = cpu_features()
    if profile == "dist":
        flags, features = [*flags, *portable_flags()], "any processor"
    requirement = llama_requirement()
    key = hashlib.sha256(
        "\0".join(
            [
                requirement,
                *(mend.after for mend in llama_source.MENDS),
                backend,
                *flags,
                *compiler_flags().values(),
                features,
                platform.machine(),
                sys.platform,
            ]
        ).encode()
    ).hexdigest()[:16]
    folder = cache_folder() / "wheels" / f"{backend}-{key}"
    built = sorted(folder.glob("llama_cpp_python-*.whl"))
    if built:
        return built[0]
    say(
        f"building llama.cpp for {'any' if profile == 'dist' else 'this'} machine ({backend}); this takes minutes, once"
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        log = folder / "build.log"
        log.write_text("")
        environment = {
            **os.environ,
            **compiler_flags(),
            "CMAKE_ARGS": " ".join(["-DCMAKE_BUILD_TYPE=Release", *flags]),
            "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 2),
            "FORCE_CMAKE": "1",
        }
        try:
            source = llama_source.fetch(
                python_of(profile), requirement, Path(scratch), log=log, environment=environment
            )
        except (subprocess.CalledProcessError, ValueError) as error:
            fail(f"llama.cpp's source could not be had: {error}. The whole log is in {log}")
        with log.open("a") as out:
            result = subprocess.run(
                [python_of(profile), "-m", "pip", "wheel", "--no-deps", "--no-cache-dir", source, "-w", scratch],
                env=environment, stdout=out, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        wheels = sorted(Path(scratch).glob("llama_cpp_python-*.whl"))
        if result.returncode or not wheels:
            print(log.read_text()[-4000:])
            if backend not in ("cpu", "metal"):
                say(f"the {backend} build failed (see {log}); building for the CPU instead")
                os.environ["HEARTH_BACKEND"] = "cpu"
                return engine_wheel(profile)
            fail(f"llama.cpp could not be built. The whole log is in {log}")
        # A rename is atomic only within one file system, hence the copy to a neighbour first.
        part = folder / (wheels[0].name + ".part")
        shutil.copyfile(wheels[0], part)
        part.replace(folder / wheels[0].name)
    return folder / wheels[0].name


def environment_of(profile: str) -> Path:
    """The folder of a profile's virtual environment."""
    return ROOT / (f".venv-{profile}" if profile in ("dist", "bundle") else ".venv")


def python_of(profile: str) -> Path:
    """The Python of that environment."""
    return environment_of(profile) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(profile: str) -> None:
    """Bring the virtual environment to what the locks say."""
    python = python_of(profile)
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    if not python.exists():
        say(f"making the virtual environment {environment_of(profile).name}")
        venv.EnvBuilder(with_pip=True).create(environment_of(profile))
    say("installing the pinned packages")
    run(*pip, "install", "-q", "--no-deps", "--require-hashes", "-r", LOCKS / f"{PROFILES[profile]}.txt")
    # By force: pip leaves a wheel of the same version alone, however it was built.
    run(*pip, "install", "-q", "--no-deps", "--force-reinstall", engine_wheel(profile))
    if profile == "test":
        # torch has no hash here: which file is right depends on the machine (CPU or a vendor's GPU).
        run(*pip, "install", "-q", "torch==2.13.0")
        run(*pip, "install", "-q", "--no-deps", "--require-hashes", "-r", LOCKS / "torch.txt")
    run(*pip, "install", "-q", "--no-deps", "--no-build-isolation", "-e", ROOT)


def fingerprint(profile: str) -> str:
    """Changes whenever an installation would come out differently."""
    digest = hashlib.sha256()
    for path in (ROOT / "pyproject.toml", Path(__file__), Path(llama_source.__file__), *sorted(LOCKS.glob("*.txt"))):
        digest.update(path.read_bytes())
    digest.update(f"{profile} {sys.version} {gpu_flags(profile)[0]} {cpu_features()}".encode())
    return digest.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", choices=sorted(PROFILES))
    profile = parser.parse_args().profile
    if sys.version_info < (3, 11):  # noqa: UP036  (this script may be started by any Python)
        fail(f"Python 3.11 or newer is needed; this is {platform.python_version()}. Set PYTHON=... for make")
    stamp = environment_of(profile) / f".ready-{profile}"
    wanted = fingerprint(profile)
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    install_system_packages(profile)
    install(profile)
    stamp.write_text(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
