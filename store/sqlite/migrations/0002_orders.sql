-- +goose Up

ALTER TABLE wallets ADD COLUMN order_seq INTEGER NOT NULL DEFAULT 0 CHECK (order_seq >= 0);

-- Whether invoices are charged to the card that is kept, and the invoice that a cycle waits for.
ALTER TABLE subscriptions ADD COLUMN collect INTEGER NOT NULL DEFAULT 0 CHECK (collect IN (0, 1));
ALTER TABLE subscriptions ADD COLUMN unpaid INTEGER NOT NULL DEFAULT 0 CHECK (unpaid >= 0);
-- The id of one that somebody else bills, and until when they said that it is paid.
ALTER TABLE subscriptions ADD COLUMN outside TEXT NOT NULL DEFAULT '';
ALTER TABLE subscriptions ADD COLUMN paid_to INTEGER NOT NULL DEFAULT 0;
-- Since when a cycle waits for a payment that was declined.
ALTER TABLE subscriptions ADD COLUMN held_at INTEGER NOT NULL DEFAULT 0;

-- Purchases. The rows are long, and most are written a few times and then only read, so they lie
-- beside their key, as invoices do.
CREATE TABLE orders (
    bucket       INTEGER NOT NULL,
    wallet       BLOB NOT NULL,
    n            INTEGER NOT NULL CHECK (n >= 1),
    kind         TEXT NOT NULL CHECK (kind = 'pack' OR kind = 'credits' OR kind = 'plan' OR kind = 'invoice' OR kind = 'card' OR kind = 'auto_top_up' OR kind = 'product'),
    status       TEXT NOT NULL CHECK (status = 'open' OR status = 'due' OR status = 'waiting' OR status = 'processing' OR status = 'paid'
                     OR status = 'failed' OR status = 'expired' OR status = 'canceled' OR status = 'mismatched'),
    provider     TEXT NOT NULL,
    minor        INTEGER NOT NULL CHECK (minor >= 0), -- minor units that are expected, and below those that were paid
    currency     TEXT NOT NULL,
    items        TEXT NOT NULL, -- JSON list: what is granted; written once, and read whole with the order
    what         TEXT NOT NULL,
    text         TEXT NOT NULL,
    quantity     INTEGER NOT NULL CHECK (quantity >= 0),
    plan         TEXT NOT NULL, -- JSON: how a plan is taken; empty: it is of none
    invoice      INTEGER NOT NULL CHECK (invoice >= 0),
    price_ref    TEXT NOT NULL,
    save_card    INTEGER NOT NULL CHECK (save_card IN (0, 1)),
    off_session  INTEGER NOT NULL CHECK (off_session IN (0, 1)),
    session      TEXT NOT NULL,
    url          TEXT NOT NULL,
    success_url  TEXT NOT NULL,
    cancel_url   TEXT NOT NULL,
    expires_at   INTEGER NOT NULL,
    attempt      INTEGER NOT NULL CHECK (attempt >= 0),
    next_try     INTEGER NOT NULL,
    payment      TEXT NOT NULL,
    paid         INTEGER NOT NULL CHECK (paid >= 0),
    cumulative   INTEGER NOT NULL CHECK (cumulative >= 0), -- refunded in all, as the provider says
    refunds      TEXT NOT NULL, -- JSON list; bounded, and written whole
    dispute_id   TEXT NOT NULL,
    dispute      TEXT NOT NULL CHECK (dispute = '' OR dispute = 'open' OR dispute = 'won' OR dispute = 'lost'),
    last_decline TEXT NOT NULL, -- JSON; empty: there was none
    grants       TEXT NOT NULL, -- JSON list, in the order of items
    created_at   INTEGER NOT NULL,
    paid_at      INTEGER NOT NULL,
    closed_at    INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    actor        TEXT NOT NULL,
    metadata     TEXT NOT NULL, -- JSON
    cart         TEXT NOT NULL, -- JSON list: the products, where it is of products; written once
    subscription INTEGER NOT NULL CHECK (subscription >= 0),
    disputed_at  INTEGER NOT NULL,
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;
-- Those that belong to the snapshot.
CREATE INDEX orders_charging ON orders (bucket, wallet, n) WHERE status = 'due' OR status = 'waiting';
-- For lists over all buckets.
CREATE INDEX orders_time ON orders (created_at, bucket, wallet, n);
-- These two find the order that a provider means, which knows nothing of buckets and wallets.
CREATE INDEX orders_session ON orders (session) WHERE session <> '';
CREATE INDEX orders_payment ON orders (payment) WHERE payment <> '';

-- What customers agreed to about automatic top-ups.
CREATE TABLE top_ups (
    bucket     INTEGER NOT NULL,
    wallet     BLOB NOT NULL,
    credit_id  TEXT NOT NULL REFERENCES credits (id),
    enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    threshold  INTEGER NOT NULL CHECK (threshold >= 0), -- units
    pack_id    TEXT NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity >= 0),
    caps       TEXT NOT NULL, -- JSON
    consent_at INTEGER NOT NULL,
    consent_by TEXT NOT NULL,
    metadata   TEXT NOT NULL, -- JSON
    running    INTEGER NOT NULL CHECK (running >= 0), -- the order that is charged; 0: none
    not_before INTEGER NOT NULL,
    off_reason TEXT NOT NULL,
    day        TEXT NOT NULL, -- JSON: what was bought in the running day
    month      TEXT NOT NULL, -- JSON: and in the running month
    PRIMARY KEY (bucket, wallet, credit_id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT, WITHOUT ROWID;

-- How customers can be charged without being there.
CREATE TABLE payers (
    bucket      INTEGER NOT NULL,
    wallet      BLOB NOT NULL,
    provider    TEXT NOT NULL,
    customer_id TEXT NOT NULL, -- the provider's own
    method      TEXT NOT NULL,
    label       TEXT NOT NULL,
    saved_at    INTEGER NOT NULL,
    PRIMARY KEY (bucket, wallet),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT, WITHOUT ROWID;

-- What the sandbox provider of payments knows. It stands for somebody outside, and so belongs to no
-- wallet.
CREATE TABLE provider_objects (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id),
    mode       TEXT NOT NULL CHECK (mode = 'live' OR mode = 'test' OR mode GLOB 'test/?*' AND length(mode) <= 45 AND substr(mode, 6) NOT GLOB '*[^a-z0-9_-]*'),
    kind       TEXT NOT NULL,
    ref        TEXT NOT NULL,
    version    INTEGER NOT NULL CHECK (version >= 1),
    body       TEXT NOT NULL, -- JSON as it came
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX provider_objects_ref ON provider_objects (kind, ref, created_at, id);

-- Deliveries go to receivers within Scrip itself as well (catalog.Receivers), which are in no table:
-- endpoint_id refers to webhook_endpoints no more. SQLite cannot drop a constraint, so the table is
-- made anew, as its documentation says under "Making Other Kinds Of Table Schema Changes". Nothing
-- refers to deliveries, and no trigger or view names them, so that the foreign keys, which cannot be
-- switched off within a transaction, need not be: all or nothing of this happens.
CREATE TABLE new_deliveries (
    bucket      INTEGER NOT NULL,
    wallet      BLOB NOT NULL,
    n           INTEGER NOT NULL CHECK (n >= 1),
    event       INTEGER NOT NULL CHECK (event >= 1),
    seq         INTEGER CHECK (seq >= 1), -- NULL: it tells of no entry
    endpoint_id TEXT NOT NULL,
    type        TEXT NOT NULL,
    about       TEXT NOT NULL, -- JSON: what it tells besides an entry
    status      TEXT NOT NULL CHECK (status = 'pending' OR status = 'delivered' OR status = 'failed' OR status = 'skipped'),
    tries       INTEGER NOT NULL CHECK (tries >= 0),
    created_at  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    log         TEXT NOT NULL, -- JSON list of attempts; bounded, and written whole
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet, seq) REFERENCES entries (bucket, wallet, seq)
) STRICT;
INSERT INTO new_deliveries (bucket, wallet, n, event, seq, endpoint_id, type, about, status, tries, created_at, next_at, finished_at, log)
    SELECT bucket, wallet, n, event, seq, endpoint_id, type, about, status, tries, created_at, next_at, finished_at, log
    FROM deliveries ORDER BY rowid;
DROP TABLE deliveries;
ALTER TABLE new_deliveries RENAME TO deliveries;
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_at, created_at) WHERE status = 'pending';
CREATE INDEX deliveries_customer ON deliveries (bucket, wallet, endpoint_id, n) WHERE status = 'pending';
CREATE INDEX deliveries_listed ON deliveries (endpoint_id, created_at, wallet, n);
