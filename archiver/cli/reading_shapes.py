"""What `--json` prints of mail by customer: history, waiting, unlinked, ambiguous, why. The rules are those of shapes.

Customers are told by their references, as everywhere; only `why` gives names too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from archiver.cli.customer.shapes import contents
from archiver.cli.reasons import Names, decision_sentence, sentence
from archiver.cli.shapes import Json, message_line, moment
from archiver.model.catalogue import Summary
from archiver.model.customer import CustomerRecord
from archiver.model.link import Decision, Reason

if TYPE_CHECKING:
    from archiver.cli.application import OpenArchive
    from archiver.cli.customer_answers import (
        Explanation,
        History,
        HistoryThread,
        Proposal,
        UnlinkedGroup,
        UnlinkedPage,
        WaitingThread,
    )
    from archiver.cli.groups import LookAlikes


def history(record: CustomerRecord, page: History, archive: OpenArchive, zone: tzinfo | None) -> Json:
    """Return a page of history; an item is a thread, told by its newest message, with all of its messages."""
    return {
        "customer": record.customer.reference,
        "total": page.total,
        "candidates": page.candidates,
        "more": page.more,
        "items": [_thread(thread, archive, zone) for thread in page.threads],
    }


def _thread(thread: HistoryThread, archive: OpenArchive, zone: tzinfo | None) -> Json:
    messages = [with_snippet(summary, archive, zone) for summary in thread.messages]
    return {**messages[0], "contact": thread.contact, "messages": messages}


def with_snippet(summary: Summary, archive: OpenArchive, zone: tzinfo | None) -> dict[str, object]:
    """Return a message with its first words."""
    return {**message_line(summary, archive, zone), "snippet": summary.preview}


def waiting(item: WaitingThread, archive: OpenArchive, zone: tzinfo | None) -> Json:
    """Return a conversation without an answer, told by the message that waits; `age` in seconds."""
    return {
        **with_snippet(item.message, archive, zone),
        "age": int(item.age.total_seconds()),
        "messages": item.messages,
    }


def unlinked(page: UnlinkedPage, alike: LookAlikes, archive: OpenArchive, zone: tzinfo | None) -> Json:
    """Return groups of mail that fits nobody; `total` counts groups, `messages` all unlinked mail.

    `looks_like` are customers with a domain that the group's name is easily taken for, and is not.
    """
    return {
        "total": page.total,
        "messages": page.messages,
        "items": [_group(group, alike, archive, zone) for group in page.items],
    }


def _group(group: UnlinkedGroup, alike: LookAlikes, archive: OpenArchive, zone: tzinfo | None) -> Json:
    return {
        "name": group.name,
        "shared": group.shared,
        "automatic": group.automatic,
        "incoming": group.incoming,
        "outgoing": group.outgoing,
        "other": group.other,
        "addresses": [
            {
                "name": address.name,
                "address": address.address,
                "incoming": address.incoming,
                "outgoing": address.outgoing,
                "other": address.other,
            }
            for address in group.addresses
        ],
        "newest": message_line(group.newest, archive, zone),
        "looks_like": [record.customer.reference for _domain, record in alike.get(group.name, ())],
        "proposals": [_proposal(proposal, zone) for proposal in group.proposals],
    }


def _proposal(proposal: Proposal, zone: tzinfo | None) -> Json:
    return {
        "because": proposal.because,
        "customer": proposal.record.customer.reference if proposal.record is not None else None,
        "draft": contents(proposal.draft, zone) if proposal.draft is not None else None,
    }


def why(explanation: Explanation, summary: Summary, archive: OpenArchive, zone: tzinfo | None) -> Json:
    """Return every finding about a message, and every decision by hand."""
    names = explanation.customers
    verdict = explanation.verdict
    reasons = [_reason(reason, explanation, names) for reason in verdict.reasons]
    return {
        **message_line(summary, archive, zone),
        "total": len(reasons),
        "items": reasons,
        "decisions": [_decision(decision, names, zone) for decision in explanation.decisions],
    }


def _reason(reason: Reason, explanation: Explanation, names: Names) -> Json:
    return {
        "rule": reason.rule.name.lower(),
        "outcome": reason.outcome.value,
        "where": reason.where,
        "value": reason.value,
        "customers": references(reason.customers, names),
        "note": reason.note,
        "sentence": sentence(reason, explanation.verdict, names),
    }


def _decision(decision: Decision, names: Names, zone: tzinfo | None) -> Json:
    return {
        "customer": next(iter(references([decision.customer], names)), None),
        "links": decision.links,
        "who": decision.who,
        "at": moment(decision.at, zone),
        "why": decision.why,
        "undone_at": moment(decision.undone_at, zone),
        "undone_by": decision.undone_by,
        "sentence": decision_sentence(decision, names, zone=zone),
    }


def references(customers: Sequence[int], names: Names) -> list[str]:
    """Return the references of these; one that is gone is left out."""
    return [names[customer].customer.reference for customer in customers if customer in names]
