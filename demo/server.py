"""An IMAP server for the demonstration: pymap with its mailboxes in memory, on loopback, in a thread of this process.

Knows pymap; nothing of archiver. It speaks plaintext, which archiver accepts from this machine only, and ends with the
process. Nothing of the product uses it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxSet
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag
from pymap.user import Passwords, UserMetadata

from demo.synthetic import SyntheticMail

HOST = "127.0.0.1"


class _LoopbackConfig(Config):
    """Without the name of this machine, which may take a slow look-up."""

    @property
    def greeting(self) -> bytes:
        return b"the demonstration is ready"


@dataclass(slots=True)
class Server:
    """A running server: the port it listens on, and how many messages lie in each (account, mailbox)."""

    port: int = 0
    mailboxes: Counter[tuple[str, str]] = field(default_factory=Counter)


@contextmanager
def running(
    passwords: Mapping[str, str],
    mails: Iterable[SyntheticMail],
    *,
    username: Callable[[str], str],
    port: int = 0,
) -> Iterator[Server]:
    """Serve `mails` to the accounts named in `passwords` until the block ends; port 0 takes a free one.

    `username` makes the login name of an account. Yields when the server is listening and its mailboxes are full.
    """
    server = Server(port)
    ready = threading.Event()
    failed: list[BaseException] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def work() -> None:
        try:
            loop.run_until_complete(_serve(server, passwords, mails, username, ready, stop))
        except Exception as error:  # noqa: BLE001  # handed to the thread that waits
            failed.append(error)
        finally:
            loop.close()
            ready.set()

    logging.getLogger("pymap").setLevel(logging.CRITICAL)
    thread = threading.Thread(target=work, name="imap-server", daemon=True)
    thread.start()
    ready.wait()
    if failed:
        raise failed[0]
    try:
        yield server
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join()


async def _serve(
    server: Server,
    passwords: Mapping[str, str],
    mails: Iterable[SyntheticMail],
    username: Callable[[str], str],
    ready: threading.Event,
    stop: asyncio.Event,
) -> None:
    arguments = Namespace(
        host=HOST,
        port=server.port,
        debug=False,
        cert=None,
        key=None,
        tls=False,
        proxy_protocol=None,
        passlib_cfg=None,
        demo_data=False,
        demo_user="",
        demo_password="",
    )
    config = _LoopbackConfig.from_args(arguments, reject_dnsbl=False, invalid_user_sleep=0.0)
    config.apply_context()
    login = Login(config)
    await _add_users(config, login, passwords, username)
    await _fill(config, mails, username, server)
    handler = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(login, config))
    listening = await asyncio.start_server(handler, host=HOST, port=server.port)
    async with listening:
        server.port = listening.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _add_users(
    config: Config, login: Login, passwords: Mapping[str, str], username: Callable[[str], str]
) -> None:
    for account, password in passwords.items():
        name = username(account)
        hashed = await Passwords(config).hash_password(password)
        await Identity(name, login, None, frozenset()).set(UserMetadata(config, name, password=hashed))


async def _fill(config: Config, mails: Iterable[SyntheticMail], username: Callable[[str], str], server: Server) -> None:
    """Put the messages where they belong, without the detour over a connection."""
    sets: dict[str, MailboxSet] = {}
    for mail in mails:
        if mail.account not in sets:
            sets[mail.account] = MailboxSet()
            config.set_cache[username(mail.account)] = (sets[mail.account], FilterSet())
        key = (mail.account, mail.mailbox)
        if mail.mailbox != "INBOX" and key not in server.mailboxes:
            await sets[mail.account].add_mailbox(mail.mailbox)
        mailbox = await sets[mail.account].get_mailbox(mail.mailbox)
        flags = frozenset(Flag(word.encode("ascii")) for word in mail.keywords)
        await mailbox.append(AppendMessage(mail.octets, mail.sent_at, flags))
        server.mailboxes[key] += 1
