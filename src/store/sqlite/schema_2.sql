-- Version 2. Every record stands in its writer's chain; consoles hold the actions they carry out for the time of a lease.
-- Version 1's rows are read from *_1, written anew and dropped with them (migrate.rs).
ALTER TABLE journal RENAME TO journal_1;
DROP INDEX journal_by_kind;
DROP TABLE outbox;

CREATE TABLE journal (
    place   INTEGER NOT NULL PRIMARY KEY, -- order of arrival in this file; nothing is ever deleted, so it has no gaps
    id      BLOB    NOT NULL UNIQUE,      -- UUIDv7
    writer  BLOB    NOT NULL,             -- which console: a UUID drawn at its start
    seq     INTEGER NOT NULL,             -- the writer's how-manieth
    at      INTEGER NOT NULL,             -- microseconds since 1970 by the writer's clock
    kind    TEXT    NOT NULL,
    version INTEGER NOT NULL,             -- of the payload
    payload TEXT    NOT NULL,             -- canonical JSON
    prev    BLOB    NOT NULL,             -- hash of the writer's record before
    hash    BLOB    NOT NULL,
    UNIQUE (writer, seq)
) STRICT;
CREATE INDEX journal_by_kind ON journal (kind, at);
CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;

CREATE TABLE writer (
    id          BLOB    NOT NULL PRIMARY KEY,
    pid         INTEGER NOT NULL,
    began_at    INTEGER NOT NULL,          -- milliseconds since 1970
    lease_until INTEGER NOT NULL DEFAULT 0 -- the same; what it holds may be taken over after
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    op         BLOB    NOT NULL PRIMARY KEY, -- UUIDv7: the intent's identity
    batch      BLOB    NOT NULL,             -- shared by the intents of one key press
    target     TEXT    NOT NULL,             -- JSON
    action     TEXT    NOT NULL,             -- JSON: the absolute state that is wanted
    asked_by   TEXT    NOT NULL,
    asked_at   INTEGER NOT NULL,
    state      TEXT    NOT NULL,             -- queued sent confirmed failed unknown dropped
    result     TEXT    NOT NULL,             -- JSON: the delivery, with the provider's words
    attempts   INTEGER NOT NULL DEFAULT 0,
    opened     TEXT,                         -- the incident that a declaration opened
    changed_at INTEGER NOT NULL,
    writer     BLOB    NOT NULL,             -- which console holds it
    token      INTEGER NOT NULL DEFAULT 1    -- grows with every change of hands: an older one moves nothing
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_by_state ON outbox (state, writer);
CREATE INDEX outbox_by_time ON outbox (asked_at);
