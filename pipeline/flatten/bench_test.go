package flatten

import (
	"fmt"
	"strings"
	"testing"

	"github.com/leads-etl/leads-etl/pipeline/window"
)

// thousand is an answer with 1,000 leads of about 1 kB, with all documented
// fields, in listings of ten.
func thousand() string {
	const perListing = 10
	var b strings.Builder
	b.WriteString(`{"totalItems":100,"totalLeads":1000,"classifiedLeads":[`)
	for i := range 1000 {
		if i%perListing == 0 {
			if i > 0 {
				b.WriteString(`]},`)
			}
			fmt.Fprintf(&b, `{"itemId":"1100%08d","itemTitle":"VW Golf VII 1.4 TSI, 2016, %d km","responses":[`, i/perListing, 10_000+i)
		} else {
			b.WriteString(",")
		}
		text := fmt.Sprintf("Guten Tag, ist der Wagen noch zu haben? Ich würde gern am %d. vorbeikommen.\\nViele Grüße, Käufer %d", i%28+1, i)
		fmt.Fprintf(&b, `{"submittedTime":"2026-09-%02dT%02d:%02d:00.000Z","leadStatus":"NEW","userId":"buyer-%d","email":"buyer.%d@members.example.com",`+
			`"externalEmail":"b%d@example.org","contactInformation":{"firstName":"Jürgen","lastName":"Beispiel","phone":"+49 30 %06d","postalCode":"10115"},`+
			`"additionalInformation":"%s","financingAnswer":true,"tradeInMake":"Škoda","tradeInModel":"Fabia","tradeInYear":"2009",`+
			`"leadFee":{"amount":{"value":"25.00","currency":"EUR"},"description":"Pay per lead"},"memberMessage":{"memberMessageExchange":[`+
			`{"creationDate":"2026-09-01T10:00:00.000Z","question":{"messageID":%d,"body":"%s"},"response":"Ja, der Wagen ist noch da. Kommen Sie gern vorbei."},`+
			`{"creationDate":"2026-09-02T10:00:00.000Z","question":{"messageID":%d,"body":"Danke, dann bis morgen um zehn Uhr."}}]}}`,
			i%28+1, i%24, i%60, i, i, i, i, text, 9_000_000_000+i, text, 9_100_000_000+i)
	}
	b.WriteString(`]}]}`)
	return b.String()
}

func BenchmarkPage(b *testing.B) {
	answer := thousand()
	p := page(b, answer)
	p.Window, p.Leads = september, 1000
	hour := window.New(september.From, september.From.Add(3600e9))
	for name, within := range map[string]window.Window{"all": september, "an hour": hour} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(answer)))
			for b.Loop() {
				if _, err := flattener.Page(p, within); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "leads/s")
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	answer := thousand()
	b.ReportAllocs()
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		if _, err := Inspect(strings.NewReader(answer)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "leads/s")
}
