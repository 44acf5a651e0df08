"""`archiver audit` over the twin: what is told, and the exit codes."""

from __future__ import annotations

from msgspec.structs import replace

from archiver.model.audit import AuditEvent
from tests.cli.harness import Cli
from tests.cli.twin import Twin, blob_id
from tests.cli.twin_audit import LINE, Made, Report, Told, events


def over(cli: Cli, twin: Twin) -> Cli:
    (cli.home / "config.toml").write_text('[archive]\npath = "a"\n[identity]\ndomains = ["ons.example"]\n')
    cli.environ = {"ARCHIVER_CONFIG": str(cli.home / "config.toml")}
    cli.app = twin
    return cli


def test_a_list_is_newest_first_with_who_and_why(cli: Cli) -> None:
    ran = over(cli, Twin(events=events([blob_id(0), blob_id(1)])))("audit", "list")
    first, second = ran.out.splitlines()
    assert ran.code == 0
    assert "an as archiver  show    raw  " in first
    assert blob_id(0).hex()[:8] in first
    assert first.endswith("(ticket 12)")
    assert "search" in second
    assert "total 2  query 2a2a2a2a" in second


def test_a_name_that_only_the_environment_gave_is_told_as_that(cli: Cli) -> None:
    event = replace(events([blob_id(0)])[0], claimed="jan")
    assert "an as archiver, says jan" in over(cli, Twin(events=[event]))("audit", "list").out


def test_a_name_that_nobody_but_the_environment_gave_is_told_behind_the_user(cli: Cli) -> None:
    event = replace(events([blob_id(0)])[0], who="jan", claimed="jan")
    assert "  archiver, says jan  " in over(cli, Twin(events=[event]))("audit", "list").out


def test_the_name_of_a_key_is_told_and_not_the_line_of_a_checkpoint(cli: Cli) -> None:
    plain = events([blob_id(0)])[0]
    added = replace(plain, action="key-add", note="machine server")
    made = replace(plain, action="checkpoint", note=LINE)
    out = over(cli, Twin(events=[added, made]))("audit", "list").out
    assert "key-add     machine server" in out
    assert LINE not in out


def test_a_page_says_where_the_next_one_begins(cli: Cli) -> None:
    over(cli, Twin(events=events([blob_id(0)]) * 3))
    assert "1 to 4 of 6 records; --offset 4 shows older ones" in cli("audit", "list", "--limit", "4").err
    assert cli("audit", "list", "--limit", "4", "--offset", "4").err == "5 to 6 of 6 records\n"
    assert cli("audit", "list").err == ""
    cli.app = Twin()
    assert cli("audit", "list").out == "Nothing is recorded that fits.\n"


def test_what_a_record_is_about_stays_in_its_column_on_a_terminal(cli: Cli) -> None:
    long = replace(events([blob_id(0)])[0], reason="the customer asked on the phone what we had sent him in March")
    over(cli, Twin(events=[long, *events([blob_id(1)])])).tty = True
    cli.environ["NO_COLOR"] = "1"
    cli.columns = 80
    lines = cli("audit", "list").out.splitlines()
    column = lines[0].index("raw")
    assert all(len(line) <= 80 for line in lines)
    assert lines[3].startswith(" " * column)
    cli.columns = 40
    assert all(len(line) <= 40 for line in cli("audit", "list").out.splitlines())


def test_what_somebody_typed_cannot_reach_the_terminal_raw(cli: Cli) -> None:
    event = AuditEvent(
        at=1, action="show", who="an\x1b[31m", user="an", reason="\x1b]0;owned\x07\n\u202e", customers=("K\x9b1",)
    )
    ran = over(cli, Twin(events=[event]))("audit", "list")
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ran.out)


def test_records_that_cannot_be_read_make_exit_code_30(cli: Cli) -> None:
    ran = over(cli, Twin(events=events([blob_id(0)]), unreadable=2))("audit", "list", "--json")
    assert ran.code == 30
    assert ran.json()["total"] == 2
    assert "2 records cannot be read" in ran.err


def test_what_is_asked_for_and_why_reaches_the_application(cli: Cli) -> None:
    twin = Twin()
    ran = over(cli, twin)("audit", "list", "--since", "2026-01", "--who", "an", "--query", "x y", "--reason", "review")
    assert ran.code == 0
    assert twin.calls == ["audit list 2026-01 an x y"]
    assert twin.reasons == ["review"]
    cli.environ["ARCHIVER_REASON"] = "from the environment"
    assert cli("audit", "list").code == 0
    assert cli("audit", "list", "--reason", "").code == 0
    assert twin.reasons[1:] == ["from the environment", ""]


def test_a_whole_trail_says_what_only_an_anchor_shows(cli: Cli) -> None:
    ran = over(cli, Twin())("audit", "verify")
    assert ran.code == 0
    assert "2 records" in ran.out
    assert "The trail is whole." in ran.out
    assert "--anchor" in ran.err
    cli.app = Twin(audit_report=Report(anchors=1))
    ran = cli("audit", "verify", "--anchor", LINE)
    assert "1 anchor compared" in ran.out
    assert ran.err == ""
    assert cli.twin.calls == [f"audit verify {LINE}"]
    ran = cli("audit", "verify", "--anchor", LINE, "--anchor", "mailbox")  # neither is left out in silence
    assert ran.code == 2
    assert "into one file" in ran.err


def test_a_broken_trail_is_exit_code_30_and_names_what_is_wrong(cli: Cli) -> None:
    report = Report(
        problems=(Told("audit/00000001.log", "record 3 does not follow"),),
        remarks=(Told("audit/00000001.log", "torn"),),
    )
    ran = over(cli, Twin(audit_report=report))("audit", "verify")
    assert ran.code == 30
    assert "audit/00000001.log: record 3 does not follow" in ran.out
    assert "1 problem found." in ran.out
    shape = cli("audit", "verify", "--json").json()
    assert shape["sound"] is False
    assert shape["problems"] == [{"what": "audit/00000001.log", "message": "record 3 does not follow"}]
    assert shape["remarks"] == [{"what": "audit/00000001.log", "message": "torn"}]


def test_a_checkpoint_is_one_line_on_standard_output(cli: Cli) -> None:
    ran = over(cli, Twin(made=Made(anchored=("syslog",))))("audit", "checkpoint")
    assert (ran.code, ran.out) == (0, f"{LINE}\n")
    assert "Public key" in ran.err
    assert "syslog" in ran.err
    cli.app = Twin(made=Made(problems=("not at syslog",)))
    ran = cli("audit", "checkpoint", "--json")
    assert (ran.code, ran.json()["checkpoint"]) == (4, LINE)
    assert "not at syslog" in ran.err
