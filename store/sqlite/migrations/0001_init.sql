-- +goose Up

-- Definitions: small tables, the same on every node.
CREATE TABLE apps (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    version    INTEGER NOT NULL DEFAULT 1, -- rises with every change of the app's definitions and keys
    created_at INTEGER NOT NULL            -- microseconds since 1970, UTC, like every instant here
) STRICT;

CREATE TABLE api_keys (
    id         TEXT PRIMARY KEY,
    app_id     TEXT NOT NULL REFERENCES apps (id),
    mode       TEXT NOT NULL CHECK (mode = 'live' OR mode = 'test' OR mode GLOB 'test/?*' AND length(mode) <= 45 AND substr(mode, 6) NOT GLOB '*[^a-z0-9_-]*'),
    kind       TEXT NOT NULL CHECK (kind IN ('secret', 'publishable')),
    label      TEXT NOT NULL,
    prefix     TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE credits (
    id                 TEXT PRIMARY KEY,
    app_id             TEXT NOT NULL REFERENCES apps (id),
    name               TEXT NOT NULL,
    folded             TEXT NOT NULL,  -- the name as store.FoldName has it: names are compared without case
    unit               TEXT NOT NULL,
    description        TEXT NOT NULL,
    decimals           INTEGER NOT NULL CHECK (decimals BETWEEN 0 AND 10), -- the credit's precision
    draw_order         TEXT NOT NULL,  -- JSON list of criteria
    scope              TEXT NOT NULL,  -- JSON list of rules
    expires_after_days INTEGER NOT NULL CHECK (expires_after_days >= 0),
    overage            TEXT NOT NULL,  -- JSON policy
    rollover           TEXT NOT NULL,  -- JSON policy
    low_balance        INTEGER NOT NULL CHECK (low_balance >= 0),
    sales              TEXT NOT NULL,  -- JSON: how it is sold other than in packs
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    archived_at        INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX credits_name ON credits (app_id, folded) WHERE archived_at = 0;

CREATE TABLE packs (
    app_id             TEXT NOT NULL REFERENCES apps (id),
    id                 TEXT NOT NULL,  -- may be the operator's own, so that two apps may have the same
    name               TEXT NOT NULL,
    folded             TEXT NOT NULL,  -- as in credits
    description        TEXT NOT NULL,
    price_minor        INTEGER NOT NULL CHECK (price_minor >= 0),
    currency           TEXT NOT NULL,
    expires_after_days INTEGER NOT NULL CHECK (expires_after_days >= 0),
    items              TEXT NOT NULL,  -- JSON list; read and written whole with the pack
    price_ref          TEXT NOT NULL,  -- the payment provider's own price; empty: none
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    archived_at        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (app_id, id)
) STRICT;
CREATE UNIQUE INDEX packs_name ON packs (app_id, folded) WHERE archived_at = 0;

CREATE TABLE meters (
    id          TEXT PRIMARY KEY,
    app_id      TEXT NOT NULL REFERENCES apps (id),
    name        TEXT NOT NULL,
    folded      TEXT NOT NULL,  -- as in credits
    description TEXT NOT NULL,
    event       TEXT NOT NULL,
    filter      TEXT NOT NULL,  -- JSON tree of conditions; empty: none
    aggregation TEXT NOT NULL,  -- JSON
    unit        TEXT NOT NULL,
    links       TEXT NOT NULL,  -- JSON list: which credits it uses up, and at which rate
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    archived_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX meters_name ON meters (app_id, folded) WHERE archived_at = 0;

CREATE TABLE products (
    app_id       TEXT NOT NULL REFERENCES apps (id),
    id           TEXT NOT NULL,
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    tax_category TEXT NOT NULL,
    price        TEXT NOT NULL, -- JSON
    credits      TEXT NOT NULL, -- JSON list; read and written whole with the product
    allowances   TEXT NOT NULL, -- JSON list, as credits
    on_change    TEXT NOT NULL,
    metadata     TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    archived_at  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (app_id, id)
) STRICT;

CREATE TABLE webhook_endpoints (
    id              TEXT PRIMARY KEY,
    app_id          TEXT NOT NULL REFERENCES apps (id),
    mode            TEXT NOT NULL CHECK (mode = 'live' OR mode = 'test' OR mode GLOB 'test/?*' AND length(mode) <= 45 AND substr(mode, 6) NOT GLOB '*[^a-z0-9_-]*'),
    url             TEXT NOT NULL,
    description     TEXT NOT NULL,
    format          TEXT NOT NULL,
    events          TEXT NOT NULL, -- JSON list
    headers         TEXT NOT NULL, -- JSON
    secret          TEXT NOT NULL, -- as it is: it signs
    previous_secret TEXT NOT NULL,
    previous_until  INTEGER NOT NULL,
    disabled        INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    ordered         INTEGER NOT NULL CHECK (ordered IN (0, 1)),
    rate_limit      INTEGER NOT NULL CHECK (rate_limit >= 0),
    metadata        TEXT NOT NULL, -- JSON
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    archived_at     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhook_endpoints_app ON webhook_endpoints (app_id);

CREATE TABLE test_clocks (
    app_id  TEXT NOT NULL REFERENCES apps (id),
    mode    TEXT NOT NULL CHECK (mode = 'test' OR mode GLOB 'test/?*' AND length(mode) <= 45 AND substr(mode, 6) NOT GLOB '*[^a-z0-9_-]*'),
    ahead   INTEGER NOT NULL CHECK (ahead >= 0), -- microseconds by which its time is ahead of real time
    reached INTEGER NOT NULL,                    -- to where it was last advanced
    PRIMARY KEY (app_id, mode)
) STRICT, WITHOUT ROWID;

-- How much of its allowance of operations an app has used in a month, in all its test modes.
CREATE TABLE sandbox_operations (
    app_id TEXT NOT NULL REFERENCES apps (id),
    month  TEXT NOT NULL,                        -- such as 2026-03, in UTC
    used   INTEGER NOT NULL CHECK (used >= 0),
    taken  INTEGER NOT NULL CHECK (taken >= 0),  -- by the server that took last
    PRIMARY KEY (app_id, month)
) STRICT, WITHOUT ROWID;

CREATE TABLE app_answers (
    app_id     TEXT NOT NULL REFERENCES apps (id),
    key        TEXT NOT NULL,
    request    BLOB NOT NULL,
    answer     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (app_id, key)
) STRICT, WITHOUT ROWID;

-- Wallets: every key begins with the bucket (0 to 1023) and the wallet, so that the tables can
-- be distributed by bucket.
--
-- Checks against more than two words are chains of OR: for a longer IN, SQLite builds a table
-- anew in every statement, which costs a quarter of an insert.
--
-- What is mostly appended (holds, entries, usages, answers, a subscription's history, invoices)
-- lies in the order in which it was written, with the key in an index beside it: clustered by
-- wallet, each row of a batch would rewrite and keep splitting a page of its own.
CREATE TABLE wallets (
    bucket      INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 1023),
    wallet      BLOB NOT NULL CHECK (length(wallet) = 16),
    app_id      TEXT NOT NULL REFERENCES apps (id),
    mode        TEXT NOT NULL CHECK (mode = 'live' OR mode = 'test' OR mode GLOB 'test/?*' AND length(mode) <= 45 AND substr(mode, 6) NOT GLOB '*[^a-z0-9_-]*'),
    customer_id TEXT NOT NULL,
    version     INTEGER NOT NULL CHECK (version >= 0),
    seq         INTEGER NOT NULL CHECK (seq >= 0),
    grant_seq   INTEGER NOT NULL CHECK (grant_seq >= 0),
    hold_seq    INTEGER NOT NULL CHECK (hold_seq >= 0),
    usage_seq   INTEGER NOT NULL CHECK (usage_seq >= 0),
    invoice_seq INTEGER NOT NULL CHECK (invoice_seq >= 0),
    tell_seq    INTEGER NOT NULL CHECK (tell_seq >= 0),
    head        BLOB NOT NULL CHECK (length(head) = 32),
    last_at     INTEGER NOT NULL,
    next_due    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (bucket, wallet)
) STRICT, WITHOUT ROWID;
-- These two serve lists that run over all buckets, as on PostgreSQL.
CREATE INDEX wallets_customer ON wallets (app_id, mode, customer_id);
CREATE INDEX wallets_due ON wallets (next_due) WHERE next_due > 0;
-- And this one the wallets whose time is ahead. It holds none of live.
CREATE INDEX wallets_due_test ON wallets (app_id, mode, next_due) WHERE next_due > 0 AND mode <> 'live';

CREATE TABLE customers (
    bucket     INTEGER NOT NULL,
    wallet     BLOB NOT NULL,
    name       TEXT NOT NULL,
    folded     TEXT NOT NULL, -- the name, and below the address, as in credits: to be found in any case
    email      TEXT NOT NULL,
    address    TEXT NOT NULL,
    phone      TEXT NOT NULL,
    metadata   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (bucket, wallet),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT, WITHOUT ROWID;
-- For the list of customers of one mail address, over all buckets.
CREATE INDEX customers_address ON customers (address) WHERE address <> '';

CREATE TABLE standings (
    bucket          INTEGER NOT NULL,
    wallet          BLOB NOT NULL,
    credit_id       TEXT NOT NULL REFERENCES credits (id),
    overage         INTEGER NOT NULL CHECK (overage >= 0),
    used_outside    INTEGER NOT NULL,                              -- ever used, less what open grants show as spent
    uncovered       INTEGER NOT NULL CHECK (uncovered >= 0),       -- the part of what meters made due that nothing paid
    metered_overage INTEGER NOT NULL CHECK (metered_overage >= 0), -- and the part that is overage
    PRIMARY KEY (bucket, wallet, credit_id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT, WITHOUT ROWID;
-- This one and lanes_credit serve the list of who holds a credit, over all buckets.
CREATE INDEX standings_credit ON standings (credit_id);

CREATE TABLE lanes (
    bucket    INTEGER NOT NULL,
    wallet    BLOB NOT NULL,
    n         INTEGER NOT NULL CHECK (n >= 1),
    credit_id TEXT NOT NULL REFERENCES credits (id),
    scope     TEXT NOT NULL, -- JSON list of rules
    inherited INTEGER NOT NULL CHECK (inherited IN (0, 1)),
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_credit ON lanes (credit_id);

CREATE TABLE grants (
    bucket         INTEGER NOT NULL,
    wallet         BLOB NOT NULL,
    n              INTEGER NOT NULL CHECK (n >= 1),
    lane           INTEGER NOT NULL,
    credit_id      TEXT NOT NULL REFERENCES credits (id),
    amount         INTEGER NOT NULL CHECK (amount > 0),
    available      INTEGER NOT NULL CHECK (available >= 0),
    frozen         INTEGER NOT NULL CHECK (frozen >= 0),
    held           INTEGER NOT NULL CHECK (held >= 0),
    spent          INTEGER NOT NULL CHECK (spent >= 0),
    metered        INTEGER NOT NULL CHECK (metered >= 0), -- the part of spent that meters drew
    expired        INTEGER NOT NULL CHECK (expired >= 0),
    revoked        INTEGER NOT NULL CHECK (revoked >= 0),
    rolled_over    INTEGER NOT NULL CHECK (rolled_over >= 0),
    status         TEXT NOT NULL CHECK (status = 'active' OR status = 'pending' OR status = 'expired'
                       OR status = 'revoked' OR status = 'rolled_over'),
    is_open        INTEGER NOT NULL CHECK (is_open IN (0, 1)),
    disputed       INTEGER NOT NULL CHECK (disputed IN (0, 1)),
    category       TEXT NOT NULL CHECK (category IN ('paid', 'promotional')),
    priority       INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 100),
    effective_at   INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    ended_at       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    source         TEXT NOT NULL,
    source_id      TEXT NOT NULL,
    pack_id        TEXT NOT NULL,
    pack_item_id   TEXT NOT NULL,
    external_ref   TEXT NOT NULL,
    cost_basis     TEXT NOT NULL,
    cost_currency  TEXT NOT NULL,
    rollover       TEXT NOT NULL, -- JSON policy, fixed when the grant was made
    rollover_count INTEGER NOT NULL,
    parent         INTEGER NOT NULL,
    rolled_into    INTEGER NOT NULL,
    reason         TEXT NOT NULL,
    actor          TEXT NOT NULL,
    metadata       TEXT NOT NULL,
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet, lane) REFERENCES lanes (bucket, wallet, n),
    CHECK (metered <= spent),
    CHECK (status = 'pending' OR amount = available + frozen + held + spent + expired + revoked + rolled_over)
) STRICT, WITHOUT ROWID;
CREATE INDEX grants_open ON grants (bucket, wallet, n) WHERE is_open = 1;
-- One reference grants an item once; the item's id is empty for a grant outside a pack.
CREATE UNIQUE INDEX grants_ref ON grants (bucket, wallet, external_ref, pack_id, pack_item_id, credit_id)
    WHERE external_ref <> '' AND parent = 0;

CREATE TABLE holds (
    bucket     INTEGER NOT NULL,
    wallet     BLOB NOT NULL,
    n          INTEGER NOT NULL CHECK (n >= 1),
    status     TEXT NOT NULL CHECK (status = 'pending' OR status = 'committed' OR status = 'released' OR status = 'expired'),
    credit_id  TEXT NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    event      TEXT NOT NULL,
    quantity   INTEGER NOT NULL CHECK (quantity >= 0), -- micros
    shortfall  TEXT NOT NULL,
    metadata   TEXT NOT NULL,
    plan       TEXT NOT NULL, -- JSON: what allowances carry; read and written whole with the hold
    slices     TEXT NOT NULL, -- JSON: what grants carry
    overage    TEXT NOT NULL, -- JSON: what goes beyond zero
    metered    TEXT NOT NULL, -- JSON: what meters will count
    committed  INTEGER NOT NULL CHECK (committed >= 0),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    closed_at  INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    error_code TEXT NOT NULL,
    response   TEXT NOT NULL,
    actor      TEXT NOT NULL,
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;
CREATE INDEX holds_pending ON holds (bucket, wallet, n) WHERE status = 'pending';

-- All that a wallet had; the one with the highest number is its last. The rows are long, so they
-- lie beside their key.
CREATE TABLE subscriptions (
    bucket        INTEGER NOT NULL,
    wallet        BLOB NOT NULL,
    n             INTEGER NOT NULL CHECK (n >= 1),
    plan_id       TEXT NOT NULL,
    quantity      INTEGER NOT NULL CHECK (quantity >= 0),
    started_at    INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    trial_ends_at INTEGER NOT NULL,
    paused_at     INTEGER NOT NULL,
    ended         INTEGER NOT NULL CHECK (ended IN (0, 1)),
    anchor        INTEGER NOT NULL,
    zone          TEXT NOT NULL,
    cycle_start   INTEGER NOT NULL,
    cycle_end     INTEGER NOT NULL,
    owed          INTEGER NOT NULL CHECK (owed >= 0), -- minor units that the next invoice is less by
    reason        TEXT NOT NULL,
    events        INTEGER NOT NULL CHECK (events >= 0), -- how many rows its history has
    terms         TEXT NOT NULL, -- JSON: the plan as it was when it was taken
    included      TEXT NOT NULL, -- JSON list: the running cycle of each credit in the terms
    next          TEXT NOT NULL, -- JSON: the plan that follows when the cycle ends; empty: none
    cycles        TEXT NOT NULL, -- JSON list: the starts of earlier cycles, see store.Instants
    metadata      TEXT NOT NULL, -- JSON
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;
-- This one and invoices_time serve lists over all buckets.
CREATE INDEX subscriptions_time ON subscriptions (started_at, bucket, wallet, n);

CREATE TABLE subscription_events (
    bucket       INTEGER NOT NULL,
    wallet       BLOB NOT NULL,
    subscription INTEGER NOT NULL,
    n            INTEGER NOT NULL CHECK (n >= 1),
    change       TEXT NOT NULL,
    from_plan    TEXT NOT NULL,
    to_plan      TEXT NOT NULL,
    reason       TEXT NOT NULL,
    actor        TEXT NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (bucket, wallet, subscription, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;

CREATE TABLE invoices (
    bucket       INTEGER NOT NULL,
    wallet       BLOB NOT NULL,
    n            INTEGER NOT NULL CHECK (n >= 1),
    subscription INTEGER NOT NULL,
    status       TEXT NOT NULL CHECK (status = 'open' OR status = 'paid' OR status = 'void'),
    currency     TEXT NOT NULL,
    total        INTEGER NOT NULL CHECK (total >= 0), -- minor units
    period_from  INTEGER NOT NULL,
    period_to    INTEGER NOT NULL,
    issued_at    INTEGER NOT NULL,
    closed_at    INTEGER NOT NULL,
    ref          TEXT NOT NULL,
    lines        TEXT NOT NULL, -- JSON list; written once, and read whole with the invoice
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;
CREATE INDEX invoices_time ON invoices (issued_at, bucket, wallet, n);

-- Those of a wallet's last subscription.
CREATE TABLE allowances (
    bucket       INTEGER NOT NULL,
    wallet       BLOB NOT NULL,
    position     INTEGER NOT NULL,
    id           TEXT NOT NULL,
    label        TEXT NOT NULL,
    unit         TEXT NOT NULL,
    quota        INTEGER NOT NULL CHECK (quota >= 0), -- micros
    rules        TEXT NOT NULL,                       -- JSON list of rules
    period       TEXT NOT NULL,                       -- JSON
    window_start INTEGER NOT NULL,
    window_end   INTEGER NOT NULL,
    used         INTEGER NOT NULL CHECK (used >= 0),  -- micros
    PRIMARY KEY (bucket, wallet, position),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    bucket          INTEGER NOT NULL,
    wallet          BLOB NOT NULL,
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    type            TEXT NOT NULL CHECK (
        type = 'credit_deducted' OR type = 'hold_placed' OR type = 'hold_released' OR type = 'credit_added'
        OR type = 'credit_expired' OR type = 'credit_rolled_over' OR type = 'rollover_forfeited'
        OR type = 'overage_charged' OR type = 'overage_reset' OR type = 'auto_top_up'
        OR type = 'manual_adjustment' OR type = 'refund' OR type = 'revoked'),
    credit_id       TEXT NOT NULL,
    amount          INTEGER NOT NULL,
    balance_before  INTEGER NOT NULL CHECK (balance_before >= 0),
    balance_after   INTEGER NOT NULL CHECK (balance_after >= 0),
    overage_before  INTEGER NOT NULL CHECK (overage_before >= 0),
    overage_after   INTEGER NOT NULL CHECK (overage_after >= 0),
    slices          BLOB NOT NULL, -- varints: count, then grant, available, frozen, held of each
    op              INTEGER NOT NULL,
    ref_type        TEXT NOT NULL,
    ref_id          TEXT NOT NULL,
    reason          TEXT NOT NULL,
    metadata        TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    actor           TEXT NOT NULL,
    effective_at    INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,
    prev_hash       BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash            BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (bucket, wallet, seq),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;
CREATE INDEX entries_reversals ON entries (bucket, wallet, ref_id) WHERE type = 'refund';

CREATE TABLE usages (
    bucket      INTEGER NOT NULL,
    wallet      BLOB NOT NULL,
    n           INTEGER NOT NULL CHECK (n >= 1),
    id          TEXT NOT NULL,
    event       TEXT NOT NULL,
    quantity    INTEGER NOT NULL, -- micros
    metadata    TEXT NOT NULL,
    match       TEXT NOT NULL,
    metered     INTEGER NOT NULL CHECK (metered IN (0, 1)),
    hold        INTEGER NOT NULL,
    response    TEXT NOT NULL,
    at          INTEGER NOT NULL, -- when it took place
    recorded_at INTEGER NOT NULL,
    voided_at   INTEGER NOT NULL,
    corrects    TEXT NOT NULL,
    counted     BLOB NOT NULL,    -- the tallies that it was added to, see store.EncodeTallyKeys
    PRIMARY KEY (bucket, wallet, at, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;
-- Ids mostly rise with time, whoever the customer is: with the id at the head new ones go to one
-- end of the index, and with the wallet there each would go to a page of its own.
CREATE UNIQUE INDEX usages_id ON usages (id, bucket, wallet);
CREATE INDEX usages_time ON usages (at, bucket, wallet, n);

CREATE TABLE tallies (
    bucket         INTEGER NOT NULL,
    wallet         BLOB NOT NULL,
    meter_id       TEXT NOT NULL,
    credit_id      TEXT NOT NULL,    -- empty: usage that is paid for in money
    period_start   INTEGER NOT NULL,
    period_end     INTEGER NOT NULL,
    units_num      INTEGER NOT NULL, -- units of usage per credit, a fraction
    units_den      INTEGER NOT NULL,
    free_threshold INTEGER NOT NULL CHECK (free_threshold >= 0), -- micros
    events         INTEGER NOT NULL CHECK (events >= 0),
    aggregate      INTEGER NOT NULL,                   -- micros
    held           INTEGER NOT NULL,                   -- micros
    last_at        INTEGER NOT NULL,
    last_id        TEXT NOT NULL,
    due            INTEGER NOT NULL CHECK (due >= 0),  -- units of the credit
    PRIMARY KEY (bucket, wallet, period_start, meter_id, credit_id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet),
    CHECK (credit_id = '' OR (units_num > 0 AND units_den > 0))
) STRICT, WITHOUT ROWID;

CREATE TABLE uniques (
    bucket       INTEGER NOT NULL,
    wallet       BLOB NOT NULL,
    meter_id     TEXT NOT NULL,
    credit_id    TEXT NOT NULL,
    value        BLOB NOT NULL CHECK (length(value) = 16), -- hash of the value's text
    period_start INTEGER NOT NULL,
    events       INTEGER NOT NULL CHECK (events >= 0),
    PRIMARY KEY (bucket, wallet, meter_id, credit_id, value, period_start),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
    bucket     INTEGER NOT NULL,
    wallet     BLOB NOT NULL,
    key        TEXT NOT NULL,
    request    BLOB NOT NULL CHECK (length(request) = 32),
    answer     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (bucket, wallet, key),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) STRICT;

-- Events on their way to endpoints. What is pending is found by what is due, and for an ordered
-- endpoint by its customer; both indexes hold what is pending only, so that what was delivered
-- costs nothing.
CREATE TABLE deliveries (
    bucket      INTEGER NOT NULL,
    wallet      BLOB NOT NULL,
    n           INTEGER NOT NULL CHECK (n >= 1),
    event       INTEGER NOT NULL CHECK (event >= 1),
    seq         INTEGER CHECK (seq >= 1), -- NULL: it tells of no entry
    endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (id),
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
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_at, created_at) WHERE status = 'pending';
CREATE INDEX deliveries_customer ON deliveries (bucket, wallet, endpoint_id, n) WHERE status = 'pending';
CREATE INDEX deliveries_listed ON deliveries (endpoint_id, created_at, wallet, n);
