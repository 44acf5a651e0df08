"""`--json` is a contract with scripts."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from archiver.model.address import EmailAddress
from archiver.model.message import Part, PartKind
from archiver.model.status import Failure, MailboxStatus
from tests.cli.harness import Cli
from tests.cli.test_cli_transcripts import mails, troubled, whole
from tests.cli.twin import NOW, Damage, Mail, Slot, Status, Twin, Verify, blob_id
from tests.cli.world_of_search import found

HIT = {
    "id", "thread", "message_id", "sent_at", "direction", "from", "to", "cc", "subject", "customers", "candidates",
    "mailboxes", "attachments", "octets", "language", "snippet", "score", "marks", "place", "file", "copies", "others",
}  # fmt: skip
ONLY_OF_HITS = {"score", "marks", "place", "file", "copies", "others"}
FIGURES = {"server", "archived", "excluded", "failed", "erased", "complete", "last_sync"}
ONE = blob_id(1).hex()[:8]


def times(value: Any) -> list[str]:
    """Every value whose key ends as times do."""
    if isinstance(value, dict):
        here = [
            v for k, v in value.items() if isinstance(v, str) and (k.endswith("_at") or k in {"last_sync", "created"})
        ]
        return here + [time for child in value.values() for time in times(child)]
    return [time for child in value for time in times(child)] if isinstance(value, list) else []


def test_a_hit_has_exactly_the_fields_of_the_contract(cli: Cli) -> None:
    cli.app = whole()
    answer = cli("search", "--json").json()
    assert set(answer) == {"total", "more", "suggestion", "ignored", "unindexed", "items"}
    assert [set(item) for item in answer["items"]] == [HIT] * 4


def test_a_script_can_follow_the_pages_and_show_what_was_found(cli: Cli) -> None:
    """As `jq '.items[] | …'` would, with nothing but what the reference says."""
    cli.app, ids, shown, offset = found(), [], [], 0
    while True:
        page = cli("search", "--json", "licentie", "--limit", "2", "--offset", str(offset)).json()
        ids += [item["id"] for item in page["items"]]
        for item in page["items"]:
            words = [item["snippet"][start:end] for start, end in item["marks"]]
            shown.append((item["place"], item["file"], [word.casefold()[:5] for word in words]))
        offset += len(page["items"])
        if not page["more"]:
            break
    assert offset == len(set(ids)) == 6
    assert ("quoted", None, ["licen"]) in shown
    assert ("attachment", "contract \x1b[31m2026.pdf", ["licen"]) in shown


def test_counts_have_a_value_and_a_count_each(cli: Cli) -> None:
    cli.app = found()
    facets = cli("search", "--json", "licentie", "--facets").json()["facets"]
    assert {name: set(rows[0]) for name, rows in facets.items()} == {
        "customers": {"reference", "name", "count"},
        "years": {"year", "count"},
        "directions": {"direction", "count"},
        "types": {"type", "count"},
        "languages": {"language", "count"},
    }


def test_total_counts_what_the_limit_leaves_out(cli: Cli) -> None:
    cli.app = whole()
    answer = cli("search", "--json", "--limit", "1", "--offset", "1").json()
    assert (answer["total"], [item["id"] for item in answer["items"]]) == (4, [ONE])


def test_a_hit_says_who_when_and_what(cli: Cli) -> None:
    cli.app = Twin(mails=[mails()[1]])
    (item,) = cli("search", "--json").json()["items"]
    assert item["from"] == [{"name": "Support", "address": "info@ons.example"}]
    assert item["direction"] == "outgoing"
    assert item["sent_at"] == "2026-03-09T12:00:00+00:00"
    assert item["attachments"] == ["licentie \x1b[31m'x'.pdf"]
    assert item["mailboxes"] == ["info/INBOX"]
    assert item["customers"] == []


@pytest.mark.parametrize(
    "words", [["search"], ["show", ONE], ["thread", ONE], ["status"], ["key", "list"]], ids=lambda words: words[0]
)
def test_every_time_has_an_offset(cli: Cli, words: list[str]) -> None:
    cli.app = whole()
    at = times(cli(*words, "--json").json())
    assert at
    assert all(datetime.fromisoformat(time).utcoffset() is not None for time in at)


@pytest.mark.parametrize(
    "words",
    [["search"], ["show", ONE], ["thread", ONE], ["thread", "--full", ONE], ["status"], ["verify"], ["key", "list"],
     ["doctor"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "terminal"])
def test_every_reading_command_prints_one_ascii_object_and_nothing_else(cli: Cli, words: list[str], tty: bool) -> None:
    cli.app, cli.tty = whole(), tty
    ran = cli(*words, "--json")
    assert isinstance(ran.json(), dict)
    assert ran.octets.isascii()
    assert b"\x1b" not in ran.octets
    assert ran.err == ""
    assert ran.out.count("\n") == 1 or tty


def test_a_lone_surrogate_in_mail_does_not_break_the_object(cli: Cli) -> None:
    cli.app = Twin(mails=[Mail(subject="half \ud83d", from_=(EmailAddress("\udcff", "a@b.example"),))])
    assert cli("search", "--json").json()["items"][0]["subject"] == "half \ud83d"


def test_a_shown_message_has_its_parts_defects_and_places(cli: Cli) -> None:
    cli.app = whole()
    shown = cli("show", ONE, "--json").json()
    assert HIT - ONLY_OF_HITS - {"snippet"} < set(shown)
    assert [part["part"] for part in shown["parts"]] == ["1", "2"]
    assert shown["seen"] == [{"account": "info", "mailbox": "INBOX", "uid_validity": 7, "uid": 42, "keywords": []}]
    assert cli("show", blob_id(2).hex()[:8], "--json").json()["defects"][0]["code"] == "bad-charset"


def test_status_has_the_figures_of_the_contract_for_every_account_and_mailbox(cli: Cli) -> None:
    cli.app = troubled()
    ran = cli("status", "--json")
    status = ran.json()
    assert ran.code == 4
    assert {"messages", "octets", "pending", "indexed", "defects", "unlinked", "customers"} < set(status)
    assert [account["name"] for account in status["accounts"]] == ["info", "support"]
    for account in status["accounts"]:
        assert set(account) > FIGURES
        assert all(set(mailbox) > FIGURES for mailbox in account["mailboxes"])
    info = status["accounts"][0]
    assert (info["server"], info["archived"], info["failed"], info["complete"]) == (1_500, 1_494, 2, False)
    assert status["accounts"][1]["last_sync"] is None
    assert status["failures"][0]["uid"] == 99
    assert status["messages"] is None


def test_without_customers_every_message_is_unlinked(cli: Cli) -> None:
    status = cli("status", "--json").json()
    assert (status["unlinked"], status["customers"]) == (12, 0)


def test_status_is_complete_only_with_every_mailbox(cli: Cli) -> None:
    whole_box = MailboxStatus("info", "INBOX", 10, 10, 0, 0, 0, NOW)
    for box, code in ((whole_box, 0), (replace(whole_box, archived=9), 4), (replace(whole_box, problem="refused"), 4)):
        cli.app = Twin(status_report=Status(accounts=(box,)))
        ran = cli("status", "--json")
        assert (ran.code, ran.json()["complete"]) == (code, code == 0)


def test_damage_is_named_with_the_message_it_hits(cli: Cli) -> None:
    cli.app = Twin(verify_report=Verify(problems=(Damage("packs/ab/x.pack", "cut short", b"\xab" * 32),)))
    ran = cli("verify", "--json")
    assert ran.code == 30
    (problem,) = ran.json()["problems"]
    assert (problem["what"], problem["message"], problem["id"]) == ("packs/ab/x.pack", "cut short", "ab" * 32)
    assert (problem["kind"], problem["at"], problem["mailboxes"]) == ("pack", None, [])
    assert ran.json()["sound"] is False


def test_people_read_what_is_damaged_once_and_as_much_of_a_name_as_they_need(cli: Cli) -> None:
    pack, message = "cd" * 32, b"\xab" * 32
    damages = (
        Damage(f"pack {pack}", f"pack {pack[:12]} is not what its name says"),
        Damage(f"pack {pack}, message {'ab' * 6}", f"message {'ab' * 6} in pack {pack[:12]} is damaged", message),
        Damage(f"pack {pack}", "the pack is missing", message),
    )
    cli.app = Twin(verify_report=Verify(problems=damages))
    told = cli("verify").out
    assert pack not in told
    assert f"\npack {pack[:12]} is not what its name says\n" in told
    assert f"\nmessage {'ab' * 6} in pack {pack[:12]} is damaged\n" in told
    assert f"\npack {pack[:12]}: the pack is missing (message {'ab' * 6})\n" in told
    assert pack in cli("verify", "--json").out


def test_keys_are_listed_without_anything_secret(cli: Cli) -> None:
    cli.app = Twin(slots=[Slot("an", "passphrase")])
    (item,) = cli("key", "list", "--json").json()["items"]
    assert set(item) == {"name", "kind", "created"}


def test_a_failure_to_fetch_and_a_part_survive_the_way_through_json(cli: Cli) -> None:
    failure = Failure("info", "INBOX", 7, 99, "no octets", 3, NOW)
    cli.app = Twin(
        mails=[Mail(parts=(Part("1", "image/png", PartKind.INLINE, 5, content_id="x@y"),))],
        status_report=Status(failures=(failure,)),
    )
    assert json.loads(cli("status", "--json").out)["failures"][0]["reason"] == "no octets"
    assert cli("show", blob_id(0).hex(), "--json").json()["parts"][0]["content_id"] == "x@y"
