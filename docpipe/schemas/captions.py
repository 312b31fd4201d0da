"""What is printed beside the fields that are read by their captions: the words, in the languages that docpipe reads.

In: nothing. Out: captions by field, in lower case; the reader compares letters and digits without accents.
They are the usual words of each country's invoices (EN 16931's terms in its translations, and what accounting programs
print). Words that also stand beside other things (`total`, `date`) are left out: what is not found is left empty.
"""

from __future__ import annotations

Captions = tuple[str, ...]

INVOICE_NUMBER: Captions = (
    "invoice no", "invoice nr", "invoice number", "invoice num", "invoice id", "tax invoice no", "tax invoice number",
    "bill no", "bill number", "credit note no", "credit note nr", "credit note number", "credit memo no",
    "credit memo number", "debit note no", "debit note number", "rechnungsnummer", "rechnungs-nr", "rechnung nr",
    "rechnungs nr", "rechnung nummer", "gutschriftsnummer", "gutschriftnummer", "gutschrifts-nr", "gutschrift-nr",
    "gutschrift nr", "stornorechnung nr", "rechnungskorrektur nr", "facture n°", "facture no", "facture numéro",
    "numéro de facture", "n° de facture", "no de facture", "n° facture", "avoir n°", "avoir no", "numéro d'avoir",
    "n° d'avoir", "facture d'avoir n°", "factura n°", "factura nº", "factura número", "factura núm",
    "número de factura", "n° de factura", "nº de factura", "núm de factura", "nº factura", "factura rectificativa nº",
    "nota de crédito nº", "número de abono", "abono nº", "fattura n", "fattura nr", "fattura n°", "fattura numero",
    "numero fattura", "n° fattura", "nota di credito n", "nota di credito nr", "numero nota di credito",
    "factuurnummer", "factuurnr", "factuur nr", "factuur nummer", "creditnota nr", "creditnotanummer",
    "creditfactuurnummer", "fatura n°", "fatura nº", "fatura nr", "número da fatura", "n° da fatura", "nº da fatura",
    "nota de crédito n°", "faktura nr", "faktura vat nr", "numer faktury", "nr faktury", "faktura korygująca nr",
    "korekta nr", "faktura č", "faktura číslo", "číslo faktury", "č faktury", "dobropis č", "číslo dobropisu",
    "fakturanummer", "fakturanr", "fakturanro", "faktura nummer", "kreditfaktura nr", "kreditfakturanummer",
    "kreditnota nr", "kreditnotanummer", "laskun numero", "laskunumero", "lasku nro", "lasku numero",
    "hyvityslasku nro", "hyvityslaskun numero", "számla sorszáma", "számla sorszám", "factură nr", "factura nr",
    "număr factură", "nr factură", "numărul facturii", "broj fakture", "faktura br", "fatura no", "fatura numarası",
    "αριθμός τιμολογίου", "τιμολόγιο αρ",
)  # fmt: skip
"""Not `számlaszám` and `broj računa`, which are bank accounts too. Credit and debit notes have theirs."""
ISSUE_DATE: Captions = (
    "invoice date", "date of invoice", "date of issue", "issue date", "date issued", "issued on", "bill date",
    "credit note date", "rechnungsdatum", "datum der rechnung", "ausstellungsdatum", "gutschriftsdatum",
    "date de facture", "date de la facture", "date facture", "date de facturation", "date d'émission", "émise le",
    "fecha de factura", "fecha de la factura", "fecha factura", "fecha de emisión", "fecha emisión",
    "fecha de expedición", "data fattura", "data della fattura", "data di emissione", "data emissione",
    "factuurdatum", "datum factuur", "data da fatura", "data fatura", "data de emissão", "data emissão",
    "data wystawienia", "data faktury", "datum vystavení", "datum vystavení dokladu", "dátum vystavenia",
    "dátum vyhotovenia", "fakturadatum", "fakturadato", "laskun päivä", "laskun päivämäärä", "laskun pvm",
    "laskupäivä", "számla kelte", "kiállítás dátuma", "kiállítás kelte", "data facturii", "data emiterii",
    "datum računa", "datum izdavanja", "fatura tarihi", "düzenleme tarihi", "ημερομηνία έκδοσης",
    "ημερομηνία τιμολογίου",
)  # fmt: skip
DUE_DATE: Captions = (
    "due date", "date due", "payment due", "payment due date", "payment due by", "due by", "due on", "payable by",
    "fällig am", "fällig bis", "fälligkeit", "fälligkeitsdatum", "zahlbar bis", "zahlbar bis zum", "zu zahlen bis",
    "échéance", "échéance le", "date d'échéance", "à payer avant le", "à régler avant le", "date limite de paiement",
    "vencimiento", "fecha de vencimiento", "fecha vencimiento", "pagar antes del", "scadenza", "data scadenza",
    "data di scadenza", "scadenza pagamento", "da pagare entro", "da pagare entro il", "vervaldatum", "vervaldag",
    "te betalen voor", "uiterste betaaldatum", "vencimento", "data de vencimento", "pagar até", "termin płatności",
    "termin zapłaty", "płatne do", "datum splatnosti", "dátum splatnosti", "splatnost", "splatnosť", "splatno do",
    "splatné do", "förfallodatum", "förfallodag", "förfaller", "oss tillhanda senast", "betalas senast",
    "forfaldsdato", "forfalder", "sidste rettidige betaling", "betalingsfrist", "forfallsdato", "forfall", "eräpäivä",
    "fizetési határidő", "esedékesség", "scadență", "data scadenței", "termen de plată", "datum dospijeća",
    "dospijeće", "rok plaćanja", "vade tarihi", "son ödeme tarihi", "ημερομηνία λήξης", "λήξη πληρωμής",
)  # fmt: skip
PRECEDING_INVOICE: Captions = (
    "original invoice", "original invoice no", "original invoice number", "preceding invoice", "credited invoice",
    "invoice credited", "corrected invoice", "refers to invoice", "relating to invoice", "reference to invoice",
    "against invoice", "zu rechnung", "zur rechnung", "ursprüngliche rechnung", "ursprungsrechnung",
    "originalrechnung", "stornierte rechnung", "korrigierte rechnung", "bezug rechnung", "gutschrift zu rechnung",
    "facture d'origine", "facture initiale", "facture rectifiée", "relatif à la facture", "sur facture",
    "factura original", "factura rectificada", "factura que rectifica", "rectifica la factura",
    "fattura originale", "fattura di riferimento", "riferimento fattura", "storno fattura", "fattura stornata",
    "originele factuur", "oorspronkelijke factuur", "creditnota op factuur", "betreft factuur",
    "fatura original", "fatura de origem", "fatura retificada", "do faktury", "faktura korygowana",
    "faktury korygowanej", "původní faktura", "k faktuře", "pôvodná faktúra", "k faktúre",
    "ursprunglig faktura", "avser faktura", "kredit av faktura", "oprindelig faktura", "vedrører faktura",
    "opprinnelig faktura", "gjelder faktura", "alkuperäinen lasku", "hyvitetty lasku", "eredeti számla",
    "hivatkozott számla", "factura inițială", "izvorni račun", "orijinal fatura",
)  # fmt: skip
DELIVERY_DATE: Captions = (
    "delivery date", "date of delivery", "date of supply", "supply date", "service date", "lieferdatum",
    "leistungsdatum", "liefertermin", "liefer- und leistungsdatum", "datum der lieferung", "date de livraison",
    "date de prestation", "fecha de entrega", "fecha de operación", "fecha operación", "data di consegna",
    "data consegna", "leverdatum", "leveringsdatum", "data de entrega", "data dostawy", "data sprzedaży",
    "datum uskutečnění plnění", "dátum dodania", "leveransdatum", "leveringsdato", "toimituspäivä",
    "teljesítés dátuma", "data livrării", "datum isporuke", "teslim tarihi",
)  # fmt: skip
DELIVERY_PERIOD: Captions = (
    "billing period", "service period", "invoicing period", "period of service", "period of supply",
    "leistungszeitraum", "abrechnungszeitraum", "lieferzeitraum", "période de facturation", "période de prestation",
    "periodo de facturación", "período de facturación", "periodo di fatturazione", "periodo di riferimento",
    "factuurperiode", "facturatieperiode", "leveringsperiode", "período de faturação", "okres rozliczeniowy",
    "fakturační období", "fakturačné obdobie", "faktureringsperiod", "faktureringsperiode", "laskutuskausi",
    "számlázási időszak", "perioada de facturare", "obračunsko razdoblje", "fatura dönemi",
)  # fmt: skip
WITHHOLDING: Captions = (
    "withholding tax", "tax withheld", "less withholding", "retención", "retención irpf", "irpf", "ret irpf",
    "ritenuta", "ritenuta d'acconto", "retenue à la source", "quellensteuer", "abzugsteuer", "retenção",
    "retenção na fonte", "irs retido", "bronheffing", "stopaj", "tevkifat", "reținere la sursă",
)  # fmt: skip
ROUNDING: Captions = (
    "rounding", "rounding adjustment", "rounding amount", "rundung", "rundungsdifferenz", "rundungsbetrag",
    "arrondi", "redondeo", "arrotondamento", "afronding", "arredondamento", "zaokrąglenie", "zaokrouhlení",
    "zaokrúhlenie", "avrundning", "öresavrundning", "öresutjämning", "afrunding", "øreafrunding", "øreavrunding",
    "avrunding", "pyöristys", "kerekítés", "rotunjire", "zaokruživanje", "yuvarlama",
)  # fmt: skip
DISCOUNT: Captions = (
    "discount", "trade discount", "total discount", "voucher", "coupon", "rebate", "rabatt", "nachlass", "gutschein",
    "preisnachlass", "sofortrabatt", "remise", "rabais", "bon de réduction", "descuento", "dto", "sconto", "korting",
    "desconto", "rabat", "sleva", "zľava", "alennus", "kedvezmény", "reducere", "popust", "indirim", "iskonto",
)  # fmt: skip
CHARGE: Captions = (
    "shipping", "shipping and handling", "postage", "freight", "carriage", "delivery charge", "handling", "surcharge",
    "versand", "versandkosten", "fracht", "frachtkosten", "porto", "verpackung", "zuschlag", "frais de port", "port",
    "frais de livraison", "frais d'envoi", "gastos de envío", "portes", "transporte", "spese di spedizione",
    "spese di trasporto", "trasporto", "verzendkosten", "portes de envio", "koszt wysyłki", "koszty wysyłki",
    "poštovné", "doprava", "frakt", "fragt", "toimituskulut", "postikulut", "szállítási költség",
    "cheltuieli de transport", "poštarina", "dostava", "kargo", "nakliye",
)  # fmt: skip
DEPOSIT: Captions = (
    "bottle deposit", "container deposit", "crv", "pfand", "einwegpfand", "mehrwegpfand", "leergut",
    "pfandrückgabe", "consigne", "vuoto a rendere", "statiegeld", "depósito envase", "kaucja", "záloha obal", "pant",
    "pantti", "betétdíj", "garanție sgr", "depozito",
)  # fmt: skip
CHANGE: Captions = (
    "change", "change due", "cash change", "rückgeld", "wechselgeld", "rendu", "rendu monnaie", "monnaie rendue",
    "cambio", "su cambio", "resto", "wisselgeld", "troco", "reszta", "vráceno", "výdavek", "växel", "växel åter",
    "byttepenge", "vekslepenger", "vaihtoraha", "takaisin", "visszajáró", "rest", "povrat", "para üstü",
    "vuelto", "su vuelto", "vuelta", "kembali", "kembalian", "uang kembali", "baki",
)  # fmt: skip
SUBTOTAL: Captions = (
    "subtotal", "sub total", "sub-total", "zwischensumme", "zwischentotal", "summe", "summe positionen",
    "warenwert", "sous-total", "total ht", "base imponible", "subtotale", "totale merce", "imponibile", "totale",
    "subtotaal", "totaal", "subtotal sem iva", "suma", "razem", "mezisoučet", "medzisúčet", "delsumma", "summa",
    "subtotalt", "delsum", "sum", "välisumma", "yhteensä", "részösszeg", "összesen", "međuzbroj", "ukupno",
    "ara toplam", "total", "netto", "net total", "nettobetrag", "goods total", "total goods", "merchandise total",
)  # fmt: skip
"""Below such a line, with an amount, no lines of the document stand any more, but what is added to all of them."""
