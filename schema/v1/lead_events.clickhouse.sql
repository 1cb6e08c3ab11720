-- A list cannot be null here: messages that were not asked for are an empty list.
CREATE TABLE lead_events (
  event_id String COMMENT 'Identity of this event: a UUIDv5 of lead, event type, content and version.',
  event_type String COMMENT 'snapshot (batch); created, updated or vanished (stream).',
  lead_id String COMMENT 'Identity of the lead: a UUIDv5 of listing, time, buyer and text, since the API has none.',
  lead_version Nullable(Int32) COMMENT 'Stream: 1 at first sight, then counting up with each event of the lead. Batch: null.',
  account String COMMENT 'The configuration''s name for the seller.',
  marketplace_id String COMMENT 'The eBay marketplace asked, for example EBAY_DE.',
  item_id Nullable(String) COMMENT 'Identifier of the listing.',
  item_title Nullable(String) COMMENT 'Title of the listing.',
  submitted_time Nullable(DateTime64(6, 'UTC')) COMMENT 'When the lead was submitted.',
  lead_status Nullable(String) COMMENT 'NEW or RESPONDED; values unknown to the reference are kept as they are.',
  user_id Nullable(String) COMMENT 'The buyer''s eBay user id; absent if not logged in. Personal data.',
  email Nullable(String) COMMENT 'The buyer''s e-mail address, if logged in. Personal data.',
  external_email Nullable(String) COMMENT 'The e-mail address as entered in the lead form (Motors). Personal data.',
  first_name Nullable(String) COMMENT 'The buyer''s first name. Personal data.',
  last_name Nullable(String) COMMENT 'The buyer''s last name. Personal data.',
  phone Nullable(String) COMMENT 'The buyer''s primary phone number. Personal data.',
  postal_code Nullable(String) COMMENT 'The buyer''s postal code. Personal data.',
  additional_information Nullable(String) COMMENT 'The buyer''s first message. Personal data.',
  financing_answer Nullable(Bool) COMMENT 'Whether the buyer would like financing (Motors); null if not answered.',
  trade_in_make Nullable(String) COMMENT 'Make of the vehicle to trade in (Motors).',
  trade_in_model Nullable(String) COMMENT 'Model of the vehicle to trade in (Motors).',
  trade_in_year Nullable(String) COMMENT 'Year of the vehicle to trade in (Motors).',
  fee_amount Nullable(Decimal(18, 4)) COMMENT 'Fee charged for the lead.',
  fee_currency Nullable(String) COMMENT 'ISO 4217 currency of fee_amount.',
  fee_converted_from_amount Nullable(Decimal(18, 4)) COMMENT 'The fee before currency conversion.',
  fee_converted_from_currency Nullable(String) COMMENT 'ISO 4217 currency of fee_converted_from_amount.',
  fee_description Nullable(String) COMMENT 'Explanation of the fee.',
  message_count Int32 COMMENT 'Number of messages; 0 when messages were not asked for.',
  messages Array(Tuple(message_id Nullable(Int64), created_at Nullable(DateTime64(6, 'UTC')), question Nullable(String), response Nullable(String))) COMMENT 'The exchange between buyer and seller; null when messages were not asked for. Personal data.',
  changed_fields Array(String) COMMENT 'Of updated events: the columns that differ from the version before.',
  content_hash String COMMENT 'SHA-256 over all API content of the lead in canonical form.',
  extracted_at DateTime64(6, 'UTC') COMMENT 'When the page that first showed this version of the lead was received.',
  schema_version Int32 COMMENT 'Version of this schema.',
  extra Nullable(String) COMMENT 'What has no column or does not fit it, as a JSON object by dotted path from the lead response. Personal data.'
)
ENGINE = MergeTree
ORDER BY (marketplace_id, lead_id, event_id);

CREATE VIEW leads_now AS
SELECT event_id, event_type, lead_id, lead_version, account, marketplace_id, item_id, item_title, submitted_time, lead_status, user_id, email, external_email, first_name, last_name, phone, postal_code, additional_information, financing_answer, trade_in_make, trade_in_model, trade_in_year, fee_amount, fee_currency, fee_converted_from_amount, fee_converted_from_currency, fee_description, message_count, messages, changed_fields, content_hash, extracted_at, schema_version, extra
FROM (
  SELECT event_id, event_type, lead_id, lead_version, account, marketplace_id, item_id, item_title, submitted_time, lead_status, user_id, email, external_email, first_name, last_name, phone, postal_code, additional_information, financing_answer, trade_in_make, trade_in_model, trade_in_year, fee_amount, fee_currency, fee_converted_from_amount, fee_converted_from_currency, fee_description, message_count, messages, changed_fields, content_hash, extracted_at, schema_version, extra,
    row_number() OVER (PARTITION BY lead_id ORDER BY extracted_at DESC, lead_version DESC NULLS LAST) AS place
  FROM lead_events
) AS numbered
WHERE place = 1 AND event_type <> 'vanished';
