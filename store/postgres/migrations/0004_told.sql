-- +goose Up

-- A payment may be disputed more than once, and what was told of each is remembered: news come late.
ALTER TABLE orders ADD COLUMN disputes jsonb NOT NULL DEFAULT '[]'; -- list; bounded, and written whole
UPDATE orders SET disputes = jsonb_build_array(jsonb_build_object('id', dispute_id, 'status', dispute)) WHERE dispute <> '';
ALTER TABLE orders DROP COLUMN dispute_id;

-- Whether nothing was given for what was paid.
ALTER TABLE orders ADD COLUMN unmet boolean NOT NULL DEFAULT false;
UPDATE orders SET unmet = true WHERE status = 'mismatched' OR status = 'paid' AND (reason = 'the plan runs already' OR reason LIKE 'the invoice was % already');
