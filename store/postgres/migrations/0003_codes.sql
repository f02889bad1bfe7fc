-- +goose Up

-- What customers redeem. A definition, but there may be a great many: they are read one by one.
CREATE TABLE codes (
    id                    text COLLATE "C" PRIMARY KEY,
    app_id                text COLLATE "C" NOT NULL REFERENCES apps (id),
    code                  text NOT NULL,
    folded                text COLLATE "C" NOT NULL, -- the code, folded: two that differ in case are one
    pack_id               text NOT NULL, -- empty: credit_id and amount
    credit_id             text NOT NULL,
    amount                bigint NOT NULL CHECK (amount >= 0),
    category              text NOT NULL CHECK (category IN ('', 'paid', 'promotional')),
    expires_after_days    bigint NOT NULL CHECK (expires_after_days >= 0),
    valid_from            bigint NOT NULL,
    valid_until           bigint NOT NULL,
    max_uses              bigint NOT NULL CHECK (max_uses >= 0), -- 0: any number
    max_uses_per_customer bigint NOT NULL CHECK (max_uses_per_customer >= 1),
    description           text NOT NULL,
    metadata              jsonb NOT NULL,
    created_at            bigint NOT NULL,
    updated_at            bigint NOT NULL,
    archived_at           bigint NOT NULL DEFAULT 0,
    CHECK ((pack_id = '') <> (credit_id = ''))
);
CREATE UNIQUE INDEX codes_text ON codes (app_id, folded) WHERE archived_at = 0;
CREATE INDEX codes_listed ON codes (app_id, id);

-- Who used them: claimed under the lock of the code, then granted in the customer's wallet. The uses
-- of one code are those of many wallets, so there is no bucket: a reference table on Citus.
CREATE TABLE code_uses (
    app_id          text COLLATE "C" NOT NULL REFERENCES apps (id),
    code_id         text COLLATE "C" NOT NULL REFERENCES codes (id),
    mode            text COLLATE "C" NOT NULL CHECK (mode IN ('live', 'test') OR mode ~ '^test/[a-z0-9_-]{1,40}$'),
    n               bigint NOT NULL CHECK (n >= 1), -- without gaps, so that the last is the count
    customer_id     text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    actor           text NOT NULL,
    uses_left       bigint NOT NULL CHECK (uses_left >= -1),
    claimed_at      bigint NOT NULL,
    granted_at      bigint NOT NULL DEFAULT 0,
    grants          jsonb NOT NULL, -- list of numbers within the customer's wallet
    PRIMARY KEY (code_id, mode, n)
);
CREATE INDEX code_uses_customer ON code_uses (code_id, mode, customer_id);
CREATE UNIQUE INDEX code_uses_key ON code_uses (app_id, mode, customer_id, idempotency_key) WHERE idempotency_key <> '';
CREATE INDEX code_uses_claimed ON code_uses (code_id, mode, n) WHERE granted_at = 0;
