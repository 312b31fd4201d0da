"""How a name, a class or a file becomes a schema, and what is said when it cannot."""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
import pickle
import subprocess
import sys
from decimal import Decimal
from enum import Enum
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field

from docpipe.errors import SchemaError
from docpipe.schema import list_schemas, load_schema
from docpipe.schema_fields import Expected
from docpipe.schemas.kinds import Iban, Money
from docpipe.schemas.rules import DatesInOrder, Total

INVOICE_FIELDS = """invoice_number invoice_type issue_date due_date currency purchase_order buyer_reference seller_name
seller_address seller_vat_id buyer_name buyer_address buyer_vat_id iban payment_terms line_items[].description
line_items[].quantity line_items[].unit line_items[].unit_price line_items[].tax_rate line_items[].amount
tax_breakdown[].rate tax_breakdown[].net tax_breakdown[].tax net_total tax_total gross_total prepaid_amount
amount_due preceding_invoice_number preceding_invoice_date delivery_date period_start period_end
allowances_and_charges[].reason allowances_and_charges[].sign allowances_and_charges[].amount withholding_amount
rounding_amount"""
RECEIPT_FIELDS = """merchant_name merchant_address merchant_phone date time currency items[].description
items[].quantity items[].unit_price items[].amount subtotal tax tip total payment_method
discount deposit change"""

SOURCE = """
from decimal import Decimal
from pydantic import BaseModel

class Party(BaseModel):
    name: str | None = None

class Order(BaseModel):
    order_number: str
    seller: Party | None = None
"""


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Row(BaseModel):
    what: str | None = None
    price: Annotated[Decimal | None, Money(), Expected()] = Field(
        None, description="price of the thing", examples=["1.00"]
    )


class Party(BaseModel):
    name: str | None = None
    account: Annotated[str | None, Iban()] = None


class Order(BaseModel):
    """What was ordered."""

    order_number: str
    seller: Party | None = None
    size: Size | None = None
    colour: Literal["red", "blue"] | None = None
    pieces: int | None = None
    paid: bool | None = None
    ordered: dt.date | None = None
    delivered: dt.date | None = None
    gross_amount: Decimal | None = None
    rows: list[Row] = Field(default_factory=list)

    rules: ClassVar = (DatesInOrder("ordered", "delivered"),)


def test_the_shipped_schemas_have_the_fields_that_were_agreed():
    assert list_schemas() == ["invoice", "receipt", "form"]
    assert [spec.path for spec in load_schema("invoice").fields] == INVOICE_FIELDS.split()
    assert [spec.path for spec in load_schema("receipt").fields] == RECEIPT_FIELDS.split()
    assert [spec.path for spec in load_schema("form").fields] == ["pairs[].label", "pairs[].value"]


def test_what_makes_a_shipped_document_complete_is_marked():
    assert [s.path for s in load_schema("receipt").fields if s.required] == ["merchant_name", "date", "total"]
    expected = ["invoice_number", "issue_date", "seller_name", "gross_total"]
    assert [s.path for s in load_schema("invoice").fields if s.required] == expected


@pytest.mark.parametrize("name", ["invoice", "receipt", "form"])
def test_every_shipped_field_may_be_absent_and_has_a_short_prompt_of_its_own(name):
    schema = load_schema(name)
    schema.model()
    assert all(2 <= len(spec.prompt.split()) <= 20 for spec in schema.fields)
    assert len({spec.prompt for spec in schema.fields}) == len(schema.fields)


def test_a_class_without_kinds_gets_them_from_its_types():
    kinds = {spec.path: spec.kind.name for spec in load_schema(Order).fields}
    assert kinds == {
        "order_number": "text",
        "seller.name": "text",
        "seller.account": "iban",
        "size": "choice",
        "colour": "choice",
        "pieces": "integer",
        "paid": "boolean",
        "ordered": "date",
        "delivered": "date",
        "gross_amount": "money",
        "rows[].what": "text",
        "rows[].price": "money",
    }


def test_prompts_examples_and_what_is_expected_come_from_the_annotation():
    schema = load_schema(Order)
    price = schema.spec("rows[3].price")
    assert (price.prompt, price.examples, price.required, price.list_path) == (
        "price of the thing",
        ("1.00",),
        True,
        "rows",
    )
    assert schema.spec("gross_amount").prompt == "gross amount"
    assert schema.spec("order_number").required
    assert not schema.spec("pieces").required
    assert (schema.name, schema.description) == ("order", "What was ordered.")
    assert list(schema.lists()) == ["rows"]
    assert [spec.name for spec in schema.lists()["rows"]] == ["what", "price"]


def test_an_unknown_path_is_refused_with_the_paths_there_are():
    with pytest.raises(SchemaError) as refused:
        load_schema("receipt").spec("grand_total")
    assert "merchant_name" in refused.value.hint


def test_a_file_of_ones_own_is_loaded_from_any_directory(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    schema = load_schema("mine.py:Order")
    monkeypatch.chdir("/")
    assert [spec.path for spec in schema.fields] == ["order_number", "seller.name"]
    assert load_schema(schema.reference) == schema


def test_a_changed_file_is_read_anew(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE, encoding="utf-8")
    first = load_schema(f"{path}:Order")
    path.write_text(SOURCE + "    total: Decimal | None = None\n", encoding="utf-8")
    second = load_schema(f"{path}:Order")
    assert len(second.fields) == len(first.fields) + 1
    assert second.version != first.version


def test_a_class_is_found_by_its_module():
    assert load_schema("docpipe.schemas.receipt:Receipt").fields == load_schema("receipt").fields


def test_a_schema_survives_the_way_into_another_process(tmp_path):
    (tmp_path / "mine.py").write_text(SOURCE, encoding="utf-8")
    content = {"type": "object", "properties": {"total": {"type": "number"}}}
    (tmp_path / "mine.json").write_text(json.dumps(content), encoding="utf-8")
    for reference in ("invoice", f"{tmp_path}/mine.py:Order", f"{tmp_path}/mine.json"):
        schema = load_schema(reference)
        assert pickle.loads(pickle.dumps(schema)).version == schema.version


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda schema: pickle.loads(pickle.dumps(schema))])
def test_what_is_asked_for_alone_is_all_that_a_copy_asks_for(again):
    schema = load_schema("invoice")
    part = schema.only(["gross_total", "line_items", "tax_total"])
    assert again(part) == part
    assert [spec.path for spec in again(part).fields if not spec.list_path] == ["tax_total", "gross_total"]
    assert (again(part).rules, again(part).version) == ((), part.version)
    assert again(again(part).only(["tax_total"])) == schema.only(["tax_total"])
    assert again(schema) == schema


def test_each_part_of_a_schema_has_a_version_of_its_own():
    schema = load_schema("invoice")
    narrowings = [[], ["tax_total"], ["gross_total"], ["line_items"], [spec.path for spec in schema.fields]]
    assert len({schema.version, *(schema.only(paths).version for paths in narrowings)}) == len(narrowings) + 1


def test_a_part_of_a_class_inside_a_function_is_copied():
    class Local(BaseModel):
        total: Decimal | None = None
        tax: Decimal | None = None

    part = load_schema(Local).only(["tax"])
    assert copy.deepcopy(part) == copy.copy(part) == part


def test_a_class_inside_a_function_cannot_be_sent_and_says_so():
    class Local(BaseModel):
        total: Decimal | None = None

    with pytest.raises(SchemaError, match="local to a function"):
        pickle.dumps(load_schema(Local))


def test_the_version_is_the_same_in_every_process():
    code = "from docpipe.schema import load_schema; print(load_schema('invoice').version)"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == load_schema("invoice").version


@pytest.mark.parametrize(
    "body",
    [
        "Annotated[Decimal | None, Money()] = Field(None, description='sum to pay')",
        "Annotated[Decimal | None, Quantity()] = Field(None, description='sum')",
        "Annotated[Decimal | None, Money(), Expected()] = Field(None, description='sum')",
        "Annotated[Decimal | None, Money()] = Field(None, description='sum', examples=['1.00'])",
        "Annotated[Decimal | None, Money()] = Field(None, description='sum')\n    tax: Decimal | None = None",
        "Annotated[Decimal | None, Money()] = Field(None, description='sum')\n    rules: ClassVar = (ORDER,)",
    ],
)
def test_the_version_changes_with_a_prompt_a_kind_a_field_or_a_rule(tmp_path, body):
    head = (
        "from decimal import Decimal\nfrom typing import Annotated, ClassVar\nfrom pydantic import BaseModel, Field\n"
        "from docpipe.schemas.kinds import Expected, Money, Quantity\nfrom docpipe.schemas.rules import DatesInOrder\n"
        "ORDER = DatesInOrder('total', 'total')\nclass Mine(BaseModel):\n    total: "
    )
    plain = "Annotated[Decimal | None, Money()] = Field(None, description='sum')"
    versions = set()
    for name, text in (("a", plain), ("b", body)):
        path = tmp_path / f"{name}.py"
        path.write_text(head + text + "\n", encoding="utf-8")
        versions.add(load_schema(f"{path}:Mine").version)
    assert len(versions) == 2


class Deep(BaseModel):
    orders: list[Order] = Field(default_factory=list)


class Words(BaseModel):
    words: list[list[str]] = Field(default_factory=list)


class Strange(BaseModel):
    where: complex | None = None


class Broken(BaseModel):
    net: Decimal | None = None
    rules: ClassVar = (Total("gross", plus=("net",)),)


class Empty(BaseModel):
    pass


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("invoce", "no schema named 'invoce'"),
        ("nowhere.py:Order", "no file"),
        ("no_such_module:Order", "cannot import"),
        ("docpipe.schemas.receipt:Recipe", "no class Recipe"),
        ("docpipe.schemas.rules:Sum", "not a Pydantic class"),
        (Deep, "list inside a list"),
        (Words, "words is a list inside a list"),
        (Strange, "where has the type"),
        (Broken, "reads gross"),
        (Empty, "no fields"),
        ("nowhere.json", "cannot read"),
        ("~no-such-user/order.json", "cannot read"),
        ("~no-such-user/order.py:Order", "no file"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_its_reason(reference, reason):
    with pytest.raises(SchemaError, match=reason) as refused:
        load_schema(reference)
    assert refused.value.hint


def test_a_file_that_fails_when_it_is_run_is_refused_with_its_error(tmp_path):
    (tmp_path / "bad.py").write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(SchemaError, match="ZeroDivisionError"):
        load_schema(f"{tmp_path}/bad.py:Order")


def test_a_schema_reads_the_conventions_of_a_document():
    assert load_schema("receipt").conventions(["Date 25/12/2018"]).day_first is True


def test_importing_docpipe_schema_loads_nothing_heavy():
    heavy = ("pydantic", "babel", "stdnum", "docpipe.schemas")
    code = f"import sys, docpipe.schema; print([m for m in {heavy} if m in sys.modules])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
