"""The desk's tables. Instants are microseconds; bodies are MessagePack or JSON of a struct."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""`after_seq`: the last transition taken. `boot`: how often the desk was opened for work.
`shifted_us`: how far the timers were moved with the clock, all steps together; `set_back_from`
and `set_back_to`: what the clock showed before and after it was set back."""

positions = Table(
    "positions",
    metadata,
    Column("topic", String, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next", BigInteger, nullable=False),
)
"""Where to read on. Whoever holds the row takes what is next of its partition."""

persons = Table("persons", metadata, Column("id", String, primary_key=True))
"""What is decided per person (turn, ticket, budget) is decided under his row."""

replicas = Table(
    "replicas",
    metadata,
    Column("id", String, primary_key=True),
    Column("boot", BigInteger, nullable=False),
    Column("renewed_us", BigInteger, nullable=False),
    Column("alive_until_us", BigInteger, nullable=False),
)
"""Who may be sending: a claim whose boot is not here has an unknown outcome."""

inbox = Table(
    "inbox",
    metadata,
    Column("transition", String, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("taken_us", BigInteger, nullable=False),
    Column("report", String, nullable=False, index=True),
    Column("facility", String, nullable=False),
    Column("incident", String, index=True),
    Column("effect", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("partition", Integer, nullable=False, server_default="0"),
)
"""Every transition taken, what it did, and to which incident: what `why` answers from."""

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("facility", String, nullable=False),
    Column("territory", String, nullable=False),
    Column("state", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("resolved_us", BigInteger),
    Column("due_us", BigInteger),
    Column("head", String, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("incidents_by_due", "due_us"),
    Index("incidents_by_facility", "facility", "opened_us"),
    Index("incidents_by_opening", "opened_us"),
    Index("incidents_by_state", "state", "severity"),
    Index(
        "one_open_incident",
        "facility",
        unique=True,
        sqlite_where=text("state <> 'resolved'"),
        postgresql_where=text("state <> 'resolved'"),
    ),
)
"""`head` and `entries` close the hash chain of the incident's ledger."""

outbox = Table(
    "outbox",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("incident", String, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("person", String, nullable=False),
    Column("contact", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("severity", String),
    Column("state", String, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("queued_us", BigInteger, nullable=False),
    Column("due_us", BigInteger),
    Column("boot", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("resend", Integer, nullable=False),
    Column("nth", Integer, nullable=False),
    Column("receipt", String),
    Column("accepted_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("received_us", BigInteger),
    Column("reason", String),
    Column("text", Text),
    Column("body", LargeBinary, nullable=False),
    Index("outbox_to_claim", "state", "rank", "turn", "queued_us"),
    Index("outbox_by_due", "state", "due_us"),
    Index("outbox_by_incident", "incident", "state"),
    Index("outbox_by_person", "person", "state"),
)
"""What is owed to whom. A notice changes only under the row of its incident; an answer, which has
none, under the row of its person. `rank` is minus the severity's rank, `turn` the place in the person's
own queue: every person's first message goes before anybody's second of that severity."""

attempts = Table(
    "attempts",
    metadata,
    Column("notification", String, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("person", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("counts", Integer, nullable=False),
    Column("outcome", String),
    Index("attempts_by_day", "person", "channel", "at_us"),
)
"""`counts` is 1 while the message may have gone out: that is what a budget counts."""

tickets = Table(
    "tickets",
    metadata,
    Column("incident", String, primary_key=True),
    Column("person", String, primary_key=True),
    Column("ticket", String, nullable=False),
    Index("tickets_by_person", "person"),
)

silences = Table(
    "silences",
    metadata,
    Column("id", String, primary_key=True),
    Column("until_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("silences_by_end", "until_us"),
)
"""Kept when they are over, as the record of what was not told. A unit that changes one is alone."""

campaign_reports = Table(
    "campaign_reports",
    metadata,
    Column("campaign", String, primary_key=True),
    Column("to_us", BigInteger, primary_key=True),
    Column("replica", String, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("body", Text),
)
"""On a server. Without `body` the replica is making it, until its lease is over or renewed."""

phones = Table(
    "phones",
    metadata,
    Column("person", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("incident", String, nullable=False),
    Column("notification", String, nullable=False),
    Column("text", Text, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("incident", String, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("person", String),
    Column("channel", String),
    Column("reason", String),
    Column("notification", String),
    Column("detail", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
)
"""Append only: triggers refuse to change or delete an entry."""
