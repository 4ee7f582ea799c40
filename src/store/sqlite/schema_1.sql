-- Version 1. The journal is append-only and is the truth; the outbox follows from it and is kept in the same transaction.
CREATE TABLE journal (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT    NOT NULL UNIQUE, -- UUIDv7
    writer  TEXT    NOT NULL,        -- which console: a UUID drawn at its start
    at      INTEGER NOT NULL,        -- microseconds since 1970 by the writer's clock; order comes from seq
    kind    TEXT    NOT NULL,
    version INTEGER NOT NULL,        -- of the payload
    payload TEXT    NOT NULL         -- JSON
) STRICT;
CREATE INDEX journal_by_kind ON journal (kind, at);

CREATE TABLE outbox (
    op         TEXT    NOT NULL PRIMARY KEY, -- UUIDv7: the intent's identity
    batch      TEXT    NOT NULL,             -- shared by the intents of one key press
    target     TEXT    NOT NULL,             -- JSON
    action     TEXT    NOT NULL,             -- JSON: the absolute state that is wanted
    asked_by   TEXT    NOT NULL,
    asked_at   INTEGER NOT NULL,
    state      TEXT    NOT NULL,             -- queued sent confirmed failed unknown dropped
    result     TEXT    NOT NULL,             -- JSON: the delivery, with the provider's words
    attempts   INTEGER NOT NULL DEFAULT 0,
    opened     TEXT,                         -- the incident that a declaration opened
    changed_at INTEGER NOT NULL,
    writer     TEXT    NOT NULL              -- which console carries it out
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_by_state ON outbox (state, writer);
CREATE INDEX outbox_by_time ON outbox (asked_at);
