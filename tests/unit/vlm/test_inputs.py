"""The arrays of the network: their names and order are those of the file that ships."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from docpipe.vlm.inputs import (
    INPUT_SPECS,
    OUTPUT_SPECS,
    ArraySpec,
    FieldInputs,
    NetworkInputs,
    one_page,
    padded_shape,
)
from docpipe.vlm.predict import NETWORK, weights_folder

LENGTHS = {"descriptions": 2, "prompt_pieces": 5, "fields": 3, "words": 4}


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(weights_folder() / NETWORK), providers=["CPUExecutionProvider"])


def arrays() -> NetworkInputs[np.ndarray]:
    """Of one page, without the axis of pages."""
    return NetworkInputs.ordered([np.full(padded_shape(spec, LENGTHS), n) for n, spec in enumerate(INPUT_SPECS)])


def onnx_shape(spec: ArraySpec) -> list[int | str]:
    return [*([] if spec.per_batch else [1]), *spec.axes]


def test_the_file_that_ships_takes_and_gives_these_arrays_in_this_order(session: onnxruntime.InferenceSession) -> None:
    types = {"tensor(int64)": "int64", "tensor(float)": "float32"}
    for specs, nodes in ((INPUT_SPECS, session.get_inputs()), (OUTPUT_SPECS.values(), session.get_outputs())):
        expected = [(spec.onnx_name, spec.dtype, onnx_shape(spec)) for spec in specs]
        assert [(node.name, types[node.type], node.shape) for node in nodes] == expected


def test_arrays_come_back_from_their_order_by_name() -> None:
    inputs = arrays()
    again = NetworkInputs.ordered(list(inputs.by_onnx_name().values()))
    assert again.page.neighbours is inputs.page.neighbours
    assert inputs.map(lambda array: array + 1).fields.group_ids.tolist() == [3, 3, 3]


def test_a_page_becomes_a_batch_of_one_and_its_prompts_stay_as_they_are() -> None:
    inputs = arrays()
    batch = one_page(inputs.fields, inputs.page)
    assert batch.fields.prompt_token_ids.shape == (2, 5)
    assert batch.fields.prompt_index.shape == (1, 3)
    assert batch.page.page_boxes.shape == (1, 4, 4)


def test_masks_know_what_is_padding() -> None:
    fields = FieldInputs(np.zeros((1, 1)), np.array([[0, -1]]), np.zeros((1, 2)), np.zeros((1, 2)))
    page = replace(arrays().page, token_ids=np.array([[[7, 0], [0, 0]]]))
    batch = NetworkInputs(fields, page)
    assert batch.field_mask.tolist() == batch.word_mask.tolist() == [[True, False]]
