"""The notebook in examples/ runs, and shows what is stored in it."""

from __future__ import annotations

from copy import deepcopy

import nbformat
from conftest import ROOT
from nbclient import NotebookClient

NOTEBOOK = ROOT / "examples" / "shop.ipynb"


def shown(notebook):
    """Text of every cell's output."""
    return [
        [output.get("text") or output["data"]["text/plain"] for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_the_notebook_shows_what_is_stored_in_it():
    stored = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(stored)
    again = deepcopy(stored)
    for cell in again.cells:
        cell.outputs = [] if cell.cell_type == "code" else cell.get("outputs")
    NotebookClient(again, timeout=300).execute()
    assert any("Champions" in text for cell in shown(stored) for text in cell)
    assert shown(again) == shown(stored)
