"""Showing a message over the real application: text in its order, a page for the browser, what attachments say."""

from __future__ import annotations

import base64

import pytest

from tests.cli.harness import Cli
from tests.cli.test_cli_real import real, unlocked
from tests.twins.office_files import docx, pdf

__all__ = ["real"]  # a fixture, used by name

PIXEL = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
HTML = (
    "<p onclick='x()'>Dag An,</p><blockquote>" + "<p>Hoe zit het met de sleutel?</p>" * 5 + "</blockquote>"
    "<p>Zie <a href='https://t.example/r?1'>www.klant.example</a>.<img src='cid:logo'><img src='https://t.example/p'></p>"
)


def part(kind: str, octets: bytes, *, name: str | None = None, fields: str = "") -> str:
    named = f'Content-Disposition: attachment; filename="{name}"\r\n' if name else ""
    encoded = base64.encodebytes(octets).decode()
    return f"--b\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n{named}{fields}\r\n{encoded}"


def message() -> bytes:
    return (
        "From: Support <support@ons.example>\r\nTo: An Peeters <an@klant.example>\r\nSubject: Uw sleutel\r\n"
        "Date: Thu, 5 Mar 2026 09:00:00 +0100\r\nMessage-ID: <s1@ons.example>\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        + part("text/html; charset=utf-8", HTML.encode())
        + part("image/gif", base64.b64decode(PIXEL), fields="Content-ID: <logo>\r\nContent-Disposition: inline\r\n")
        + part("application/octet-stream", pdf(["Artikel een: de zonnebloem"]), name="contract.pdf")
        + part("application/octet-stream", docx(["Bijlage twee"]), name="contract.pdf")
        + part("application/pdf", pdf(["geheim"], password="x"), name="slot.pdf")
        + "--b--\r\n"
    ).encode()


@pytest.fixture
def archive(real: Cli) -> tuple[Cli, str]:
    """A real archive with the message, and its id."""
    unlocked(real)
    (real.home / "mail" / "sleutel.eml").write_bytes(message())
    assert real("import", str(real.home / "mail")).code in {0, 4}
    (item,) = real("search", "subject:sleutel", "--json").json()["items"]
    return real, item["id"]


def test_a_message_is_shown_in_its_order_and_as_a_page_that_loads_nothing(archive: tuple[Cli, str]) -> None:
    cli, one = archive
    out = cli("show", one).out
    assert f"Dag An,\n\n[5 quoted lines: archiver show {one} --quoted]\n\nZie www.klant.example.\n" in out
    assert "  3  contract.pdf  PDF document" in out
    assert "  5 slot.pdf (" in out
    assert "needs a password" in out
    assert "> Hoe zit het met de sleutel?" in cli("show", one, "--quoted").out
    assert "https://t.example/r?1" in cli("show", one, "--links").out
    page = cli("show", one, "--html").out
    assert f'src="data:image/gif;base64,{PIXEL}"' in page
    assert "onclick" not in page
    assert page.count("src=") == 1
    assert "t.example]</span>" in page


def test_attachments_are_read_and_saved(archive: tuple[Cli, str]) -> None:
    cli, one = archive
    assert "zonnebloem" in cli("show", one, "--part", "3", "--text").out
    ran = cli("show", one, "--part", "5", "--text")
    assert (ran.code, ran.out) == (2, "")
    assert "password" in ran.err
    folder = cli.home / "saved"
    folder.mkdir()
    assert cli("show", one, "--all-parts", "--output", str(folder)).code == 0
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["contract (2).pdf", "contract.pdf", "part-2.bin", "slot.pdf"]
    assert (folder / "contract (2).pdf").read_bytes() == docx(["Bijlage twee"])
