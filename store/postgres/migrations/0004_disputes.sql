-- +goose Up

-- A payment may be disputed more than once, and what was told of each is remembered: news come late.
ALTER TABLE orders ADD COLUMN disputes jsonb NOT NULL DEFAULT '[]'; -- list; bounded, and written whole
UPDATE orders SET disputes = jsonb_build_array(jsonb_build_object('id', dispute_id, 'status', dispute)) WHERE dispute <> '';
ALTER TABLE orders DROP COLUMN dispute_id;
