package kafka

import (
	"slices"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/deliver"
	"github.com/leads-etl/leads-etl/schema"
)

func TestResolveTopics(t *testing.T) {
	b := deliver.Binding{Account: "Example-Shop", Marketplace: "EBAY_DE"}
	got, err := resolveTopics("{account}.{marketplace}.leads", b)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"Example-Shop.EBAY_DE.leads"}; !slices.Equal(got.names(), want) {
		t.Errorf("topics %v, want %v", got.names(), want)
	}
	got, err = resolveTopics("leads-{event_type}", b)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"leads-created", "leads-snapshot", "leads-updated", "leads-vanished"}; !slices.Equal(got.names(), want) {
		t.Errorf("topics %v, want %v", got.names(), want)
	}
	if got.byType[schema.Updated] != "leads-updated" || got.pattern != "leads-{event_type}" {
		t.Errorf("%+v", got)
	}
	for _, account := range []string{"Example & Sons", strings.Repeat("x", 250), "müller"} {
		if _, err := resolveTopics("leads-{account}", deliver.Binding{Account: account, Marketplace: "EBAY_DE"}); err == nil {
			t.Errorf("account %.20q went into a topic's name", account)
		}
	}
}

func TestTransactionalID(t *testing.T) {
	b := deliver.Binding{Account: "shop", Marketplace: "EBAY_DE"}
	c := DefaultConfig()
	if got := c.transactionalID(b); got != "leads-etl-shop-EBAY_DE" {
		t.Error(got)
	}
	c.TransactionalID = "mine"
	if got := c.transactionalID(b); got != "mine" {
		t.Error(got)
	}
}
