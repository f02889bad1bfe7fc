-- +goose Up

-- One CHECK over all numbers, as in 0001.
ALTER TABLE wallets ADD COLUMN order_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE wallets DROP CONSTRAINT wallets_check;
ALTER TABLE wallets ADD CONSTRAINT wallets_check
    CHECK (least(version, seq, grant_seq, hold_seq, usage_seq, invoice_seq, order_seq, tell_seq) >= 0);

-- Whether invoices are charged to the card that is kept, and the invoice that a cycle waits for.
ALTER TABLE subscriptions ADD COLUMN collect boolean NOT NULL DEFAULT false;
ALTER TABLE subscriptions ADD COLUMN unpaid bigint NOT NULL DEFAULT 0;
-- The id of one that somebody else bills, and until when they said that it is paid.
ALTER TABLE subscriptions ADD COLUMN outside text NOT NULL DEFAULT '';
ALTER TABLE subscriptions ADD COLUMN paid_to bigint NOT NULL DEFAULT 0;
-- Since when a cycle waits for a payment that was declined.
ALTER TABLE subscriptions ADD COLUMN held_at bigint NOT NULL DEFAULT 0;
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_check;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_check CHECK (least(n - 1, quantity, owed, events, unpaid) >= 0);

-- Purchases.
CREATE TABLE orders (
    bucket       smallint NOT NULL,
    wallet       uuid NOT NULL,
    n            bigint NOT NULL,
    minor        bigint NOT NULL, -- minor units that are expected, and below those that were paid
    quantity     bigint NOT NULL,
    created_at   bigint NOT NULL,
    invoice      bigint NOT NULL,
    expires_at   bigint NOT NULL,
    attempt      bigint NOT NULL,
    next_try     bigint NOT NULL,
    paid         bigint NOT NULL,
    cumulative   bigint NOT NULL, -- refunded in all, as the provider says
    paid_at      bigint NOT NULL,
    closed_at    bigint NOT NULL,
    subscription bigint NOT NULL,
    disputed_at  bigint NOT NULL,
    save_card    boolean NOT NULL,
    off_session  boolean NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('pack', 'credits', 'plan', 'invoice', 'card', 'auto_top_up', 'product')),
    status       text NOT NULL CHECK (status IN (
        'open', 'due', 'waiting', 'processing', 'paid', 'failed', 'expired', 'canceled', 'mismatched')),
    provider     text NOT NULL,
    currency     text NOT NULL,
    what         text NOT NULL,
    text         text NOT NULL,
    price_ref    text NOT NULL,
    session      text COLLATE "C" NOT NULL,
    url          text NOT NULL,
    success_url  text NOT NULL,
    cancel_url   text NOT NULL,
    payment      text COLLATE "C" NOT NULL,
    dispute_id   text NOT NULL,
    dispute      text NOT NULL CHECK (dispute IN ('', 'open', 'won', 'lost')),
    reason       text NOT NULL,
    actor        text NOT NULL,
    items        jsonb NOT NULL, -- list: what is granted; written once, and read whole with the order
    plan         jsonb NOT NULL, -- how a plan is taken; empty: it is of none
    refunds      jsonb NOT NULL, -- list; bounded, and written whole
    last_decline jsonb NOT NULL, -- empty: there was none
    grants       jsonb NOT NULL, -- list, in the order of items
    metadata     jsonb NOT NULL,
    cart         jsonb NOT NULL, -- list: the products, where it is of products; written once
    CHECK (least(n - 1, minor, quantity, invoice, subscription, attempt, paid, cumulative) >= 0),
    PRIMARY KEY (bucket, wallet, n)
) WITH (fillfactor = 70);
-- Those that belong to the snapshot.
CREATE INDEX orders_charging ON orders (bucket, wallet, n) WHERE status IN ('due', 'waiting');
-- With no bucket at its head: it serves lists over all buckets.
CREATE INDEX orders_time ON orders (created_at, bucket, wallet, n);
-- Nor have these two: they find the order that a provider means, which knows nothing of buckets and
-- wallets.
CREATE INDEX orders_session ON orders (session) WHERE session <> '';
CREATE INDEX orders_payment ON orders (payment) WHERE payment <> '';

-- What customers agreed to about automatic top-ups.
CREATE TABLE top_ups (
    bucket     smallint NOT NULL,
    wallet     uuid NOT NULL,
    threshold  bigint NOT NULL, -- units
    quantity   bigint NOT NULL,
    consent_at bigint NOT NULL,
    running    bigint NOT NULL, -- the order that is charged; 0: none
    not_before bigint NOT NULL,
    enabled    boolean NOT NULL,
    credit_id  text COLLATE "C" NOT NULL,
    pack_id    text NOT NULL,
    consent_by text NOT NULL,
    off_reason text NOT NULL,
    caps       jsonb NOT NULL,
    metadata   jsonb NOT NULL,
    day        jsonb NOT NULL, -- what was bought in the running day
    month      jsonb NOT NULL, -- and in the running month
    CHECK (least(threshold, quantity, running) >= 0),
    PRIMARY KEY (bucket, wallet, credit_id)
) WITH (fillfactor = 70);

-- How customers can be charged without being there.
CREATE TABLE payers (
    bucket      smallint NOT NULL,
    wallet      uuid NOT NULL,
    saved_at    bigint NOT NULL,
    provider    text NOT NULL,
    customer_id text NOT NULL, -- the provider's own
    method      text NOT NULL,
    label       text NOT NULL,
    PRIMARY KEY (bucket, wallet)
);

-- What the sandbox provider of payments knows. It stands for somebody outside, and so belongs to no
-- wallet.
CREATE TABLE provider_objects (
    id         text COLLATE "C" PRIMARY KEY,
    version    bigint NOT NULL CHECK (version >= 1),
    created_at bigint NOT NULL,
    app_id     text COLLATE "C" NOT NULL,
    mode       text COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test') OR mode ~ '^test/[a-z0-9_-]{1,40}$'),
    kind       text COLLATE "C" NOT NULL,
    ref        text COLLATE "C" NOT NULL,
    body       text NOT NULL -- JSON as it came; jsonb would write it in another way
);
CREATE INDEX provider_objects_ref ON provider_objects (kind, ref, created_at, id);

-- Where the tables are distributed already (see distribute.sql) the new ones join them, before
-- anything refers from one to the other: Citus lets no local table refer to a distributed one.
-- +goose StatementBegin
DO $$
DECLARE spread boolean := false;
BEGIN
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE 'SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = ''wallets''::regclass AND partmethod = ''h'')' INTO spread;
    END IF;
    IF spread THEN
        EXECUTE 'SELECT create_reference_table(''provider_objects'')';
        EXECUTE 'SELECT create_distributed_table(''orders'', ''bucket'', colocate_with => ''wallets'')';
        EXECUTE 'SELECT create_distributed_table(''top_ups'', ''bucket'', colocate_with => ''wallets'')';
        EXECUTE 'SELECT create_distributed_table(''payers'', ''bucket'', colocate_with => ''wallets'')';
    END IF;
END $$;
-- +goose StatementEnd
ALTER TABLE orders ADD CONSTRAINT orders_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE top_ups ADD CONSTRAINT top_ups_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE top_ups ADD CONSTRAINT top_ups_credit_id_fkey FOREIGN KEY (credit_id) REFERENCES credits (id);
ALTER TABLE payers ADD CONSTRAINT payers_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE provider_objects ADD CONSTRAINT provider_objects_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (id);

-- Deliveries go to receivers within Scrip itself as well (catalog.Receivers), which are in no table.
ALTER TABLE deliveries DROP CONSTRAINT deliveries_endpoint_id_fkey;
