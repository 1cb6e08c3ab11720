package simulator

import "strings"

// language is what a text is made of. All names and words are invented or
// common; nothing here is about a real person.
type language struct {
	first, last []string
	handles     []string // of user names, ASCII
	words       []string
	join        string // between words
	end         string // of a sentence
	openings    []string
}

func fields(s string) []string { return strings.Fields(s) }

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

var german = language{
	first:   fields("Anna Jürgen Käthe Max Sören Zoë Lena Björn Mia Günther Heike Thorsten Ayşe Mehmet Änne"),
	last:    fields("Müller Schmidt Groß Weiß Öztürk Jäger Köhler Schäfer Böhm Lang Vogel d'Hondt Meyer-Lüdenscheidt"),
	handles: fields("anna max soeren lena mia heike autofan kaeufer_nord schrauber bj.koehler suche-kombi"),
	join:    " ", end: ". ",
	openings: lines(`
Guten Tag, ist das Fahrzeug noch zu haben
Hallo, ich hätte Interesse an Ihrer Anzeige
Moin, wie ist der letzte Preis
Sehr geehrte Damen und Herren, ich bitte um Rückruf
Grüß Gott, wann könnte ich zur Besichtigung kommen`),
	words: fields(`ich Sie das die der Fahrzeug Wagen Auto Preis noch zu haben wäre hätte gerne würde können bitte
Besichtigung Probefahrt Termin am Samstag Sonntag nächste Woche Reifen Bremsen Zahnriemen Ölwechsel Scheckheft gepflegt
Unfallschäden Kratzer Türen Getriebe Klimaanlage Anhängerkupplung Motor Kilometer Laufleistung TÜV Bj. Vorbesitzer
Händler privat Anzahlung Überweisung bar Finanzierung Inzahlungnahme meinen alten Golf Kombi Diesel Benziner elektrisch
Reichweite Batterie Zustand innen außen weiß schwarz grün größer für wäre möglich nicht sehr gut ob wann wo wie viel
letzter Festpreis Verhandlungsbasis Abholung Anmeldung Kennzeichen München Köln Düsseldorf und oder aber weil dass`),
}

var english = language{
	first:   fields("Alice Bob Carol Dave Erin Frank Grace Heidi Ivan Judy Mallory O'Neil Peggy Trent"),
	last:    fields("Example Sample Placeholder Doe Roe Bloggs Citizen O'Example Smith-Jones Nobody"),
	handles: fields("alice bob carol gearhead buyer.one car_lover quick-reply trent motorfan99"),
	join:    " ", end: ". ",
	openings: lines(`
Hi, is this still available
Hello, could you tell me more about the vehicle
Good morning, what is your best price
I would like to arrange a test drive
Does it come with a service history`),
	words: fields(`I you it the a car truck van price still available would could like please test drive tomorrow weekend
tires brakes timing belt oil change service history accident scratches doors gearbox air conditioning tow bar engine miles
mileage inspection owner dealer private deposit transfer cash finance trade in my old pickup wagon diesel petrol electric
range battery condition inside outside white black green for is are was how much when where what best offer pick up
delivery registration plates and or but because that with without from near town photos more details warranty title`),
}

var polish = language{
	first:   fields("Łukasz Małgorzata Żaneta Grzegorz Zofia Stanisław Ewa Paweł"),
	last:    fields("Przykładowy Kowalska Wiśniewski Wójcik Zając Gąsiorowska Źdźbło"),
	handles: fields("lukasz zofia kupujacy_pl grzesiek auto.fan"),
	join:    " ", end: ". ",
	openings: lines(`
Dzień dobry, czy ogłoszenie jest nadal aktualne
Witam, proszę o więcej zdjęć
Czy możliwa jest jazda próbna`),
	words: fields(`czy jest nadal dostępny samochód cena proszę o kontakt w sobotę niedzielę przegląd hamulce opony silnik skrzynia
biegów przebieg stan wnętrze biały czarny zielony właściciel gotówka przelew zaliczka kredyt zamiana stary diesel benzyna
elektryczny zasięg bateria książka serwisowa bezwypadkowy rysy drzwi klimatyzacja hak ile kiedy gdzie jak możliwość
oględzin dziękuję pozdrawiam źródło łąka żółty ćma`),
}

var chinese = language{
	first:   fields("小明 丽 伟 芳 建国 秀英"),
	last:    fields("王 李 张 示例 陈"),
	handles: fields("xiaoming wang_li buyer.cn chen"),
	join:    "", end: "。",
	openings: lines(`
您好，请问这辆车还在吗
你好，最低价多少
可以试驾吗`),
	words: fields(`您好 请问 这辆 车 还在 吗 价格 可以 便宜 一点 周末 看车 试驾 轮胎 刹车 发动机 变速箱 里程 公里 车况 内饰 外观 白色 黑色 绿色 车主
现金 转账 定金 贷款 置换 旧车 柴油 汽油 电动 续航 电池 保养 记录 事故 划痕 车门 空调 拖钩 多少 什么 时候 哪里 谢谢 𠮷野 龘`),
}

// languages are drawn from with their weights.
var languages = []*language{
	&german, &german, &german, &german, &german, &german, &german, &german,
	&english, &english, &english, &english, &english, &polish, &polish, &chinese,
}

// oddPieces are put between the words of odd texts: what breaks careless code.
var oddPieces = []string{
	`"Zitat"`, `'quote'`, `back\slash`, `C:\temp\new`, "tab\there", "line\nbreak", "line\r\nbreak", "\b\f\v", "nul\x00byte", "esc\x1b[31m",
	"\u007fdel", "<script>alert('x')</script>", "&amp; & < >", "</td>", "a,b;c|d", `{"json":"inside"}`, "50 % off", "%s %d %%", "${HOME}", "'; DROP TABLE leads; --",
	"👍", "👩‍👩‍👧‍👦", "🇩🇪", "🏴‍☠️", "e\u0301 a\u0308 n\u0303", "Z̷a̸l̴g̵o̶", "مرحبا، هل السيارة متاحة؟", "שלום, האם זה זמין?", "\u202eright to left\u202c", "\u200bzero\u200dwidth\ufeff",
	"\u00a0no-break\u00a0", "\u2028line separator\u2029", "ﬁ ligature", "Å Å Å", "İstanbul ıspanak", "ẞ ß ſ", "\U0010ffff", "\ufffd", "\ue000", "𝔉𝔯𝔞𝔨𝔱𝔲𝔯", "นี่คือภาษาไทย", "한국어", "ひらがな カタカナ",
	"=SUM(A1:A9)", "+49", "-1", "@home", "null", "NULL", "\\N", "true", "NaN", "0x1F", "1e999",
}

var (
	itemNouns = fields("Limousine Kombi Cabrio Roadster Transporter Wohnmobil Motorrad Roller Traktor Anhänger Oldtimer Pickup SUV Kleinwagen Bürostuhl Küchenzeile")
	itemWords = fields(`TÜV-neu scheckheftgepflegt Automatik 6-Gang Klima Navi Leder Xenon AHK 8-fach-bereift 1.Hand unfallfrei
Diesel Benzin Elektro Hybrid metallic schwarz weiß grün Sondermodell Liebhaberstück "Top-Zustand" günstig 4x4 Ł-Edition 限量版 ★★★ & <neu>`)
	tradeMakes  = fields("Volkswagen Škoda Citroën Opel Ford Fiat Toyota Renault BMW Honda")
	tradeModels = []string{"Golf III", "Octavia Kombi", "C4", "Corsa D", "F-150", "500e", "Corolla", "Mégane", "320d", "Civic \"Type R\"", "Käfer"}
	feeTexts    = []string{"Pay-per-lead fee", "Gebühr für Kontaktanfrage", "Promotional fee; 50 % off", "Opłata za kontakt", ""}
	oddStatuses = []string{"ARCHIVED", "IN_PROGRESS", "new", "GELÖSCHT"}
	mailDomains = []string{"example.com", "example.org", "example.net"}
)
