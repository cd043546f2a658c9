"""The repository of builds: found by key, whole or refused, and signed by a key that hosts can check."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from gpufleet.errors import GpufleetError
from gpufleet.precompiled import repository, signing
from gpufleet.precompiled.artifact import checksum
from gpufleet.precompiled.key import ModuleKey
from gpufleet.precompiled.repository import Directory, Website
from tests.support.artifacts import artifact

KEY = ModuleKey("debian-12", "x86_64", "6.1.0-56-amd64", "535.261.03", "proprietary")
MANIFEST = "debian-12/x86_64/6.1.0-56-amd64/nvidia-535.261.03-proprietary.json"
FILE = "gpufleet-nvidia-modules-6.1.0-56-amd64_535.261.03-20261123060000_amd64.deb"


@pytest.fixture
def filled(tmp_path: Path) -> Directory:
    package = tmp_path / "package.deb"
    package.write_bytes(b"modules")
    directory = Directory(tmp_path / "modules")
    directory.add(artifact(KEY, FILE, checksum(package)), package, tmp_path / "key")
    return directory


@pytest.fixture
def website(filled: Directory) -> Iterator[Website]:
    handler = partial(_Quiet, directory=str(filled.root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Website(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


def test_find_what_was_added(filled: Directory) -> None:
    artifact = filled.find(KEY)
    assert artifact is not None
    assert (artifact.key, artifact.file) == (KEY, FILE)
    assert [one.key for one in filled.artifacts()] == [KEY]
    assert sorted(path.name for path in (filled.root / MANIFEST).parent.iterdir()) == [
        FILE,
        "nvidia-535.261.03-proprietary.json",
        "nvidia-535.261.03-proprietary.json.sig",
    ]


@pytest.mark.parametrize(
    "other",
    [
        ModuleKey("debian-13", KEY.arch, KEY.kernel, KEY.driver, KEY.flavor),
        ModuleKey(KEY.release, "aarch64", KEY.kernel, KEY.driver, KEY.flavor),
        ModuleKey(KEY.release, KEY.arch, "6.1.0-57-amd64", KEY.driver, KEY.flavor),
        ModuleKey(KEY.release, KEY.arch, KEY.kernel, "535.309.01", KEY.flavor),
        ModuleKey(KEY.release, KEY.arch, KEY.kernel, KEY.driver, "open"),
    ],
)
def test_any_other_key_finds_nothing(filled: Directory, website: Website, other: ModuleKey) -> None:
    assert filled.find(other) is None
    assert website.find(other) is None


def test_website_finds_the_same(filled: Directory, website: Website) -> None:
    artifact = website.find(KEY)
    assert artifact is not None
    assert artifact == filled.find(KEY)
    assert website.address(artifact, FILE) == f"{website.url}{MANIFEST.rpartition('/')[0]}/{FILE}"


def test_signature_is_of_this_key_and_this_text(filled: Directory, tmp_path: Path) -> None:
    manifest = filled.root / MANIFEST
    signing.verify(manifest, filled.public_key(), tmp_path)
    other = signing.ensure_key(tmp_path / "other")
    with pytest.raises(GpufleetError, match=r"^signature of nvidia-535.261.03-proprietary.json: expected ssh-keygen"):
        signing.verify(manifest, other, tmp_path)
    manifest.write_text(manifest.read_text().replace("gpu-01", "gpu-02"))
    with pytest.raises(GpufleetError) as caught:
        signing.verify(manifest, filled.public_key(), tmp_path)
    assert str(caught.value) == (
        "signature of nvidia-535.261.03-proprietary.json: expected ssh-keygen to end well, found Signature "
        "verification failed: incorrect signature; see that the key is the one that signed, and readable"
    )


def test_changed_package_is_refused(filled: Directory) -> None:
    package = filled.root / MANIFEST.rpartition("/")[0] / FILE
    wanted = checksum(package)
    package.write_bytes(b"other")
    with pytest.raises(GpufleetError) as caught:
        filled.find(KEY)
    assert str(caught.value) == (
        f"{package}: expected sha256 {wanted}, found {checksum(package)}; "
        "remove its manifest and run `gpufleet modules build` again"
    )


def test_missing_package_is_refused(filled: Directory) -> None:
    package = filled.root / MANIFEST.rpartition("/")[0] / FILE
    wanted = checksum(package)
    package.unlink()
    with pytest.raises(GpufleetError) as caught:
        filled.find(KEY)
    assert str(caught.value) == (
        f"{package}: expected sha256 {wanted}, found no such file; "
        "remove its manifest and run `gpufleet modules build` again"
    )


def test_manifest_of_another_build_is_refused(filled: Directory) -> None:
    moved = ModuleKey(KEY.release, KEY.arch, KEY.kernel, KEY.driver, "open")
    (filled.root / MANIFEST).rename(filled.root / moved.manifest)
    with pytest.raises(GpufleetError) as caught:
        filled.find(moved)
    assert str(caught.value) == (
        f"{filled.root / moved.manifest}: expected driver 535.261.03 (open) for kernel 6.1.0-56-amd64 on debian-12 "
        "x86_64, found driver 535.261.03 (proprietary) for kernel 6.1.0-56-amd64 on debian-12 x86_64; "
        "remove it from the repository and run `gpufleet modules build` again"
    )


def test_manifest_of_another_shape_is_refused(filled: Directory) -> None:
    manifest = filled.root / MANIFEST
    manifest.write_text(manifest.read_text().replace(FILE, "../../etc/shadow").replace("{", '{"size": 1,'))
    with pytest.raises(GpufleetError) as caught:
        filled.find(KEY)
    assert str(caught.value) == (
        f"{manifest}: expected a manifest of a build, found file: String should match pattern "
        "'^[A-Za-z0-9._+~-]+$'; size: Extra inputs are not permitted; "
        "remove it from the repository and run `gpufleet modules build` again"
    )


def test_website_that_is_down() -> None:
    with pytest.raises(GpufleetError) as caught:
        Website("http://127.0.0.1:9").find(KEY)
    assert str(caught.value) == (
        f"http://127.0.0.1:9/{MANIFEST}: expected the manifest of a build, or 404, "
        "found <urlopen error [Errno 111] Connection refused>; "
        "see that the web server is up and serves the repository's directory"
    )


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("", Directory(Path("/default"))),
        ("/srv/modules", Directory(Path("/srv/modules"))),
        ("https://modules.fleet.internal/", Website("https://modules.fleet.internal/")),
    ],
)
def test_place(place: str, expected: Directory | Website) -> None:
    assert repository.of(place, Path("/default")) == expected
