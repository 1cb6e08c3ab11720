CREATE TABLE lead_events (
  event_id VARCHAR NOT NULL,
  event_type VARCHAR NOT NULL,
  lead_id VARCHAR NOT NULL,
  lead_version INTEGER,
  account VARCHAR NOT NULL,
  marketplace_id VARCHAR NOT NULL,
  item_id VARCHAR,
  item_title VARCHAR,
  submitted_time TIMESTAMP WITH TIME ZONE,
  lead_status VARCHAR,
  user_id VARCHAR,
  email VARCHAR,
  external_email VARCHAR,
  first_name VARCHAR,
  last_name VARCHAR,
  phone VARCHAR,
  postal_code VARCHAR,
  additional_information VARCHAR,
  financing_answer BOOLEAN,
  trade_in_make VARCHAR,
  trade_in_model VARCHAR,
  trade_in_year VARCHAR,
  fee_amount DECIMAL(18,4),
  fee_currency VARCHAR,
  fee_converted_from_amount DECIMAL(18,4),
  fee_converted_from_currency VARCHAR,
  fee_description VARCHAR,
  message_count INTEGER NOT NULL,
  messages STRUCT(message_id BIGINT, created_at TIMESTAMP WITH TIME ZONE, question VARCHAR, response VARCHAR)[],
  changed_fields VARCHAR[],
  content_hash VARCHAR NOT NULL,
  extracted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  schema_version INTEGER NOT NULL,
  extra VARCHAR
);
COMMENT ON COLUMN lead_events.event_id IS 'Identity of this event: a UUIDv5 of lead, event type, content and version.';
COMMENT ON COLUMN lead_events.event_type IS 'snapshot (batch); created, updated or vanished (stream).';
COMMENT ON COLUMN lead_events.lead_id IS 'Identity of the lead: a UUIDv5 of listing, time, buyer and text, since the API has none.';
COMMENT ON COLUMN lead_events.lead_version IS 'Stream: 1 at first sight, then counting up with each event of the lead. Batch: null.';
COMMENT ON COLUMN lead_events.account IS 'The configuration''s name for the seller.';
COMMENT ON COLUMN lead_events.marketplace_id IS 'The eBay marketplace asked, for example EBAY_DE.';
COMMENT ON COLUMN lead_events.item_id IS 'Identifier of the listing.';
COMMENT ON COLUMN lead_events.item_title IS 'Title of the listing.';
COMMENT ON COLUMN lead_events.submitted_time IS 'When the lead was submitted.';
COMMENT ON COLUMN lead_events.lead_status IS 'NEW or RESPONDED; values unknown to the reference are kept as they are.';
COMMENT ON COLUMN lead_events.user_id IS 'The buyer''s eBay user id; absent if not logged in. Personal data.';
COMMENT ON COLUMN lead_events.email IS 'The buyer''s e-mail address, if logged in. Personal data.';
COMMENT ON COLUMN lead_events.external_email IS 'The e-mail address as entered in the lead form (Motors). Personal data.';
COMMENT ON COLUMN lead_events.first_name IS 'The buyer''s first name. Personal data.';
COMMENT ON COLUMN lead_events.last_name IS 'The buyer''s last name. Personal data.';
COMMENT ON COLUMN lead_events.phone IS 'The buyer''s primary phone number. Personal data.';
COMMENT ON COLUMN lead_events.postal_code IS 'The buyer''s postal code. Personal data.';
COMMENT ON COLUMN lead_events.additional_information IS 'The buyer''s first message. Personal data.';
COMMENT ON COLUMN lead_events.financing_answer IS 'Whether the buyer would like financing (Motors); null if not answered.';
COMMENT ON COLUMN lead_events.trade_in_make IS 'Make of the vehicle to trade in (Motors).';
COMMENT ON COLUMN lead_events.trade_in_model IS 'Model of the vehicle to trade in (Motors).';
COMMENT ON COLUMN lead_events.trade_in_year IS 'Year of the vehicle to trade in (Motors).';
COMMENT ON COLUMN lead_events.fee_amount IS 'Fee charged for the lead.';
COMMENT ON COLUMN lead_events.fee_currency IS 'ISO 4217 currency of fee_amount.';
COMMENT ON COLUMN lead_events.fee_converted_from_amount IS 'The fee before currency conversion.';
COMMENT ON COLUMN lead_events.fee_converted_from_currency IS 'ISO 4217 currency of fee_converted_from_amount.';
COMMENT ON COLUMN lead_events.fee_description IS 'Explanation of the fee.';
COMMENT ON COLUMN lead_events.message_count IS 'Number of messages; 0 when messages were not asked for.';
COMMENT ON COLUMN lead_events.messages IS 'The exchange between buyer and seller; null when messages were not asked for. Personal data.';
COMMENT ON COLUMN lead_events.changed_fields IS 'Of updated events: the columns that differ from the version before.';
COMMENT ON COLUMN lead_events.content_hash IS 'SHA-256 over all API content of the lead in canonical form.';
COMMENT ON COLUMN lead_events.extracted_at IS 'When the page that first showed this version of the lead was received.';
COMMENT ON COLUMN lead_events.schema_version IS 'Version of this schema.';
COMMENT ON COLUMN lead_events.extra IS 'What has no column or does not fit it, as a JSON object by dotted path from the lead response. Personal data.';

CREATE VIEW leads_now AS
SELECT event_id, event_type, lead_id, lead_version, account, marketplace_id, item_id, item_title, submitted_time, lead_status, user_id, email, external_email, first_name, last_name, phone, postal_code, additional_information, financing_answer, trade_in_make, trade_in_model, trade_in_year, fee_amount, fee_currency, fee_converted_from_amount, fee_converted_from_currency, fee_description, message_count, messages, changed_fields, content_hash, extracted_at, schema_version, extra
FROM (
  SELECT event_id, event_type, lead_id, lead_version, account, marketplace_id, item_id, item_title, submitted_time, lead_status, user_id, email, external_email, first_name, last_name, phone, postal_code, additional_information, financing_answer, trade_in_make, trade_in_model, trade_in_year, fee_amount, fee_currency, fee_converted_from_amount, fee_converted_from_currency, fee_description, message_count, messages, changed_fields, content_hash, extracted_at, schema_version, extra,
    row_number() OVER (PARTITION BY lead_id ORDER BY extracted_at DESC, lead_version DESC NULLS LAST) AS place
  FROM lead_events
) AS numbered
WHERE place = 1 AND event_type <> 'vanished';
