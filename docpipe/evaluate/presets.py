"""How well-known label files name their fields: a table, and the reader of `--map theirs=ours`.

In: the words of `--map`. Out: a NameMap that says under which of our paths a label counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from docpipe.errors import UsageError
from docpipe.paths import FieldPath
from docpipe.schema import Schema

NOT_SCORED = ""  # `unit=`: this name is not scored

_WILDRECEIPT = {
    "store_name": "merchant_name",
    "store_address": "merchant_address",
    "telephone": "merchant_phone",
    "tips": "tip",
    "items": NOT_SCORED,  # texts without prices: the labels do not say which price belongs to which item
}
_EINVOICES = {
    "type_code": "invoice_type",
    "order_number": "purchase_order",
    "due_amount": "amount_due",
    "prepaid": "prepaid_amount",
    "vat_breakdown[].basis": "tax_breakdown[].net",
    "vat_breakdown[].tax": "tax_breakdown[].tax",
    "vat_breakdown[].rate": "tax_breakdown[].rate",
    "line_items[].name": "line_items[].description",
    "line_items[].vat_rate": "line_items[].tax_rate",
    "line_items[].line_total": "line_items[].amount",
    "line_items[].unit": NOT_SCORED,  # UN/ECE codes (C62), which nobody prints
}
PRESETS: Mapping[str, Mapping[str, str]] = {
    "sroie": {"company": "merchant_name", "address": "merchant_address"},
    "wildreceipt": _WILDRECEIPT,
    # only the total in rupiah can be trusted
    "receipts_id": {"total_idr": "total", **dict.fromkeys(("total", "subtotal", "date", "time", "tax"), NOT_SCORED)},
    "einvoices": _EINVOICES,
    "invoices_fr": {
        "po_number": "purchase_order",
        "gross_total_derived": "gross_total",
        "line_items[].name": "line_items[].description",
    },
    # with the invoice schema; under a schema with these five names they count as they are
    "adbuy": {"contract_num": "invoice_number", "advertiser": "buyer_name", "gross_amount": "gross_total"},
    "funsd": {"*": "pairs[].value"},  # every question is its own name; see NameMap.pairs_list
}


MAP_HINT = "Write --map theirs=ours, --map theirs= to leave a name out, or a preset: " + ", ".join(PRESETS) + "."


@dataclass(frozen=True, slots=True)
class NameMap:
    """Their names -> our paths (templates). A name without an entry keeps its own."""

    names: Mapping[str, str]

    def path(self, name: str) -> str:
        return self.names.get(name, name)

    def list_path(self, name: str) -> str:
        """`vat_breakdown` -> `tax_breakdown`, from the list itself or from any of its columns."""
        if name in self.names:
            return self.names[name]
        for theirs, ours in self.names.items():
            if theirs.startswith(f"{name}[].") and ours:
                return FieldPath.parse(ours).list_path or ours
        return name

    def column(self, list_name: str, column: str) -> str:
        """The name of a row's column with us; NOT_SCORED when it is left out."""
        return self.names.get(f"{list_name}[].{column}", column).rpartition(".")[2]

    @property
    def pairs_list(self) -> str | None:
        """With `*=pairs[].value`, every labelled name is one row (label, value) of this list."""
        pairs = self.names.get("*")
        return None if pairs is None else FieldPath.parse(pairs).list_path or pairs


def read_map(words: Sequence[str], schema: Schema) -> NameMap:
    """`company=merchant_name`, `unit=` or a preset's name; later words win over earlier ones.

    A preset's entry whose target the schema lacks is passed over; a target given by hand must exist.
    """
    ours = {spec.path for spec in schema.fields} | set(schema.lists()) | {NOT_SCORED}
    names: dict[str, str] = {}
    for word in words:
        theirs, equals, target = word.partition("=")
        if equals:
            if target not in ours:
                raise UsageError(
                    f"--map {word}: the schema {schema.name} has no field {target}",
                    hint=f"`docpipe schema show {schema.name}` lists its fields.",
                )
            names[theirs] = target
        elif word in PRESETS:
            names |= {name: path for name, path in PRESETS[word].items() if path in ours}
        else:
            raise UsageError(f"--map {word}: neither theirs=ours nor a preset", hint=MAP_HINT)
    return NameMap(names)
