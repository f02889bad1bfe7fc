-- +goose Up

-- A payment may be disputed more than once, and what was told of each is remembered: news come late.
ALTER TABLE orders ADD COLUMN disputes TEXT NOT NULL DEFAULT ''; -- JSON list; bounded, and written whole
UPDATE orders SET disputes = json_array(json_object('id', dispute_id, 'status', dispute)) WHERE dispute <> '';
ALTER TABLE orders DROP COLUMN dispute_id;
