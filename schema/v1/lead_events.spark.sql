CREATE TABLE lead_events (
  event_id STRING NOT NULL COMMENT 'Identity of this event: a UUIDv5 of lead, event type, content and version.',
  event_type STRING NOT NULL COMMENT 'snapshot (batch); created, updated or vanished (stream).',
  lead_id STRING NOT NULL COMMENT 'Identity of the lead: a UUIDv5 of listing, time, buyer and text, since the API has none.',
  lead_version INT COMMENT 'Stream: 1 at first sight, then counting up with each event of the lead. Batch: null.',
  account STRING NOT NULL COMMENT 'The configuration\'s name for the seller.',
  marketplace_id STRING NOT NULL COMMENT 'The eBay marketplace asked, for example EBAY_DE.',
  item_id STRING COMMENT 'Identifier of the listing.',
  item_title STRING COMMENT 'Title of the listing.',
  submitted_time TIMESTAMP COMMENT 'When the lead was submitted.',
  lead_status STRING COMMENT 'NEW or RESPONDED; values unknown to the reference are kept as they are.',
  user_id STRING COMMENT 'The buyer\'s eBay user id; absent if not logged in. Personal data.',
  email STRING COMMENT 'The buyer\'s e-mail address, if logged in. Personal data.',
  external_email STRING COMMENT 'The e-mail address as entered in the lead form (Motors). Personal data.',
  first_name STRING COMMENT 'The buyer\'s first name. Personal data.',
  last_name STRING COMMENT 'The buyer\'s last name. Personal data.',
  phone STRING COMMENT 'The buyer\'s primary phone number. Personal data.',
  postal_code STRING COMMENT 'The buyer\'s postal code. Personal data.',
  additional_information STRING COMMENT 'The buyer\'s first message. Personal data.',
  financing_answer BOOLEAN COMMENT 'Whether the buyer would like financing (Motors); null if not answered.',
  trade_in_make STRING COMMENT 'Make of the vehicle to trade in (Motors).',
  trade_in_model STRING COMMENT 'Model of the vehicle to trade in (Motors).',
  trade_in_year STRING COMMENT 'Year of the vehicle to trade in (Motors).',
  fee_amount DECIMAL(18,4) COMMENT 'Fee charged for the lead.',
  fee_currency STRING COMMENT 'ISO 4217 currency of fee_amount.',
  fee_converted_from_amount DECIMAL(18,4) COMMENT 'The fee before currency conversion.',
  fee_converted_from_currency STRING COMMENT 'ISO 4217 currency of fee_converted_from_amount.',
  fee_description STRING COMMENT 'Explanation of the fee.',
  message_count INT NOT NULL COMMENT 'Number of messages; 0 when messages were not asked for.',
  messages ARRAY<STRUCT<message_id: BIGINT, created_at: TIMESTAMP, question: STRING, response: STRING>> COMMENT 'The exchange between buyer and seller; null when messages were not asked for. Personal data.',
  changed_fields ARRAY<STRING> COMMENT 'Of updated events: the columns that differ from the version before.',
  content_hash STRING NOT NULL COMMENT 'SHA-256 over all API content of the lead in canonical form.',
  extracted_at TIMESTAMP NOT NULL COMMENT 'When the page that first showed this version of the lead was received.',
  schema_version INT NOT NULL COMMENT 'Version of this schema.',
  extra STRING COMMENT 'What has no column or does not fit it, as a JSON object by dotted path from the lead response. Personal data.'
)
USING PARQUET;

CREATE VIEW leads_now AS
SELECT event_id, event_type, lead_id, lead_version, account, marketplace_id, item_id, item_title, submitted_time, lead_status, user_id, email, external_email, first_name, last_name, phone, postal_code, additional_information, financing_answer, trade_in_make, trade_in_model, trade_in_year, fee_amount, fee_currency, fee_converted_from_amount, fee_converted_from_currency, fee_description, message_count, messages, changed_fields, content_hash, extracted_at, schema_version, extra
FROM (
  SELECT event_id, event_type, lead_id, lead_version, account, marketplace_id, item_id, item_title, submitted_time, lead_status, user_id, email, external_email, first_name, last_name, phone, postal_code, additional_information, financing_answer, trade_in_make, trade_in_model, trade_in_year, fee_amount, fee_currency, fee_converted_from_amount, fee_converted_from_currency, fee_description, message_count, messages, changed_fields, content_hash, extracted_at, schema_version, extra,
    row_number() OVER (PARTITION BY lead_id ORDER BY extracted_at DESC, lead_version DESC NULLS LAST) AS place
  FROM lead_events
) AS numbered
WHERE place = 1 AND event_type <> 'vanished';
