-- Version 1. One schema of one database is one room. The row of warroom_room is locked by whoever appends, so places in
-- the journal have no gaps and are committed in their order: who has read up to a place has missed nothing before it.
CREATE TABLE warroom_room (
    only_one      boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    id            uuid    NOT NULL,
    version       integer NOT NULL,           -- of this schema
    readable_from integer NOT NULL,           -- a program that knows this version can still read it
    last_seq      bigint  NOT NULL DEFAULT 0
);
INSERT INTO warroom_room (id, version, readable_from) VALUES (gen_random_uuid(), 1, 1);

-- Append-only, and the truth. Everything below follows from it or is forgotten without loss.
CREATE TABLE warroom_journal (
    seq        bigint  PRIMARY KEY,
    id         uuid    NOT NULL UNIQUE,       -- UUIDv7, made before it is written: written twice it stands once
    writer     uuid    NOT NULL,              -- which console
    writer_seq bigint  NOT NULL,              -- its own count, without gaps
    at         bigint  NOT NULL,              -- microseconds since 1970 by the writer's clock; order comes from seq
    kind       text    NOT NULL,
    subject    text,                          -- the step or the role it is about
    version    integer NOT NULL,              -- of the payload
    payload    text    NOT NULL,              -- canonical JSON
    prev       bytea   NOT NULL,              -- hash of the writer's record before
    hash       bytea   NOT NULL,
    UNIQUE (writer, writer_seq)
);
CREATE INDEX warroom_journal_by_subject ON warroom_journal (kind, subject, seq);

CREATE TABLE warroom_outbox (
    op         uuid    PRIMARY KEY,
    batch      uuid    NOT NULL,
    target     text    NOT NULL,
    action     text    NOT NULL,
    asked_by   text    NOT NULL,
    asked_at   bigint  NOT NULL,
    state      text    NOT NULL,              -- queued sent confirmed failed unknown dropped
    result     text    NOT NULL,
    attempts   integer NOT NULL DEFAULT 0,
    opened     text,
    changed_at bigint  NOT NULL,
    holder     uuid    NOT NULL,              -- which console may send it
    token      bigint  NOT NULL DEFAULT 1,    -- grows with every holder: a late send of an earlier one is refused
    held_until timestamptz NOT NULL           -- by the server's clock: after it any console may take it over
);
CREATE INDEX warroom_outbox_open ON warroom_outbox (held_until) WHERE state IN ('queued', 'sent');
CREATE INDEX warroom_outbox_by_time ON warroom_outbox (asked_at);

-- Who may do what one console alone does: ask a provider a question, run an exclusive step.
CREATE TABLE warroom_lease (
    name       text   PRIMARY KEY,
    holder     uuid   NOT NULL,
    token      bigint NOT NULL,
    held_until timestamptz NOT NULL,
    note       text                           -- how it stands, for those who wait
);

CREATE TABLE warroom_console (
    id         uuid PRIMARY KEY,
    who        text NOT NULL,
    looking_at text,
    since      timestamptz NOT NULL DEFAULT now(),
    seen       timestamptz NOT NULL DEFAULT now()
);

-- The last answer of a provider to a question, for the consoles that do not ask it themselves. Worthless after a crash
-- of the server, so it is not written ahead.
CREATE UNLOGGED TABLE warroom_answer (
    name     text   PRIMARY KEY,
    token    bigint NOT NULL,
    digest   bytea  NOT NULL,
    body     bytea  NOT NULL,
    asked_at timestamptz NOT NULL,
    got_at   timestamptz NOT NULL
);
