-- Spreads a migrated database over the nodes of Citus, by bucket. Run it once on the coordinator,
-- after CREATE EXTENSION citus and citus_add_node for each worker, while no server writes:
--
--     psql --single-transaction -f distribute.sql "$SCRIP_DB"
--
-- The tables stay as they are. Citus cannot distribute a table that others, not yet distributed,
-- refer to, so the foreign keys between wallet tables go first and come back last.

ALTER TABLE customers DROP CONSTRAINT customers_bucket_wallet_fkey;
ALTER TABLE standings DROP CONSTRAINT standings_bucket_wallet_fkey;
ALTER TABLE lanes DROP CONSTRAINT lanes_bucket_wallet_fkey;
ALTER TABLE grants DROP CONSTRAINT grants_bucket_wallet_lane_fkey;
ALTER TABLE holds DROP CONSTRAINT holds_bucket_wallet_fkey;
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_bucket_wallet_fkey;
ALTER TABLE subscription_events DROP CONSTRAINT subscription_events_bucket_wallet_fkey;
ALTER TABLE invoices DROP CONSTRAINT invoices_bucket_wallet_fkey;
ALTER TABLE orders DROP CONSTRAINT orders_bucket_wallet_fkey;
ALTER TABLE top_ups DROP CONSTRAINT top_ups_bucket_wallet_fkey;
ALTER TABLE payers DROP CONSTRAINT payers_bucket_wallet_fkey;
ALTER TABLE allowances DROP CONSTRAINT allowances_bucket_wallet_fkey;
ALTER TABLE entries DROP CONSTRAINT entries_bucket_wallet_fkey;
ALTER TABLE usages DROP CONSTRAINT usages_bucket_wallet_fkey;
ALTER TABLE tallies DROP CONSTRAINT tallies_bucket_wallet_fkey;
ALTER TABLE uniques DROP CONSTRAINT uniques_bucket_wallet_fkey;
ALTER TABLE answers DROP CONSTRAINT answers_bucket_wallet_fkey;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_bucket_wallet_seq_fkey;

SELECT create_reference_table('apps');
SELECT create_reference_table('api_keys');
SELECT create_reference_table('credits');
SELECT create_reference_table('packs');
SELECT create_reference_table('meters');
SELECT create_reference_table('products');
SELECT create_reference_table('webhook_endpoints');
SELECT create_reference_table('test_clocks');
SELECT create_reference_table('sandbox_operations');
SELECT create_reference_table('app_answers');
SELECT create_reference_table('codes');
SELECT create_reference_table('code_uses');
SELECT create_reference_table('provider_objects');

SELECT create_distributed_table('wallets', 'bucket');
SELECT create_distributed_table('customers', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('standings', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('lanes', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('grants', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('holds', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('subscriptions', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('subscription_events', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('invoices', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('orders', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('top_ups', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('payers', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('allowances', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('entries', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('usages', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('tallies', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('uniques', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('answers', 'bucket', colocate_with => 'wallets');
SELECT create_distributed_table('deliveries', 'bucket', colocate_with => 'wallets');

ALTER TABLE customers ADD CONSTRAINT customers_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE standings ADD CONSTRAINT standings_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE lanes ADD CONSTRAINT lanes_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE grants ADD CONSTRAINT grants_bucket_wallet_lane_fkey FOREIGN KEY (bucket, wallet, lane) REFERENCES lanes (bucket, wallet, n);
ALTER TABLE holds ADD CONSTRAINT holds_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE subscription_events ADD CONSTRAINT subscription_events_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE invoices ADD CONSTRAINT invoices_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE orders ADD CONSTRAINT orders_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE top_ups ADD CONSTRAINT top_ups_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE payers ADD CONSTRAINT payers_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE allowances ADD CONSTRAINT allowances_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE entries ADD CONSTRAINT entries_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE usages ADD CONSTRAINT usages_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE tallies ADD CONSTRAINT tallies_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE uniques ADD CONSTRAINT uniques_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE answers ADD CONSTRAINT answers_bucket_wallet_fkey FOREIGN KEY (bucket, wallet) REFERENCES wallets (bucket, wallet);
ALTER TABLE deliveries ADD CONSTRAINT deliveries_bucket_wallet_seq_fkey FOREIGN KEY (bucket, wallet, seq) REFERENCES entries (bucket, wallet, seq);
