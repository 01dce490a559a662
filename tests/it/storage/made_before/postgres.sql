SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.accounts (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_key bytea NOT NULL,
    provider character varying(64) NOT NULL,
    provider_account_id character varying(255) NOT NULL,
    issuer character varying(255) NOT NULL,
    kind character varying(16) NOT NULL,
    scope text,
    created_at bigint NOT NULL
);
CREATE TABLE public.auth_logs (
    id uuid NOT NULL,
    created_at bigint NOT NULL,
    action character varying(32) NOT NULL,
    outcome character varying(16) NOT NULL,
    reason character varying(64),
    user_id uuid,
    email character varying(254),
    provider character varying(64),
    session_id uuid,
    caller character varying(64) NOT NULL,
    ip_address character varying(64),
    user_agent character varying(512),
    request_id character varying(128) NOT NULL
);
CREATE TABLE public.revocation_counter (
    id bigint NOT NULL,
    seq bigint NOT NULL
);
CREATE TABLE public.revocations (
    seq bigint NOT NULL,
    kind character varying(16) NOT NULL,
    subject uuid NOT NULL,
    min_epoch bigint,
    reason character varying(16),
    until bigint NOT NULL
);
CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);
CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    provider character varying(64) NOT NULL,
    caller_group character varying(64) NOT NULL,
    epoch bigint NOT NULL,
    authenticated_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    ended_at bigint,
    end_reason character varying(16),
    grant_hash bytea NOT NULL,
    grant_expires_at bigint NOT NULL,
    request_key bytea,
    request_fingerprint bytea,
    redeemed_at bigint,
    redemption_key bytea,
    redemption_fingerprint bytea,
    refresh_hash bytea,
    previous_hash bytea,
    generation bigint NOT NULL,
    salt bytea,
    rotated_at bigint,
    audiences text NOT NULL,
    claims text NOT NULL,
    pending bytea,
    version bigint NOT NULL,
    refresh_count bigint NOT NULL,
    ip_address character varying(64),
    claims_role character varying(64)
);
CREATE TABLE public.signing_keys (
    kid character varying(64) NOT NULL,
    algorithm character varying(16) NOT NULL,
    generation bigint NOT NULL,
    not_before bigint NOT NULL,
    created_at bigint NOT NULL,
    sealed bytea NOT NULL
);
CREATE TABLE public.used_marks (
    mark bytea NOT NULL,
    expires_at bigint NOT NULL
);
CREATE TABLE public.users (
    id uuid NOT NULL,
    email character varying(254),
    email_key bytea,
    email_verified boolean NOT NULL,
    name text,
    image text,
    role character varying(64) NOT NULL,
    banned boolean NOT NULL,
    ban_reason text,
    ban_expires_at bigint,
    epoch bigint NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    last_sign_in_at bigint
);
INSERT INTO public.accounts VALUES ('019b76da-a800-72e7-b197-c90dd3c165de', '019b76da-a800-756c-ab7f-95ab8f321f61', '\x1c934bb61237fad8c6f28e2ea5ec95dd59e079db605daeeda4570c951b0c5456', 'github', 'ada', '', 'profile', NULL, 1767225600000);
INSERT INTO public.accounts VALUES ('019b76da-a800-7aec-81d2-a07ead0343ff', '019b76da-a800-7c58-a889-f4999cfda3c4', '\x33407ab0af55ddb69191ace67a6a249fb2dfbbd31a26177fba1b6bf88150594e', 'github', 'grace', '', 'profile', NULL, 1767225600000);
INSERT INTO public.accounts VALUES ('019b76da-a800-7499-952f-8a84dac25489', '019b76da-a800-7030-bc27-75a985d4f3c3', '\x5b47884f43ba4278b44e3efb98539d1eeb834daf40de92abdab6bb4373b66100', 'github', 'mallory', '', 'profile', NULL, 1767225600000);
INSERT INTO public.accounts VALUES ('019b76da-a800-7a75-b274-d8e6e23730af', '019b76da-a800-7a91-9013-bf754174ecf3', '\xe9da40f931202a972c192c61a69b599453a80c9c900cc4b975c66a9764472737', 'github', 'barbara', '', 'profile', NULL, 1767225600000);
INSERT INTO public.accounts VALUES ('019b76da-a800-786b-9553-279894a90533', '019b76da-a800-7ff3-9b14-0b8cf3d38891', '\x85e68fb287f26204f35d72b526ccde967c51ee41d22992e8bb4bcba47feedadc', 'github', 'edith', '', 'profile', NULL, 1767225600000);
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7ac1-984c-5002bc5a9661', 1767225600000, 'SIGN_UP', 'SUCCESS', NULL, '019b76da-a800-756c-ab7f-95ab8f321f61', 'ada@example.com', 'github', '019b76da-a800-7c25-99f7-dcf969820e3c', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a45');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7e43-ace8-cd355901866e', 1767225600000, 'TOKEN_ISSUED', 'SUCCESS', NULL, '019b76da-a800-756c-ab7f-95ab8f321f61', 'ada@example.com', 'github', '019b76da-a800-7c25-99f7-dcf969820e3c', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a46');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7992-a841-272e7500be33', 1767225600000, 'SIGN_UP', 'SUCCESS', NULL, '019b76da-a800-7c58-a889-f4999cfda3c4', 'grace@example.com', 'github', '019b76da-a800-7d23-9116-20067cd937a6', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a47');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-709d-bc65-c70edf8d9ec7', 1767225600000, 'TOKEN_ISSUED', 'SUCCESS', NULL, '019b76da-a800-7c58-a889-f4999cfda3c4', 'grace@example.com', 'github', '019b76da-a800-7d23-9116-20067cd937a6', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a48');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7995-a55e-24d96b3d2e19', 1767225600000, 'SIGN_UP', 'SUCCESS', NULL, '019b76da-a800-7030-bc27-75a985d4f3c3', 'mallory@example.com', 'github', '019b76da-a800-7921-ab2f-9ae07543fd0b', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a4a');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7909-b4c1-c5dc9154fcf0', 1767225600000, 'TOKEN_ISSUED', 'SUCCESS', NULL, '019b76da-a800-7030-bc27-75a985d4f3c3', 'mallory@example.com', 'github', '019b76da-a800-7921-ab2f-9ae07543fd0b', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a4b');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7afb-83f0-2e419a8f0aec', 1767225600000, 'USER_BANNED', 'SUCCESS', NULL, '019b76da-a800-7030-bc27-75a985d4f3c3', 'mallory@example.com', NULL, NULL, 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a4c');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-794b-a8c5-db01b28e86df', 1767225600000, 'SIGN_IN', 'SUCCESS', NULL, '019b76da-a800-756c-ab7f-95ab8f321f61', 'ada@example.com', 'github', '019b76da-a800-7960-8190-570dd83b17a7', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a4d');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-76f5-bf12-ad7b7554547d', 1767225600000, 'TOKEN_ISSUED', 'SUCCESS', NULL, '019b76da-a800-756c-ab7f-95ab8f321f61', 'ada@example.com', 'github', '019b76da-a800-7960-8190-570dd83b17a7', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a4e');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7896-8c45-ca2665fc2cd2', 1767225600000, 'SIGN_UP', 'SUCCESS', NULL, '019b76da-a800-7a91-9013-bf754174ecf3', 'barbara@example.com', 'github', '019b76da-a800-7ceb-830c-37cc314a59bf', 'local', NULL, NULL, '019b76da-a800-76a8-9ec5-728ca1819a4f');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7593-b482-82efd3ac44b5', 1767225600000, 'SIGN_UP', 'SUCCESS', NULL, '019b76da-a800-7ff3-9b14-0b8cf3d38891', 'edith@example.com', 'github', '019b76da-a800-7a97-b474-0bd408023637', 'local', NULL, NULL, '019b76da-a800-7af8-81d2-82f27565ec39');
INSERT INTO public.auth_logs VALUES ('019b76da-a800-7b82-bbfc-705dc4e862c9', 1767225600000, 'TOKEN_ISSUED', 'SUCCESS', NULL, '019b76da-a800-7ff3-9b14-0b8cf3d38891', 'edith@example.com', 'github', '019b76da-a800-7a97-b474-0bd408023637', 'local', NULL, NULL, '019b76da-a800-7af8-81d2-82f27565ec3a');
INSERT INTO public.revocation_counter VALUES (1, 2);
INSERT INTO public.revocations VALUES (1, 'USER_CHANGED', '019b76da-a800-7030-bc27-75a985d4f3c3', NULL, NULL, 1767229220000);
INSERT INTO public.revocations VALUES (2, 'USER', '019b76da-a800-7030-bc27-75a985d4f3c3', 1, 'BANNED', 1767229220000);
INSERT INTO public.seaql_migrations VALUES ('m0001_users', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0002_accounts', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0003_sessions', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0004_auth_logs', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0005_signing_keys', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0006_revocations', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0007_sweeping', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0008_claims_role', 1796063995);
INSERT INTO public.seaql_migrations VALUES ('m0009_used_marks', 1796063995);
INSERT INTO public.sessions VALUES ('019b76da-a800-7c25-99f7-dcf969820e3c', '019b76da-a800-756c-ab7f-95ab8f321f61', '019b76da-a800-72e7-b197-c90dd3c165de', 'github', 'local', 0, 1767225600000, 1769817600000, NULL, NULL, '\xdbcea0cf73b6d62f6e1613859adc0add72b138d140eeaebd21cb422652e3195d', 1767225660000, NULL, NULL, 1767225600000, NULL, NULL, '\xd5ad68f07c3d5cc529121779651807dbac8c2183693504ffcd9a64d283ed9707', NULL, 0, '\xc4dc58de82d84180992409a7d9f636b257d63e88c68248e02af87269280e4a68', 1767225600000, '["gatepass"]', '{}', NULL, 1, 0, NULL, 'user');
INSERT INTO public.sessions VALUES ('019b76da-a800-7d23-9116-20067cd937a6', '019b76da-a800-7c58-a889-f4999cfda3c4', '019b76da-a800-7aec-81d2-a07ead0343ff', 'github', 'local', 0, 1767225600000, 1769817600000, NULL, NULL, '\x781393056b36310e5747a0d9151e8e3a85de8af0d62021eb31a4835cd5408c36', 1767225660000, NULL, NULL, 1767225600000, NULL, NULL, '\xb5e6f24d71101a12d919ae950ac284c45890e571990c6d9a2a1c582bf8d084a3', '\x93c3b79dc2d7b803053abe76e186cf9d69151470c320dbb96c5b6dc05f95770b', 1, '\x8e0d0ed0d0074a7779636e305faf78a8cbf5972285d458fb5da901dcb80331d9', 1767225600000, '["gatepass"]', '{}', NULL, 2, 1, NULL, 'user');
INSERT INTO public.sessions VALUES ('019b76da-a800-7921-ab2f-9ae07543fd0b', '019b76da-a800-7030-bc27-75a985d4f3c3', '019b76da-a800-7499-952f-8a84dac25489', 'github', 'local', 0, 1767225600000, 1769817600000, 1767225600000, 'BANNED', '\x32487d3f60d0e3ff544532f9b549a9f0d6709605783e620387d66ef7824a5dd1', 1767225660000, NULL, NULL, 1767225600000, NULL, NULL, '\x2ea16581cf9be2aaa7195e8a3b3730ee0c4df6cbd1c07c5d0cf5355af2bea206', NULL, 0, '\x55340a4d7c5983bfff98c723155854f7cd17878d145eea4a06eb4d8190b80bcb', 1767225600000, '["gatepass"]', '{}', NULL, 2, 0, NULL, 'user');
INSERT INTO public.sessions VALUES ('019b76da-a800-7960-8190-570dd83b17a7', '019b76da-a800-756c-ab7f-95ab8f321f61', '019b76da-a800-72e7-b197-c90dd3c165de', 'github', 'local', 0, 1767225600000, 1769817600000, NULL, NULL, '\xe037f0f728bb6271fd6873a3d4189cea00c8670d4de4f3248f0b5b7d1d239884', 1767225660000, '\x448b5ec5933492e510ac6f1a84402a4fe68252ceb1a614326f22a821ba6c063e', '\x2f6fffe4ac26245eed4c7afbc19822a5bc8d0248f59b104b2ad7c46e3a2c2a74', 1767225600000, '\x2d5985ae47dcf8edfea4ecdba9f6dbb583835b1e7e034eca814d0b74b60dcb55', '\x49cb71f1f09c7131b76f314b654b67d0f3d5c1f4af67de1fef8a11b56cc28581', '\xa792370fc205c7700ca65f52236e4c98466667278eb7f2ed92a5a286e010ae4e', NULL, 0, '\xe776830272671847c08c22ee80d200ce8a4b5feca6d29d8785c59f2c635f0f35', 1767225600000, '["gatepass"]', '{}', NULL, 1, 0, NULL, 'user');
INSERT INTO public.sessions VALUES ('019b76da-a800-7ceb-830c-37cc314a59bf', '019b76da-a800-7a91-9013-bf754174ecf3', '019b76da-a800-7a75-b274-d8e6e23730af', 'github', 'local', 0, 1767225600000, 1769817600000, NULL, NULL, '\x20be185262ffc07bc0d9cf85b24373c6247cda274e841314a5d9634028ce96e8', 1767225660000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, '[]', '{}', '\xf468d62e83d86f82a889e59e0de49db54805c8862ae4d60269dfa4f9406c23d40b52aa00695fae89c83b7a8bcf0b2f628d0f8095f0e0588786d7a9c2f61d266e109aa40ed77a4afdc6b6a3b30ad4845f4642194efd97515247b8f783d21b2a9b0a8b9785101d1600b81a1cb3e9e511ebf4d05a3c77ed45e0fd70778ae3b6b0dbd5b62dfebdfc2c3ac655517d3ec1519e14b6226e1390ae27e85872984ce405150a068c71c1765057404fa729e3f22acd499b1bb7b48cccf1a983124bf6502cff439a7d9825d2b6deff36547b51f3ed314a18c67c8219ad7b306c9053478bcec3b84a360061dd147ce942c2b46a972f98ca78c42ac836be5e55b432cbcfb2064fa7259143860541225446894383afaac3311b5d72a683857860ca34113abe2d20f4cb13fc20f0619e2fbaf0260f18469fcc197553b89cb45c0fbca9454a504fd1440b046fbb38cbec04061bfe4a0e', 0, 0, NULL, NULL);
INSERT INTO public.sessions VALUES ('019b76da-a800-7a97-b474-0bd408023637', '019b76da-a800-7ff3-9b14-0b8cf3d38891', '019b76da-a800-786b-9553-279894a90533', 'github', 'local', 0, 1767225600000, 1769817600000, NULL, NULL, '\xa2f5c0c3596d22c3e937cca09bb3575047b06923d58bce77276021a7fcac8515', 1767225660000, NULL, NULL, 1767225600000, NULL, NULL, '\x21f552d37db58b0c27c3175bd20e1671856dad0f0f659abedb22bda0eb1d8331', NULL, 0, '\x18ebf0fdd79269e59f9f7ac743485072ad7e14d143fcdde5ed0476a23214858b', 1767225600000, '["gatepass"]', '{}', NULL, 1, 0, NULL, 'user');
INSERT INTO public.signing_keys VALUES ('wgIURN-jRUkHi_uFaBBAys64pGLeJe5M_9LMwk_V_WU', 'ES256', 1, 1767225600000, 1767225600000, '\xf468d62e83d86f8291780520f92a31be28e8d568aec0dd362697271640114e0e78c598c9f320c6b8f4ca3d390e2025a63ba3c8d478e5444902f03db454f390b58570410b9b1108063454c4654332936e8b344614c047a3e813304849e14fc50973639c57fd4e02b4ea6417d2c4f4916772f22f3099b50dfe089e35ff519ae6ec9d6fa415a522372b1e4bbcba92483aebea7af9417ca45e8855433f40d8fc19838cf32c149a6495f978cd6445f734ab27c31e7bc419d4f1ed1eaf8d8ec4ca182fea9ecdd97e75c1248419f0ad93c7d5d3b37ca34b9832bdcdf442279f89655043dac5426b30d6464d2c4cdc22765e0467d2b4899faf30370d1482a65a3422c65f0d29e79742159b7f7392dee777a67a2a0b13fc9188650a126bef48cfd5169ca4782e40e37dbba9d54b70');
INSERT INTO public.users VALUES ('019b76da-a800-7c58-a889-f4999cfda3c4', 'grace@example.com', '\x503e2a0591e03bac5af6c6c3e5a6a4de329ab19134c358bd6310fd42edde35ae', true, 'grace', NULL, 'user', false, NULL, NULL, 0, 1, 1767225600000, 1767225600000, 1767225600000);
INSERT INTO public.users VALUES ('019b76da-a800-7030-bc27-75a985d4f3c3', 'mallory@example.com', '\x44c4ea457a4ee55a980a33b1dc74e1e53d8ba5b07586b03d9a8294e62aec273c', true, 'mallory', NULL, 'user', true, NULL, NULL, 1, 2, 1767225600000, 1767225600000, 1767225600000);
INSERT INTO public.users VALUES ('019b76da-a800-756c-ab7f-95ab8f321f61', 'ada@example.com', '\xa757050d1a2f60ef3763a150866d8545dd3a339c3ec5c44259072f2776e3b3a6', true, 'ada', NULL, 'user', false, NULL, NULL, 0, 1, 1767225600000, 1767225600000, 1767225600000);
INSERT INTO public.users VALUES ('019b76da-a800-7a91-9013-bf754174ecf3', 'barbara@example.com', '\x364c3743dc73fe120f587d02b3da26b6d245f435c0cceda042603a4975a9fa5c', true, 'barbara', NULL, 'user', false, NULL, NULL, 0, 1, 1767225600000, 1767225600000, 1767225600000);
INSERT INTO public.users VALUES ('019b76da-a800-7ff3-9b14-0b8cf3d38891', 'edith@example.com', '\xc2791fa5e842035919e78ec4d29d3d37cf0004b0ac59be5d52634bb38d0a8863', true, 'edith', NULL, 'user', false, NULL, NULL, 0, 1, 1767225600000, 1767225600000, 1767225600000);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_account_key_key UNIQUE (account_key);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.auth_logs
    ADD CONSTRAINT auth_logs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.revocation_counter
    ADD CONSTRAINT revocation_counter_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (seq);
ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_grant_hash_key UNIQUE (grant_hash);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_request_key_key UNIQUE (request_key);
ALTER TABLE ONLY public.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);
ALTER TABLE ONLY public.used_marks
    ADD CONSTRAINT used_marks_pkey PRIMARY KEY (mark);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key_key UNIQUE (email_key);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX accounts_user_id ON public.accounts USING btree (user_id);
CREATE INDEX auth_logs_created_at ON public.auth_logs USING btree (created_at);
CREATE INDEX auth_logs_user_id ON public.auth_logs USING btree (user_id, id);
CREATE INDEX sessions_ended_at ON public.sessions USING btree (ended_at);
CREATE INDEX sessions_unredeemed ON public.sessions USING btree (redeemed_at, grant_expires_at);
CREATE INDEX sessions_user_id ON public.sessions USING btree (user_id);
CREATE UNIQUE INDEX signing_keys_generation ON public.signing_keys USING btree (algorithm, generation);
CREATE INDEX used_marks_expires_at ON public.used_marks USING btree (expires_at);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;
