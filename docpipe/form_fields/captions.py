"""What the fields of a form ask, and which words are their answers.

In: the words of a page and the widgets of its form. Out: questions with the options that may be ticked, and entries
that were typed or chosen, each with the words of its label.

Text on a form belongs to what it stands beside. An option is named on the right of its box, or on the left where all of
a line are. A label stands on the left of the first option, or above.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from docpipe.data import Box, Page, Widget
from docpipe.form_fields.bands import BoxBands

# Distances in heights of the print beside the widget; print of forms is set in blanks of a quarter of its height.
WORD_GAP = 1.0  # between words of one text; what is further apart is another column's
CAPTION_GAP = 1.6  # between a box and the name of its option
LABEL_ABOVE = 1.6  # between a label and what it stands above
OPTION_PITCH = 3.0  # from one option to the next below it
MAX_LABEL_GAP = 0.35  # of the page's width: between a label and the field on its right
LABEL_ENDS = (":", "?", "：", "？")


@dataclass(frozen=True, slots=True)
class FormOption:
    """A button and the words that name it: their indexes on the page, none where it has no name."""

    widget: Widget
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """Buttons that answer one question. `label` are the indexes of its words, none where nothing asks."""

    page: int
    label: tuple[int, ...]
    options: tuple[FormOption, ...]

    @property
    def words(self) -> frozenset[int]:
        """Of all options."""
        return frozenset(word for option in self.options for word in option.words)

    @property
    def is_radio(self) -> bool:
        return self.options[0].widget.type == "radio_button"

    @property
    def is_lone_box(self) -> bool:
        """A check box that asks by itself."""
        return len(self.options) == 1 and not self.is_radio

    @property
    def ticked(self) -> tuple[FormOption, ...]:
        return tuple(option for option in self.options if option.widget.checked)


@dataclass(frozen=True, slots=True)
class FormEntry:
    """What was typed into a field or chosen from its list; `words` are the indexes of the words in it."""

    page: int
    label: tuple[int, ...]
    widget: Widget
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _ButtonLabel:
    """A button with the words of its caption and those that ask for it."""

    option: FormOption
    label: tuple[int, ...]


class FormLayout:
    """The form of one page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._aspect = page.width / page.height if page.height else 1.0
        self._word_bands = BoxBands([word.box for word in page.words])
        self._widget_bands = BoxBands([widget.box for widget in page.widgets])

    @cached_property
    def questions(self) -> tuple[FormQuestion, ...]:
        """Radio buttons of one name, and check boxes of one label, in the order of the file."""
        groups: dict[object, list[_ButtonLabel]] = {}
        for number, button in enumerate(self._labelled_buttons()):
            widget = button.option.widget
            key = (widget.name,) if widget.type == "radio_button" else button.label or (number, "alone")
            groups.setdefault(key, []).append(button)
        return tuple(
            FormQuestion(
                self._page.number,
                next((button.label for button in group if button.label), ()),
                tuple(button.option for button in group),
            )
            for group in groups.values()
        )

    @cached_property
    def entries(self) -> tuple[FormEntry, ...]:
        """The fields that are filled in."""
        return tuple(
            FormEntry(self._page.number, self._label_of(widget), widget, self._words_inside(widget))
            for widget in self._page.widgets
            if not widget.is_button and widget.value
        )

    @cached_property
    def _filled_in(self) -> frozenset[int]:
        """Words that stand in a field."""
        fields = (widget for widget in self._page.widgets if not widget.is_button)
        return frozenset(word for widget in fields for word in self._words_inside(widget))

    def _free_words(self, top: float, bottom: float) -> list[int]:
        """Words between two heights and around them that stand in no field, from left to right."""
        free = (index for index in self._word_bands.meeting(top, bottom) if index not in self._filled_in)
        return sorted(free, key=lambda index: self._page.words[index].box.left)

    @cached_property
    def _buttons(self) -> tuple[Widget, ...]:
        """From the top, those of a line from the left."""
        buttons = sorted((w for w in self._page.widgets if w.is_button), key=lambda w: (w.box.top, w.box.left))
        lines: list[list[Widget]] = []
        for button in buttons:
            if lines and _on_line(lines[-1][0].box, button.box):
                lines[-1].append(button)
            else:
                lines.append([button])
        return tuple(button for line in lines for button in sorted(line, key=lambda w: w.box.left))

    def _labelled_buttons(self) -> Iterator[_ButtonLabel]:
        """Each button with its caption, and the label on its left, above it, or of the button before it."""
        seen: list[_ButtonLabel] = []
        for button in self._buttons:
            option = FormOption(button, self._captions[button])
            around = replace(button, box=self._around(option))
            beside = self._left_run(button, self._named)
            before = next((other for other in reversed(seen) if _continues(other.option.widget.box, button.box)), None)
            if beside:
                label = beside
            elif before is not None:
                label = before.label
            else:
                label = self._above(around, sure=self._has_option_below(button))
            seen.append(_ButtonLabel(option, label))
        return iter(seen)

    @cached_property
    def _named(self) -> frozenset[int]:
        """The words of all captions."""
        return frozenset(word for words in self._captions.values() for word in words)

    @cached_property
    def _captions(self) -> dict[Widget, tuple[int, ...]]:
        """Of every button; on the left only where all buttons of a line have one there and not all on the right."""
        right = {button: self._right_run(button) for button in self._buttons}
        left = {button: self._left_run(button, frozenset(), gap=CAPTION_GAP) for button in self._buttons}
        captions: dict[Widget, tuple[int, ...]] = {}
        for button in self._buttons:
            line = [button, *(other for other in self._beside(button) if other.is_button)]
            is_left = all(left[other] for other in line) and not all(right[other] for other in line)
            captions[button] = left[button] if is_left else right[button]
        return captions

    def _right_run(self, widget: Widget) -> tuple[int, ...]:
        """The words that begin beside a widget and go on without a wide gap, up to the next widget."""
        run: list[int] = []
        edge = widget.box.right
        limit = min((w.box.left for w in self._beside(widget) if w.box.left >= widget.box.right), default=1.0)
        for index in self._line_words(widget):
            box = self._page.words[index].box
            if box.right <= widget.box.right or (box.left + box.right) / 2 >= limit:
                continue
            if not self._is_near(edge, box.left, box, WORD_GAP if run else CAPTION_GAP):
                break
            run.append(index)
            edge = box.right
        return tuple(run)

    def _left_run(self, widget: Widget, named: frozenset[int], *, gap: float | None = None) -> tuple[int, ...]:
        """The words that end before a widget, up to the widget before it, without the captions of others."""
        run: list[int] = []
        edge = widget.box.left
        limit = max((w.box.right for w in self._beside(widget) if w.box.right <= widget.box.left), default=0.0)
        for index in reversed(self._line_words(widget)):
            box = self._page.words[index].box
            if (box.left + box.right) / 2 >= widget.box.left:
                continue
            if (box.left + box.right) / 2 <= limit or (index in named and run):
                break
            if index in named:  # its own caption
                edge = box.left
                continue
            far = edge - box.right > MAX_LABEL_GAP if gap is None else not self._is_near(box.right, edge, box, gap)
            if far if not run else not self._is_near(box.right, edge, box, WORD_GAP):
                break
            run.append(index)
            edge = box.left
        return tuple(reversed(run))

    def _label_of(self, widget: Widget) -> tuple[int, ...]:
        """Of a field: on its left, else above it."""
        return self._left_run(widget, self._named) or self._above(widget, sure=True)

    def _above(self, widget: Widget, *, sure: bool) -> tuple[int, ...]:
        """The text that ends right above a widget and begins no further right. Unless one is `sure` that something
        asks, it must end as labels do."""
        words = self._page.words
        height = max((words[index].box.bottom - words[index].box.top for index in self._line_words(widget)), default=0)
        reach = LABEL_ABOVE * max(height, min(widget.box.bottom - widget.box.top, 0.02))
        line = [
            index
            for index in self._free_words(widget.box.top - reach, widget.box.top)
            if index not in self._named and 0 <= widget.box.top - _middle(words[index].box) <= reach
        ]
        nearest = max((words[index].box.bottom for index in line), default=0.0)
        run: list[int] = []
        for index in (index for index in line if _middle(words[index].box) > 2 * words[index].box.top - nearest):
            box = words[index].box
            if run and not self._is_near(words[run[-1]].box.right, box.left, box, WORD_GAP):
                if words[run[-1]].box.right > widget.box.left:
                    break
                run = []
            run.append(index)
        if not run or words[run[0]].box.left >= widget.box.right or words[run[-1]].box.right <= widget.box.left - 0.1:
            return ()
        is_label = sure or words[run[-1]].text.endswith(LABEL_ENDS)
        return tuple(run) if is_label else ()

    def _has_option_below(self, button: Widget) -> bool:
        return any(_continues(button.box, other.box) for other in self._buttons if other is not button)

    def _around(self, option: FormOption) -> Box:
        box = option.widget.box
        for word in option.words:
            box = box.union(self._page.words[word].box)
        return replace(box, top=option.widget.box.top)

    def _words_inside(self, widget: Widget) -> tuple[int, ...]:
        near = self._word_bands.meeting(widget.box.top, widget.box.bottom)
        return tuple(index for index in near if _holds(widget.box, self._page.words[index].box))

    def _beside(self, widget: Widget) -> list[Widget]:
        near = (self._page.widgets[index] for index in self._widget_bands.meeting(widget.box.top, widget.box.bottom))
        return [other for other in near if other != widget and _on_line(other.box, widget.box)]

    def _line_words(self, widget: Widget) -> list[int]:
        """The words outside of fields at the height of a widget, from the left; of a high field, at its first line."""
        near = self._free_words(widget.box.top, widget.box.bottom)
        return [index for index in near if _on_line(self._page.words[index].box, widget.box)]

    def _is_near(self, left: float, right: float, word: Box, heights: float) -> bool:
        return (right - left) * self._aspect <= heights * (word.bottom - word.top)


def form_layouts(pages: Sequence[Page]) -> list[FormLayout]:
    """Of the pages that have fields."""
    return [FormLayout(page) for page in pages if page.widgets]


def _continues(upper: Box, lower: Box) -> bool:
    """Whether a button goes on with the options of another: beside it, or right below it."""
    if _on_line(upper, lower):
        return True
    pitch = _middle(lower) - _middle(upper)
    is_below = 0 < pitch <= OPTION_PITCH * max(upper.bottom - upper.top, lower.bottom - lower.top)
    return is_below and abs(upper.left - lower.left) <= upper.right - upper.left


def _middle(box: Box) -> float:
    return (box.top + box.bottom) / 2


def _on_line(one: Box, other: Box) -> bool:
    """Whether the middle of one of them is at the height of the other."""
    return one.top <= _middle(other) <= one.bottom or other.top <= _middle(one) <= other.bottom


def _holds(outer: Box, inner: Box) -> bool:
    return outer.left <= (inner.left + inner.right) / 2 <= outer.right and outer.top <= _middle(inner) <= outer.bottom
