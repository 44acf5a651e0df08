"""The first command after an upgrade reads all mail again; killed at any moment, the next one goes on.

What was there before (who is linked, which search was saved) is untouched by it, and what the new release finds in old
mail (its language, what its attachments say) is there in the end, for every message once.
"""

from __future__ import annotations

import contextlib
import mailbox
import os
import random
import time
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from archiver import app
from archiver.app.opening import open_unlocked
from archiver.app.unlocking import find_keys
from archiver.errors import ArchiverError
from archiver.model.customer import Customer
from archiver.store.connection import open_database
from tests.crash.program import Program, cleared, gone, group, kill, nobody, set_up
from tests.twins.first_release import make_second_format
from tests.twins.office_files import docx

KILLS = int(os.environ.get("ARCHIVER_UPGRADE_KILLS", "6"))
MESSAGES = 1200
OLD_INDEX = 1
"""Schema version of the index of that release."""
_SLOW_INDEX = (
    "import time; from archiver.search.index import FullTextIndex; _add = FullTextIndex.add; "
    "FullTextIndex.add = lambda *batch: (_add(*batch), time.sleep(2))[0]; "
)
"""Who waits for a batch is to see it before the next one, also where many processes share a core."""
DUTCH = "Beste, kunt u ons laten weten wanneer de factuur betaald wordt? Met vriendelijke groeten van ons allen"


def _upgraded(home: Path) -> Program:
    """An archive as the release before left it: no languages, no texts of attachments, an index of another shape."""
    program = set_up(home, 9, ("info",), sync="workers = 2")
    box = mailbox.mbox(home / "tmp" / "in.mbox")
    for number in range(MESSAGES):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "jan@customer.test", "info@example.test", f"nr {number}"
        message["Date"] = f"Sat, 1 Mar 2025 {number // 3600:02}:{number // 60 % 60:02}:{number % 60:02} +0000"
        message["Message-ID"] = f"<{number}@customer.test>"
        message.set_content(f"{DUTCH}\n\nnummer {number}")
        if number % 100 == 0:
            message.add_attachment(
                docx([f"huurprijs {number}"]), maintype="application", subtype="octet-stream", filename="contract.docx"
            )
        box.add(message)
    box.close()
    app.import_paths(program.settings, [home / "tmp" / "in.mbox"], ask=nobody)
    with app.change_customers(program.settings, ask=nobody, command="customer add") as editor:
        editor.add(Customer("K1", "Firm", domains=("customer.test",)))
    keys = find_keys(program.settings, ask=nobody)
    assert keys is not None
    with open_database(keys.paths.database, keys.secret.database_key) as database:
        make_second_format(database)
    with open_database(keys.paths.index, keys.secret.index_key) as index:
        index.execute(f"PRAGMA user_version = {OLD_INDEX}")
    return program


def _indexed(program: Program) -> int:
    keys = find_keys(program.settings, ask=nobody)
    assert keys is not None
    with open_unlocked(program.settings, keys, write=True) as opened:
        return opened.index.count()


def _wait_for_a_batch(program: Program) -> None:
    """Return as soon as the new index holds something."""
    keys = find_keys(program.settings, ask=nobody)
    assert keys is not None
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with (
            contextlib.suppress(ArchiverError),
            open_database(keys.paths.index, keys.secret.index_key, readonly=True) as index,
        ):
            of_this_release = index.integer("PRAGMA user_version") != OLD_INDEX
            if of_this_release and index.integer("SELECT watermark FROM progress"):
                return
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.timeout(180 + 10 * KILLS)
def test_reading_all_mail_again_after_an_upgrade_goes_on_after_any_kill(tmp_path: Path) -> None:
    program = _upgraded(tmp_path / "home")
    pick = random.Random(KILLS)
    grown = [0]
    for number in range(KILLS):
        process = (program if number else replace(program, prelude=_SLOW_INDEX)).start("search", "factuur")
        with cleared(process):
            if number:
                time.sleep(0.2 + pick.random() * 1.3)
            else:
                _wait_for_a_batch(program)
            for pid in group(process.pid):
                kill(pid)
            assert gone(process.pid)
        grown.append(_indexed(program))
    assert 0 < grown[1] < MESSAGES, "the first kill came between two batches"
    assert grown == sorted(grown), "what was read before a kill is read again"
    program.run("search", "factuur")
    assert _indexed(program) == MESSAGES
    assert program.verify().problems == ()
    with app.open_archive(program.settings, ask=nobody) as archive:
        page = archive.search("nummer", limit=MESSAGES)
        assert page.total == len(page.items) == MESSAGES
        assert {(item.summary.language, item.summary.customers) for item in page.items} == {("nl", ("K1",))}
        assert archive.search("huurprijs").total == MESSAGES // 100
