"""The formats, read back by independent means: tar and gzip, the dynamic linker, and the signature's own arithmetic."""

from __future__ import annotations

import ctypes
import gzip
import hashlib
import io
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from gpufleet.lab.vendors import apt, deb, declared, elf, openpgp, rpm, streams, yum
from gpufleet.lab.vendors.openpgp import Key
from gpufleet.lab.vendors.package import File, Package, relation

PACKAGE = Package(
    "hello",
    "3:1.0-1.el9",
    summary="says <hello>",
    depends=("plain >= 1",),
    files=(
        File("/usr/bin/hello", b"#!/bin/sh\n", 0o755),
        File("/usr/lib64/libhello.so", link="libhello.so.1"),
        File("/etc/hello.conf", b"greeting=hello\n", config=True),
    ),
    scripts={"postinst": "ldconfig\n"},
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return openpgp.ensure(tmp_path_factory.mktemp("key") / "key.pem")


def members(data: bytes) -> dict[str, bytes]:
    """Members of an ar archive."""
    assert data.startswith(b"!<arch>\n")
    found, place = {}, 8
    while place < len(data):
        name, size = data[place : place + 16].decode().strip(), int(data[place + 48 : place + 58])
        found[name] = data[place + 60 : place + 60 + size]
        place += 60 + size + size % 2
    return found


def test_a_deb_holds_its_files_with_the_directories_above_them() -> None:
    parts = members(deb.build(PACKAGE).data)
    assert list(parts) == ["debian-binary", "control.tar.gz", "data.tar.gz"]
    with tarfile.open(fileobj=io.BytesIO(parts["data.tar.gz"])) as tar:
        assert [(member.name, member.mode, member.linkname) for member in tar] == [
            (".", 0o755, ""), ("./etc", 0o755, ""), ("./usr", 0o755, ""), ("./usr/bin", 0o755, ""),
            ("./usr/lib64", 0o755, ""), ("./etc/hello.conf", 0o644, ""), ("./usr/bin/hello", 0o755, ""),
            ("./usr/lib64/libhello.so", 0o644, "libhello.so.1"),
        ]  # fmt: skip


def test_a_debs_administration_names_conffiles_and_relations() -> None:
    parts = members(deb.build(PACKAGE).data)
    with tarfile.open(fileobj=io.BytesIO(parts["control.tar.gz"])) as tar:
        read = {member.name: file.read().decode() for member in tar if (file := tar.extractfile(member))}
    assert read["./conffiles"] == "/etc/hello.conf\n"
    assert read["./postinst"] == "#!/bin/sh\nset -e\nldconfig\n"
    assert "Depends: plain (>= 1)\n" in read["./control"]
    assert "Version: 3:1.0-1.el9\n" in read["./control"]


def test_equal_declarations_give_equal_packages(key: Key) -> None:
    assert deb.build(PACKAGE).data == deb.build(PACKAGE).data
    assert rpm.build(PACKAGE, key).data == rpm.build(PACKAGE, key).data


def test_an_rpm_names_the_directories_that_are_its_own() -> None:
    paths = ("/usr/bin/nvidia-imex", "/etc/nvidia-imex/config.cfg", "/etc/modprobe.d/x.conf", "/usr/src/nvidia-580/a.c")
    found = rpm.folders([File(path) for path in paths])
    assert {one.path: oct(rpm.mode(one)) for one in found} == {
        "/etc/nvidia-imex": "0o40755",
        "/usr/src/nvidia-580": "0o40755",
    }


def test_a_release_file_tells_the_digest_of_its_index(key: Key, tmp_path: Path) -> None:
    apt.index(tmp_path, [deb.build(PACKAGE)], key)
    packages, release = (tmp_path / "Packages").read_bytes(), (tmp_path / "Release").read_text()
    assert f" {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n" in release
    assert gzip.decompress((tmp_path / "Packages.gz").read_bytes()) == packages
    assert b"Filename: ./hello_1.0-1.el9_amd64.deb\n" in packages
    assert (
        (tmp_path / "InRelease").read_text().startswith("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nOrigin:")
    )


def test_repodata_tells_digests_relations_and_files(key: Key, tmp_path: Path) -> None:
    built = rpm.build(PACKAGE, key)
    yum.index(tmp_path, [built], key)
    space = {"c": "http://linux.duke.edu/metadata/common", "r": "http://linux.duke.edu/metadata/rpm"}
    repomd = ET.fromstring((tmp_path / "repodata/repomd.xml").read_text())
    places = {data.get("type"): data[2].get("href") or "" for data in repomd if data.get("type")}
    primary = ET.fromstring(gzip.decompress((tmp_path / places["primary"]).read_bytes()))
    assert primary.findtext(".//c:checksum", "", space) == hashlib.sha256(built.data).hexdigest()
    provided = [entry.attrib for entry in primary.findall(".//r:provides/r:entry", space)]
    assert provided == [
        {"name": name, "flags": "EQ", "epoch": "3", "ver": "1.0", "rel": "1.el9"} for name in ("hello", "hello(x86-64)")
    ]
    assert [file.text for file in primary.findall(".//c:file", space)] == ["/usr/bin/hello", "/etc/hello.conf"]


def test_a_signature_holds_for_its_data_alone(key: Key) -> None:
    packet = key.sign(b"data")
    hashed = 6 + int.from_bytes(packet[3 + 4 : 3 + 6], "big")
    body = packet[3:]
    trailer = body[:hashed] + b"\x04\xff" + hashed.to_bytes(4, "big")
    loose = 2 + int.from_bytes(body[hashed : hashed + 2], "big")
    bits = hashed + loose + 2  # behind two bytes of the digest; the number has no leading zeros in a packet
    assert int.from_bytes(body[bits : bits + 2], "big") == int.from_bytes(body[bits + 2 :], "big").bit_length()
    public = key.private.public_key()
    number = body[bits + 2 :].rjust(public.key_size // 8, b"\0")
    public.verify(number, b"data" + trailer, padding.PKCS1v15(), hashes.SHA512())
    with pytest.raises(InvalidSignature):
        public.verify(number, b"other" + trailer, padding.PKCS1v15(), hashes.SHA512())


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    assert openpgp.ensure(path).fingerprint == openpgp.ensure(path).fingerprint
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_dynamic_linker_loads_a_library_and_calls_its_functions(tmp_path: Path) -> None:
    path = tmp_path / "libcuda.so.580.105.08"
    functions = {"cuInit": elf.answers(100), "cuDriverGetVersion": elf.stores(13000)}
    path.write_bytes(elf.shared_object("libcuda.so.1", functions))
    library, version = ctypes.CDLL(str(path)), ctypes.c_int()
    assert (library.cuInit(0), library.cuDriverGetVersion(ctypes.byref(version)), version.value) == (100, 0, 13000)
    with pytest.raises(AttributeError):
        _ = library.cuDeviceGet


@pytest.mark.parametrize("text", ["", "a b", "a >= ", "a (>= 1)"])
def test_what_is_no_relation_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a relation"):
        relation(text)


def test_a_deb_may_depend_on_alternatives() -> None:
    assert "Depends: one (<< 2) | two\n" in deb.control(Package("three", "1-1", depends=("one < 2 | two",)))


def test_streams_hold_one_flavor_and_their_branches(key: Key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = [rpm.build(package, key) for package in declared.packages("rhel9")]
    documents = list(yaml.safe_load_all(streams.document(built)))
    held = {one["data"]["stream"]: one["data"]["artifacts"]["rpms"] for one in documents if one["version"] == 2}
    branches = [f"{branch}-{kind}" for branch in (570, 580, 590, 595) for kind in ("dkms", "open")]
    assert sorted(held) == sorted([*branches, "535-dkms", "latest-dkms", "open-dkms"])
    assert [name for name in held["580-open"] if name.startswith("kmod")] == [
        "kmod-nvidia-open-dkms-3:580.105.08-1.el9.noarch", "kmod-nvidia-open-dkms-3:580.95.05-1.el9.noarch",
    ]  # fmt: skip
    assert "kmod-nvidia-open-dkms-3:580.105.08-1.el9.noarch" in held["open-dkms"]
    assert documents[-1]["data"]["stream"] == "latest-dkms"
