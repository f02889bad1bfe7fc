-- +goose Up

-- The same tables and columns as in store/sqlite. What differs is said here once:
--
-- Instants are bigint microseconds since 1970, UTC, and 0 is "none". timestamptz would need
-- NULL for none, would have "infinity", and would cut off what clock.Instant can hold; with
-- one representation in both stores a row means the same in both.
-- Text that is a key, or is ever sorted, compares by bytes (COLLATE "C"), as it does in SQLite
-- and in Go, whatever the database's language is.
-- JSON that only we read is jsonb, so that an operator can query it. An answer that is given
-- back to a caller byte for byte is bytea.

-- Definitions: small tables, the same on every node (reference tables on Citus).
CREATE TABLE apps (
    id         text COLLATE "C" PRIMARY KEY,
    name       text COLLATE "C" NOT NULL UNIQUE,
    version    bigint NOT NULL DEFAULT 1, -- rises with every change of the app's definitions and keys
    created_at bigint NOT NULL
);

CREATE TABLE api_keys (
    id         text COLLATE "C" PRIMARY KEY,
    app_id     text COLLATE "C" NOT NULL REFERENCES apps (id),
    mode       text NOT NULL CHECK (mode IN ('live', 'test') OR mode ~ '^test/[a-z0-9_-]{1,40}$'),
    kind       text NOT NULL CHECK (kind IN ('secret', 'publishable')),
    label      text NOT NULL,
    prefix     text NOT NULL,
    hash       bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at bigint NOT NULL,
    revoked_at bigint NOT NULL DEFAULT 0
);
CREATE INDEX api_keys_app ON api_keys (app_id);

CREATE TABLE credits (
    id                 text COLLATE "C" PRIMARY KEY,
    app_id             text COLLATE "C" NOT NULL REFERENCES apps (id),
    name               text NOT NULL,
    folded             text COLLATE "C" NOT NULL, -- the name, folded: two names that differ in case are one
    unit               text NOT NULL,
    description        text NOT NULL,
    decimals           bigint NOT NULL CHECK (decimals BETWEEN 0 AND 10), -- the credit's precision
    draw_order         jsonb NOT NULL, -- list of criteria
    scope              jsonb NOT NULL, -- list of rules
    expires_after_days bigint NOT NULL CHECK (expires_after_days >= 0),
    overage            jsonb NOT NULL, -- policy
    rollover           jsonb NOT NULL, -- policy
    low_balance        bigint NOT NULL CHECK (low_balance >= 0),
    sales              jsonb NOT NULL, -- how it is sold other than in packs
    created_at         bigint NOT NULL,
    updated_at         bigint NOT NULL,
    archived_at        bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX credits_name ON credits (app_id, folded) WHERE archived_at = 0;
CREATE INDEX credits_app ON credits (app_id);

CREATE TABLE packs (
    app_id             text COLLATE "C" NOT NULL REFERENCES apps (id),
    id                 text COLLATE "C" NOT NULL, -- may be the operator's own, so that two apps may have the same
    name               text NOT NULL,
    folded             text COLLATE "C" NOT NULL,
    description        text NOT NULL,
    price_minor        bigint NOT NULL CHECK (price_minor >= 0),
    currency           text NOT NULL,
    expires_after_days bigint NOT NULL CHECK (expires_after_days >= 0),
    items              jsonb NOT NULL, -- list; read and written whole with the pack
    price_ref          text NOT NULL,  -- the payment provider's own price; empty: none
    created_at         bigint NOT NULL,
    updated_at         bigint NOT NULL,
    archived_at        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (app_id, id)
);
CREATE UNIQUE INDEX packs_name ON packs (app_id, folded) WHERE archived_at = 0;

CREATE TABLE meters (
    id          text COLLATE "C" PRIMARY KEY,
    app_id      text COLLATE "C" NOT NULL REFERENCES apps (id),
    name        text NOT NULL,
    folded      text COLLATE "C" NOT NULL, -- as in credits
    description text NOT NULL,
    event       text NOT NULL,
    filter      text NOT NULL,             -- JSON tree of conditions, as it came; empty: none
    aggregation jsonb NOT NULL,
    unit        text NOT NULL,
    links       jsonb NOT NULL,            -- list: which credits it uses up, and at which rate
    created_at  bigint NOT NULL,
    updated_at  bigint NOT NULL,
    archived_at bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX meters_name ON meters (app_id, folded) WHERE archived_at = 0;

CREATE TABLE products (
    app_id       text COLLATE "C" NOT NULL REFERENCES apps (id),
    id           text COLLATE "C" NOT NULL,
    name         text NOT NULL,
    description  text NOT NULL,
    tax_category text NOT NULL,
    price        jsonb NOT NULL,
    credits      jsonb NOT NULL, -- list; read and written whole with the product
    allowances   jsonb NOT NULL, -- list of a plan's quotas
    on_change    text NOT NULL,
    metadata     jsonb NOT NULL,
    created_at   bigint NOT NULL,
    updated_at   bigint NOT NULL,
    archived_at  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (app_id, id)
);

CREATE TABLE webhook_endpoints (
    id              text COLLATE "C" PRIMARY KEY,
    app_id          text COLLATE "C" NOT NULL REFERENCES apps (id),
    mode            text NOT NULL CHECK (mode IN ('live', 'test') OR mode ~ '^test/[a-z0-9_-]{1,40}$'),
    url             text NOT NULL,
    description     text NOT NULL,
    format          text NOT NULL,
    events          jsonb NOT NULL, -- list
    headers         jsonb NOT NULL,
    secret          text NOT NULL,  -- as it is: it signs
    previous_secret text NOT NULL,
    previous_until  bigint NOT NULL,
    disabled        boolean NOT NULL,
    ordered         boolean NOT NULL,
    rate_limit      bigint NOT NULL CHECK (rate_limit >= 0),
    metadata        jsonb NOT NULL,
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    archived_at     bigint NOT NULL DEFAULT 0
);
CREATE INDEX webhook_endpoints_app ON webhook_endpoints (app_id);

CREATE TABLE test_clocks (
    app_id  text COLLATE "C" NOT NULL REFERENCES apps (id),
    mode    text COLLATE "C" NOT NULL CHECK (mode = 'test' OR mode ~ '^test/[a-z0-9_-]{1,40}$'),
    ahead   bigint NOT NULL CHECK (ahead >= 0), -- microseconds by which its time is ahead of real time
    reached bigint NOT NULL,                    -- to where it was last advanced
    PRIMARY KEY (app_id, mode)
);

-- How much of its allowance of operations an app has used in a month, in all its test modes.
CREATE TABLE sandbox_operations (
    app_id text COLLATE "C" NOT NULL REFERENCES apps (id),
    month  text COLLATE "C" NOT NULL,           -- such as 2026-03, in UTC
    used   bigint NOT NULL CHECK (used >= 0),
    taken  bigint NOT NULL CHECK (taken >= 0),  -- by the server that took last
    PRIMARY KEY (app_id, month)
);

CREATE TABLE app_answers (
    app_id     text COLLATE "C" NOT NULL REFERENCES apps (id),
    key        text COLLATE "C" NOT NULL,
    request    bytea NOT NULL CHECK (length(request) = 32),
    answer     bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (app_id, key)
);

-- Wallets: every key begins with the bucket (0 to 1023, the top 10 bits of the wallet) and the
-- wallet, so that the tables can be distributed by bucket. The row is locked before anything
-- else of the wallet is read, and most of its updates touch no indexed column: the free space
-- that fillfactor leaves lets them stay on their page.
--
-- Columns of fixed width come first in every table, so that PostgreSQL finds them without
-- walking over texts, and what changes together lies together, so that the log of an update
-- is short. Bounds on several numbers are one CHECK: each is read and prepared anew by
-- every statement that writes, which is what a small batch mostly costs.
CREATE TABLE wallets (
    bucket      smallint NOT NULL CHECK (bucket BETWEEN 0 AND 1023),
    wallet      uuid NOT NULL,
    created_at  bigint NOT NULL,
    version     bigint NOT NULL,
    seq         bigint NOT NULL,
    grant_seq   bigint NOT NULL,
    hold_seq    bigint NOT NULL,
    usage_seq   bigint NOT NULL,
    invoice_seq bigint NOT NULL,
    tell_seq    bigint NOT NULL,
    last_at     bigint NOT NULL,
    next_due    bigint NOT NULL,
    head        bytea NOT NULL CHECK (length(head) = 32),
    app_id      text COLLATE "C" NOT NULL REFERENCES apps (id),
    mode        text COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test') OR mode ~ '^test/[a-z0-9_-]{1,40}$'),
    customer_id text COLLATE "C" NOT NULL,
    CHECK (least(version, seq, grant_seq, hold_seq, usage_seq, invoice_seq, tell_seq) >= 0),
    PRIMARY KEY (bucket, wallet)
) WITH (fillfactor = 70);
-- These two serve lists that run over all buckets. An index that is not unique needs no bucket
-- at its head: each node of Citus keeps one over its own rows and the lists are merged.
CREATE INDEX wallets_customer ON wallets (app_id, mode, customer_id);
CREATE INDEX wallets_due ON wallets (next_due) WHERE next_due > 0;
-- And this one the wallets whose time is ahead. It holds none of live.
CREATE INDEX wallets_due_test ON wallets (app_id, mode, next_due) WHERE next_due > 0 AND mode <> 'live';

CREATE TABLE customers (
    bucket     smallint NOT NULL,
    wallet     uuid NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    name       text NOT NULL,
    folded     text COLLATE "C" NOT NULL, -- the name, folded, and below the mail address: to be found in any case
    email      text NOT NULL,
    address    text COLLATE "C" NOT NULL,
    phone      text NOT NULL,
    metadata   jsonb NOT NULL,
    PRIMARY KEY (bucket, wallet),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);
-- For the list of customers of one mail address, over all buckets.
CREATE INDEX customers_address ON customers (address) WHERE address <> '';

CREATE TABLE standings (
    bucket    smallint NOT NULL,
    wallet    uuid NOT NULL,
    overage         bigint NOT NULL,
    used_outside    bigint NOT NULL, -- ever used, less what open grants show as spent
    uncovered       bigint NOT NULL, -- the part of what meters made due that nothing paid
    metered_overage bigint NOT NULL, -- and the part that is overage
    credit_id       text COLLATE "C" NOT NULL REFERENCES credits (id),
    CHECK (least(overage, uncovered, metered_overage) >= 0),
    PRIMARY KEY (bucket, wallet, credit_id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) WITH (fillfactor = 70);
-- This one and lanes_credit serve the list of who holds a credit, over all buckets.
CREATE INDEX standings_credit ON standings (credit_id);

CREATE TABLE lanes (
    bucket    smallint NOT NULL,
    wallet    uuid NOT NULL,
    n         bigint NOT NULL CHECK (n >= 1),
    inherited boolean NOT NULL,
    credit_id text COLLATE "C" NOT NULL REFERENCES credits (id),
    scope     jsonb NOT NULL, -- list of rules
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);
CREATE INDEX lanes_credit ON lanes (credit_id);

CREATE TABLE grants (
    bucket         smallint NOT NULL,
    wallet         uuid NOT NULL,
    n              bigint NOT NULL CHECK (n >= 1),
    lane           bigint NOT NULL,
    amount         bigint NOT NULL CHECK (amount > 0),
    available      bigint NOT NULL,
    frozen         bigint NOT NULL,
    held           bigint NOT NULL,
    spent          bigint NOT NULL,
    metered        bigint NOT NULL, -- the part of spent that meters drew
    expired        bigint NOT NULL,
    revoked        bigint NOT NULL,
    rolled_over    bigint NOT NULL,
    priority       bigint NOT NULL CHECK (priority BETWEEN 0 AND 100),
    effective_at   bigint NOT NULL,
    expires_at     bigint NOT NULL,
    ended_at       bigint NOT NULL,
    created_at     bigint NOT NULL,
    rollover_count bigint NOT NULL,
    parent         bigint NOT NULL,
    rolled_into    bigint NOT NULL,
    is_open        boolean NOT NULL,
    disputed       boolean NOT NULL,
    credit_id      text COLLATE "C" NOT NULL REFERENCES credits (id),
    status         text NOT NULL CHECK (status IN ('pending', 'active', 'expired', 'revoked', 'rolled_over')),
    category       text NOT NULL CHECK (category IN ('paid', 'promotional')),
    source         text NOT NULL,
    source_id      text NOT NULL,
    pack_id        text COLLATE "C" NOT NULL,
    pack_item_id   text COLLATE "C" NOT NULL,
    external_ref   text COLLATE "C" NOT NULL,
    cost_basis     text NOT NULL,
    cost_currency  text NOT NULL,
    rollover       jsonb NOT NULL, -- policy, fixed when the grant was made
    reason         text NOT NULL,
    actor          text NOT NULL,
    metadata       jsonb NOT NULL,
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet, lane) REFERENCES lanes (bucket, wallet, n),
    CHECK (least(available, frozen, held, spent, metered, expired, revoked, rolled_over, spent - metered) >= 0),
    CHECK (status = 'pending' OR amount = available + frozen + held + spent + expired + revoked + rolled_over)
) WITH (fillfactor = 80);
CREATE INDEX grants_open ON grants (bucket, wallet, n) WHERE is_open;
-- One reference grants an item once; the item's id is empty for a grant outside a pack.
CREATE UNIQUE INDEX grants_ref ON grants (bucket, wallet, external_ref, pack_id, pack_item_id, credit_id)
    WHERE external_ref <> '' AND parent = 0;

CREATE TABLE holds (
    bucket     smallint NOT NULL,
    wallet     uuid NOT NULL,
    n          bigint NOT NULL CHECK (n >= 1),
    amount     bigint NOT NULL CHECK (amount >= 0),
    quantity   bigint NOT NULL CHECK (quantity >= 0), -- micros
    committed  bigint NOT NULL CHECK (committed >= 0),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    closed_at  bigint NOT NULL,
    status     text NOT NULL CHECK (status IN ('pending', 'committed', 'released', 'expired')),
    credit_id  text NOT NULL,
    event      text NOT NULL,
    shortfall  text NOT NULL,
    metadata   jsonb NOT NULL,
    plan       jsonb NOT NULL, -- what allowances carry; read and written whole with the hold
    slices     jsonb NOT NULL, -- what grants carry
    overage    jsonb NOT NULL, -- what goes beyond zero
    metered    jsonb NOT NULL, -- what meters will count
    reason     text NOT NULL,
    error_code text NOT NULL,
    response   text NOT NULL,
    actor      text NOT NULL,
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);
CREATE INDEX holds_pending ON holds (bucket, wallet, n) WHERE status = 'pending';

-- All that a wallet had; the one with the highest number is its last.
CREATE TABLE subscriptions (
    bucket        smallint NOT NULL,
    wallet        uuid NOT NULL,
    n             bigint NOT NULL,
    quantity      bigint NOT NULL,
    started_at    bigint NOT NULL,
    ends_at       bigint NOT NULL,
    trial_ends_at bigint NOT NULL,
    paused_at     bigint NOT NULL,
    anchor        bigint NOT NULL,
    cycle_start   bigint NOT NULL,
    cycle_end     bigint NOT NULL,
    owed          bigint NOT NULL, -- minor units that the next invoice is less by
    events        bigint NOT NULL, -- how many rows its history has
    ended         boolean NOT NULL,
    plan_id       text COLLATE "C" NOT NULL,
    zone          text NOT NULL,
    reason        text NOT NULL,
    terms         jsonb NOT NULL, -- the plan as it was when it was taken
    included      jsonb NOT NULL, -- list: the running cycle of each credit in the terms
    next          jsonb NOT NULL, -- the plan that follows when the cycle ends; empty: none
    cycles        jsonb NOT NULL, -- list: the starts of earlier cycles, see store.Instants
    metadata      jsonb NOT NULL,
    CHECK (least(n - 1, quantity, owed, events) >= 0),
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) WITH (fillfactor = 70);
-- With no bucket at its head, as invoices_time: they serve lists over all buckets.
CREATE INDEX subscriptions_time ON subscriptions (started_at, bucket, wallet, n);

CREATE TABLE subscription_events (
    bucket       smallint NOT NULL,
    wallet       uuid NOT NULL,
    subscription bigint NOT NULL,
    n            bigint NOT NULL CHECK (n >= 1),
    at           bigint NOT NULL,
    change       text NOT NULL,
    from_plan    text NOT NULL,
    to_plan      text NOT NULL,
    reason       text NOT NULL,
    actor        text NOT NULL,
    PRIMARY KEY (bucket, wallet, subscription, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);

CREATE TABLE invoices (
    bucket       smallint NOT NULL,
    wallet       uuid NOT NULL,
    n            bigint NOT NULL CHECK (n >= 1),
    subscription bigint NOT NULL,
    total        bigint NOT NULL CHECK (total >= 0), -- minor units
    period_from  bigint NOT NULL,
    period_to    bigint NOT NULL,
    issued_at    bigint NOT NULL,
    closed_at    bigint NOT NULL,
    status       text NOT NULL CHECK (status IN ('open', 'paid', 'void')),
    currency     text NOT NULL,
    ref          text NOT NULL,
    lines        jsonb NOT NULL, -- list; written once, and read whole with the invoice
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);
CREATE INDEX invoices_time ON invoices (issued_at, bucket, wallet, n);

-- Those of a wallet's last subscription. An allowance's count changes with every use of it.
CREATE TABLE allowances (
    bucket       smallint NOT NULL,
    wallet       uuid NOT NULL,
    position     bigint NOT NULL,
    quota        bigint NOT NULL CHECK (quota >= 0), -- micros
    window_start bigint NOT NULL,
    window_end   bigint NOT NULL,
    used         bigint NOT NULL CHECK (used >= 0),  -- micros
    id           text NOT NULL,
    label        text NOT NULL,
    unit         text NOT NULL,
    rules        jsonb NOT NULL,                     -- list of rules
    period       jsonb NOT NULL,
    PRIMARY KEY (bucket, wallet, position),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) WITH (fillfactor = 70);

CREATE TABLE entries (
    bucket          smallint NOT NULL,
    wallet          uuid NOT NULL,
    seq             bigint NOT NULL CHECK (seq >= 1),
    amount          bigint NOT NULL,
    balance_before  bigint NOT NULL,
    balance_after   bigint NOT NULL,
    overage_before  bigint NOT NULL,
    overage_after   bigint NOT NULL,
    op              bigint NOT NULL,
    effective_at    bigint NOT NULL,
    recorded_at     bigint NOT NULL,
    type            text NOT NULL CHECK (type IN (
        'credit_added', 'credit_deducted', 'credit_expired', 'credit_rolled_over', 'rollover_forfeited',
        'overage_charged', 'overage_reset', 'auto_top_up', 'manual_adjustment', 'refund', 'revoked',
        'hold_placed', 'hold_released')),
    credit_id       text NOT NULL,
    slices          bytea NOT NULL, -- varints: count, then grant, available, frozen, held of each
    ref_type        text NOT NULL,
    ref_id          text COLLATE "C" NOT NULL,
    reason          text NOT NULL,
    metadata        jsonb NOT NULL,
    idempotency_key text NOT NULL,
    actor           text NOT NULL,
    prev_hash       bytea NOT NULL CHECK (length(prev_hash) = 32),
    hash            bytea NOT NULL CHECK (length(hash) = 32),
    CHECK (least(balance_before, balance_after, overage_before, overage_after) >= 0),
    PRIMARY KEY (bucket, wallet, seq),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);
CREATE INDEX entries_reversals ON entries (bucket, wallet, ref_id) WHERE type = 'refund';

CREATE TABLE usages (
    bucket      smallint NOT NULL,
    wallet      uuid NOT NULL,
    n           bigint NOT NULL CHECK (n >= 1),
    quantity    bigint NOT NULL, -- micros
    hold        bigint NOT NULL,
    at          bigint NOT NULL, -- when it took place
    recorded_at bigint NOT NULL,
    voided_at   bigint NOT NULL,
    metered     boolean NOT NULL,
    id          text COLLATE "C" NOT NULL,
    event       text NOT NULL,
    metadata    text NOT NULL,   -- JSON as it came; jsonb would write numbers in another way
    match       text NOT NULL,
    response    text NOT NULL,
    corrects    text NOT NULL,
    counted     bytea NOT NULL,  -- the tallies that it was added to, see store.EncodeTallyKeys
    PRIMARY KEY (bucket, wallet, at, n),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);
-- Ids mostly rise with time, whoever the customer is: with the id at the head new ones go to one
-- end of the index, and with the wallet there each would go to a page of its own. This one and
-- the next also serve lists over all buckets.
CREATE UNIQUE INDEX usages_id ON usages (id, bucket, wallet);
CREATE INDEX usages_time ON usages (at, bucket, wallet, n);

CREATE TABLE tallies (
    bucket         smallint NOT NULL,
    wallet         uuid NOT NULL,
    period_start   bigint NOT NULL,
    period_end     bigint NOT NULL,
    units_num      bigint NOT NULL, -- units of usage per credit, a fraction
    units_den      bigint NOT NULL,
    free_threshold bigint NOT NULL, -- micros
    events         bigint NOT NULL,
    aggregate      bigint NOT NULL, -- micros
    held           bigint NOT NULL, -- micros
    last_at        bigint NOT NULL,
    due            bigint NOT NULL, -- units of the credit
    meter_id       text COLLATE "C" NOT NULL,
    credit_id      text COLLATE "C" NOT NULL, -- empty: usage that is paid for in money
    last_id        text NOT NULL,
    CHECK (least(free_threshold, events, due) >= 0),
    CHECK (credit_id = '' OR least(units_num, units_den) > 0),
    PRIMARY KEY (bucket, wallet, period_start, meter_id, credit_id),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) WITH (fillfactor = 70);

CREATE TABLE uniques (
    bucket       smallint NOT NULL,
    wallet       uuid NOT NULL,
    period_start bigint NOT NULL,
    events       bigint NOT NULL CHECK (events >= 0),
    meter_id     text COLLATE "C" NOT NULL,
    credit_id    text COLLATE "C" NOT NULL,
    value        bytea NOT NULL CHECK (length(value) = 16), -- hash of the value's text
    PRIMARY KEY (bucket, wallet, meter_id, credit_id, value, period_start),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
) WITH (fillfactor = 70);

CREATE TABLE answers (
    bucket     smallint NOT NULL,
    wallet     uuid NOT NULL,
    created_at bigint NOT NULL,
    key        text COLLATE "C" NOT NULL,
    request    bytea NOT NULL CHECK (length(request) = 32),
    answer     bytea NOT NULL,
    PRIMARY KEY (bucket, wallet, key),
    FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet)
);

-- Events on their way to endpoints. What is pending is found by what is due, and for an ordered
-- endpoint by its customer; both indexes hold what is pending only, so that what was delivered
-- costs nothing.
CREATE TABLE deliveries (
    bucket      smallint NOT NULL,
    wallet      uuid NOT NULL,
    n           bigint NOT NULL CHECK (n >= 1),
    event       bigint NOT NULL CHECK (event >= 1),
    seq         bigint CHECK (seq >= 1), -- NULL: it tells of no entry
    tries       bigint NOT NULL CHECK (tries >= 0),
    created_at  bigint NOT NULL,
    next_at     bigint NOT NULL,
    finished_at bigint NOT NULL,
    endpoint_id text COLLATE "C" NOT NULL REFERENCES webhook_endpoints (id),
    type        text NOT NULL,
    status      text NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'skipped')),
    about       jsonb NOT NULL, -- what it tells besides an entry
    log         jsonb NOT NULL, -- list of attempts; bounded, and written whole
    PRIMARY KEY (bucket, wallet, n),
    FOREIGN KEY (bucket, wallet, seq) REFERENCES entries (bucket, wallet, seq)
) WITH (fillfactor = 70);
-- With no bucket at its head: it finds what is due to an endpoint, whoever it is about.
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_at, created_at) WHERE status = 'pending';
CREATE INDEX deliveries_customer ON deliveries (bucket, wallet, endpoint_id, n) WHERE status = 'pending';
-- The same, for the list of an endpoint's deliveries.
CREATE INDEX deliveries_listed ON deliveries (endpoint_id, created_at, wallet, n);
