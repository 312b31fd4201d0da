"""What is printed beside the fields that are read by their captions: the words, in the languages that docpipe reads.

In: nothing. Out: captions by field, in lower case; the reader compares letters and digits without accents.
They are the usual words of each country's invoices (EN 16931's terms in its translations, and what accounting programs
print). Words that also stand beside other things (`total`, `date`) are left out: what is not found is left empty.
"""

from __future__ import annotations

Captions = tuple[str, ...]

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
)  # fmt: skip
SUBTOTAL: Captions = (
    "subtotal", "sub total", "sub-total", "zwischensumme", "zwischentotal", "summe", "summe positionen",
    "warenwert", "sous-total", "total ht", "base imponible", "subtotale", "totale merce", "imponibile", "totale",
    "subtotaal", "totaal", "subtotal sem iva", "suma", "razem", "mezisoučet", "medzisúčet", "delsumma", "summa",
    "subtotalt", "delsum", "sum", "välisumma", "yhteensä", "részösszeg", "összesen", "međuzbroj", "ukupno",
    "ara toplam", "total", "netto", "net total", "nettobetrag", "goods total", "total goods", "merchandise total",
)  # fmt: skip
"""Below such a line, with an amount, no lines of the document stand any more, but what is added to all of them."""
