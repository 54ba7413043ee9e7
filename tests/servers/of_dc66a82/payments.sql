
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

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;

ALTER FUNCTION public.refuse_change() OWNER TO shop;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.accounts (
    user_id text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    balance bigint NOT NULL,
    sequence bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    idempotency_key text COLLATE pg_catalog."C",
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT accounts_balance_check CHECK ((balance >= 0))
);

ALTER TABLE public.accounts OWNER TO shop;

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

ALTER TABLE public.alembic_version OWNER TO shop;

CREATE TABLE public.discarded_messages (
    id uuid NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL,
    payload bytea NOT NULL,
    count integer NOT NULL,
    first_parked_at timestamp with time zone NOT NULL,
    last_parked_at timestamp with time zone NOT NULL,
    discarded_at timestamp with time zone NOT NULL,
    discarded_by text NOT NULL,
    note text NOT NULL
);

ALTER TABLE public.discarded_messages OWNER TO shop;

CREATE TABLE public.inbox (
    source text NOT NULL COLLATE pg_catalog."C",
    event_id text NOT NULL COLLATE pg_catalog."C",
    received_at timestamp with time zone NOT NULL
);

ALTER TABLE public.inbox OWNER TO shop;

CREATE TABLE public.outbox (
    type text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    event bytea NOT NULL,
    count integer DEFAULT 1 NOT NULL
);
ALTER TABLE ONLY public.outbox ALTER COLUMN event SET STORAGE EXTERNAL;

ALTER TABLE public.outbox OWNER TO shop;

CREATE TABLE public.parked_messages (
    type text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL,
    payload bytea NOT NULL,
    count integer NOT NULL,
    first_parked_at timestamp with time zone NOT NULL,
    last_parked_at timestamp with time zone NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL
);

ALTER TABLE public.parked_messages OWNER TO shop;

CREATE TABLE public.payments (
    user_id text NOT NULL COLLATE pg_catalog."C",
    order_id uuid NOT NULL,
    decision text NOT NULL COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    transfer_id uuid,
    created_at timestamp with time zone NOT NULL
);

ALTER TABLE public.payments OWNER TO shop;

CREATE TABLE public.transfers (
    user_id text NOT NULL COLLATE pg_catalog."C",
    sequence bigint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    debit_account text NOT NULL COLLATE pg_catalog."C",
    credit_account text NOT NULL COLLATE pg_catalog."C",
    amount bigint NOT NULL,
    order_id uuid,
    idempotency_key text COLLATE pg_catalog."C",
    balance_after bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT transfers_amount_check CHECK ((amount > 0)),
    CONSTRAINT transfers_balance_after_check CHECK ((balance_after >= 0)),
    CONSTRAINT transfers_check CHECK ((credit_account <> debit_account))
);

ALTER TABLE public.transfers OWNER TO shop;

INSERT INTO public.accounts VALUES ('alice', '01a22bd9-b2b4-7621-9e4d-ef2a935012f6', 7000, 4, 'RUB', NULL, '2026-11-30 09:46:57.076795+00');

INSERT INTO public.alembic_version VALUES ('0003');

INSERT INTO public.inbox VALUES ('/shop/orders', '01a22bd9-b384-7564-8ddc-f9130fc600e9', '2026-11-30 09:46:57.327317+00');
INSERT INTO public.inbox VALUES ('/shop/orders', '01a22bd9-da84-703e-a402-2a0dfdda8dd9', '2026-11-30 09:47:07.272391+00');
INSERT INTO public.inbox VALUES ('/shop/orders', '01a22bd9-dc3c-73e4-b3c0-343155c76373', '2026-11-30 09:47:07.72848+00');

INSERT INTO public.payments VALUES ('alice', '01a22bd9-b372-7491-a5b8-401f293b274b', 'captured', NULL, '01a22bd9-b3bd-751b-a18c-4c34ba43fac3', '2026-11-30 09:46:57.341124+00');
INSERT INTO public.payments VALUES ('alice', '01a22bd9-da7f-7136-9b49-07386da3ca76', 'captured', NULL, '01a22bd9-da93-70ee-9388-15a9a6661674', '2026-11-30 09:47:07.283804+00');

INSERT INTO public.transfers VALUES ('alice', 1, '01a22bd9-b2ee-747b-b4a0-812ba4710273', 'deposit', 'system:funding', 'user:alice', 10000, NULL, NULL, 10000, '2026-11-30 09:46:57.191374+00');
INSERT INTO public.transfers VALUES ('alice', 2, '01a22bd9-b3bd-751b-a18c-4c34ba43fac3', 'capture', 'user:alice', 'system:revenue', 3000, '01a22bd9-b372-7491-a5b8-401f293b274b', NULL, 7000, '2026-11-30 09:46:57.341124+00');
INSERT INTO public.transfers VALUES ('alice', 3, '01a22bd9-da93-70ee-9388-15a9a6661674', 'capture', 'user:alice', 'system:revenue', 2000, '01a22bd9-da7f-7136-9b49-07386da3ca76', NULL, 5000, '2026-11-30 09:47:07.283804+00');
INSERT INTO public.transfers VALUES ('alice', 4, '01a22bd9-dc5b-73ef-8a58-0457b51b6ee2', 'refund', 'system:revenue', 'user:alice', 2000, '01a22bd9-da7f-7136-9b49-07386da3ca76', NULL, 7000, '2026-11-30 09:47:07.739663+00');

ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.discarded_messages
    ADD CONSTRAINT discarded_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (source, event_id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (type, id);

ALTER TABLE ONLY public.parked_messages
    ADD CONSTRAINT parked_messages_id_key UNIQUE (id);

ALTER TABLE ONLY public.parked_messages
    ADD CONSTRAINT parked_messages_pkey PRIMARY KEY (type, subject, reason);

ALTER TABLE ONLY public.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (user_id, order_id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_pkey PRIMARY KEY (user_id, sequence);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_user_id_id_key UNIQUE (user_id, id);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_user_id_idempotency_key_key UNIQUE (user_id, idempotency_key);

ALTER TABLE ONLY public.transfers
    ADD CONSTRAINT transfers_user_id_order_id_kind_key UNIQUE (user_id, order_id, kind);

CREATE INDEX inbox_received_at ON public.inbox USING btree (received_at);

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.discarded_messages FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.payments FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.transfers FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

