"""A search in a real archive: the passage that matched, wherever it stands, and the searches that are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from archiver import app
from archiver.app.reading import OpenArchive
from archiver.app.searching import SearchItem
from archiver.config import ArchiveSettings, Settings, SyncSettings
from archiver.crypto.kdf import KdfBounds
from archiver.errors import QueryError, UsageError
from archiver.model.customer import Contact, Customer
from archiver.model.identity import Identity
from archiver.model.message import BlobId
from tests.twins.archive import CHEAP
from tests.twins.office_files import docx, zipped

PASSPHRASE = "only for tests, long enough"
BOUNDS = KdfBounds.exactly(CHEAP)
OURS, JAN = "Support <info@ours.example>", "Jan Peeters <jan@peeters.example>"
FILLER = "woorden die niemand zoekt staan hier in een lange rij voor de rest van de brief begint, "


def ask() -> str | None:
    return PASSPHRASE


@dataclass
class Office:
    """An archive on disk, and letters dropped into its mailboxes."""

    settings: Settings
    folder: Path
    number: int = 0

    def letter(
        self,
        text: str,
        *,
        subject: str = "Vraag",
        mailbox: str = "INBOX",
        files: tuple[tuple[str, bytes], ...] = (),
        message_id: str | None = None,
        **fields: str,
    ) -> None:
        """Write a letter of March 2025, a day later than the one before."""
        self.number += 1
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = JAN, OURS, subject
        at = datetime(2025, 3, self.number, 9, tzinfo=UTC)
        message["Date"] = at.strftime("%a, %d %b %Y %H:%M:%S +0000")
        message["Message-ID"] = message_id or f"<{self.number}@mail.example>"
        for name, value in fields.items():
            del message[name.replace("_", "-")]
            message[name.replace("_", "-")] = value
        message.set_content(text)
        for name, octets in files:
            message.add_attachment(octets, maintype="application", subtype="octet-stream", filename=name)
        (self.folder / mailbox).mkdir(exist_ok=True)
        (self.folder / mailbox / f"{self.number:03}.eml").write_bytes(message.as_bytes())

    def take_in(self) -> None:
        report = app.import_paths(self.settings, [self.folder], ask=ask, bounds=BOUNDS)
        assert report.damaged == ()

    @contextmanager
    def archive(self) -> Iterator[OpenArchive]:
        with app.open_archive(self.settings, ask=ask, bounds=BOUNDS) as archive:
            yield archive

    def found(self, query: str) -> SearchItem:
        with self.archive() as archive:
            (item,) = archive.search(query).items
            return item

    def save(self, name: str, query: str) -> str | None:
        before = app.save_search(self.settings, ask=ask, name=name, query=query, bounds=BOUNDS)
        return None if before is None else before.query

    def remove(self, name: str) -> None:
        app.remove_search(self.settings, ask=ask, name=name, bounds=BOUNDS)

    def saved(self) -> dict[str, str]:
        with self.archive() as archive:
            return {each.name: each.query for each in archive.saved_searches()}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    settings = Settings(
        ArchiveSettings(tmp_path / "archive", tmp_path / "collector-key"),
        Identity(("ours.example",)),
        sync=SyncSettings(workers=1),
    )
    app.prepare_archive(settings, PASSPHRASE, kdf=CHEAP, bounds=BOUNDS).commit()
    folder = tmp_path / "mail"
    folder.mkdir()
    return Office(settings, folder)


def marked(item: SearchItem) -> list[str]:
    return [item.snippet[start:end] for start, end in item.marks]


# --- the passage ------------------------------------------------------------------------------------------------------


def test_words_at_the_beginning_are_marked_in_the_preview(office: Office) -> None:
    office.letter("De offerte voor de licentie volgt.")
    office.take_in()
    item = office.found("licentie")
    assert (item.snippet, marked(item), item.place) == ("De offerte voor de licentie volgt.", ["licentie"], "text")


def test_words_further_on_are_shown_from_the_message_itself(office: Office) -> None:
    office.letter(FILLER * 9 + "de sleutel is verlopen")
    office.take_in()
    item = office.found("verlopen")
    assert "sleutel is verlopen" in item.snippet
    assert (marked(item), item.place, item.file) == (["verlopen"], "text", None)


def test_quoted_words_are_shown_as_quoted(office: Office) -> None:
    office.letter("Dag,\n\nneen.\n\nOp maandag 3 maart schreef Jan:\n> " + FILLER + "\n> kunnen wij korting krijgen?\n")
    office.take_in()
    item = office.found("korting")
    assert (marked(item), item.place) == (["korting"], "quoted")


def test_words_of_the_subject_alone_leave_the_beginning_of_the_text(office: Office) -> None:
    office.letter("Zie onder.", subject="Factuur 4711")
    office.take_in()
    item = office.found("factuur")
    assert (item.snippet, item.marks, item.place) == ("Zie onder.", (), "header")


def test_without_words_there_is_no_place(office: Office) -> None:
    office.letter("Zie onder.")
    office.take_in()
    with office.archive() as archive:
        (item,) = archive.search("").items
    assert (item.snippet, item.marks, item.place) == ("Zie onder.", (), "")


def test_words_of_an_attachment_are_shown_with_its_name(office: Office) -> None:
    office.letter("Zie bijlage.", files=(("contract.docx", docx(["De huurprijs bedraagt 100 euro."])),))
    office.take_in()
    item = office.found("huurprijs")
    assert (marked(item), item.place, item.file) == (["huurprijs"], "attachment", "contract.docx")
    assert "bedraagt 100 euro" in item.snippet


def test_words_of_a_file_within_an_archive_are_shown_with_both_names(office: Office) -> None:
    packed = zipped({"map/contract.docx": docx(["De huurprijs bedraagt 100 euro."])})
    office.letter("Zie bijlage.", files=(("alles.zip", packed),))
    office.take_in()
    assert office.found("huurprijs").file == "alles.zip > map/contract.docx"
    assert office.found("filename:contract").place == "header"


def test_an_attachment_is_not_opened_when_the_text_has_the_words(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.letter("De huurprijs stijgt.", files=(("contract.docx", docx(["De huurprijs bedraagt 100 euro."])),))
    office.letter("Huurprijs", subject="huurprijs", files=(("contract.docx", docx(["De huurprijs, ja."])),))
    office.take_in()
    monkeypatch.setattr("archiver.mail.workers.ParserPool.parse", lambda *_: pytest.fail("opened"))
    with office.archive() as archive:
        assert [item.place for item in archive.search("huurprijs").items] == ["text", "text"]


def test_attachments_are_never_opened_in_the_process_that_searches(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile one would take this process with it. What is broken here is whole in the workers."""
    office.letter("Zie bijlage.", files=(("contract.docx", docx(["De huurprijs bedraagt 100 euro."])),))
    office.take_in()
    monkeypatch.setattr("archiver.mail.attachments.reading.Reading", lambda *_given, **_named: pytest.fail("opened"))
    item = office.found("huurprijs")
    assert (marked(item), item.place) == (["huurprijs"], "attachment")
    with office.archive() as archive:
        assert archive.part_text(item.summary.row, "2").strip() == "De huurprijs bedraagt 100 euro."


def test_when_the_time_for_attachments_is_over_the_place_is_told_all_the_same(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.letter("Zie bijlage.", files=(("contract.docx", docx(["De huurprijs bedraagt 100 euro."])),))
    office.take_in()
    monkeypatch.setattr("archiver.app.searching._ATTACHMENT_SECONDS", 0.0)
    item = office.found("huurprijs")
    assert (item.snippet, item.marks, item.place, item.file) == ("Zie bijlage.", (), "attachment", "contract.docx")


def test_size_and_language_come_with_a_hit(office: Office) -> None:
    office.letter("Beste, kunt u ons laten weten wanneer de factuur betaald wordt? Met vriendelijke groeten, Jan")
    office.take_in()
    summary = office.found("factuur").summary
    assert (summary.language, summary.octets) == ("nl", len((office.folder / "INBOX/001.eml").read_bytes()))


# --- copies and conversations -----------------------------------------------------------------------------------------


def test_a_message_that_two_mailboxes_got_is_shown_once_with_both(office: Office) -> None:
    for mailbox, received in (("INBOX", "from a.example"), ("Sent", "from b.example")):
        office.letter("huurprijs", mailbox=mailbox, message_id="<one@x.example>", Received=received)
        office.number = 0
    office.take_in()
    with office.archive() as archive:
        page = archive.search("huurprijs")
        (item,) = page.items
        assert page.total == 2
        assert sorted(name.rpartition("/")[2] for name in item.summary.mailboxes) == ["INBOX", "Sent"]
        (copy,) = item.copies
        assert copy != item.summary.blob_id
        assert archive.details(archive.resolve(copy.hex())).summary.message_id == "one@x.example"


def test_a_conversation_can_be_folded_into_its_newest_hit(office: Office) -> None:
    office.letter("huurprijs?", message_id="<q@x.example>")
    office.letter("huurprijs: honderd", In_Reply_To="<q@x.example>")
    office.letter("huurprijs elders")
    office.take_in()
    with office.archive() as archive:
        folded = archive.search("huurprijs", threads=True)
        assert [(item.snippet, item.others) for item in folded.items] == [
            ("huurprijs elders", 0), ("huurprijs: honderd", 1),
        ]  # fmt: skip
        assert folded.total == 3


def test_pages_say_whether_more_follows(office: Office) -> None:
    for _ in range(3):
        office.letter("huurprijs")
    office.take_in()
    with office.archive() as archive:
        assert archive.search("huurprijs", limit=2).more
        assert not archive.search("huurprijs", limit=2, offset=2).more


# --- counts -----------------------------------------------------------------------------------------------------------


def test_customers_are_counted_by_their_records(office: Office) -> None:
    office.letter("huurprijs")
    office.letter("huurprijs", From="Els <els@elsewhere.example>")
    office.take_in()
    with app.change_customers(office.settings, ask=ask, command="customer add", bounds=BOUNDS) as editor:
        editor.add(Customer("K1", "Peeters", domains=("peeters.example",)))
    with office.archive() as archive:
        counts = archive.facets("huurprijs")
        assert [(record.customer.reference, count) for record, count in counts.customers] == [("K1", 1)]
        assert counts.facets.total == 2


# --- contacts ---------------------------------------------------------------------------------------------------------


def test_a_contact_means_all_addresses_of_the_person(office: Office) -> None:
    office.letter("een", From="jan@home.example")
    office.letter("twee")
    office.letter("drie", From="els@peeters.example")
    office.take_in()
    with app.change_customers(office.settings, ask=ask, command="customer add", bounds=BOUNDS) as editor:
        jan = Contact("Jan Peeters", ("jan@peeters.example", "jan@home.example"))
        editor.add(Customer("K1", "Peeters", contacts=(jan, Contact("Els", ("els@peeters.example",)))))
    with office.archive() as archive:
        for query in ('contact:"jan peeters"', "contact:peeters", "contact:jan@home.example"):
            assert [item.snippet for item in archive.search(query).items] == ["twee", "een"], query


# --- saved searches ---------------------------------------------------------------------------------------------------


def test_a_saved_search_is_found_by_its_name_and_replaced_by_another_of_that_name(office: Office) -> None:
    office.letter("huurprijs en korting")
    office.letter("huurprijs")
    office.take_in()
    assert office.save("Huur", "huurprijs") is None
    assert office.save("huur", "korting") == "huurprijs"
    assert office.saved() == {"huur": "korting"}
    assert office.found("saved:HUUR").snippet == "huurprijs en korting"


def test_a_saved_search_may_use_another_and_never_itself(office: Office) -> None:
    office.letter("huurprijs en korting")
    office.take_in()
    office.save("huur", "huurprijs")
    office.save("beide", "saved:huur korting")
    assert office.found("saved:beide").snippet == "huurprijs en korting"
    for name, query in (("huur", "saved:beide"), ("beide", "saved:beide"), ("BEIDE", "korting saved:beide")):
        with pytest.raises(QueryError):
            office.save(name, query)
    assert office.saved() == {"beide": "saved:huur korting", "huur": "huurprijs"}


@pytest.mark.parametrize("query", ["subject:", "(huur", "saved:nowhere", "customer:nobody", "since:never"])
def test_a_query_that_is_wrong_is_not_kept(office: Office, query: str) -> None:
    with pytest.raises(QueryError):
        office.save("huur", query)
    assert office.saved() == {}


@pytest.mark.parametrize("name", ["", " ", "two words", "a/b", "a:b", "..", "x" * 65, "a\n", "\x1b[0m"])
def test_a_name_that_cannot_be_typed_after_saved_is_refused(office: Office, name: str) -> None:
    if name.strip() == "a":
        office.save(name, "huur")
        assert office.saved() == {"a": "huur"}
        return
    with pytest.raises(UsageError, match="name of a saved search"):
        office.save(name, "huur")
    assert office.saved() == {}


def test_a_search_for_nothing_is_not_kept(office: Office) -> None:
    with pytest.raises(UsageError, match="nothing to save"):
        office.save("all", "  ")


def test_a_removed_search_is_gone_and_a_missing_one_names_the_near_ones(office: Office) -> None:
    office.save("offertes-open", "subject:offerte")
    with pytest.raises(UsageError) as caught:
        office.remove("offerte-open")
    assert "offertes-open" in (caught.value.hint or "")
    office.remove("OFFERTES-open")
    assert office.saved() == {}
    with pytest.raises(UsageError) as caught:
        office.remove("offertes-open")
    assert "archiver saved" in (caught.value.hint or "")


# --- parts ------------------------------------------------------------------------------------------------------------


def row_of(archive: OpenArchive, query: str) -> int:
    (item,) = archive.search(query).items
    return archive.resolve(BlobId(item.summary.blob_id).hex())


def test_the_text_of_an_attachment_can_be_read(office: Office) -> None:
    packed = zipped({"een.txt": "eerste", "twee.txt": "tweede"})
    office.letter("bijlagen", files=(("c.docx", docx(["De huurprijs."])), ("a.zip", packed), ("x.bin", b"\0\1\2")))
    office.take_in()
    with office.archive() as archive:
        row = row_of(archive, "bijlagen")
        assert archive.part_text(row, "2").strip() == "De huurprijs."
        both = archive.part_text(row, "3")
        assert both.index("een.txt:") < both.index("eerste") < both.index("twee.txt:") < both.index("tweede")
        assert archive.part_text(row, "1").strip() == "bijlagen"
        with pytest.raises(UsageError, match="part 4 has no text"):
            archive.part_text(row, "4")
        with pytest.raises(UsageError, match="no part 9"):
            archive.part_text(row, "9")


def test_an_attachment_that_cannot_be_read_says_why(office: Office) -> None:
    damaged = docx(["De huurprijs."])[:-40]
    office.letter("bijlagen", files=(("c.docx", damaged[:60]),))
    office.take_in()
    with office.archive() as archive:
        row = row_of(archive, "bijlagen")
        with pytest.raises(UsageError, match="part 2 has no text to show: ") as caught:
            archive.part_text(row, "2")
        assert "damaged" in caught.value.message
