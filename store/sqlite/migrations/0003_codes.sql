-- +goose Up

-- What customers redeem. A definition, but there may be a great many: they are read one by one.
CREATE TABLE codes (
    id                    TEXT PRIMARY KEY,
    app_id                TEXT NOT NULL REFERENCES apps (id),
    code                  TEXT NOT NULL,
    folded                TEXT NOT NULL, -- the code, folded: two that differ in case are one
    pack_id               TEXT NOT NULL, -- empty: credit_id and amount
    credit_id             TEXT NOT NULL,
    amount                INTEGER NOT NULL CHECK (amount >= 0),
    category              TEXT NOT NULL CHECK (category IN ('', 'paid', 'promotional')),
    expires_after_days    INTEGER NOT NULL CHECK (expires_after_days >= 0),
    valid_from            INTEGER NOT NULL,
    valid_until           INTEGER NOT NULL,
    max_uses              INTEGER NOT NULL CHECK (max_uses >= 0), -- 0: any number
    max_uses_per_customer INTEGER NOT NULL CHECK (max_uses_per_customer >= 1),
    description           TEXT NOT NULL,
    metadata              TEXT NOT NULL, -- JSON
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    archived_at           INTEGER NOT NULL DEFAULT 0,
    CHECK ((pack_id = '') <> (credit_id = ''))
) STRICT;
CREATE UNIQUE INDEX codes_text ON codes (app_id, folded) WHERE archived_at = 0;
CREATE INDEX codes_listed ON codes (app_id, id);

-- Who used them: claimed under the lock of the code, then granted in the customer's wallet.
CREATE TABLE code_uses (
    app_id          TEXT NOT NULL REFERENCES apps (id),
    code_id         TEXT NOT NULL REFERENCES codes (id),
    mode            TEXT NOT NULL CHECK (mode = 'live' OR mode = 'test' OR mode GLOB 'test/?*' AND length(mode) <= 45 AND substr(mode, 6) NOT GLOB '*[^a-z0-9_-]*'),
    n               INTEGER NOT NULL CHECK (n >= 1), -- without gaps, so that the last is the count
    customer_id     TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    actor           TEXT NOT NULL,
    uses_left       INTEGER NOT NULL CHECK (uses_left >= -1),
    claimed_at      INTEGER NOT NULL,
    granted_at      INTEGER NOT NULL DEFAULT 0,
    grants          TEXT NOT NULL, -- JSON list of numbers within the customer's wallet
    PRIMARY KEY (code_id, mode, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_uses_customer ON code_uses (code_id, mode, customer_id);
CREATE UNIQUE INDEX code_uses_key ON code_uses (app_id, mode, customer_id, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX code_uses_claimed ON code_uses (code_id, mode, n) WHERE granted_at = 0;
