#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Frames between this project and other implementations, in both directions: XChaCha20-Poly1305 by PyNaCl, AES-256-GCM
# by python3-cryptography (OpenSSL), keys by hashlib, LZ4 by the few lines below. Also opens the frames that
# docs/crypto.md publishes. Compiles transport_frames.cpp; skips (77) where a library or the compiler is missing.
import hashlib
import os
import pathlib
import random
import re
import shlex
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("MLDEFENDER_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
SYSTEM_PYTHON = "/usr/bin/python3"
try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from nacl.bindings import (crypto_aead_xchacha20poly1305_ietf_decrypt as xchacha_open,
                               crypto_aead_xchacha20poly1305_ietf_encrypt as xchacha_seal)
    from nacl.exceptions import CryptoError
except ImportError as missing:
    # Debian's packages belong to Debian's Python, which need not come first.
    if os.path.exists(SYSTEM_PYTHON) and os.path.realpath(sys.executable) != os.path.realpath(SYSTEM_PYTHON):
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON, *sys.argv])
    print(f"skipped: {missing}")
    sys.exit(77)

EPOCH_KEY = bytes(range(32))
EPOCH = 7
CHANNEL, SENDER, RECEIVER, DIRECTION = b"events", b"sensor-1", b"collector", 0
XCHACHA, AES = 1, 2
LZ4, FINAL = 1, 2


def derive(key, purpose, about):
    return hashlib.blake2b(about, digest_size=32, key=key, person=purpose.ljust(16, b"\0")).digest()


ROUTE = b"".join(bytes([len(name)]) + name for name in (CHANNEL, SENDER, RECEIVER)) + bytes([DIRECTION])
ROUTE_KEY = derive(derive(EPOCH_KEY, b"mld sender v1", SENDER), b"mld route v1", ROUTE)


def counting(first):
    return bytes(range(first, first + 16))


def seal(suite, salt, sequence, content, flags=0, original=None):
    head = struct.pack("<cBBBIQ", b"M", 1, suite, flags, EPOCH, sequence)
    if original is not None:
        head += struct.pack("<I", original)
    number = struct.pack("<Q", sequence)
    if suite == XCHACHA:
        return head + xchacha_seal(content, head + ROUTE, salt + number, ROUTE_KEY)
    return head + AESGCM(derive(ROUTE_KEY, b"mld aes256 v1", salt)).encrypt(salt[:4] + number, content, head + ROUTE)


def open_frame(salt, frame):
    magic, version, suite, flags, epoch, sequence = struct.unpack("<cBBBIQ", frame[:16])
    assert (magic, version, epoch) == (b"M", 1, EPOCH)
    size = 20 if flags & LZ4 else 16
    head, sealed, number = frame[:size], frame[size:], frame[8:16]
    if suite == XCHACHA:
        content = xchacha_open(sealed, head + ROUTE, salt + number, ROUTE_KEY)
    else:
        content = AESGCM(derive(ROUTE_KEY, b"mld aes256 v1", salt)).decrypt(salt[:4] + number, sealed, head + ROUTE)
    if flags & LZ4:
        content = unpack(content)
        assert len(content) == struct.unpack("<I", frame[16:20])[0]
    return content


def unpack(packed):
    """A block of LZ4, as its format description says."""
    out, at = bytearray(), 0

    def length(start):
        nonlocal at
        if start < 15:
            return start
        while True:
            at += 1
            start += packed[at - 1]
            if packed[at - 1] != 255:
                return start

    while at < len(packed):
        token = packed[at]
        at += 1
        literals = length(token >> 4)
        out += packed[at:at + literals]
        at += literals
        if at == len(packed):
            break
        back = packed[at] | packed[at + 1] << 8
        at += 2
        for _ in range(length(token & 15) + 4):
            out.append(out[-back])
    return bytes(out)


def packed_run(octet, count):
    """`count` times one octet, 24 or more: a literal, a match that overlaps itself, and the last five literals."""
    rest = count - 6 - 4 - 15
    return (bytes([0x1f, octet, 1, 0]) + b"\xff" * (rest // 255) + bytes([rest % 255])
            + bytes([0x50]) + bytes([octet]) * 5)


def compile_helper(folder):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libsodium", "liblz4"], capture_output=True, text=True)
    if flags.returncode != 0:
        print("skipped: pkg-config does not find libsodium and liblz4")
        sys.exit(77)
    program = os.path.join(folder, "transport_frames")
    subprocess.run([*shlex.split(os.environ.get("CXX", "c++")), "-std=c++20", "-O1", f"-I{ROOT}/include",
                    f"-I{ROOT}/tests", str(ROOT / "tests/peer/transport_frames.cpp"), "-o", program,
                    *shlex.split(flags.stdout)], check=True)
    return program


def has_aes():
    return " aes" in pathlib.Path("/proc/cpuinfo").read_text()


def main():
    with tempfile.TemporaryDirectory() as folder:
        ours = subprocess.Popen([compile_helper(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def ask(line):
            ours.stdin.write(line + "\n")
            ours.stdin.flush()
            return ours.stdout.readline().strip()

        rand = random.Random(1)
        contents = [b"", b"x", b"hello", bytes(300), rand.randbytes(1000), b"event line " * 5000]
        contents += [rand.randbytes(rand.randrange(400)) for _ in range(200)]
        checked = 0
        for suite in [XCHACHA, AES] if has_aes() else [XCHACHA]:
            for pack, salt in (("off", counting(2)), ("lz4", counting(1))):
                compressed = 0
                for content in contents:
                    frame = bytes.fromhex(ask(f"seal {suite} {pack} {content.hex()}"))
                    assert open_frame(salt, frame) == content
                    compressed += frame[3] & LZ4
                    checked += 1
                    altered = bytearray(frame)
                    altered[rand.randrange(8, 16) if pack == "off" else -1] ^= 1
                    try:
                        open_frame(salt, bytes(altered))
                        raise AssertionError("an altered frame opens")
                    except (CryptoError, InvalidTag):
                        pass
                assert (compressed > 0) == (pack == "lz4")
            for sequence, content in enumerate(contents):
                frame = seal(suite, counting(3), sequence, content)
                assert ask(f"open {suite} {frame.hex()}") == f"ok {content.hex()}".strip()
                assert ask(f"open {suite} {frame.hex()}") == "replay"
                checked += 1
            for sequence, count in enumerate((300, 1000, 50000), 1000):
                frame = seal(suite, counting(3), sequence, packed_run(65, count), LZ4, count)
                assert ask(f"open {suite} {frame.hex()}") == "ok " + (b"A" * count).hex()
                checked += 1
            frame = seal(suite, counting(3), 2000, packed_run(65, 1000), LZ4, 999)
            assert ask(f"open {suite} {frame.hex()}") == "decompress_failed"
            frame = bytearray(seal(suite, counting(3), 2001, b"hello"))
            frame[-1] ^= 1
            assert ask(f"open {suite} {frame.hex()}") == "auth_failed"
        ours.stdin.close()
        assert ours.wait() == 0
    published = re.findall(r"^    (4d01[0-9a-f]{60,})$", (ROOT / "docs/crypto.md").read_text(), re.MULTILINE)
    assert len(published) == 2, published
    for frame in published:
        assert open_frame(counting(0xa0), bytes.fromhex(frame)) == b"hello"
    print(f"{checked} frames understood by both sides, {len(published)} published frames open")


main()
