"""S/MIME: what was signed is read as if nothing were around it, what is encrypted is told; nothing is verified."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archiver.mail import cms, structure
from archiver.mail.cms import Cms, read_cms
from archiver.mail.extract import part_octets
from archiver.mail.parse import parse
from archiver.mail.reading import shown_text
from archiver.mail.safe_page import page
from archiver.model.message import Message, PartKind
from tests.property.test_mail_never_raises import holds, reads_alone

WORD = "zwaluwstaart"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nDe zwaluwstaart is besteld.\r\n"

# Made by OpenSSL 3.0 of TEXT, with a key of their own that nobody kept.
STREAMED = base64.b64decode(
    "MIAGCSqGSIb3DQEHAqCAMIACAQExDTALBglghkgBZQMEAgEwgAYJKoZIhvcNAQcBoIAkgARIQ29udGVudC1UeXBlOiB0ZXh0L3BsYWluOyBj"
    "aGFyc2V0PXV0Zi04DQoNCkRlIHp3YWx1d3N0YWFydCBpcyBiZXN0ZWxkLg0KAAAAAAAAMXkwdwIBATARMAwxCjAIBgNVBAMMAXQCAQEwCwYJ"
    "YIZIAWUDBAIBMAoGCCqGSM49BAMCBEYwRAIgRLGi4xfVSJGS1nXfkNNdEWKMTwsPv5eXtLBFab4kFDACIGl5+C1hPYXR1BjGqthHw3FQ8ZNs"
    "+0xkCvSkmZVNbaWlAAAAAAAA"
)
WHOLE = base64.b64decode(
    "MIH7BgkqhkiG9w0BBwKgge0wgeoCAQExDzANBglghkgBZQMEAgEFADBXBgkqhkiG9w0BBwGgSgRIQ29udGVudC1UeXBlOiB0ZXh0L3BsYWlu"
    "OyBjaGFyc2V0PXV0Zi04DQoNCkRlIHp3YWx1d3N0YWFydCBpcyBiZXN0ZWxkLg0KMXsweQIBATARMAwxCjAIBgNVBAMMAXQCAQEwDQYJYIZI"
    "AWUDBAIBBQAwCgYIKoZIzj0EAwIERjBEAiBHJvnFYAhQPtq/3nCL9fBFPlBYaPL4sFtypRE39VdeMQIgRc9CFoyUXoXMBBBxiPY3SIdyCuoI"
    "4UnQ8o2HkX4YveA="
)
ENCRYPTED = base64.b64decode(
    "MIHFBgkqhkiG9w0BBwOggbcwgbQCAQIxMaIvAgEEMAMEAQEwCwYJYIZIAWUDBAEFBBh8DwFmGs+qFA5tpWYSPU+mzxPUiPlr8I4wfAYJKoZI"
    "hvcNAQcBMB0GCWCGSAFlAwQBAgQQvhZz4/BPbCfRy7D0p2KucIBQVSQN/rNf775ZamZpV1k1zty1zAUP3J71NhvoXwwJTSuSneRZ1ZyyFLgJ"
    "QsMzN9AqjSeyLazWYNaLtMr7/UPqz0K7+LYBjY7Jks5KEL4wAyM="
)

END = b"\0\0"
PKCS7 = bytes.fromhex("06092a864886f70d0107")
DATA, SIGNED_DATA, DIGESTED = PKCS7 + b"\x01", PKCS7 + b"\x02", PKCS7 + b"\x05"
AUTHENTICATED = bytes.fromhex("060b2a864886f70d0109100117")


def der(tag: int, *inner: bytes) -> bytes:
    """One element with its length in front."""
    octets = b"".join(inner)
    size = len(octets)
    length = bytes([size]) if size < 0x80 else bytes([0x84]) + size.to_bytes(4, "big")
    return bytes([tag]) + length + octets


def ber(tag: int, *inner: bytes) -> bytes:
    """One element with its end marked."""
    return bytes([tag, 0x80]) + b"".join(inner) + END


Element = Callable[..., bytes]


def signed(content: bytes | None, *, element: Element = der) -> bytes:
    """SignedData with an element for its content, or without content."""
    inside = [DATA] if content is None else [DATA, element(0xA0, content)]
    data = element(
        0x30,
        der(2, b"\x01"),
        element(0x31, element(0x30, DATA)),
        element(0x30, *inside),
        der(0x31, der(0x30, b"\x05\x00")),
    )
    return element(0x30, SIGNED_DATA, element(0xA0, data))


def wrapped(
    cms_octets: bytes, *, media: str = "application/pkcs7-mime; smime-type=signed-data", name: str = "smime.p7m"
) -> bytes:
    """Return a message or a part that is one CMS object."""
    head = (
        f"Content-Type: {media}; name={name}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; filename={name}\r\n\r\n"
    )
    return head.encode() + base64.encodebytes(cms_octets).replace(b"\n", b"\r\n")


def mail(part: bytes) -> bytes:
    return b"From: an@klant.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n" + part


def codes(message: Message) -> list[tuple[str, str]]:
    return [(defect.code, defect.detail) for defect in message.defects]


# --- the wrapping ----------------------------------------------------------------------------------------------------

PIECES = (TEXT[:10], b"", TEXT[10:11], TEXT[11:])


@pytest.mark.parametrize(
    "octets",
    [
        STREAMED,
        WHOLE,
        signed(der(4, TEXT)),
        signed(der(4, TEXT), element=ber),
        signed(der(0x24, *(der(4, piece) for piece in PIECES))),
        signed(ber(0x24, *(der(4, piece) for piece in PIECES)), element=ber),
        signed(ber(0x24, der(0x24, der(4, TEXT[:5]), ber(0x24, der(4, TEXT[5:9]))), der(4, TEXT[9:]))),
        signed(der(0x24, ber(0x24, der(4, TEXT[:5])), der(4, TEXT[5:]))),
        base64.encodebytes(WHOLE),
        b"-----BEGIN PKCS7-----\n" + base64.encodebytes(STREAMED) + b"-----END PKCS7-----\n",
    ],
)
def test_what_was_signed_is_found_however_it_was_written(octets: bytes) -> None:
    assert read_cms(octets) == Cms("signed", TEXT)


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (ENCRYPTED, Cms("encrypted")),
        (der(0x30, AUTHENTICATED, der(0xA0)), Cms("encrypted")),
        (der(0x30, DIGESTED, der(0xA0)), Cms("other")),
        (signed(None), Cms("signed")),  # certificates only, or the content is another part
        (signed(None, element=ber), Cms("signed")),
        (signed(der(4)), Cms("signed", b"")),
        (signed(der(0x30, TEXT)), Cms("signed", None, whole=False)),
        (signed(b""), Cms("signed", None, whole=False)),
        (der(0x30, SIGNED_DATA), Cms("signed", None, whole=False)),
        (der(0x30, der(6, b"\x55\x04\x03")), None),
        (der(0x31, SIGNED_DATA), None),
        (b"", None),
        (b"0", None),
        (b"no CMS", None),
        (b"MIIno!", None),
    ],
)
def test_what_holds_no_signed_content_is_told_for_what_it_is(octets: bytes, found: Cms | None) -> None:
    assert read_cms(octets) == found


@pytest.mark.parametrize(
    "octets", [STREAMED, WHOLE, signed(ber(0x24, *(der(4, bytes([c])) for c in TEXT)), element=ber)]
)
def test_of_what_is_cut_off_the_beginning_is_read(octets: bytes) -> None:
    for length in range(len(octets)):
        found = read_cms(octets[:length])
        assert found is None or TEXT.startswith(found.content or b"")
    start = octets.index(b"Content") if b"Content" in octets else octets.index(b"C\x04\x01o")
    cut = read_cms(octets[: start + 3])
    assert cut is not None
    assert (cut.content or b"").startswith(b"C")
    assert not cut.whole


def test_lengths_that_lie_and_nesting_without_end_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = signed(b"\x24\x80" * 100_000)
    assert read_cms(deep) == Cms("signed", b"", whole=False)
    bottomless = der(0x30, SIGNED_DATA, der(0xA0, b"\x30\x80\x02\x01\x01" + b"\x31\x80" * 100_000))
    assert read_cms(bottomless) == Cms("signed", None, whole=False)
    nested = der(4, TEXT)
    for level in range(20):
        found = read_cms(signed(nested))
        assert found == (Cms("signed", TEXT) if level <= cms.MAX_DEPTH else Cms("signed", b"", whole=False))
        nested = der(0x24, nested)
    no_end_here = signed(der(0x24, der(4, b"a"), END, der(4, b"b")))
    assert read_cms(no_end_here) == Cms("signed", b"a", whole=False)
    huge = signed(b"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff" + TEXT)
    found = read_cms(huge)
    assert found is not None
    assert (found.content or b"").startswith(TEXT)
    assert not found.whole
    assert read_cms(signed(b"\x04\x89" + b"\x01" * 9)) == Cms("signed", None, whole=False)
    monkeypatch.setattr(cms, "MAX_ELEMENTS", 50)
    found = read_cms(signed(ber(0x24, *[der(4, b"x")] * 100)))
    assert found is not None
    assert 20 < len(found.content or b"") < 50
    assert not found.whole


TAGS = [bytes([tag]) for tag in (0x30, 0x31, 0x02, 0x06, 0x04, 0x24, 0xA0, 0x00, 0x80, 0x84)]
SOUP = st.lists(st.sampled_from([*TAGS, SIGNED_DATA, DATA, b"\x30\x80"]) | st.binary(max_size=6), max_size=60)


@given(
    SOUP.map(b"".join), st.sampled_from([b"", STREAMED, WHOLE, signed(b"\x24\x80", element=ber)]), st.integers(0, 300)
)
@example(b"\0\0" * 20, STREAMED, 40)
@settings(max_examples=150, deadline=None)
def test_whatever_the_octets_an_answer_comes(soup: bytes, sample: bytes, at: int) -> None:
    for octets in (soup, sample[:at] + soup, sample[:at] + soup + sample[at:], signed(soup), signed(soup, element=ber)):
        found = read_cms(octets)
        assert found is None or len(found.content or b"") <= len(octets)
        message = parse(mail(wrapped(octets)))
        holds(message)
        reads_alone(mail(wrapped(octets)), message)


# --- the message -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [STREAMED, WHOLE])
def test_the_text_of_a_message_that_is_one_signed_piece_is_its_text(octets: bytes) -> None:
    raw = mail(wrapped(octets))
    message = parse(raw)
    assert (message.text, message.defects) == ("De zwaluwstaart is besteld.", ())
    assert [(part.path, part.kind, part.filename) for part in message.parts] == [
        ("1", PartKind.SIGNATURE, "smime.p7m"),
        ("1.1", PartKind.TEXT, None),
    ]
    assert part_octets(raw, "1") == octets
    assert part_octets(raw, "1.1") == b"De zwaluwstaart is besteld.\r\n"
    assert [passage.text for passage in shown_text(raw)] == ["De zwaluwstaart is besteld."]


def test_parts_quotes_and_attachments_within_are_as_in_any_message() -> None:
    inner = textwrap.dedent(
        """\
        Content-Type: multipart/mixed; boundary=b

        --b
        Content-Type: multipart/alternative; boundary=c

        --c
        Content-Type: text/plain

        own words
        > quoted words
        --c
        Content-Type: text/html

        <p>own <b>words</b></p>
        --c--
        --b
        Content-Type: text/csv; name=lijst.csv
        Content-Disposition: attachment

        nummer;zwaluwstaart
        --b--
        """
    ).encode()
    raw = mail(wrapped(signed(der(4, inner.replace(b"\n", b"\r\n")))))
    message = parse(raw)
    assert (message.text, message.quoted) == ("own words", "quoted words")
    assert [part.path for part in message.parts] == ["1", "1.1.1", "1.1.2", "1.2"]
    assert [(each.path, each.text) for each in message.attached] == [("1.2", "nummer;zwaluwstaart")]
    assert part_octets(raw, "1.2").strip() == b"nummer;zwaluwstaart"
    assert "<b>words</b>" in page(raw)


def test_a_signed_part_among_others_and_a_signature_around_a_signature_are_opened() -> None:
    once = wrapped(signed(der(4, TEXT)), media="application/x-pkcs7-mime")
    both = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nvoettekst\r\n--b\r\n"
        + wrapped(signed(der(4, once)))
        + b"--b--\r\n"
    )
    message = parse(mail(both))
    assert WORD in message.text
    assert "voettekst" in message.text
    assert [part.path for part in message.parts] == ["1", "2", "2.1", "2.1.1"]
    layers = TEXT
    for _ in range(structure.MAX_WRAPPINGS + 1):
        layers = wrapped(signed(der(4, layers)))
    message = parse(mail(layers))
    assert WORD not in message.text
    assert codes(message) == [("smime-unread", "1.1.1.1.1")]


def test_a_signed_file_is_an_attachment_under_its_own_name() -> None:
    for media in ("application/pkcs7-mime", "application/octet-stream"):
        raw = mail(
            wrapped(
                signed(der(4, b"<?xml version='1.0'?><factuur>zwaluwstaart</factuur>")), media=media, name="f.xml.p7m"
            )
        )
        message = parse(raw)
        assert [(part.path, part.filename) for part in message.parts] == [("1", "f.xml.p7m"), ("1.1", "f.xml")]
        assert [each.text for each in message.attached] == [WORD]
        assert part_octets(raw, "1.1").startswith(b"<?xml")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (wrapped(ENCRYPTED, media="application/pkcs7-mime; smime-type=enveloped-data"), [("smime-encrypted", "1")]),
        (wrapped(ENCRYPTED, media="application/pkcs7-mime"), [("smime-encrypted", "1")]),
        (wrapped(ENCRYPTED, media="application/octet-stream"), [("smime-encrypted", "1")]),
        (wrapped(b"junk", media="application/pkcs7-mime; smime-type=enveloped-data"), [("smime-encrypted", "1")]),
        (wrapped(b"junk"), [("smime-unread", "1")]),
        (wrapped(b"junk", media="application/octet-stream"), []),
        (wrapped(signed(None), media="application/pkcs7-mime; smime-type=certs-only"), []),
        (wrapped(WHOLE[:90]), [("smime-unread", "1")]),
    ],
)
def test_what_cannot_be_read_is_a_defect_that_says_so(part: bytes, expected: list[tuple[str, str]]) -> None:
    message = parse(mail(part))
    assert codes(message) == expected
    assert message.parts[0].path == "1"
