
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

CREATE TABLE public.order_history (
    user_id text NOT NULL COLLATE pg_catalog."C",
    order_id uuid NOT NULL,
    sequence integer NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    at timestamp with time zone NOT NULL
);

ALTER TABLE public.order_history OWNER TO shop;

CREATE TABLE public.orders (
    user_id text NOT NULL COLLATE pg_catalog."C",
    id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL,
    status text NOT NULL COLLATE pg_catalog."C",
    reason text COLLATE pg_catalog."C",
    idempotency_key text COLLATE pg_catalog."C",
    cancel_requested_at timestamp with time zone,
    ask_again_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT orders_amount_check CHECK ((amount > 0))
);

ALTER TABLE public.orders OWNER TO shop;

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

INSERT INTO public.alembic_version VALUES ('0003');

INSERT INTO public.inbox VALUES ('/shop/payments', '01a22bd9-b3bd-751b-a18c-4c35ec2017e6', '2026-11-30 09:46:57.360675+00');
INSERT INTO public.inbox VALUES ('/shop/payments', '01a22bd9-da93-70ee-9388-15aaf70d3076', '2026-11-30 09:47:07.285528+00');
INSERT INTO public.inbox VALUES ('/shop/payments', '01a22bd9-dc5b-73ef-8a58-04585f50ba46', '2026-11-30 09:47:07.751837+00');

INSERT INTO public.order_history VALUES ('alice', '01a22bd9-b372-7491-a5b8-401f293b274b', 1, 'NEW', NULL, '2026-11-30 09:46:57.28432+00');
INSERT INTO public.order_history VALUES ('alice', '01a22bd9-b372-7491-a5b8-401f293b274b', 2, 'FINISHED', NULL, '2026-11-30 09:46:57.372604+00');
INSERT INTO public.order_history VALUES ('alice', '01a22bd9-da7f-7136-9b49-07386da3ca76', 1, 'NEW', NULL, '2026-11-30 09:47:07.267756+00');
INSERT INTO public.order_history VALUES ('alice', '01a22bd9-da7f-7136-9b49-07386da3ca76', 2, 'FINISHED', NULL, '2026-11-30 09:47:07.295333+00');
INSERT INTO public.order_history VALUES ('alice', '01a22bd9-da7f-7136-9b49-07386da3ca76', 3, 'REFUNDING', NULL, '2026-11-30 09:47:07.70793+00');
INSERT INTO public.order_history VALUES ('alice', '01a22bd9-da7f-7136-9b49-07386da3ca76', 4, 'REFUNDED', NULL, '2026-11-30 09:47:07.755769+00');

INSERT INTO public.orders VALUES ('alice', '01a22bd9-b372-7491-a5b8-401f293b274b', 3000, 'RUB', 'a book', 'FINISHED', NULL, '01a22bd9-b371-74cf-912c-79b2452a1ac3', NULL, NULL, '2026-11-30 09:46:57.28432+00', '2026-11-30 09:46:57.372604+00');
INSERT INTO public.orders VALUES ('alice', '01a22bd9-da7f-7136-9b49-07386da3ca76', 2000, 'RUB', '', 'REFUNDED', NULL, '01a22bd9-da74-7149-b4d9-9b79f076cbdd', '2026-11-30 09:47:07.70793+00', NULL, '2026-11-30 09:47:07.267756+00', '2026-11-30 09:47:07.755769+00');

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.discarded_messages
    ADD CONSTRAINT discarded_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (source, event_id);

ALTER TABLE ONLY public.order_history
    ADD CONSTRAINT order_history_pkey PRIMARY KEY (user_id, order_id, sequence);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (user_id, id);

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_user_id_idempotency_key_key UNIQUE (user_id, idempotency_key);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (type, id);

ALTER TABLE ONLY public.parked_messages
    ADD CONSTRAINT parked_messages_id_key UNIQUE (id);

ALTER TABLE ONLY public.parked_messages
    ADD CONSTRAINT parked_messages_pkey PRIMARY KEY (type, subject, reason);

CREATE INDEX inbox_received_at ON public.inbox USING btree (received_at);

CREATE INDEX orders_ask_again ON public.orders USING btree (ask_again_at) WHERE (ask_again_at IS NOT NULL);

CREATE INDEX orders_id ON public.orders USING btree (id);

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.discarded_messages FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON public.order_history FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

