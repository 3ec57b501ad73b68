"""The program for macOS: signed, in a disk image, notarised. Written by the manuals and UNTESTED: no Mac was at hand.

Three variables decide how far it goes: without any, the app is signed ad hoc and opens on the Mac it was made on;
`HEARTH_SIGN_IDENTITY` ("Developer ID Application: …") signs it for others; `HEARTH_NOTARY_PROFILE` (made once with
`xcrun notarytool store-credentials`) has Apple look at the image and staples the ticket to it.

It holds one architecture, that of the Python it is made with: most wheels come for one only. Metal is in llama.cpp's
build on both. Make it once on an Apple chip and once on an Intel one (or under Rosetta, `arch -x86_64 make dist`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from package_facts import BUILD, NAME, ROOT, bundle_name

ENTITLEMENTS = ROOT / "packaging" / "macos" / "entitlements.plist"


def make_macos_packages(app: Path, target: Path) -> list[Path]:
    """The disk image of a built `Hearth.app`."""
    identity = os.environ.get("HEARTH_SIGN_IDENTITY", "-")
    sign(app, identity)
    image = make_image(app, target)
    if identity != "-":
        _run("codesign", "--sign", identity, "--timestamp", image)
    profile = os.environ.get("HEARTH_NOTARY_PROFILE")
    if profile:
        _run("xcrun", "notarytool", "submit", image, "--keychain-profile", profile, "--wait")
        _run("xcrun", "stapler", "staple", image)
    return [image]


def sign(app: Path, identity: str) -> None:
    """From the inside outwards: what lies in a signed folder must not change afterwards."""
    options = ["--force", "--sign", identity, "--options", "runtime"]
    if identity != "-":
        options.append("--timestamp")
    for library in sorted(app.rglob("*")):
        if library.suffix in (".dylib", ".so") and not library.is_symlink():
            _run("codesign", *options, library)
    _run("codesign", *options, "--entitlements", ENTITLEMENTS, app)
    _run("codesign", "--verify", "--deep", "--strict", app)


def make_image(app: Path, target: Path) -> Path:
    """The app, and beside it the folder to drag it into."""
    folder = BUILD / "image"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _run("ditto", app, folder / app.name)
    (folder / "Applications").symlink_to("/Applications")
    image = target / f"{bundle_name()}.dmg"
    image.unlink(missing_ok=True)
    _run("hdiutil", "create", "-volname", NAME, "-srcfolder", folder, "-fs", "APFS", "-format", "ULFO", image)
    shutil.rmtree(folder)
    return image


def _run(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True)
