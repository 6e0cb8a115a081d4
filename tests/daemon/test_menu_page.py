"""The page that shows the menu tree, for both shipped profiles."""

import re

import pytest
from hotline.daemon.menu_page import render
from hotline.daemon.upkeep import load_dialog
from hotline.voice.catalogue import Catalogue

CATALOGUE = Catalogue.load()


@pytest.mark.parametrize(
    ("name", "keys"),
    [("city.yaml", "1234567"), ("guideline.yaml", "1247")],
)
def test_every_menu_node_is_shown_with_its_key_and_words(name, keys):
    dialog = load_dialog(name, CATALOGUE)
    page = render(dialog, CATALOGUE)
    for name, node in dialog.nodes.items():
        for key, choice in node.menu.items():
            if choice.to != name:  # 重听
                assert f"<kbd>{key}</kbd> <b>{dialog.nodes[choice.to].title}</b>" in page, name
    assert CATALOGUE[dialog.nodes["main"].prompt[0]].text in page
    top = re.findall(r"<kbd>(.)</kbd>", page)
    assert set(keys) <= set(top)


def test_titles_are_text_and_not_markup():
    dialog = load_dialog("city.yaml", CATALOGUE).model_copy(update={"title": "<script>"})
    assert "<script>" not in render(dialog, CATALOGUE)
