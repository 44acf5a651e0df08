"""What attachments say: every kind of file that a reader expects to find by its words."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
from email.message import EmailMessage

import pytest

from archiver.mail.attachments.bounds import Bounds
from archiver.mail.attachments.reading import Reading
from archiver.mail.parse import parse
from archiver.mail.text import parse_text
from archiver.model.message import AttachedText, Defect, Message
from tests.twins import office_files as files


def mail(**attached: bytes) -> bytes:
    """Return a message with these files, their names with "_" for the dot, all of them sent as octet-stream."""
    message = EmailMessage()
    message["From"] = "a@example.org"
    message["Subject"] = "files"
    message.set_content("own words")
    for name, octets in attached.items():
        message.add_attachment(
            octets, maintype="application", subtype="octet-stream", filename=".".join(name.rsplit("_", 1))
        )
    return message.as_bytes()


def read(octets: bytes, name: str = "file.bin", content_type: str = "", **bounds: float) -> Reading:
    reading = Reading(Bounds(**bounds))  # type: ignore[arg-type]
    reading.read(octets, "2", name, content_type, None)
    return reading


def said(octets: bytes, name: str = "file.bin", content_type: str = "") -> str:
    """Return the text of a file that holds no others and has no defect."""
    reading = read(octets, name, content_type)
    assert reading.defects == []
    (text,) = reading.texts
    assert text.path == "2"
    return text.text


def test_each_family_of_files_is_read_whatever_it_is_called() -> None:
    texts = {
        "pdf": files.pdf(["een licentie\nop twee regels", "tweede blad"]),
        "docx": files.docx(["een licentie"]),
        "xlsx": files.xlsx({"Blad": [["een licentie", 3]]}),
        "pptx": files.pptx([["een licentie"]]),
        "odt": files.odt(["een licentie"]),
        "ods": files.ods({"Blad": [["een licentie"]]}),
        "odp": files.odp([["een licentie"]]),
        "rtf": files.rtf(["een licentie"]),
        "html": b"<html><script>weg</script><p>een <b>licentie</b></p></html>",
        "txt": b"een licentie",
        "csv": b"een licentie;1",
    }
    for kind, octets in texts.items():
        assert "een licentie" in said(octets, f"f.{kind}"), kind
        if kind not in {"txt", "csv"}:
            assert "een licentie" in said(octets, "wrong.dat", "application/octet-stream"), kind
            assert "een licentie" in said(octets, "wrong.docx", "application/msword"), kind


def test_a_message_says_what_its_attachments_say_and_reading_it_to_show_it_opens_none() -> None:
    octets = mail(offerte_pdf=files.pdf(["bedrag 1200"]), lijst_xlsx=files.xlsx({"Januari": [["x"]]}))
    message = parse(octets)
    assert message.attached == (AttachedText("2", "bedrag 1200"), AttachedText("3", "Januari\nx"))
    assert (message.text, message.defects) == ("own words", ())
    assert parse_text(octets).attached == ()


def test_words_divided_at_the_end_of_a_line_of_a_pdf_are_whole_again() -> None:
    assert said(files.pdf(["de licentie-\nsleutel (nieuw)"], title="Titel")) == "Titel\n\nde licentiesleutel (nieuw)"


def test_a_pdf_that_only_forbids_printing_is_read_and_one_with_a_password_is_named() -> None:
    assert said(files.pdf(["open"], password="")) == "open"
    reading = read(files.pdf(["secret"], password="word"))
    assert (reading.texts, reading.defects) == ([], [Defect("attachment-encrypted", "2 pdf")])


def test_a_scanned_pdf_is_a_defect_because_nobody_can_find_it_by_its_words() -> None:
    reading = read(files.scanned_pdf(2))
    assert (reading.texts, reading.defects) == ([], [Defect("attachment-no-text", "2 pdf")])


def test_comments_and_fields_of_a_form_in_a_pdf_are_text() -> None:
    octets = files.pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Annots [4 0 R 5 0 R] >>",
            b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (een opmerking) >>",
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (naam) /Rect [0 0 9 9] /V (ingevuld) >>",
        ]
    )
    assert said(octets) == "een opmerking\ningevuld"


def test_of_a_document_headers_notes_comments_and_tables_count_and_what_was_deleted_does_not() -> None:
    octets = files.docx(
        ["eerste", "tweede & derde"], header="kop", footnote="voetnoot", comment="opmerking", deleted="geschrapt",
        table=[["a1", "b1"], ["a2", "b2"]], title="Offerte",
    )  # fmt: skip
    text = said(octets)
    assert text.split() == "Offerte kop eerste tweede & derde a1 b1 a2 b2 voetnoot opmerking".split()  # noqa: SIM905
    odt = said(files.odt(["alinea"], annotation="kanttekening", deleted="geschrapt"))
    assert odt == "alinea\nxkanttekening"


def test_a_text_box_that_stands_twice_in_a_document_is_read_once() -> None:
    package = {
        "[Content_Types].xml": "x",
        "word/document.xml": (
            '<w:document xmlns:w="w" xmlns:mc="m"><w:p><mc:AlternateContent><mc:Choice><w:t>kader</w:t></mc:Choice>'
            "<mc:Fallback><w:t>kader</w:t></mc:Fallback></mc:AlternateContent></w:p></w:document>"
        ),
    }
    assert said(files.zipped(package)) == "kader"


def test_cells_are_read_row_by_row_as_they_are_shown() -> None:
    rows: list[list[str | float]] = [
        ["naam", "bedrag", "datum"],
        ["Acme & Co", 0.1 + 0.2, "date:46084"],
        ["Peeters", 1200, 12.5],
    ]
    expected = "Klanten 2026\nnaam\tbedrag\tdatum\nAcme & Co\t0.3\t2026-03-03\nPeeters\t1200\t12.5"
    assert said(files.xlsx({"Klanten 2026": rows})) == expected
    assert said(files.xlsx({"Klanten 2026": rows}, inline=True)) == expected
    assert said(files.ods({"Blad één": [["a", "b"], ["c", "d"]]})) == "Blad één\na\tb\nc\td"


def test_slides_come_in_their_order_and_notes_behind_them() -> None:
    octets = files.pptx([[f"dia {number}"] for number in range(1, 12)], notes="spreektekst")
    assert said(octets).split("\n\n") == [*(f"dia {number}" for number in range(1, 12)), "spreektekst"]


def test_rich_text_has_its_letters_and_no_instructions() -> None:
    assert said(files.rtf(["één € kost", "twee {x} \\y"])) == "één € kost\ntwee {x} \\y"
    linked = (
        rb"{\rtf1\ansi{\fonttbl{\f0\fnil\fcharset0 A;}{\f1\fnil\fcharset204 B;}}\f0 lees "
        rb'{\field{\*\fldinst{HYPERLINK "http://x.example/"}}{\fldrslt hier}} \f1\'cf\'f0{\header kop}'
        rb"{\*\annotation noot}{\pict 00ff00ff}}"
    )
    assert said(linked).split() == ["lees", "hier", "Пр", "kop", "noot"]


def test_an_invoice_in_xml_says_what_its_elements_say_without_the_file_embedded_in_it() -> None:
    octets = (
        '<?xml version="1.0" encoding="UTF-8"?><Invoice xmlns:cbc="urn:c"><cbc:ID>F-2026-118</cbc:ID>'
        f"<cbc:Name>Café Noir</cbc:Name><cbc:Embedded>{'QUJD' * 500}</cbc:Embedded></Invoice>"
    ).encode()
    assert said(octets, "factuur.xml") == "F-2026-118\nCafé Noir"
    assert said(b"<?xml version='1.0'?><a>niet af", "x.xml") == "<?xml version='1.0'?><a>niet af"


def test_plain_text_is_read_in_its_charset_and_without_encoded_data() -> None:
    assert said("naïve crème".encode("utf-16"), "a.txt") == "naïve crème"
    assert said("naïve crème".encode("cp1252"), "a.txt") == "naïve crème"
    blob = "\n".join(["QWxhZGRpbjpvcGVuIHNlc2FtZQ" * 3] * 9)
    assert said(f"voor\n{blob}\nna".encode(), "a.log").split() == ["voor", "na"]


def test_a_card_gives_its_values_and_no_photograph() -> None:
    card = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:An Peeters\r\nORG:Acme;Sales\r\nPHOTO;ENCODING=b:QUJD\r\nEND:VCARD\r\n"
    assert said(card, "x.vcf").split("\n") == ["An Peeters", "Acme Sales"]


def test_names_of_members_are_kept_and_files_in_archives_in_archives_are_read() -> None:
    inner = files.zipped({"diep.docx": files.docx(["gevonden"])})
    reading = read(files.zipped({"map/nota.txt": "tekst", "in.zip": inner, "foto.png": b"\x89PNG...", "leeg/": b""}))
    assert reading.texts == [
        AttachedText("2>map/nota.txt", "tekst"),
        AttachedText("2>in.zip", ""),
        AttachedText("2>in.zip>diep.docx", "gevonden"),
        AttachedText("2>foto.png", ""),
    ]
    assert reading.defects == []


def test_compressed_logs_and_tar_files_are_read() -> None:
    assert read(gzip.compress(b"een regel"), "server.log.gz").texts[-1] == AttachedText("2>server.log", "een regel")
    assert read(bz2.compress(b"een regel"), "server.log.bz2").texts[-1] == AttachedText("2>server.log", "een regel")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("map/" + "lang" * 40 + ".txt")
        info.size = 6
        archive.addfile(info, io.BytesIO(b"inhoud"))
    (text,) = read(out.getvalue(), "x.tar").texts
    assert (text.path[-8:], text.text) == ("lang.txt", "inhoud")
    assert read(gzip.compress(out.getvalue()), "x.tgz").texts[-1].text == "inhoud"


def test_a_message_attached_as_a_file_is_read_with_its_own_attachments() -> None:
    reading = read(mail(bijlage_pdf=files.pdf(["diep in de mail"])), "oud.eml")
    assert reading.texts[0].text.split("\n") == ["From: a@example.org", "Subject: files", "", "own words"]
    assert reading.texts[1] == AttachedText("2>bijlage.pdf", "diep in de mail")


def test_passwords_are_told_from_damage() -> None:
    for octets, detail in (
        (files.encrypted_zip({"a.txt": "x"}), "2>1"),
        (files.encrypted_office(), "2 encrypted"),
        (files.odt(["x"], encrypted=True), "2 odf"),
        (b"-----BEGIN PGP MESSAGE-----\n\nabc", "2 pgp"),
    ):
        assert read(octets, "x.dat").defects == [Defect("attachment-encrypted", detail)]


def test_what_nobody_expects_text_of_is_no_defect_and_what_somebody_does_is() -> None:
    for octets, name in ((b"\x89PNG\r\n", "a.png"), (b"MZ\x90\0", "a.exe"), (b"\0\1\2\3" * 9, "a.bin"), (b"", "a.pdf")):
        assert (read(octets, name).texts, read(octets, name).defects) == ([], [])
    assert read(b"7z\xbc\xaf\x27\x1c..", "a.7z").defects == [Defect("attachment-unsupported", "2 packed")]
    assert read(b"\0\1\2\3" * 9, "a.docx").defects == [Defect("attachment-damaged", "2 zip")]


def word_file(text: str) -> bytes:
    """Return a .doc of one piece ([MS-DOC] section 2.4.1)."""
    octets = text.encode("cp1252")
    stream = bytearray(2048)
    struct.pack_into("<HH6xH", stream, 0, 0xA5EC, 0xC1, 0x0200)
    stream += octets
    pieces = struct.pack("<II", 0, len(octets)) + struct.pack("<HIH", 0, (2048 * 2) | 0x40000000, 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", stream, 0x01A2, 0, len(clx))
    return files.compound({"WordDocument": bytes(stream), "1Table": clx})


def excel_file(strings: list[str], rows: list[list[int | float]]) -> bytes:
    """Return a .xls (BIFF8); a whole number in a row is that of a string."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    shared = b"".join(struct.pack("<HB", len(one), 1) + one.encode("utf-16-le") for one in strings)
    cut = 8 + 3 + 2 * 2  # within the first string, which goes on in the next record
    table = struct.pack("<II", len(strings), len(strings)) + shared
    out = record(0x0809, struct.pack("<HH", 0x0600, 5)) + record(0x0085, b"\0" * 6 + b"\x04\0Blad")
    out += record(0x00FC, table[:cut]) + record(0x003C, b"\x01" + table[cut:])
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            place = struct.pack("<HHH", number, column, 0)
            if isinstance(value, int):
                out += record(0x00FD, place + struct.pack("<I", value))
            else:
                out += record(0x0203, place + struct.pack("<d", value))
    return files.compound({"Workbook": out})


def test_files_of_office_before_2007_are_read() -> None:
    assert said(word_file("eerste regel\rtweede \x13HYPERLINK x\x14link\x15")) == "eerste regel\ntweede link"
    assert said(excel_file(["naam", "Café"], [[0, 1], [1, 2.5]])) == "Blad\n\nnaam\tCafé\nCafé\t2.5"
    atoms = struct.pack("<HHI", 15, 0x03E8, 0) + struct.pack("<HHI", 0, 0x0FA0, 8) + "dia!".encode("utf-16-le")
    assert said(files.compound({"PowerPoint Document": atoms})) == "dia!"


def test_a_message_of_outlook_is_read_with_its_attachments() -> None:
    folder = "__attach_version1.0_#00000000"
    octets = files.compound(
        {
            "__properties_version1.0": b"x",
            "__substg1.0_0037001F": "Offerte".encode("utf-16-le"),
            "__substg1.0_1000001F": "de tekst".encode("utf-16-le"),
            f"{folder}/__substg1.0_3707001F": "a.txt".encode("utf-16-le"),
            f"{folder}/__substg1.0_37010102": b"inhoud " * 700,
        }
    )
    mail_text, attached = read(octets, "x.msg").texts
    assert mail_text == AttachedText("2", "Subject: Offerte\n\nde tekst")
    assert (attached.path, attached.text[:13]) == ("2>a.txt", "inhoud inhoud")


def test_another_version_of_the_text_is_no_attachment() -> None:
    message = EmailMessage()
    message.set_content("tekst")
    message.add_alternative("<p>tekst</p>", subtype="html")
    message.add_alternative(r"{\rtf1 tekst}", subtype="rtf")
    assert parse(message.as_bytes()).attached == ()


@pytest.mark.parametrize("cut", [1, 2, 5])
def test_attachments_already_read_can_be_skipped(cut: int) -> None:
    octets = mail(a_txt=b"een", b_pdf=files.pdf(["twee"]), c_txt=b"drie", d_txt=b"vier", e_txt=b"vijf")
    told: list[tuple[tuple[str, ...], int, str]] = []

    def tell(message: Message, number: int, place: str) -> None:
        told.append((tuple(one.text for one in message.attached), number, place))

    texts = [one.text for one in parse(octets, skip=cut, on_attachment=tell).attached]
    assert texts == ["een", "twee", "drie", "vier", "vijf"][cut:]
    assert told == ([((), 1, "3 pdf")] if cut == 1 else [])
