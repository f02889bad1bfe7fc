-- +goose Up

-- A payment may be disputed more than once, and what was told of each is remembered: news come late.
ALTER TABLE orders ADD COLUMN disputes TEXT NOT NULL DEFAULT ''; -- JSON list; bounded, and written whole
UPDATE orders SET disputes = json_array(json_object('id', dispute_id, 'status', dispute)) WHERE dispute <> '';
ALTER TABLE orders DROP COLUMN dispute_id;

-- Whether nothing was given for what was paid.
ALTER TABLE orders ADD COLUMN unmet INTEGER NOT NULL DEFAULT 0 CHECK (unmet IN (0, 1));
UPDATE orders SET unmet = 1 WHERE status = 'mismatched' OR status = 'paid' AND (reason = 'the plan runs already' OR reason LIKE 'the invoice was % already');
