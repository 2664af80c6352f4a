# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel that lacks what the module needs is refused in one sentence, before a compiler says it in a hundred lines.

The kernel is one of the guests', its headers in a tree of links in which one file is another.
"""

import platform
import re
import subprocess
from pathlib import Path

import pytest

from packets import row

pytestmark = pytest.mark.stock

TREE = Path(__file__).resolve().parent.parent.parent
# Whose headers go with the compiler and the libraries that are here.
KERNEL = {"12": "6.12", "13": "trixie-backports"}[platform.freedesktop_os_release()["VERSION_ID"]]


@pytest.fixture(scope="module")
def original():
    """The build directory of a kernel, real."""
    done = subprocess.run([TREE / "tests/vm/kernels", KERNEL], stdout=subprocess.PIPE, text=True, check=True)
    kernel = Path(done.stdout.strip())
    return (kernel / "lib/modules" / kernel.name / "build").resolve()


@pytest.fixture
def headers(original, tmp_path):
    """Its sources and headers, linked."""
    subprocess.run(["cp", "-rs", original.parent, tmp_path / "src"], check=True)
    return tmp_path / "src" / original.name


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.unlink()
    file.write_text(text.replace(old, new))


def build(headers, tmp_path, *more):
    done = subprocess.run(["make", "-f", TREE / "Makefile.kmod", f"KDIR={headers}", f"OUT={tmp_path / 'build'}", *more],
                          capture_output=True, text=True)
    return done.returncode, [line for line in done.stderr.splitlines() if "nft_snat_stateless:" in line]


# Pattern of the file below the sources, what stands there, what stands there instead, what is said.
LACKS = [
    row("an export", "*-amd64/Module.symvers", "\tnft_chain_validate_hooks\t", "\tno_such_function\t",
        "does not export what this module needs, and 6.1.192 to 7.3.4 do: nft_chain_validate_hooks"),
    row("a count that ends", "*-common/include/net/netfilter/nf_tables.h",
        "bool nft_use_inc(u32", "bool nft_use_more(u32",
        "has no nft_use_inc(); 6.1.192 to 7.3.4 have"),
    row("dumps that reset", "*-common/include/net/netfilter/nf_tables.h", "bool reset)", "int reset)",
        "has no nft_expr_ops.dump with a reset; 6.1.192 to 7.3.4 have"),
    row("a validate of today", "*-common/include/net/netfilter/nf_tables.h", "*validate)(const struct nft_ctx *ctx,",
        "*validate)(const struct nft_ctx *ctx, const struct nft_data **data,",
        "has no nft_expr_ops.validate without data; 6.1.192 to 7.3.4 have"),
    row("the flag", "*-common/include/net/ip.h",
        "#define IPSKB_MULTIPATH\t\tBIT(9)", "#define IPSKB_MULTIPATH\t\tBIT(15)",
        "uses bits 14 or 15 of the IP layer's flags itself, see decision.h; 6.1.192 to 7.3.4 do not"),
    row("the other flag", "*-common/include/linux/ipv6.h",
        "#define IP6SKB_MULTIPATH      1024", "#define IP6SKB_MULTIPATH      16384",
        "uses bits 14 or 15 of the IP layer's flags itself, see decision.h; 6.1.192 to 7.3.4 do not"),
    row("nf_tables", "*-amd64/include/config/auto.conf", "CONFIG_NF_TABLES=m", "",
        "this kernel is configured without CONFIG_NF_TABLES"),
]


@pytest.mark.parametrize("file, old, new, sentence", LACKS)
def test_what_a_kernel_lacks(headers, tmp_path, file, old, new, sentence):
    (found,) = headers.parent.glob(file)
    change(found, old, new)
    status, said = build(headers, tmp_path)
    assert status == 2 and len(said) == 1 and sentence in said[0], said


def test_what_lacks_nothing(headers, tmp_path):
    assert build(headers, tmp_path) == (0, [])
    assert (tmp_path / "build/nft_snat_stateless.ko").exists()


def test_no_build_directory(tmp_path):
    done = subprocess.run(["make", "-f", TREE / "Makefile.kmod", f"KDIR={tmp_path}"], capture_output=True, text=True)
    assert done.returncode == 2 and f"KDIR={tmp_path} is no kernel's build directory" in done.stderr


def installed(tree):
    """Compressed or not, as the kernel is configured."""
    found = tree.glob("lib/modules/*/**/nft_snat_stateless.ko*")
    return sorted(str(path.relative_to(tree)).removesuffix(".xz") for path in found)


def test_what_dkms_has_is_left_alone(original, tmp_path):
    """A module is installed and taken away again, but not beside DKMS's, nor DKMS's itself."""
    tree = tmp_path / "tree"
    release = original.name.removeprefix("linux-headers-")
    ours, dkms = (f"lib/modules/{release}/updates/{where}nft_snat_stateless.ko" for where in ("", "dkms/"))
    assert build(original, tmp_path, f"INSTALL_MOD_PATH={tree}", "install") == (0, [])
    assert installed(tree) == [ours]

    (tree / dkms).parent.mkdir()
    (tree / dkms).touch()
    status, said = build(original, tmp_path, f"INSTALL_MOD_PATH={tree}", "install")
    assert status == 2 and f"{tree / dkms} is there already" in said[0]
    assert build(original, tmp_path, f"INSTALL_MOD_PATH={tree}", "uninstall") == (0, [])
    assert installed(tree) == [dkms]


def test_one_version_everywhere():
    """Of the tool, of the module, of the packages."""
    places = {"CMakeLists.txt": r"project\(statnat VERSION (\S+)", "debian/changelog": r"statnat \((\S+)\)",
              "kernel/nft_snat_stateless/Kbuild": r"NFT_SNAT_STATELESS_VERSION='\"(.+)\"'"}
    assert len({re.search(pattern, (TREE / file).read_text())[1] for file, pattern in places.items()}) == 1
