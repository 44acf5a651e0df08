"""Every command on a disk that fails at its n-th call: full, failing, read-only, short of what was asked, forgetful.

Each command is run in a fork of `tests.crash.failing_worker`, as `archiver` would run, with the fault set, then again
without, in another. What must hold: a clear end of the first run, nothing lost of what was acknowledged by then, a
second run that completes, nothing doubled, a clean verify. What is asked of the archive in between and in the end is
asked in the worker itself.

Writes through a mapping are not seen (SQLite's shared memory), and neither is memory that fails.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.crash.failing_record import Outcome, Record, Trial
from tests.crash.failing_scenes import SCENES, Scene
from tests.crash.failing_states import States
from tests.crash.failing_worker import FAULTS, READ, Done, Fault, Job, Worker, build, keys_at_once
from tests.crash.program import PASSPHRASE, PASSWORD, set_up
from tests.fakes.imap_mailboxes import MailboxServer

_GIVEN: Final = {"/mail.mbox": 2, "/passphrase": 2, "/jan": 2, "/password": 3}
"""Files that a person gives, not the archive's: that one cannot be read is told as what the command or the
configuration lacks."""


class FailingDisk:
    """Archives in several states, a server, and the worker whose disk fails."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self._seed = seed
        self.home = home / "home"
        self.server = MailboxServer(("info",), password=PASSWORD)
        self.outcome = Outcome()
        self._counted: dict[tuple[str, int], int] = {}
        with keys_at_once():
            program = set_up(self.home, self.server.port, ("info",))
        self._states = States(self.home)
        self._mail = {
            "old": [_letter(number) for number in range(6)],
            "new": [_letter(number) for number in range(6, 12)],
            "file": [_letter(number) for number in range(12, 17)],
        }
        self._worker = Worker(program.environ, build(home))
        try:
            self._prepare()
            self._warm_up()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._worker.close()
        self.server.close()

    # --- states -----------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        home = self.home
        for name, text in (("passphrase", PASSPHRASE), ("jan", "purple monkey dishwasher")):
            (home / name).write_text(text)
            (home / name).chmod(0o600)
        (home / "mail.mbox").write_bytes(
            b"".join(
                b"From a@b.test Sat Mar  1 09:00:00 2025\n" + each.replace(b"\r\n", b"\n") + b"\n"
                for each in self._mail["file"]
            )
        )
        archive = home / "archive"
        aside = home.with_name("aside")
        aside.mkdir()
        shutil.move(archive, aside)
        keys = [path for path in home.iterdir() if path.is_file() and "key" in path.name]
        for path in keys:
            shutil.move(path, aside)
        self._states.save("bare")
        for path in aside.iterdir():
            shutil.move(path, home)
        for octets in self._mail["old"]:
            self.server.deliver("info", b"INBOX", octets)
        self._succeed("customer", "add", "K1", "Firm", "--domain", "customer.test")
        self._succeed("sync")
        for number, octets in enumerate(self._mail["new"]):
            self.server.deliver("info", (b"INBOX", b"Sent")[number % 2], octets)
        for box in self.server.accounts["info"].values():
            for uid in [uid for uid, octets in box.messages.items() if octets in self._mail["old"]]:
                del box.messages[uid]
        self._states.save("base")
        self._succeed("backup", str(home / "backup"))
        self._succeed("sync")
        self._states.save("backed")
        self._succeed("backup", str(home / "backup"))
        shutil.rmtree(archive)
        self._states.save("lost")
        self._states.restore("base")
        self._succeed("sync", "--collect-only")
        self._states.save("waiting")
        self._succeed("sync")
        self._states.save("whole")
        found = json.loads(self._succeed("search", "subject:11", "--json").out)["items"]
        self._identifier = found[0]["id"]
        # What does not come back: the octets by which it was found.
        self._mail["rest"] = [octets for octets in self._mail["new"] if octets != self._mail["new"][5]]
        self._states.restore("whole")
        for path in archive.glob("index.db*"):
            path.unlink()
        self._states.save("no index")
        self._states.restore("whole")
        self._damage()
        self._states.save("damaged")

    def _damage(self) -> None:
        """Change an octet in a pack of the new mail, which the server still has."""
        packs = (path for path in self._states.files("whole") - self._states.files("base") if path.endswith(".pack"))
        pack = self.home / min(packs)
        octets = bytearray(pack.read_bytes())
        octets[-60] ^= 1
        pack.chmod(0o600)
        pack.write_bytes(octets)

    def _warm_up(self) -> None:
        """Run everything once in the worker itself, so that no fork of it has anything left to load."""
        for scene in SCENES:
            self._states.restore(scene.state)
            self._begin(scene, here=True)
            for name in ("state", "ending"):
                self._call(name)

    # --- the worker -------------------------------------------------------------------------------------------------

    def run_command(self, *arguments: str) -> Done:
        """Run a command without a fault, for what it answers."""
        return self._worker.do(Job(list(arguments), here=True))

    def _succeed(self, *arguments: str) -> Done:
        done = self.run_command(*arguments)
        assert done.code == 0, f"{arguments}: {done.code} {done.err}"
        return done

    def _call(self, function: str) -> Done:
        return self._worker.do(Job([], function=function, here=True))

    def _begin(self, scene: Scene, fault: Fault | None = None, at: int = 0, *, here: bool = False) -> Done:
        known = {"ID": self._identifier} if scene.function else {}
        arguments = [known.get(each, each.replace("HOME", str(self.home))) for each in scene.arguments]
        return self._worker.do(Job(arguments, fault, at, scene.function, here))

    # --- one after the other ----------------------------------------------------------------------------------------

    def count(self, scene: Scene, fault: Fault) -> int:
        """Count the calls of an undisturbed run."""
        calls = self._counted.get((scene.name, fault.kinds))
        if calls is None:
            self._states.restore(scene.state)
            done = self._begin(scene, fault)
            if done.code not in (0, 4 if scene.name == "repair" else 0):
                self.outcome.problems.append(f"{scene.name}, undisturbed: {done.code} {done.err}")
            calls = self._counted[scene.name, fault.kinds] = done.calls
        self.outcome.calls[scene.name, fault.name] = calls
        return calls

    def run(
        self,
        scenes: Sequence[Scene] = SCENES,
        faults: Sequence[Fault] = FAULTS,
        *,
        every: int = 1,
        lane: int = 0,
        lanes: int = 1,
        record: Record | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Let the n-th call fail: every n, or every k-th from a place that the seed gives; of these each `lanes`-th.

        Every n means until it does not come any more. What `record` has is not done again, and counts; it is all that
        counts from when `stopped` says so.
        """
        for scene in scenes:
            for fault in faults:
                known = record.known(scene.name, fault.name) if record else {}
                calls = self.count(scene, fault)
                first = 1 + random.Random(f"{self._seed} {scene.name} {fault.name}").randrange(every) + lane * every
                for at in itertools.count(first, every * lanes):
                    trial = known.get(at)
                    if at > calls and (every > 1 or (trial is None and stopped())):
                        break
                    if trial is None and stopped():
                        continue
                    if trial is None:
                        trial = self.trial(scene, fault, at)
                        if at > calls and trial.code is None:
                            break
                        if record:
                            trial = record.keep(trial)
                    self.outcome.add(trial)
        return self.outcome

    def one(self, scene: Scene, fault: Fault, at: int) -> None:
        """Do a trial, and count it."""
        self.outcome.add(self.trial(scene, fault, at))

    def trial(self, scene: Scene, fault: Fault, at: int) -> Trial:
        """Run a scene once with a fault, and once without; judge."""
        self._states.restore(scene.state)
        done = self._begin(scene, fault, at)
        trial = Trial(scene.name, fault.name, at)
        if not done.hits and done.code != -1:  # a run that took another way than the counted one
            return trial
        problems = [*self._ended(scene, fault, done), *self._afterwards(scene, done)]
        what = f"{scene.name}, {fault.name} at {at} ({done.where})"
        return msgspec.structs.replace(
            trial, code=done.code, where=done.where, problems=[f"{what}: {each}" for each in problems]
        )

    def _ended(self, scene: Scene, fault: Fault, done: Done) -> Iterator[str]:
        allowed = {0} if fault.is_harmless else {0, 4, 30} if fault.kinds == READ else {0, 4}
        if scene.name == "repair":
            allowed.add(4)  # it tells of what a sync is to fetch again
        # Behind the first that cannot be read, such a file may be the next.
        told = {given for given in _GIVEN if done.where.endswith(f" {given}") or f"{self.home}{given}: " in done.err}
        allowed |= {_GIVEN[given] for given in told}
        said = f"ended with {done.code}: {done.err.strip()[-700:]}"
        if done.code not in allowed or "Traceback" in done.err:
            yield said
        elif done.code and not ("hint: " in done.err and ("archiver: " in done.err or done.out)):
            yield f"says too little, {said}"

    def _afterwards(self, scene: Scene, done: Done) -> Iterator[str]:
        home = self.home
        if scene.acknowledged:
            yield from self._there(self._call("state"), scene.acknowledged, "right after")
        yield from self._kept(scene, done)
        if not (home / "archive" / "archive.json").exists():
            (home / "code").unlink(missing_ok=True)  # what a person does who is told that it is in the way
        if done.code == 30 and scene.acknowledged and scene.name != "repair":
            self.run_command("repair", "--yes")  # as the message says: what could not be read was marked
        again = self._begin(scene)
        if again.code not in scene.again:
            yield f"again: {again.code} {again.err.strip()[-500:]}"
        if scene.arguments != ("sync",):
            again = self.run_command("sync")
        if again.code != 0:
            yield f"the next sync: {again.code} {again.err.strip()[-500:]}"
        if scene.arguments[0] == "backup":
            checked = self.run_command("backup", str(home / "backup"), "--verify", "--full")
            if checked.code:
                yield f"the next backup: {checked.code} {checked.out} {checked.err}"
        ending = self._call("ending")
        yield from self._there(ending, scene.mail, "in the end")
        if ending.code == 0:
            octets = ending.value["octets"]
            more = set(octets) - {each for kind in scene.mail for each in self._expected(kind)}
            if more:
                yield f"{len(more)} messages too many"
            if ending.value["indexed"] != len(octets):
                yield f"{ending.value['indexed']} indexed"
            yield from ending.value["problems"]

    def _kept(self, scene: Scene, done: Done) -> Iterator[str]:
        """What a run said that it did is done, before any other run could do it."""
        name, place = scene.name, str(self.home / "backup")
        if name == "search" and '"total"' in done.out:
            recorded = self.run_command("audit", "list", "--action", "search", "--json")
            if recorded.code or not json.loads(recorded.out)["total"]:
                yield f"shown, and not recorded: {recorded.err}"
        if name == "backup" and (earlier := self.run_command("backup", place, "--verify")).code:
            yield f"the earlier backup: {earlier.code} {earlier.out} {earlier.err}"
        if done.code:
            return
        if name in ("collect", "ingest", "sync", "import", "erase"):
            found = self.run_command("search", "zebra", "--json", "--limit", "0")
            # An import does not ask the server for what came meanwhile.
            wanted = sum(len(self._expected(kind)) for kind in scene.mail if (name, kind) != ("import", "new"))
            if found.code or json.loads(found.out)["total"] != wanted:
                yield f"said to be done, and {found.out[:60]} of {wanted} are found: {found.err}"
        asked = {
            "customer": ("customer", "show", "K2"),
            "backup": ("backup", place, "--verify", "--full"),
            "first backup": ("backup", place, "--verify", "--full"),
        }
        if name in asked and (answered := self.run_command(*asked[name])).code:
            yield f"said to be done: {answered.code} {answered.out} {answered.err}"
        if name == "key add" and "jan" not in self.run_command("key", "list").out:
            yield "said to be done, and the key is not there"
        if name == "rotate" and (epoch := self._call("state").value["epoch"]) != 2:
            yield f"said to be done, and the epoch is {epoch}"

    def _expected(self, kind: str) -> list[str]:
        eol = b"\n" if kind == "file" else b"\r\n"
        return [octets.replace(b"\r\n", eol).decode("latin-1") for octets in self._mail[kind]]

    def _there(self, done: Done, kinds: Sequence[str], when: str) -> Iterator[str]:
        if done.code:
            yield f"{when}: cannot be read: {done.err[-400:]}"
            return
        octets = done.value["octets"]
        lost = [each for kind in kinds for each in self._expected(kind) if each not in octets]
        if lost:
            yield f"{when}: {len(lost)} messages lost"
        if any(count > 1 for count in octets.values()):
            yield f"{when}: messages doubled"


def _letter(number: int) -> bytes:
    size = (40, 900, 9000)[number % 3]
    filler = "".join(random.Random(number).choices("abcdefghij klmnop", k=size))
    return (
        f"Message-ID: <{number}@example.test>\r\nSubject: nummer {number}\r\nFrom: a{number % 3}@customer.test\r\n"
        f"To: info@example.test\r\nDate: Sat, 1 Mar 2025 09:{number % 60:02d}:00 +0000\r\n\r\n{filler} zebra\r\n"
    ).encode()
