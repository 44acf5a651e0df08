"""The demonstration's IMAP server serves every message as it was made."""

from __future__ import annotations

from collections import Counter

from imapclient import IMAPClient

from demo.server import HOST, running
from demo.synthetic import messages


def test_every_message_comes_back_octet_for_octet_and_stays_unread() -> None:
    mails = list(messages(3, 60))
    served: Counter[tuple[str, str, bytes]] = Counter()
    with running({"info": "one", "support": "two"}, mails, username=lambda account: f"{account}@here.test") as server:
        for account, password in (("info", "one"), ("support", "two")):
            client = IMAPClient(HOST, server.port, ssl=False, timeout=20)
            client.login(f"{account}@here.test", password)
            for flags, _, mailbox in client.list_folders():
                if b"\\Noselect" in flags:
                    continue
                client.select_folder(mailbox, readonly=True)
                fetched = client.fetch(client.search(), ["RFC822.SIZE", "BODY.PEEK[]"])
                for fields in fetched.values():
                    assert fields[b"RFC822.SIZE"] == len(fields[b"BODY[]"])
                    served[account, mailbox, fields[b"BODY[]"]] += 1
            client.logout()
    assert served == Counter((mail.account, mail.mailbox, mail.octets) for mail in mails)
    assert sum(server.mailboxes.values()) == len(mails)
