"""What invoices and their kin call themselves, in the languages that docpipe reads and in those around them.

In: nothing. Out: `TITLES`, the printed titles of each sort of document, and `SORT_OF_CODE`, the codes of UNTDID 1001
for it that EN 16931 lists for BT-3.

A sort is one that EN 16931 has a code for. A cancellation (`Stornorechnung`) has none: it is a credit note, which is
what it does. Where a language has one word for two sorts, as Spanish has with `factura rectificativa`, the word stands
at the sort that it is mostly printed for.
"""

from __future__ import annotations

PLAIN = "invoice"
"""The sort that every other one is a special case of: `facture d'avoir` is no invoice."""

INVOICE = (
    "invoice", "bill",
    "Rechnung", "Faktura", "Honorarnote",
    "facture", "note d'honoraires",
    "factura", "minuta de honorarios",
    "fattura", "parcella",
    "factuur", "faktuur", "rekening", "nota",
    "fatura",
    "faktura", "rachunek",
    "daňový doklad", "faktúra", "vyúčtovanie", "vyúčtování",
    "regning", "räkning", "lasku",
    "számla",
    "factură",
    "račun",
    "τιμολόγιο",
)  # fmt: skip
CREDIT_NOTE = (
    "credit note", "credit memo", "credit memorandum", "credit invoice", "credited invoice", "refund note",
    "cancellation invoice", "cancellation note", "invoice cancellation", "cancellation of invoice", "reversal invoice",
    "Gutschrift", "Rechnungskorrektur", "Stornorechnung", "Storno", "Stornierung", "Kreditnote", "Annullierung",
    "avoir", "note de crédit", "facture d'annulation", "facture annulative", "annulation de facture",
    "nota de crédito", "factura rectificativa", "abono", "factura de anulación", "anulación de factura",
    "nota di credito", "nota di accredito", "nota di variazione in diminuzione", "storno fattura",
    "creditnota", "kredietnota", "creditfactuur", "kredietfactuur", "annuleringsfactuur", "annulatiefactuur",
    "fatura de crédito", "estorno", "anulação de fatura",
    "nota kredytowa", "nota uznaniowa", "faktura anulująca", "anulowanie faktury",
    "dobropis", "opravný daňový doklad dobropis", "stornofaktura",
    "kreditnota", "kreditfaktura", "kreditfakturering", "krediteringsfaktura", "krediträkning", "annulleringsfaktura",
    "hyvityslasku", "hyvitysnota", "peruutuslasku",
    "jóváíró számla", "jóváírás", "sztornó", "stornó számla", "érvénytelenítő számla",
    "notă de credit", "notă de creditare", "factură de credit", "factură storno", "factură de stornare", "stornare",
    "iade faturası", "iade fatura", "alacak dekontu", "iptal faturası",
    "odobrenje", "knjižno odobrenje", "kreditna nota", "storno račun", "odobrenje kupcu",
    "πιστωτικό", "πιστωτικό τιμολόγιο", "πιστωτικό σημείωμα", "ακυρωτικό", "ακυρωτικό τιμολόγιο",
)  # fmt: skip
DEBIT_NOTE = (
    "debit note", "debit memo", "debit memorandum", "debit invoice",
    "Belastungsanzeige", "Nachbelastung", "Debitnote",
    "note de débit",
    "nota de débito", "nota de cargo",
    "nota di debito", "nota di addebito", "nota di variazione in aumento",
    "debetnota", "debitnota", "debetfactuur",
    "nota debetowa", "nota obciążeniowa",
    "vrubopis", "opravný daňový doklad vrubopis", "ťarchopis",
    "debetfaktura", "debitfaktura", "veloitusnota",
    "terhelési értesítő", "terhelő számla",
    "notă de debit", "notă de debitare",
    "borç dekontu",
    "terećenje", "knjižno terećenje", "knjižno zaduženje", "obavijest o terećenju",
    "χρεωστικό", "χρεωστικό τιμολόγιο", "χρεωστικό σημείωμα",
)  # fmt: skip
CORRECTED_INVOICE = (
    "corrective invoice", "corrected invoice", "correction invoice", "amended invoice", "invoice correction",
    "Korrekturrechnung", "berichtigte Rechnung", "korrigierte Rechnung", "Rechnungsberichtigung",
    "Berichtigungsrechnung",
    "facture rectificative", "facture rectifiée", "facture corrective", "facture corrigée",
    "factura correctiva", "factura corregida",
    "fattura rettificativa", "fattura correttiva", "fattura di rettifica", "nota di rettifica",
    "correctiefactuur", "correctiefaktuur", "gecorrigeerde factuur",
    "fatura retificativa", "fatura rectificativa", "fatura corrigida", "fatura retificada",
    "faktura korygująca", "faktura korekta", "korekta faktury", "faktura VAT korygująca", "faktura VAT korekta",
    "korekta",
    "opravný daňový doklad", "opravná faktura", "opravná faktúra",
    "korrigeret faktura", "rettet faktura", "korrigert faktura", "korrigerad faktura", "rättad faktura",
    "korrigeringsfaktura", "korrektionsfaktura", "rättelsefaktura",
    "oikaisulasku", "korjauslasku", "korjattu lasku", "oikaistu lasku",
    "helyesbítő számla", "módosító számla", "számlával egy tekintet alá eső okirat", "számlahelyesbítő",
    "factură de corecție", "factură corectată", "factură de corectare",
    "düzeltme faturası", "düzeltilmiş fatura",
    "ispravak računa", "korektivni račun", "ispravljeni račun", "korekcija računa",
    "διορθωτικό τιμολόγιο", "διορθωμένο τιμολόγιο", "διορθωτικό",
)  # fmt: skip
PREPAYMENT_INVOICE = (
    "prepayment invoice", "prepaid invoice", "deposit invoice", "advance invoice", "advance payment invoice",
    "down payment invoice", "invoice for advance payment",
    "Anzahlungsrechnung", "Abschlagsrechnung", "Vorauszahlungsrechnung", "Vorauszahlung", "Vorkasserechnung",
    "Akontorechnung", "Akonto Rechnung", "Vorschussrechnung",
    "facture d'acompte", "facture d'avance", "facture d'arrhes", "facture de provision",
    "factura de anticipo", "factura anticipo", "factura de anticipos", "factura anticipada",
    "factura por anticipo",
    "fattura di acconto", "fattura d'acconto", "fattura in acconto", "fattura di anticipo", "fattura anticipata",
    "aanbetalingsfactuur", "voorschotfactuur", "voorschotnota", "vooruitbetalingsfactuur",
    "fatura de adiantamento", "fatura de sinal", "fatura adiantamento", "fatura antecipada",
    "faktura zaliczkowa", "faktura VAT zaliczkowa", "faktura zaliczka",
    "zálohová faktura", "zálohový list", "zálohová faktúra", "preddavková faktúra",
    "forudbetalingsfaktura", "acontofaktura", "a conto faktura", "akontofaktura", "aconto", "a conto",
    "forskuddsfaktura", "forskudsfaktura", "förskottsfaktura", "förskottsbetalning", "forskuddsbetaling",
    "ennakkolasku", "ennakkomaksulasku",
    "előlegszámla", "előleg számla", "előlegbekérő",
    "factură de avans", "factură avans", "factură în avans",
    "avans faturası", "ön ödeme faturası",
    "avansni račun", "račun za predujam", "predujam", "račun za avans",
    "τιμολόγιο προκαταβολής",
)  # fmt: skip
PROFORMA = (
    "proforma", "profaktura",
    "díjbekérő",
    "predračun",
    "προτιμολόγιο", "προφόρμα",
)  # fmt: skip
SELF_BILLED_INVOICE = (
    "self-billed", "self-billing", "self-bill", "recipient created tax invoice", "buyer created tax invoice", "RCTI",
    "Gutschriftsverfahren", "Gutschrift im Gutschriftsverfahren", "Gutschrift Gutschriftsverfahren",
    "Abrechnungsgutschrift", "Selbstfakturierung", "Selbstfaktura", "Selbstabrechnung",
    "autofacture", "auto-facturation", "facture émise par l'acquéreur",
    "autofactura", "autofacturación", "facturación por el destinatario", "factura por el destinatario",
    "autofattura", "autofatturazione",
    "zelffacturering", "zelffactuur",
    "autofatura", "autofaturação", "autofacturação",
    "samofakturowanie", "samofaktura",
    "samofakturace", "samovyfakturovanie", "vyhotovenie faktúry odberateľom",
    "selvfakturering", "selvfaktura", "afregningsbilag", "självfakturering", "självfaktura",
    "itselaskutus", "itselasku",
    "önszámlázás", "önszámla",
    "autofacturare", "autofactură",
    "samofakturiranje", "samoizdavanje računa",
    "αυτοτιμολόγηση", "αυτοτιμολόγιο",
)  # fmt: skip
SELF_BILLED_CREDIT_NOTE = (
    "self-billed credit note", "self-billing credit note", "self-bill credit note", "autofacture d'avoir",
)  # fmt: skip

TITLES = {
    PLAIN: INVOICE,
    "credit_note": CREDIT_NOTE,
    "corrected_invoice": CORRECTED_INVOICE,
    "prepayment_invoice": PREPAYMENT_INVOICE,
    "proforma": PROFORMA,
    "debit_note": DEBIT_NOTE,
    "self_billed_invoice": SELF_BILLED_INVOICE,
    "self_billed_credit_note": SELF_BILLED_CREDIT_NOTE,
}
"""Titles in en, de, fr, es, it, nl, pt, pl, cs, sk, da, sv, nb, fi, hu, ro, tr, hr and el; the line of each is its
language's, and what several have in common stands once. Case, accents, blanks and hyphens do not matter."""

SORT_OF_CODE = {
    "380": PLAIN, "326": PLAIN, "388": PLAIN, "393": PLAIN,
    "381": "credit_note", "81": "credit_note", "83": "credit_note", "262": "credit_note", "308": "credit_note",
    "396": "credit_note", "420": "credit_note", "532": "credit_note",
    "383": "debit_note", "80": "debit_note", "84": "debit_note",
    "384": "corrected_invoice",
    "386": "prepayment_invoice",
    "325": "proforma",
    "389": "self_billed_invoice",
    "261": "self_billed_credit_note",
}  # fmt: skip
"""UNTDID 1001: what stands in BT-3 of a structured invoice, and in labels that were taken from one."""

EITHER_WORDS = frozenset(
    "or oder ou o of albo lub nebo alebo eller tai vagy sau veya ili ή".split()  # noqa: SIM905 - easier to read
)
"""Between two titles they leave open which one it is; so does a stroke (`Invoice / Credit note`)."""
