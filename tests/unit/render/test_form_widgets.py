"""The fields of a PDF's form as the file has them: what is ticked, chosen and typed, and where."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest

from docpipe.render import PDF, Renderer, SourceFile
from tests.support.pdf_forms import FormCanvas, read_page


@pytest.fixture
def form(tmp_path: Path) -> FormCanvas:
    return FormCanvas(tmp_path / "form.pdf")


def widgets_of(path: Path, renderer: Renderer):
    return {(each.name, each.value): each for each in renderer.form(SourceFile(path, PDF), 1).widgets}


@pytest.mark.parametrize("style", ["check", "cross", "circle", "star", "diamond"])
def test_a_ticked_box_is_checked_whatever_its_mark_looks_like(style, form, renderer):
    form.check_box(100, 100, "dogs", checked=True, buttonStyle=style)
    form.check_box(100, 130, "cats", checked=False, buttonStyle=style)
    states = {name: widget.checked for (name, _), widget in widgets_of(form.save(), renderer).items()}
    assert states == {"dogs": True, "cats": False}


def test_of_radio_buttons_of_one_name_the_selected_one_is_checked(form, renderer):
    for x, value in ((100, "north"), (200, "south"), (300, "west")):
        form.radio_button(x, 100, "wing", value, selected=value == "south")
    found = widgets_of(form.save(), renderer)
    assert {value: widget.checked for (_, value), widget in found.items()} == {
        "north": False,
        "south": True,
        "west": False,
    }
    assert {widget.type for widget in found.values()} == {"radio_button"}


def test_typed_and_chosen_values_have_the_name_and_the_tooltip_of_their_field(form, renderer):
    form.text_field(100, 100, "guest", "Ødegård, Åse", tooltip="Name of the guest")
    form.choice(100, 140, "meal", "Vegan", ["Fish", "Vegan"])
    form.text_field(100, 180, "pin", "4711", fieldFlags="password")
    found = {name: widget for (name, _), widget in widgets_of(form.save(), renderer).items()}
    assert (found["guest"].value, found["guest"].tooltip) == ("Ødegård, Åse", "Name of the guest")
    assert (found["meal"].type, found["meal"].value) == ("choice", "Vegan")
    assert found["pin"].value == ""


def test_what_is_chosen_from_a_list_is_what_the_page_shows_not_its_code(form, renderer):
    form.choice(100, 100, "country", "Sverige", ["Norge", "Sverige"])
    with pikepdf.open(form.save(), allow_overwriting_input=True) as pdf:
        [widget] = pdf.pages[0].Annots
        widget.Opt = pikepdf.Array([pikepdf.Array(["NO", "Norge"]), pikepdf.Array(["SE", "Sverige"])])
        widget.V = "SE"
        pdf.save()
    assert list(widgets_of(form.path, renderer)) == [("country", "Sverige")]


def test_of_a_list_from_which_several_are_chosen_each_has_its_row(form, renderer):
    form.list_box(100, 100, "days", "Mon", ["Mon", "Tue", "Wed"])
    with pikepdf.open(form.save(), allow_overwriting_input=True) as pdf:
        [widget] = pdf.pages[0].Annots
        widget.V, widget.Ff = pikepdf.Array(["Mon", "Wed"]), 1 << 21
        pdf.save()
    assert list(widgets_of(form.path, renderer)) == [("days", "Mon"), ("days", "Wed")]


def test_hidden_fields_are_no_fields_of_the_page(form, renderer):
    form.text_field(100, 100, "secret", "nobody sees this", annotationFlags="hidden")
    form.text_field(100, 140, "open", "seen")
    assert [name for name, _ in widgets_of(form.save(), renderer)] == ["open"]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_widget_stands_where_it_is_drawn_on_a_turned_page(turn, form, renderer):
    form.text(100, 100, "A line so that the page has a text that says which side is up")
    form.check_box(80, 300, "mark", checked=True)
    with pikepdf.open(form.save(), allow_overwriting_input=True) as pdf:
        pdf.pages[0].Rotate = turn
        pdf.save()
    page = read_page(form.path, renderer)
    [widget] = page.widgets
    assert widget.box.left == pytest.approx(80 / 595.28, abs=0.01)  # the page was turned so that its text is upright
    assert widget.box.bottom == pytest.approx(303 / 841.89, abs=0.01)


def test_fields_are_the_same_when_pages_are_read_in_any_order(form, renderer):
    form.check_box(100, 100, "dogs", checked=True)
    with pikepdf.open(form.save(), allow_overwriting_input=True) as pdf:
        pdf.add_blank_page()
        pdf.save()
    source = SourceFile(form.path, PDF)
    first = renderer.form(source, 1)
    assert renderer.form(source, 2).widgets == ()
    assert renderer.form(source, 1) == first
    assert len(first.widgets) == 1


def test_the_mark_in_a_box_is_no_word(form, renderer):
    form.text(120, 100, "I bring a dog")
    form.check_box(100, 100, "dogs", checked=True, buttonStyle="cross")
    path = form.save()
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:  # the way of other programs: a letter of a font
        [widget] = pdf.pages[0].Annots
        appearance = pdf.make_stream(b"BT /ZaDb 12 Tf 2 2 Td (4) Tj ET")
        appearance.BBox, appearance.Subtype, appearance.Type = [0, 0, 14, 14], pikepdf.Name.Form, pikepdf.Name.XObject
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.ZapfDingbats
        )
        appearance.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(ZaDb=font))
        for state in widget.AP.N.keys():  # noqa: SIM118 (no dict)
            if state != "/Off":
                widget.AP.N[state] = appearance
        pdf.save()
    page = read_page(path, renderer)
    assert [word.text for word in page.words] == ["I", "bring", "a", "dog"]
    assert [widget.checked for widget in page.widgets] == [True]


def test_a_form_that_is_xfa_alone_says_that_it_cannot_be_read(form, renderer):
    form.text(100, 100, "Please wait. If this message is not replaced, your viewer cannot show this form.")
    form.text_field(100, 200, "name", "")
    with pikepdf.open(form.save(), allow_overwriting_input=True) as pdf:
        pdf.Root.AcroForm.XFA = pdf.make_stream(b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"></xdp:xdp>')
        pdf.Root.NeedsRendering = True
        pdf.save()
    page = read_page(form.path, renderer)
    assert [(issue.code, issue.severity) for issue in page.issues] == [("xfa_form", "warning")]


def test_an_xfa_form_says_so_even_if_its_page_is_empty(form, renderer):
    with pikepdf.open(form.save(), allow_overwriting_input=True) as pdf:
        stream = pdf.make_stream(b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"></xdp:xdp>')
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(), XFA=stream)
        pdf.Root.NeedsRendering = True
        pdf.save()
    assert "xfa_form" in [issue.code for issue in read_page(form.path, renderer).issues]


def test_a_form_with_fields_of_both_kinds_is_read(form, renderer):
    form.text(100, 100, "Guest")
    form.text_field(150, 100, "guest", "Ines Prado")
    with pikepdf.open(form.save(), allow_overwriting_input=True) as pdf:
        pdf.Root.AcroForm.XFA = pdf.make_stream(b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"></xdp:xdp>')
        pdf.save()
    page = read_page(form.path, renderer)
    assert not [issue for issue in page.issues if issue.code == "xfa_form"]
    assert [widget.value for widget in page.widgets] == ["Ines Prado"]
